/**
 * Gives every column of a plan an id of its own: a subplan that stands in several places (a CTE used twice) becomes one copy per
 * place. Rules may then move columns freely; equal copies become one node again when the plan is built (physical/builder.ts).
 */
import { outputColumns } from '../logical/columns.ts';
import type { Logical } from '../logical/plan.ts';
import { Ids, renumberNode } from '../logical/tree.ts';
import { planInputs, withInputs } from '../logical/walk.ts';

type Renamed = Map<number, number>;

/** The same plan with unique ids. The root's output ids may change: `ids` says how. */
export function uniqueIds(plan: Logical): { plan: Logical; ids: Renamed } {
  const fresh = new Ids(plan);
  const seen = new Set<number>();

  /** `outer`: renamed columns of the queries around, which `p` may refer to. */
  const visit = (p: Logical, outer: Renamed): { plan: Logical; ids: Renamed } => {
    const uses = new Map(outer);
    const inputs: Logical[] = [];
    for (const input of planInputs(p)) {
      const visited = visit(input, p.op === 'apply' ? uses : outer);
      inputs.push(visited.plan);
      for (const c of outputColumns(input)) uses.delete(c.id);
      for (const [from, to] of visited.ids) uses.set(from, to);
    }
    const rebuilt = renumberNode(withInputs(p, inputs), uses);
    const passed = new Set(inputs.flatMap((x) => outputColumns(x).map((c) => c.id)));
    const own: Renamed = new Map();
    for (const { id } of outputColumns(rebuilt)) {
      if (passed.has(id)) continue;
      if (seen.has(id)) own.set(id, fresh.next());
      else seen.add(id);
    }
    const ids: Renamed = new Map();
    const result = renumberNode(rebuilt, own);
    const before = outputColumns(p);
    outputColumns(result).forEach((c, i) => {
      if (c.id !== before[i].id) ids.set(before[i].id, c.id);
    });
    return { plan: result, ids };
  };
  return visit(plan, new Map());
}
