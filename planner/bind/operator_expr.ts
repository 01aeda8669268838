/**
 * A_Expr: operators, IN lists, BETWEEN, ANY/ALL over arrays, IS DISTINCT FROM, NULLIF, LIKE.
 */
import { SqlError } from '../../operators/errors.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { colType, OID } from '../../operators/types.ts';
import { visitExpr } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import { arrayTypeOf, elementTypeOf } from '../types/catalog.ts';
import { commonType } from '../types/coerce.ts';
import { BOOL, operand, operatorCall, operatorFor, toBoolean, toCommon, tryCoerce, typeOf } from './coercion.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { locationOf, stringOf } from './node.ts';
import { compareRows, distinctRows } from './row_compare.ts';

/** Operator name and schema of OPERATOR(schema.op) or a plain operator. */
export function operatorName(list: PgNode[]): { name: string; schema: string | undefined } {
  const parts = list.map(stringOf);
  return { name: parts[parts.length - 1], schema: parts.length > 1 ? parts[parts.length - 2] : undefined };
}

export function bindOperatorExpr(level: Level, c: PgNode): Expr {
  const at = locationOf(c);
  switch (c.kind ?? 'AEXPR_OP') {
    case 'AEXPR_OP':
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR':
      return bindPlain(level, c, at);
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL': {
      const { name, schema } = operatorName(c.name);
      const left = level.bind(c.lexpr);
      const right = level.bind(c.rexpr);
      return overArray(level, name, schema, c.kind === 'AEXPR_OP_ALL', left, right, at);
    }
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT':
      return bindDistinct(level, c, at);
    case 'AEXPR_NULLIF': {
      const call = operatorCall(level, '=', level.bind(c.lexpr), level.bind(c.rexpr), at);
      if (call.t.oid !== OID.bool) throw level.error('42804', 'NULLIF requires = operator to yield boolean', at);
      const [left, right] = call.args;
      return level.at({ k: 'nullif', eq: call.fn, left, right, t: colType(left.t.oid, left.t.typmod) }, at);
    }
    case 'AEXPR_IN':
      return bindIn(level, c, at);
    default:
      return bindBetween(level, c, at);
  }
}

function bindPlain(level: Level, c: PgNode, at: number): Expr {
  const { name, schema } = operatorName(c.name);
  if (c.lexpr?.RowExpr && c.rexpr?.SubLink?.subLinkType === 'EXPR_SUBLINK') {
    // (a, b) = (SELECT ...): the subquery gives a row.
    const sub = {
      ...c.rexpr.SubLink,
      subLinkType: 'ROWCOMPARE_SUBLINK',
      testexpr: c.lexpr,
      operName: c.name,
      location: at,
    };
    return level.bind({ SubLink: sub });
  }
  if (c.lexpr?.RowExpr && c.rexpr?.RowExpr) {
    return compareRows(level, name, rowItems(level, level.bind(c.lexpr)), rowItems(level, level.bind(c.rexpr)), at);
  }
  if (c.lexpr && isPlain(c.lexpr)) return bindChain(level, c);
  const left = c.lexpr ? level.bind(c.lexpr) : null;
  return combine(level, name, schema, left, level.bind(c.rexpr), at);
}

function isPlain(node: PgNode): boolean {
  const c = node.A_Expr;
  return c?.kind === 'AEXPR_OP' && c.lexpr !== undefined && !c.lexpr.RowExpr;
}

/** a + b + c + ...: the left operands are taken in a loop, so that a long chain needs no deep stack. */
function bindChain(level: Level, c: PgNode): Expr {
  const chain: PgNode[] = [];
  let node: PgNode = c;
  for (; node.lexpr && isPlain(node.lexpr); node = node.lexpr.A_Expr) chain.push(node);
  let left = bindPlain(level, node, locationOf(node));
  for (const link of chain.reverse()) {
    const { name, schema } = operatorName(link.name);
    left = combine(level, name, schema, left, level.bind(link.rexpr), locationOf(link));
  }
  return left;
}

function combine(
  level: Level,
  name: string,
  schema: string | undefined,
  left: Expr | null,
  right: Expr,
  at: number,
): Expr {
  if (left?.k === 'row' && right.k === 'row' && ['=', '<>', '<', '<=', '>', '>='].includes(name)) {
    return compareRows(level, name, left.items, right.items, at);
  }
  return operatorCall(level, name, left, right, at, schema);
}

function rowItems(level: Level, e: Expr): Expr[] {
  if (e.k === 'row') return e.items;
  throw level.error('42601', 'a row is expected here', exprLocation(level, e));
}

