/**
 * What a stream has accepted since it was opened, so that a view made later sees exactly the rows that an earlier one saw.
 *
 *   ranges   by partition: offsets that ticks took, neighbours merged; so one range a partition, unless offsets were left out or a
 *            column's DEFAULT hangs on the clock (then one a tick, with the tick's clock)
 *   late     by partition: offsets of the records that were refused
 *   marks    watermarks with the offsets that had been taken when they were reached: whatever comes after is not before them, so a view that is
 *            filled from the history can free state on the way. At most MOST_MARKS, thinned out as the history grows
 *
 * Size: 8 bytes a late record, and a constant.
 */
export interface HistoryRange {
  partition: number;
  from: bigint;
  to: bigint;
  /** The tick's clock; null for streams whose rows do not depend on it. */
  now: bigint | null;
}

/** Part of a range, and a watermark that its accepted rows are not before. */
export interface HistoryPiece extends HistoryRange {
  watermark: bigint | null;
}

interface Mark {
  watermark: bigint;
  ends: Map<number, bigint>;
}

export type SavedHistory = {
  /** Partition, from, to, 1 and clock or 0 and 0, for each range. */
  ranges: BigInt64Array;
  late: { partition: number; offsets: Float64Array }[];
  marks: { watermark: bigint; ends: Map<number, bigint> }[];
  stride: number;
};

const RANGE_NUMBERS = 5;
const MOST_MARKS = 512;

export class StreamHistory {
  readonly #ranges = new Map<number, HistoryRange[]>();
  /** Ascending: offsets of a partition only grow. Below 2^53, as everywhere. */
  readonly #late = new Map<number, number[]>();
  #marks: Mark[] = [];
  /** Every so manieth move of the watermark is marked. */
  #stride = 1;
  #moves = 0;

  /** Before a tick adds its ranges: the watermark that its rows were held against. */
  mark(watermark: bigint | null): void {
    if (watermark === null || watermark === this.#marks.at(-1)?.watermark) return;
    if (++this.#moves < this.#stride) return;
    this.#moves = 0;
    const ends = new Map<number, bigint>();
    for (const [partition, ranges] of this.#ranges) ends.set(partition, ranges[ranges.length - 1].to);
    this.#marks.push({ watermark, ends });
    if (this.#marks.length <= MOST_MARKS) return;
    this.#marks = this.#marks.filter((_, i) => i % 2 === 1);
    this.#stride *= 2;
  }

  /** True while no record was read. */
  get isEmpty(): boolean {
    return this.#ranges.size === 0;
  }

  add(range: HistoryRange): void {
    if (range.from === range.to) return;
    const ranges = listOf(this.#ranges, range.partition);
    const last = ranges.at(-1);
    if (last !== undefined && last.to === range.from && last.now === range.now) last.to = range.to;
    else ranges.push({ ...range });
  }

  addLate(partition: number, offset: number): void {
    listOf(this.#late, partition).push(offset);
  }

  /** Everything as it is now, beyond the offsets that `reached` names by partition, in an order in which watermarks only grow. */
  pieces(reached: ReadonlyMap<number, bigint> = new Map()): HistoryPiece[] {
    const out: HistoryPiece[] = [];
    const cursors = [...this.#ranges].map(([partition, ranges]) => {
      const at = reached.get(partition) ?? 0n;
      let next = ranges.length;
      while (next > 0 && ranges[next - 1].to > at) next--;
      return { partition, ranges, next, at };
    });
    let watermark: bigint | null = null;
    for (const mark of [...this.#marks, null]) {
      for (const cursor of cursors) {
        const end = mark === null ? null : (mark.ends.get(cursor.partition) ?? 0n);
        while (cursor.next < cursor.ranges.length && (end === null || cursor.at < end)) {
          const range = cursor.ranges[cursor.next];
          const from = range.from > cursor.at ? range.from : cursor.at;
          const to = end === null || range.to < end ? range.to : end;
          if (from < to) out.push({ ...range, from, to, watermark });
          cursor.at = to;
          if (to === range.to) cursor.next++;
        }
      }
      watermark = mark?.watermark ?? null;
    }
    return out;
  }

  /** Offsets from <= offset < to that were refused. */
  lateIn(partition: number, from: bigint, to: bigint): number[] {
    const offsets = this.#late.get(partition) ?? [];
    return offsets.slice(lowerBound(offsets, Number(from)), lowerBound(offsets, Number(to)));
  }

  save(): SavedHistory {
    const all = [...this.#ranges.values()].flat();
    const ranges = new BigInt64Array(all.length * RANGE_NUMBERS);
    all.forEach(({ partition, from, to, now }, i) => {
      ranges.set([BigInt(partition), from, to, now === null ? 0n : 1n, now ?? 0n], i * RANGE_NUMBERS);
    });
    const late = [...this.#late].map(([partition, offsets]) => ({ partition, offsets: Float64Array.from(offsets) }));
    return { ranges, late, marks: [...this.#marks], stride: this.#stride };
  }

  load({ ranges, late, marks, stride }: SavedHistory): void {
    for (let i = 0; i < ranges.length; i += RANGE_NUMBERS) {
      const [partition, from, to, clocked, now] = ranges.subarray(i, i + RANGE_NUMBERS);
      this.add({ partition: Number(partition), from, to, now: clocked === 0n ? null : now });
    }
    for (const { partition, offsets } of late) this.#late.set(partition, [...offsets]);
    this.#marks = [...marks];
    this.#stride = stride;
  }
}

function listOf<T>(map: Map<number, T[]>, key: number): T[] {
  let list = map.get(key);
  if (list === undefined) {
    list = [];
    map.set(key, list);
  }
  return list;
}

/** Position of the first that is not below the value. */
function lowerBound(sorted: number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
