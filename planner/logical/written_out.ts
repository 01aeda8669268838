/**
 * How large a plan is as a tree: a WITH query or a view counts wherever it is read, as rules work on a copy for each place (rewrite/unique_ids.ts).
 *
 *   c1 reads c0 twice, c2 reads c1 twice, ... c30      31 queries, 2^30 copies of c0
 *
 * So do the rows that a correlated subquery refers to (rewrite/decorrelate/domain.ts). Each node is looked at once, so the answer comes before the copies would.
 */
import { SqlError } from '../../operators/errors.ts';
import type { Logical } from './plan.ts';
import { planInputs } from './walk.ts';

/** Rewriting so many nodes takes about a second. */
const MOST_NODES = 50_000;

/** Subqueries that read one another's values triple what is copied with each. */
const MOST_COPIED = 30_000;

/** Throws 54001 where a plan has more nodes than can be worked on. */
export function refuseTooLarge(plan: Logical): void {
  refuse(plan, MOST_NODES, 'its WITH queries and views are');
}

/** The same of rows that a rule is going to copy for a subquery. */
export function refuseTooManyCopies(rows: Logical): void {
  refuse(rows, MOST_COPIED, 'the rows that its subqueries refer to are');
}

function refuse(plan: Logical, most: number, what: string): void {
  if (treeSize(plan) <= most) return;
  throw new SqlError('54001', `the query is too large when ${what} written out`, {
    detail: `They are written out wherever they are read: more than ${most} operations.`,
    hint: 'Make a materialized view or a temporary table of what is read several times.',
  });
}

function treeSize(plan: Logical): number {
  const sizes = new Map<Logical, number>();
  const sizeOf = (p: Logical): number => {
    let size = sizes.get(p);
    if (size === undefined) {
      size = planInputs(p).reduce((sum, input) => sum + sizeOf(input), 1);
      sizes.set(p, size);
    }
    return size;
  };
  return sizeOf(plan);
}
