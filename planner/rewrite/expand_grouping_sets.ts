/**
 * GROUPING SETS, ROLLUP, CUBE: one plain aggregate per set over the same input, united.
 *
 *   group by grouping sets ((a, b), ())  ->  (select a, b, agg, 0 group by a, b) union all (select null, null, agg, 3)
 *
 * The copies of the input are one node again in the dataflow plan. A set without columns keeps its row over empty input, and a real
 * NULL never meets a rolled-up one because each set has an aggregate of its own.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { outputColumns } from '../logical/columns.ts';
import { column, constant } from '../logical/expressions.ts';
import type { Col, Logical } from '../logical/plan.ts';
import { freshCopy, Ids, renumberNode, rewritePlan } from '../logical/tree.ts';
import { workedOutOnce } from './worked_out_once.ts';

type Aggregate = Logical & { op: 'aggregate' };

export function expandGroupingSets(plan: Logical): Logical {
  const ids = new Ids(plan);
  return rewritePlan(plan, (p) => {
    if (p.op !== 'aggregate' || (!p.groupingSets && !p.grouping)) return p;
    const sets = p.groupingSets ?? [p.keys.map((_, i) => i)];
    if (sets.length === 1) return oneSet(p, sets[0], outputColumns(p), ids);
    const whole: Aggregate = { ...p, input: workedOutOnce(p.input, ids) };
    const arms = sets.map((set, i) => {
      const copy = i === 0 ? whole : copied(whole, ids);
      const cols = outputColumns(p).map((c) => ids.col(c.name, c.type));
      return oneSet(copy, set, cols, ids);
    });
    return arms.reduce((left, right, i) => ({
      op: 'setop',
      kind: 'union',
      all: true,
      left,
      right,
      cols: i === arms.length - 1 ? outputColumns(p) : outputColumns(p).map((c) => ids.col(c.name, c.type)),
    }));
  });
}

/** The aggregate over a copy of its input. */
function copied(p: Aggregate, ids: Ids): Aggregate {
  const copy = freshCopy(p.input, ids);
  return { ...(renumberNode(p, copy.ids) as Aggregate), input: copy.plan };
}

/** One set's aggregate, giving `cols` (p's output columns, renamed). */
function oneSet(p: Aggregate, set: number[], cols: Col[], ids: Ids): Logical {
  const positions = [...new Set(set)];
  const keys = positions.map((i) => ({ col: ids.col(p.keys[i].col.name, p.keys[i].col.type), expr: p.keys[i].expr }));
  const aggregates = p.aggregates.map((a) => ({ ...a, out: ids.col(a.out.name, a.out.type) }));
  const grouped = new Set(positions);
  const values: Expr[] = [
    ...p.keys.map((k, i) => (grouped.has(i) ? column(keys[positions.indexOf(i)].col) : constant(null, k.col.type))),
    ...aggregates.map((a) => column(a.out)),
    ...(p.grouping ?? []).map((g) => constant(groupingMask(g.keys, grouped), g.out.type)),
  ];
  return {
    op: 'project',
    input: { op: 'aggregate', input: p.input, keys, aggregates },
    items: cols.map((col, i) => ({ col, expr: values[i] })),
  };
}

/** GROUPING(...): one bit an argument, the last one lowest, 1 where the set does not group by it. */
function groupingMask(keys: number[], grouped: ReadonlySet<number>): number {
  return keys.reduce((mask, k) => mask * 2 + (grouped.has(k) ? 0 : 1), 0);
}
