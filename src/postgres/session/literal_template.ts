/**
 * Texts of simple queries that differ in whole numbers only: `... WHERE id = 17` and `... WHERE id = 18` are one plan with a parameter, so
 * that clients which never prepare do not pay for parsing and planning each time.
 *
 *   text  ->  shape: every whole number out        numbers that a column is compared with in WHERE, or set to by SET  ->  parameters
 *             key:   shape + the other numbers     (LIMIT 10, ORDER BY 1, 1 + 1 keep their meaning as constants)
 *
 * Only texts made of words, numbers and plain operators are looked at, where a run of digits can be nothing but a number: no quotes,
 * comments, dollar signs. A number has at most nine digits, so it is an int4 as PostgreSQL reads it.
 */
import type { PgNode } from '../../../planner/parse/ast.ts';

export interface Shape {
  text: string;
  numbers: { value: number; at: number }[];
}

const PLAIN = /^\s*(?:select|update|delete\s+from)\b[\w\s=<>(),.*+;%-]*$/i;
const WHOLE_NUMBER = /(?<![\w.])\d{1,9}(?![\w.])/g;

/** Null for a text that is not looked at. */
export function shapeOf(text: string): Shape | null {
  if (!PLAIN.test(text) || text.includes('--')) return null;
  const numbers: Shape['numbers'] = [];
  const shape = text.replace(WHOLE_NUMBER, (digits, at: number) => {
    numbers.push({ value: Number(digits), at });
    return '?';
  });
  return numbers.length === 0 ? null : { text: shape, numbers };
}

/** An UPDATE: what a target of it is set to, if it is a number, is assigned as a parameter would be. */
const isSet = ({ relation, targetList, valuesLists }: PgNode): boolean =>
  relation !== undefined && targetList !== undefined && valuesLists === undefined;

const COMPARISONS = new Set(['=', '<', '>', '<=', '>=', '<>']);

/** The statement with parameters for what columns are compared with in WHERE and set to; `lifted[i]`: number i became the parameter of this number. */
export function liftNumbers(statement: PgNode, shape: Shape): { node: PgNode; lifted: (number | null)[] } {
  const node = structuredClone(statement);
  const places = new Map(shape.numbers.map(({ at }, i) => [at, i]));
  const lifted: (number | null)[] = shape.numbers.map(() => null);
  let count = 0;
  const lift = (operand: PgNode): void => {
    const constant = operand.A_Const;
    if (constant?.ival === undefined) return;
    const number = places.get(constant.location ?? 0);
    if (number === undefined) return;
    count++;
    lifted[number] = count;
    delete operand.A_Const;
    operand.ParamRef = { number: count, location: constant.location };
  };
  const visit = (node: unknown, inWhere: boolean): void => {
    if (typeof node !== 'object' || node === null) return;
    if (Array.isArray(node)) {
      for (const item of node) visit(item, inWhere);
      return;
    }
    const fields = node as PgNode;
    const compared = inWhere ? fields.A_Expr : undefined;
    if (compared?.kind === 'AEXPR_OP' && COMPARISONS.has(compared.name?.[0]?.String?.sval)) {
      if (compared.lexpr?.ColumnRef !== undefined) lift(compared.rexpr);
      else if (compared.rexpr?.ColumnRef !== undefined && compared.lexpr !== undefined) lift(compared.lexpr);
    }
    for (const { ResTarget: target } of isSet(fields) ? fields.targetList : [])
      if (target?.val !== undefined) lift(target.val);
    for (const [name, value] of Object.entries(fields)) visit(value, inWhere || name === 'whereClause');
  };
  visit(node, false);
  return { node, lifted };
}
