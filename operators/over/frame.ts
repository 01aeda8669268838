/**
 * The frame of a row: which rows of its partition an aggregate or first_value() looks at.
 *
 *   ROWS    counts rows            RANGE   compares order values          GROUPS   counts groups of peers
 *   [start, end) minus EXCLUDE: the row itself, its peers, or its peers without itself
 *
 * Both ends never move back from one row to the next, so aggregates can slide. O(1) a row; O(log n) for RANGE with an offset.
 */
import { isValid, readDatum } from '../batch/builder.ts';
import type { EvalContext } from '../expr/ir.ts';
import type { FrameBound, SortKey, WindowFrame } from '../plan.ts';
import type { ColType } from '../types.ts';
import type { PartitionView } from './partition_view.ts';
import { type RangeBound, rangeBound } from './range_bound.ts';

/** How far a changed row reaches: rows before and after it whose frame may see it. */
export interface Reach {
  before: number;
  after: number;
  /** Peers matter: the reach extends to whole groups of peers, which only a view of the whole partition knows. */
  peers: boolean;
}

const ALL = Number.POSITIVE_INFINITY;

export function frameReach(frame: WindowFrame): Reach {
  const { start, end, mode, exclude } = frame;
  const peers = mode !== 'rows' || exclude === 'group' || exclude === 'ties';
  const distance = (bound: FrameBound) => {
    if (bound.k === 'current') return 0;
    if (mode !== 'rows' || (bound.k !== 'preceding' && bound.k !== 'following')) return ALL;
    return Number(bound.offset);
  };
  return {
    after: start.k === 'following' ? 0 : distance(start),
    before: end.k === 'preceding' ? 0 : distance(end),
    peers,
  };
}

type Place = (view: PartitionView, i: number, ctx: EvalContext) => number;

export class Frame {
  readonly exclude: WindowFrame['exclude'];
  readonly #start: Place;
  readonly #end: Place;

  /** `order` and `types` as of the window's input. */
  constructor(frame: WindowFrame, order: SortKey[], types: ColType[]) {
    this.exclude = frame.exclude;
    this.#start = place(frame, frame.start, true, order, types);
    this.#end = place(frame, frame.end, false, order, types);
  }

  /** First position of the frame of row i. */
  start(view: PartitionView, i: number, ctx: EvalContext): number {
    return clip(this.#start(view, i, ctx), view.n);
  }

  /** Position after the last one of the frame of row i. */
  end(view: PartitionView, i: number, ctx: EvalContext): number {
    return clip(this.#end(view, i, ctx), view.n);
  }

  /** The excluded positions of row i: [from, to), of which `keep` stays. */
  excluded(view: PartitionView, i: number): { from: number; to: number; keep: number } | null {
    switch (this.exclude) {
      case 'none':
        return null;
      case 'current':
        return { from: i, to: i + 1, keep: -1 };
      case 'group':
        return { from: view.peersStart(i), to: view.peersEnd(i), keep: -1 };
      case 'ties':
        return { from: view.peersStart(i), to: view.peersEnd(i), keep: i };
    }
  }
}

function clip(position: number, n: number): number {
  return Math.max(0, Math.min(position, n));
}

function place(frame: WindowFrame, bound: FrameBound, isStart: boolean, order: SortKey[], types: ColType[]): Place {
  if (bound.k === 'unboundedPreceding') return () => 0;
  if (bound.k === 'unboundedFollowing') return (view) => view.n;
  const after = isStart ? 0 : 1;
  if (bound.k === 'current') {
    if (frame.mode === 'rows') return (_view, i) => i + after;
    return isStart ? (view, i) => view.peersStart(i) : (view, i) => view.peersEnd(i);
  }
  if (frame.mode === 'range') return rangePlace(bound, isStart, order[0], types[order[0].col]);
  const distance = Number(bound.offset) * (bound.k === 'preceding' ? -1 : 1) + after;
  if (frame.mode === 'rows') return (_view, i) => i + distance;
  return (view, i) => view.groupStart(view.groupOf(i) + distance);
}

function rangePlace(
  bound: FrameBound & { k: 'preceding' | 'following' },
  isStart: boolean,
  key: SortKey,
  type: ColType,
): Place {
  const range: RangeBound = rangeBound(bound, isStart, type, key.desc);
  return (view, i, ctx) => {
    const column = view.columns[key.col];
    // NULLs are peers of each other and within no distance of anything else.
    if (!isValid(column, i)) return isStart ? view.peersStart(i) : view.peersEnd(i);
    const edge = range.edge(readDatum(column, i), ctx);
    // Row j is before the bound when it comes before the edge in window order (or at it, for the end).
    const isBefore = (j: number): boolean => {
      if (!isValid(column, j)) return key.nullsFirst;
      if (typeof edge === 'string') return (edge === 'above all') !== key.desc;
      const c = range.compare(readDatum(column, j), edge.value) * (key.desc ? -1 : 1);
      return isStart ? c < 0 : c <= 0;
    };
    let low = 0;
    let high = view.n;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (isBefore(mid)) low = mid + 1;
      else high = mid;
    }
    return low;
  };
}
