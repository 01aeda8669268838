/**
 * The order of the rewrite rules. Each is a file of its own; all keep the plan's meaning and the ids of its output columns.
 */
import type { Logical } from '../logical/plan.ts';
import { carryClock } from './carry_clock.ts';
import { inlineConstantSides } from './constant_sides.ts';
import { decorrelate } from './decorrelate/index.ts';
import { expandGroupingSets } from './expand_grouping_sets.ts';
import { extremeRows } from './extreme_rows.ts';
import { foldConstants } from './fold_constants.ts';
import { guardSubqueries } from './guard_subqueries.ts';
import { orderJoins } from './join_order.ts';
import { pruneColumns } from './prune_columns.ts';
import { pushFilters } from './push_filters.ts';
import { rankToTopN } from './rank_to_topn.ts';
import { simplifyBooleans } from './simplify_boolean.ts';
import { temporalFilters } from './temporal_filter.ts';
import { unscaleComparisons } from './unscale_comparisons.ts';
import { dropWindowEndKeys } from './window_end_key.ts';
import { dropWindowEndPairs } from './window_end_pairs.ts';

export interface RewriteOptions {
  mode: 'view' | 'read';
  /** Time zone of a view's session. */
  timeZone?: string;
  /** The statement is done again that an earlier version took: what is refused since then it may have. */
  again?: boolean;
}

/**
 * Rewrites a plan with unique column ids (unique_ids.ts) into one that can be lowered: no apply, no grouping sets, in a view no now().
 * `needed`: output columns that the result takes; others may be gone.
 */
export function rewrite(plan: Logical, needed: ReadonlySet<number>, options: RewriteOptions): Logical {
  const simple = guardSubqueries(simplifyBooleans(unscaleComparisons(foldConstants(plan))), options.mode);
  // Filters go down before decorrelation too, so that a domain is taken from left's filtered rows.
  const flat = decorrelate(pushFilters(expandGroupingSets(simple)));
  const pushed = pushFilters(simplifyBooleans(foldConstants(flat)));
  const ordered = rankToTopN(
    pushFilters(
      extremeRows(dropWindowEndPairs(dropWindowEndKeys(orderJoins(inlineConstantSides(pushed, options.mode))))),
    ),
  );
  if (options.mode === 'read') return pruneColumns(ordered, needed);
  return pruneColumns(temporalFilters(carryClock(ordered, options.timeZone), options), needed);
}
