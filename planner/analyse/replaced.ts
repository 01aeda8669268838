/**
 * How a node's rows are replaced: a proof that each retraction comes in the same tick with another row, which stands for the first one from then on.
 *
 *   count(*) of a group of append-only input:   - (key, 3)  + (key, 5)       key: same     count: up
 *
 * Per column: `same` value in both rows, `up` or `down` (not less or not greater; NULL before any value), null: nothing known. An append-only node
 * replaces no row, so all its columns are `same`. What may take one of the two rows out alone (a filter on what changes, an expression that
 * fails) ends the proof.
 */
import { columnsOf as readBy } from '../../operators/expr/columns.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { PlanNode, SortKey } from '../../operators/plan.ts';
import { conjuncts } from '../logical/expressions.ts';
import type { NodeFacts } from './facts.ts';
import { canFail } from './functions.ts';

export type Replaced = 'same' | 'up' | 'down' | null;

/** Null: rows may go without another's coming. */
export function replacedOf(node: PlanNode, inputs: NodeFacts[], appendOnly: boolean): Replaced[] | null {
  if (appendOnly) return node.types.map(() => 'same');
  const below = inputs[0]?.replaced ?? null;
  switch (node.op) {
    case 'aggregate': {
      if (!inputs[0].appendOnly) return null;
      const calls = node.calls.map((c) => growth(c.fn));
      return calls.includes(null) ? null : [...node.keys.map((): Replaced => 'same'), ...calls];
    }
    case 'map':
      return below === null ? null : mapReplaced(node, below);
    default:
      return null;
  }
}

/** Aggregates that cannot fail, over rows that only come. */
function growth(fn: string): Replaced {
  if (/^(count|max)\(/.test(fn)) return 'up';
  return fn.startsWith('min(') ? 'down' : null;
}

function mapReplaced({ filter, project }: PlanNode & { op: 'map' }, below: Replaced[]): Replaced[] | null {
  const settled = (e: Expr): boolean => [...read(e)].every((c) => below[c] === 'same');
  const staysTrue = (e: Expr): boolean =>
    settled(e) || (e.k === 'isnull' && e.negated && e.arg.k === 'col' && below[e.arg.id] !== null);
  if (!conjuncts(filter).every(staysTrue)) return null;
  if (project === null) return below;
  if (project.some((e) => canFail(e) && !settled(e))) return null;
  return project.map((e) => (e.k === 'col' ? below[e.id] : settled(e) ? 'same' : null));
}

function read(e: Expr): Set<number> {
  const columns = new Set<number>();
  readBy(e, columns);
  return columns;
}

/** Whether a row that others of its partition come before by `order` never gets before them again. */
export function keepsBest(partition: number[], order: SortKey[], replaced: Replaced[] | null): boolean {
  if (replaced === null || !partition.every((c) => replaced[c] === 'same')) return false;
  return order.every(({ col, desc, nullsFirst }) => {
    const how = replaced[col];
    return how === 'same' || (!nullsFirst && how === (desc ? 'up' : 'down'));
  });
}
