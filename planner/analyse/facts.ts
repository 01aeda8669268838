/**
 * What the analyses prove about one node of a dataflow plan. Each analysis is a small lattice in a file of its own; this is
 * their product. A fact is always a proof: absent means "not known", never "false".
 */
import type { Replaced } from './replaced.ts';

/**
 * Every future change (insertion or retraction) of the node has in this column NULL or a value that is at least
 * `watermark(sources) - lag` microseconds; with `strict`, greater. The watermark of several sources is the least of theirs.
 * The value is a timestamp, a timestamptz, a date (its midnight counts), or what to_char() wrote by the format `text` (its first moment counts).
 */
export interface Monotone {
  /** Relation OIDs, ascending. */
  sources: number[];
  lag: bigint;
  strict: boolean;
  text?: string;
}

export interface NodeFacts {
  /** Column sets whose values occur at most once (weights are 0 or 1). An empty set: at most one row. */
  keys: number[][];
  /** The output never retracts. */
  appendOnly: boolean;
  /** Rows only go where others replace them; per column, how those differ (replaced.ts). */
  replaced: Replaced[] | null;
  /** Per column. */
  monotone: (Monotone | null)[];
  /** Per column: never NULL. */
  notNull: boolean[];
}
