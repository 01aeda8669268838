/**
 * Which subplans of a plan are equal up to column ids: copies of a CTE, of a subquery's domain, of the input of grouping sets. Equal
 * subplans become one node of the dataflow plan, so column pruning must treat the members of a class alike, or they would differ.
 */
import { outputColumns } from '../logical/columns.ts';
import { structureText } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { renumberNode } from '../logical/tree.ts';
import { planInputs, visitPlan } from '../logical/walk.ts';

/** Ids of a node's own columns in its canonical form; its inputs' columns count from 0. */
const OWN = 1_000_000;

export interface PlanClass {
  /** Members of a class have state, and are worth being one node. */
  stateful: boolean;
  members: number;
  /** Output positions that somebody needs of any member. */
  needed: Set<number>;
}

/** The class of every node of a plan; none when no relation is read twice, since nothing can be equal then. */
export function planClasses(plan: Logical): Map<Logical, PlanClass> {
  if (!readsTwice(plan)) return new Map();
  const classes = new Map<string, { number: number; of: PlanClass }>();
  const found = new Map<Logical, PlanClass>();
  const visit = (p: Logical): { number: number; of: PlanClass } => {
    const inputs = planInputs(p).map(visit);
    const text = canonical(
      p,
      inputs.map((x) => x.number),
    );
    let entry = classes.get(text);
    if (!entry) {
      const stateful = !STATELESS.has(p.op) || inputs.some((x) => x.of.stateful);
      entry = { number: classes.size, of: { stateful, members: 0, needed: new Set() } };
      classes.set(text, entry);
    }
    entry.of.members++;
    found.set(p, entry.of);
    return entry;
  };
  visit(plan);
  return found;
}

function readsTwice(plan: Logical): boolean {
  const seen = new Set<number>();
  let twice = false;
  visitPlan(plan, (p) => {
    if (p.op === 'get') {
      twice ||= seen.has(p.relation.oid);
      seen.add(p.relation.oid);
    }
  });
  return twice;
}

const STATELESS = new Set<Logical['op']>(['get', 'values', 'filter', 'project', 'tablefunc', 'working', 'once']);

/** The node with positions for ids, without names, over the numbers of its inputs' classes. */
function canonical(p: Logical, inputs: number[]): string {
  const ids = new Map<number, number>();
  outputColumns(p).forEach((c, i) => {
    ids.set(c.id, OWN + i);
  });
  planInputs(p)
    .flatMap(outputColumns)
    .forEach((c, i) => {
      ids.set(c.id, i);
    });
  const own: Record<string, unknown> = { ...renumberNode(p, ids) };
  for (const field of ['input', 'left', 'right', 'base', 'step']) {
    if (typeof own[field] === 'object') delete own[field];
  }
  if (p.op === 'get') own.relation = p.relation.oid;
  if (p.op === 'once') own.item = p.item.id;
  return structureText([own, inputs], false);
}
