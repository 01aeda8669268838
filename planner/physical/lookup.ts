/**
 * Point reads: a filter straight over a relation that fixes all keys of one of its indexes, and says all that the index's condition does, asks the source for those rows only.
 * The filter stays above: the lookup is a promise about what is wanted, not about what comes.
 */

import { SqlError } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { Lookup, Within } from '../../operators/plan.ts';
import { canFail, convert, isEquality, isVolatile } from '../analyse/functions.ts';
import { areTexts, narrowestOf } from '../analyse/key_values.ts';
import { columnsOf, conjuncts, rewriteExpr } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { keyValuesIn, neededFor, settled, settledShape } from '../rewrite/index_match.ts';
import type { PlanBuilder } from './builder.ts';
import { columnsOfCols, type Lowered, placed, readOnce } from './lowering.ts';

/** The source with a lookup, or with the indexes that have all that is wanted; null when no index fits. */
export function pointLookup(get: Logical & { op: 'get' }, predicate: Expr, builder: PlanBuilder): Lowered | null {
  const found = columnLookup(get, predicate) ?? computedLookup(get, predicate);
  if (found === null) return null;
  const shape = columnsOfCols(get.cols);
  builder.relations.set(get.relation.oid, readOnce(get.relation));
  return placed(
    builder.add({ op: 'source', inputs: [], ...shape, relation: get.relation.oid, columns: get.columns, ...found }),
    get.cols,
  );
}

function columnLookup(get: Logical & { op: 'get' }, predicate: Expr): { lookup: Lookup } | null {
  const fixed = new Map<number, Expr>();
  for (const e of conjuncts(predicate)) {
    const found = fixedColumn(e, get);
    if (found && !fixed.has(found.column)) fixed.set(found.column, found.value);
  }
  const index = get.relation.indexes.find((columns) => columns.length > 0 && columns.every((c) => fixed.has(c)));
  return index === undefined ? null : { lookup: { index, values: index.map((c) => fixed.get(c)!) } };
}

/** By an index over expressions, or over a part of the rows. */
function computedLookup(
  { relation, cols, columns }: Logical & { op: 'get' },
  predicate: Expr,
): { lookup: Lookup } | { within: Within[] } | null {
  if (relation.computed === undefined || relation.computed.length === 0) return null;
  const positions = new Map(cols.map(({ id }, i) => [id, columns[i]]));
  const inRelation = rewriteExpr(predicate, (e) => (e.k === 'col' ? { ...e, id: positions.get(e.id)! } : e));
  const given = conjuncts(settled(inRelation));
  const within: Within[] = [];
  let lookup: Lookup | null = null;
  for (const shape of relation.computed.map(settledShape)) {
    const when = neededFor(shape, given, relation);
    if (when === null) continue;
    const values = keyValuesIn(shape, given, asType);
    if (values !== null && when.length === 0) return { lookup: { index: shape.oid, values } };
    if (values !== null) lookup ??= { index: shape.oid, values, when };
    if (shape.where !== null) within.push({ index: shape.oid, when });
  }
  if (lookup !== null) return { lookup };
  return within.length > 0 ? { within } : null;
}

/** `column = constant`, a varchar compared as text included; the constant brought to the column's own type. */
function fixedColumn(e: Expr, get: Logical & { op: 'get' }): { column: number; value: Expr } | null {
  if (e.k !== 'call' || e.args.length !== 2 || !isEquality(e.fn)) return null;
  const args = e.args.map(narrowestOf);
  const [a, b] = args[0].k === 'col' ? args : [args[1], args[0]];
  if (a.k !== 'col') return null;
  const at = get.cols.findIndex((c) => c.id === a.id);
  if (at === -1) return null;
  const value = asType(b, a.t.oid);
  return value && { column: get.columns[at], value };
}

/** What is one value for all rows, as the column's type when that loses nothing; a value that does not fit is no lookup (the filter decides). */
function asType(e: Expr, oid: number): Expr | null {
  const isOne = e.k === 'const' || e.k === 'param' || (columnsOf(e).size === 0 && !isVolatile(e) && !canFail(e));
  if (!isOne) return null;
  if (e.t.oid === oid) return e;
  if (areTexts(e.t.oid, oid)) return { ...e, t: { oid, typmod: -1 } };
  if (e.k !== 'const') return null;
  const widened = convert(e, oid);
  if (widened === null) return null;
  try {
    return { k: 'const', v: evaluate(widened, [], defaultContext()), t: { oid, typmod: -1 } };
  } catch (error) {
    if (error instanceof SqlError) return null;
    throw error;
  }
}
