/**
 * A bound query without its hidden sort columns: for consumers that take columns by position.
 */
import { outputColumns } from '../logical/columns.ts';
import type { Logical } from '../logical/plan.ts';
import { type BoundSelect, colRef } from './level.ts';

/** The plan with exactly the visible columns, in order. */
export function visibleOnly(q: BoundSelect): Logical {
  const columns = outputColumns(q.plan);
  if (columns.length === q.outputs.length && columns.every((c, i) => c.id === q.outputs[i].col.id)) return q.plan;
  return { op: 'project', input: q.plan, items: q.outputs.map((o) => ({ col: o.col, expr: colRef(o.col) })) };
}
