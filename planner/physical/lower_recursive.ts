/**
 * WITH RECURSIVE. The step becomes a plan of its own; what it reads besides the working table is computed outside, once, and
 * enters the recursive node as further inputs:
 *
 *   inputs [base, x1, x2, ...]      step source -1 = working table, -2 = x1, -3 = x2, ...
 */
import { outputColumns } from '../logical/columns.ts';
import type { Logical } from '../logical/plan.ts';
import { planInputs } from '../logical/walk.ts';
import { PlanBuilder } from './builder.ts';
import { columnsOfCols, exactly, type LowerContext, type Lowered, ordered, placed } from './lowering.ts';

const WORKING_TABLE = -1;

/** `contextOf` makes the context for the step's own builder. */
export function lowerRecursive(
  p: Logical & { op: 'recursive' },
  cx: LowerContext,
  contextOf: (builder: PlanBuilder, inside: Pick<LowerContext, 'working' | 'outside'>) => LowerContext,
): Lowered {
  const base = ordered(cx.lower(p.base), outputColumns(p.base), cx);
  const imports: number[] = [];
  const builder = new PlanBuilder(cx.builder.timeZone, cx.builder.relations);
  const shape = columnsOfCols(p.cols);
  const columns = p.cols.map((_, i) => i);
  const working = builder.add({ op: 'source', inputs: [], ...shape, relation: WORKING_TABLE, columns });
  const inner = contextOf(builder, {
    working: new Map([[p.id, working]]),
    outside: (q) => (readsWorking(q, p.id) ? null : imported(q, cx, builder, imports)),
  });
  const step = ordered(inner.lower(p.step), outputColumns(p.step), inner);
  const node = cx.builder.add({
    op: 'recursive',
    inputs: [base.node, ...imports],
    ...shape,
    step: builder.finish(step.node),
    stepInputs: imports.map((_, i) => i + 1),
    all: p.all,
  });
  return placed(node, p.cols);
}

/** A subplan of the step that does not depend on the recursion: computed by the outer plan, read as a source of the step. */
function imported(p: Logical, cx: LowerContext, builder: PlanBuilder, imports: number[]): Lowered {
  const outer = exactly(cx.lower(p), outputColumns(p), cx);
  if (!imports.includes(outer.node)) imports.push(outer.node);
  const { types, names } = cx.builder.nodes[outer.node];
  const relation = WORKING_TABLE - 1 - imports.indexOf(outer.node);
  const columns = types.map((_, i) => i);
  return { node: builder.add({ op: 'source', inputs: [], types, names, relation, columns }), at: outer.at };
}

function readsWorking(p: Logical, id: number): boolean {
  return (p.op === 'working' && p.id === id) || planInputs(p).some((x) => readsWorking(x, id));
}
