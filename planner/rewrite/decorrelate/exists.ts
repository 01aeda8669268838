/**
 * EXISTS (apply exists). As a condition of a filter: a semi- or anti-join. As a value: the count of the subquery's rows.
 */
import { colType, OID } from '../../../operators/types.ts';
import { compareBy } from '../../analyse/functions.ts';
import { outputColumns } from '../../logical/columns.ts';
import { column, conjunction, constant, INT8 } from '../../logical/expressions.ts';
import type { Logical } from '../../logical/plan.ts';
import type { Ids } from '../../logical/tree.ts';
import { correlate } from './correlate.ts';
import { eliminateLateral } from './lateral.ts';

type Apply = Extract<Logical, { op: 'apply'; kind: 'exists' }>;

/** Rows of left for which the subquery has (`positive`) or has not a row. */
export function existsJoin(p: Apply, positive: boolean, ids: Ids): Logical {
  const { left, plan, on, empty } = correlate(p.left, rowsOnly(p.right), ids);
  // A subquery with a row for the empty group always has one.
  if (empty !== null)
    return positive ? p.left : { op: 'filter', input: p.left, predicate: constant(false, colType(OID.bool)) };
  return { op: 'join', kind: positive ? 'semi' : 'anti', left, right: plan, on: conjunction(on) };
}

/** Left with the boolean column `out`. */
export function existsValue(p: Apply, ids: Ids): Logical {
  const count = ids.col('count', INT8);
  const counted: Logical = {
    op: 'aggregate',
    input: rowsOnly(p.right),
    keys: [],
    aggregates: [{ out: count, fn: 'count()', args: [], distinct: false, filter: null, orderBy: [] }],
  };
  const joined = eliminateLateral({ op: 'apply', kind: 'cross', left: p.left, right: counted, on: null }, ids);
  const expr = compareBy('int8gt(int8,int8)', column(count), constant(0n, INT8));
  return {
    op: 'project',
    input: joined,
    items: [...outputColumns(p.left).map((col) => ({ col, expr: column(col) })), { col: p.out, expr }],
  };
}

/** What EXISTS does not look at: the select list, DISTINCT, the order. */
function rowsOnly(p: Logical): Logical {
  if (p.op === 'project' || p.op === 'distinct') return rowsOnly(p.input);
  if (p.op === 'topn' && p.offset === null && p.limit === null) return rowsOnly(p.input);
  return p;
}
