/**
 * Scalar subqueries (apply scalar): left's rows, each with the one value of the subquery, NULL where it has no row, error 21000
 * where it has two.
 */
import { outputColumns } from '../../logical/columns.ts';
import { column, conjunction, substitute } from '../../logical/expressions.ts';
import type { Logical } from '../../logical/plan.ts';
import type { Ids } from '../../logical/tree.ts';
import { alwaysOneRow, correlate, nullOf, splitTop, withMarker } from './correlate.ts';
import { keepingLeft } from './domain.ts';
import { overLeft } from './lateral.ts';
import { uniqueOn } from './unique.ts';

type Apply = Extract<Logical, { op: 'apply'; kind: 'scalar' }>;

export function eliminateScalar(p: Apply, ids: Ids): Logical {
  const { core, items } = splitTop(p.right);
  const value = items.get(outputColumns(p.right)[0].id)!;
  const result = (input: Logical, expr: typeof value): Logical => ({
    op: 'project',
    input,
    items: [...outputColumns(p.left).map((col) => ({ col, expr: column(col) })), { col: p.out, expr }],
  });
  if (core.op === 'values' && core.rows.length === 1) return result(overLeft(core, p.left, false)!, value);
  const joinable = correlate(p.left, core, ids, !uniqueOn(core, new Set()));
  const on = conjunction(joinable.on);
  if (joinable.empty === null && alwaysOneRow(core)) {
    const join: Logical = { op: 'join', kind: 'inner', left: joinable.left, right: joinable.plan, on };
    return result(keepingLeft(join), value);
  }
  const marked = withMarker(joinable.plan, ids);
  const otherwise = joinable.empty ? substitute(value, joinable.empty) : nullOf(value);
  const joined: Logical = { op: 'join', kind: 'left', left: joinable.left, right: marked.plan, on };
  return result(joined, marked.where(value, otherwise));
}