/** left op ANY|ALL (array). */
function overArray(
  level: Level,
  name: string,
  schema: string | undefined,
  all: boolean,
  left: Expr,
  right: Expr,
  at: number,
): Expr {
  const rightType = typeOf(level, right);
  const element = rightType.oid === OID.unknown ? OID.unknown : elementTypeOf(rightType.oid);
  if (element === 0) throw level.error('42809', 'op ANY/ALL (array) requires array on right side', at);
  // The operator is chosen for one element; a stand-in of the element's type takes part in resolution.
  const standIn: Expr = { k: 'const', v: null, t: colType(element) };
  const op = operatorFor(level, name, left, standIn, at, schema);
  if (op.resultType.oid !== OID.bool) {
    throw level.error('42809', 'op ANY/ALL (array) requires operator to yield boolean', at);
  }
  const wanted = arrayTypeOf(op.argTypes[1].oid);
  const isPseudo = op.argTypes[1].oid === OID.any || wanted === 0;
  const array = isPseudo ? right : (tryCoerce(level, right, colType(wanted), 'implicit') ?? right);
  return level.at(
    { k: 'anyall', all, fn: op.fn, left: operand(level, left, op.argTypes[0]), right: array, t: BOOL },
    at,
  );
}

function bindDistinct(level: Level, c: PgNode, at: number): Expr {
  const negated = c.kind === 'AEXPR_NOT_DISTINCT';
  const isNullConst = (n: PgNode): boolean => n.A_Const?.isnull === true;
  if (isNullConst(c.rexpr) || isNullConst(c.lexpr)) {
    const other = isNullConst(c.rexpr) ? c.lexpr : c.rexpr;
    return level.bind({
      NullTest: { arg: other, nulltesttype: negated ? 'IS_NULL' : 'IS_NOT_NULL', location: at },
    });
  }
  const left = level.bind(c.lexpr);
  const right = level.bind(c.rexpr);
  if (left.k === 'row' && right.k === 'row') return distinctRows(level, left.items, right.items, negated, at);
  const call = operatorCall(level, '=', left, right, at);
  if (call.t.oid !== OID.bool) throw level.error('42804', 'IS DISTINCT FROM requires = operator to yield boolean', at);
  return level.at({ k: 'distinct', eq: call.fn, left: call.args[0], right: call.args[1], negated, t: BOOL }, at);
}

/** x IN (a, b, c): one ANY over an array when the list has a common type with x, else a chain of OR; NOT IN likewise with ALL. */
function bindIn(level: Level, c: PgNode, at: number): Expr {
  const { name } = operatorName(c.name);
  const negated = name === '<>';
  const left = level.bind(c.lexpr);
  const items = (c.rexpr.List.items as PgNode[]).map((node) => level.bind(node));
  const plain: Expr[] = [];
  const others: Expr[] = [];
  for (const item of items) (usesColumns(level, item) ? others : plain).push(item);
  let rest = items;
  const tests: Expr[] = [];
  if (plain.length > 1 && left.k !== 'row' && plain.every((item) => item.k !== 'row')) {
    const t = tryCommonType(level, [left, ...plain]);
    const arrayType = t === null ? 0 : arrayTypeOf(t);
    if (t !== null && arrayType !== 0) {
      const elements = plain.map((item) => toCommon(level, item, colType(t), 'IN'));
      const array: Expr = { k: 'array', items: elements, t: colType(arrayType) };
      tests.push(overArray(level, name, undefined, negated, left, array, at));
      rest = others;
    }
  }
  for (const item of rest) {
    const test =
      left.k === 'row' && item.k === 'row'
        ? compareRows(level, name, left.items, item.items, at)
        : operatorCall(level, name, left, item, at);
    tests.push(toBoolean(level, test, 'IN'));
  }
  if (tests.length === 1) return tests[0];
  return level.at({ k: negated ? 'and' : 'or', args: tests, t: BOOL }, at);
}

/** Whether an expression reads columns; PostgreSQL keeps those out of the array of an IN list. */
function usesColumns(level: Level, e: Expr): boolean {
  let found = false;
  visitExpr(e, (x) => {
    if (x.k === 'col' && level.shared.columns.get(x.id)?.kind !== 'subquery') found = true;
    return !found;
  });
  return found;
}

/** The common type as OID, null when there is none. */
function tryCommonType(level: Level, exprs: Expr[]): number | null {
  try {
    return commonType(
      exprs.map((e) => typeOf(level, e)),
      'IN',
    ).oid;
  } catch (e) {
    if (e instanceof SqlError) return null;
    throw e;
  }
}

function bindBetween(level: Level, c: PgNode, at: number): Expr {
  const [low, high] = c.rexpr.List.items as PgNode[];
  const symmetric = (c.kind as string).endsWith('_SYM');
  const negated = (c.kind as string).startsWith('AEXPR_NOT');
  const within = (a: PgNode, b: PgNode): Expr => {
    const args = [op(negated ? '<' : '>=', a), op(negated ? '>' : '<=', b)];
    return { k: negated ? 'or' : 'and', args, t: BOOL };
  };
  const op = (name: string, bound: PgNode): Expr =>
    toBoolean(
      level,
      bindPlain(level, { name: [{ String: { sval: name } }], lexpr: c.lexpr, rexpr: bound, location: at }, at),
      negated ? 'OR' : 'AND',
    );
  if (!symmetric) return level.at(within(low, high), at);
  const args = [within(low, high), within(high, low)];
  return level.at({ k: negated ? 'and' : 'or', args, t: BOOL }, at);
}
