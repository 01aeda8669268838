/**
 * The range of an index's keys that a filter leaves: what it says of the index's columns, as positions in their order.
 *
 *   a = 3 AND b >= 4 AND b < 9          index (a, b):   (3, 4) <= key < (3, 9)
 *   a > 3 OR (a = 3 AND b > 4)          index (a, b):   (3, 4) < key                what a comparison of rows, (a, b) > (3, 4), becomes
 *
 * The range has all rows that the filter lets through, and may have others: the filter stays. So what is not understood is left out.
 */
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { compareDatum } from '../../operators/expr/compare.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';
import type { KeyOrder } from '../../operators/state/key_order.ts';
import { varlenOrder } from '../../operators/state/row_ops.ts';
import { type ColType, physOf } from '../../operators/types.ts';
import { type ComparisonName, comparisonOf, isVolatile } from '../../planner/analyse/functions.ts';
import { asKey, isSameKind, narrowestOf } from '../../planner/analyse/key_values.ts';
import { columnsOf, conjuncts } from '../../planner/logical/expressions.ts';

/** `(columns) op (values)`, compared as rows are; no value is NULL. */
export interface Limit {
  columns: number[];
  values: Datum[];
  op: ComparisonName;
}

/** Values that the first columns of all keys have, and limits of those that begin with them. */
export interface KeyRange {
  equal: Datum[];
  lower: Bound[];
  upper: Bound[];
}

interface Bound {
  values: Datum[];
  strict: boolean;
}

/** What the columns of the input mean: their positions in the relation, and its types. */
interface Input {
  columns: number[];
  types: ColType[];
  context: EvalContext;
}

const TURNED: Record<ComparisonName, ComparisonName> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** What a filter over these columns says of each of them, or of several together. */
export function limitsOf(filter: Expr, input: Input): Limit[] {
  return conjuncts(filter).flatMap((e) => limitOf(e, input) ?? []);
}

function limitOf(e: Expr, input: Input): Limit | null {
  return e.k === 'or' ? rowLimit(e.args, input) : columnLimit(e, input);
}

/** `a > x OR (a = x AND rest)`. */
function rowLimit(args: Expr[], input: Input): Limit | null {
  if (args.length !== 2) return null;
  const first = columnLimit(args[0], input);
  const parts = conjuncts(args[1]);
  if (first === null || parts.length !== 2 || (first.op !== '<' && first.op !== '>')) return null;
  const equal = columnLimit(parts[0], input);
  const rest = limitOf(parts[1], input);
  if (equal === null || rest === null || equal.op !== '=' || equal.columns[0] !== first.columns[0]) return null;
  const { oid } = input.types[first.columns[0]];
  if (rest.op[0] !== first.op || compareDatum(equal.values[0], first.values[0], oid) !== 0) return null;
  return { columns: [...first.columns, ...rest.columns], values: [...first.values, ...rest.values], op: rest.op };
}

/** `column op value`, either way round, where the value needs no row. */
function columnLimit(e: Expr, input: Input): Limit | null {
  if (e.k !== 'call' || e.args.length !== 2) return null;
  const comparison = comparisonOf(e.fn);
  if (comparison === null || comparison.name === '<>') return null;
  const turned = narrowestOf(e.args[0]).k !== 'col';
  const [column, value] = turned ? [e.args[1], e.args[0]] : e.args;
  const narrow = narrowestOf(column);
  if (narrow.k !== 'col' || columnsOf(value).size > 0 || isVolatile(value)) return null;
  const position = input.columns[narrow.id];
  const type = input.types[position];
  if (![comparison.left, comparison.right, value.t.oid].every((oid) => isSameKind(oid, type.oid)) || !isOrdered(type))
    return null;
  const datum = constantOf(value, input.context);
  const key = datum === null ? null : asKey(datum, type.oid);
  const op = turned ? TURNED[comparison.name] : comparison.name;
  return key === null ? null : { columns: [position], values: [key], op };
}

/** Whether the order of its values is that of its comparisons, and what is equal by it is one key: documents, arrays and other values that have to be decoded are left alone. */
export function isOrdered({ oid }: ColType): boolean {
  return physOf(oid) !== 'varlen' || varlenOrder(oid) !== 'decoded';
}

/** Null also where it fails: the filter says how. */
function constantOf(e: Expr, context: EvalContext): Datum {
  try {
    return evaluate(e, [], context);
  } catch (error) {
    if (error instanceof SqlError) return null;
    throw error;
  }
}

/** What the limits say of the keys of an index; null: nothing of its first column. */
export function rangeOf(index: number[], limits: Limit[]): KeyRange | null {
  const equal: Datum[] = [];
  for (const column of index) {
    const found = limits.find(({ op, columns }) => op === '=' && columns.length === 1 && columns[0] === column);
    if (found === undefined) break;
    equal.push(found.values[0]);
  }
  const rest = index.slice(equal.length);
  const range: KeyRange = { equal, lower: [], upper: [] };
  for (const { op, columns, values } of limits) {
    let known = 0;
    while (known < Math.min(columns.length, rest.length) && columns[known] === rest[known]) known++;
    if (known === 0 || op === '=') continue;
    const strict = op.length === 1 && known === columns.length;
    const bound = { values: [...equal, ...values.slice(0, known)], strict };
    (op[0] === '>' ? range.lower : range.upper).push(bound);
  }
  return equal.length + range.lower.length + range.upper.length === 0 ? null : range;
}

/** Positions in the order of the keys: those of the range, and where among them the keys begin whose first column behind `equal` is NULL. */
export interface Stretch {
  from: number;
  nulls: number;
  to: number;
}

export function stretchOf(order: KeyOrder, { equal, lower, upper }: KeyRange): Stretch {
  const hasNext = equal.length < order.types.length;
  let from = order.before(equal, false);
  let to = order.before(equal, true);
  let nulls = hasNext ? order.before([...equal, null], false) : to;
  for (const { values, strict } of lower) from = Math.max(from, order.before(values, strict));
  for (const { values, strict } of upper) to = Math.min(to, order.before(values, !strict));
  // What a limit is said of is not NULL.
  if (lower.length + upper.length > 0) to = Math.min(to, nulls);
  to = Math.max(from, to);
  nulls = Math.min(Math.max(nulls, from), to);
  return { from, nulls, to };
}
