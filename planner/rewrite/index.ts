/**
 * The order of the rewrite rules.
 */

import type { Logical } from '../logical/plan.ts';
import type { PlanMode } from '../physical/query.ts';
import { foldConstants } from './fold_constants.ts';

/** Rewrites a bound plan into one that can be lowered: no apply, no grouping sets. `needed`: ids the result must keep. */
export function rewrite(plan: Logical, _needed: ReadonlySet<number>, _mode: PlanMode): Logical {
  return foldConstants(plan);
}
