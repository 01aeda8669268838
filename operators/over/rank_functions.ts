/**
 * row_number, rank, dense_rank, percent_rank, cume_dist, ntile: functions of the row's position alone.
 *
 * A changed row moves all rows after it; percent_rank, cume_dist and ntile depend on the size of the partition, so every row changes.
 */
import { type BatchBuilder, readDatum } from '../batch/builder.ts';
import type { Datum } from '../datum.ts';
import { SqlError } from '../errors.ts';
import type { WindowCall } from '../plan.ts';
import type { Reach } from './frame.ts';
import type { PartitionView } from './partition_view.ts';
import type { WindowEvaluator } from './window_call.ts';

type RankValue = (view: PartitionView, i: number, args: number[]) => Datum;

function ntile(view: PartitionView, i: number, args: number[]): Datum {
  const wanted = readDatum(view.columns[args[0]], 0);
  if (wanted === null) return null;
  const buckets = Number(wanted);
  if (buckets <= 0) throw new SqlError('22014', 'argument of ntile must be greater than zero');
  const small = Math.floor(view.n / buckets);
  const large = view.n % buckets;
  const inLarge = large * (small + 1);
  return i < inLarge ? Math.floor(i / (small + 1)) + 1 : large + Math.floor((i - inLarge) / small) + 1;
}

const ALL = Number.POSITIVE_INFINITY;
const FOLLOWING: Reach = { before: 0, after: ALL, peers: false };
const EVERY: Reach = { before: ALL, after: ALL, peers: false };

const FUNCTIONS: Record<string, { reach: Reach; value: RankValue }> = {
  row_number: { reach: FOLLOWING, value: (_view, i) => BigInt(i + 1) },
  rank: { reach: FOLLOWING, value: (view, i) => BigInt(view.peersStart(i) + 1) },
  dense_rank: { reach: FOLLOWING, value: (view, i) => BigInt(view.groupOf(i) + 1) },
  percent_rank: { reach: EVERY, value: (view, i) => (view.n === 1 ? 0 : view.peersStart(i) / (view.n - 1)) },
  cume_dist: { reach: EVERY, value: (view, i) => view.peersEnd(i) / view.n },
  ntile: { reach: EVERY, value: ntile },
};

/** Null when `name` is none of these. */
export function rankFunction(name: string, call: WindowCall): WindowEvaluator | null {
  const found = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : null;
  if (found === null) return null;
  return {
    reach: found.reach,
    begin() {
      // Nothing is kept.
    },
    write(view: PartitionView, i: number, out: BatchBuilder, column: number, row: number): void {
      out.setDatum(column, row, found.value(view, i, call.args));
    },
    end() {
      // Nothing is kept.
    },
    release() {
      // Nothing is kept.
    },
  };
}
