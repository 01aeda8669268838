/**
 * What a stream has accepted since it was opened, so that a view made later sees exactly the rows that an earlier one saw.
 *
 *   ranges   by partition: offsets that ticks took, neighbours merged; so one range a partition, unless offsets were left out
 *   clocks   by partition, only of streams with a column whose DEFAULT hangs on the clock: the clock of each tick, and where its records end
 *   late     by partition: offsets of the records that were refused; of streams with columns of enum types also those that were bad, as their labels may be there when they
 *            are read again
 *   marks    watermarks with the offsets that had been taken when they were reached: whatever comes after is not before them, so a view that is
 *            filled from the history can free state on the way. At most MOST_MARKS, thinned out as the history grows
 *
 * Size: 8 bytes a refused record, 16 a tick that has a clock (and partition), and a constant.
 */
export interface HistoryRange {
  partition: number;
  from: bigint;
  to: bigint;
  /** How many there were; null when that was not kept. */
  records: number | null;
}

/** Records up to `end` were taken in at this clock. */
export interface Clock {
  end: number;
  now: bigint;
}

/** Part of a range, and a watermark that its accepted rows are not before. */
export interface HistoryPiece extends Omit<HistoryRange, 'records'> {
  watermark: bigint | null;
}

interface Mark {
  watermark: bigint;
  ends: Map<number, bigint>;
}

export type SavedHistory = {
  /** Partition, from, to, for each range. */
  ranges: BigInt64Array;
  /** Of each range; -1 when it is not known. Missing in what was saved before this was kept. */
  records?: Float64Array;
  /** End and clock, in turn. */
  clocks: { partition: number; pairs: Float64Array }[];
  late: { partition: number; offsets: Float64Array }[];
  marks: { watermark: bigint; ends: Map<number, bigint> }[];
  stride: number;
};

const RANGE_NUMBERS = 3;
const MOST_MARKS = 512;
const UNKNOWN = -1;

/** Null as soon as a part is not known. */
function plus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

export class StreamHistory {
  readonly #ranges = new Map<number, HistoryRange[]>();
  /** Ascending: offsets of a partition only grow. Below 2^53, as everywhere. */
  readonly #late = new Map<number, number[]>();
  readonly #clocks = new Map<number, ClockList>();
  #marks: Mark[] = [];
  /** Every so manieth move of the watermark is marked. */
  #stride = 1;
  #moves = 0;

  /** Before a tick adds its ranges: the watermark that its rows were held against. */
  mark(watermark: bigint | null): void {
    if (watermark === null || watermark === this.#marks[this.#marks.length - 1]?.watermark) return;
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

  /** `now`: the tick's clock, null for streams whose rows do not depend on it. */
  add(range: HistoryRange, now: bigint | null): void {
    if (range.from === range.to) return;
    const ranges = listOf(this.#ranges, range.partition);
    const last = ranges.at(-1);
    if (last !== undefined && last.to === range.from) {
      last.to = range.to;
      last.records = plus(last.records, range.records);
    } else ranges.push({ ...range });
    if (now !== null) this.#clocksOf(range.partition).add(Number(range.to), Number(now));
  }

  #clocksOf(partition: number): ClockList {
    let list = this.#clocks.get(partition);
    if (list === undefined) {
      list = new ClockList();
      this.#clocks.set(partition, list);
    }
    return list;
  }

  /** The clocks of the records from <= offset < to, in order; none when rows do not depend on them. */
  clocksIn(partition: number, from: bigint, to: bigint): Clock[] {
    return this.#clocks.get(partition)?.between(Number(from), Number(to)) ?? [];
  }

  addRefused(partition: number, offset: number): void {
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
          if (from < to) out.push({ partition: range.partition, from, to, watermark });
          cursor.at = to;
          if (to === range.to) cursor.next++;
        }
      }
      watermark = mark?.watermark ?? null;
    }
    return out;
  }

  /** How many records of each partition were taken. */
  counts(): Map<number, number | null> {
    const sum = (ranges: HistoryRange[]) => ranges.reduce<number | null>((n, { records }) => plus(n, records), 0);
    return new Map([...this.#ranges].map(([partition, ranges]) => [partition, sum(ranges)]));
  }

  /** Offsets from <= offset < to that were refused. */
  lateIn(partition: number, from: bigint, to: bigint): number[] {
    const offsets = this.#late.get(partition) ?? [];
    return offsets.slice(lowerBound(offsets, Number(from)), lowerBound(offsets, Number(to)));
  }

  save(): SavedHistory {
    const all = [...this.#ranges.values()].flat();
    const ranges = new BigInt64Array(all.length * RANGE_NUMBERS);
    all.forEach(({ partition, from, to }, i) => {
      ranges.set([BigInt(partition), from, to], i * RANGE_NUMBERS);
    });
    const records = Float64Array.from(all, (range) => range.records ?? UNKNOWN);
    const clocks = [...this.#clocks].map(([partition, list]) => ({ partition, pairs: list.save() }));
    const late = [...this.#late].map(([partition, offsets]) => ({ partition, offsets: Float64Array.from(offsets) }));
    return { ranges, records, clocks, late, marks: [...this.#marks], stride: this.#stride };
  }

  load({ ranges, records, clocks, late, marks, stride }: SavedHistory): void {
    for (let i = 0; i < ranges.length; i += RANGE_NUMBERS) {
      const [partition, from, to] = ranges.subarray(i, i + RANGE_NUMBERS);
      const count = records?.[i / RANGE_NUMBERS] ?? UNKNOWN;
      this.add({ partition: Number(partition), from, to, records: count === UNKNOWN ? null : count }, null);
    }
    for (const { partition, pairs } of clocks) this.#clocksOf(partition).load(pairs);
    for (const { partition, offsets } of late) this.#late.set(partition, [...offsets]);
    this.#marks = [...marks];
    this.#stride = stride;
  }
}

/** Pairs of numbers, exact: offsets are below 2^53, and so are microseconds for 285 years around 2000. */
class ClockList {
  #pairs = new Float64Array(64);
  #used = 0;

  add(end: number, now: number): void {
    if (this.#used > 0 && this.#pairs[this.#used - 1] === now) {
      this.#pairs[this.#used - 2] = end;
      return;
    }
    if (this.#used === this.#pairs.length) {
      const grown = new Float64Array(this.#pairs.length * 2);
      grown.set(this.#pairs);
      this.#pairs = grown;
    }
    this.#pairs[this.#used] = end;
    this.#pairs[this.#used + 1] = now;
    this.#used += 2;
  }

  between(from: number, to: number): Clock[] {
    const out: Clock[] = [];
    for (let at = this.#firstEndAbove(from); at < this.#used; at += 2) {
      out.push({ end: this.#pairs[at], now: BigInt(this.#pairs[at + 1]) });
      if (this.#pairs[at] >= to) break;
    }
    return out;
  }

  #firstEndAbove(offset: number): number {
    let low = 0;
    let high = this.#used / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#pairs[middle * 2] <= offset) low = middle + 1;
      else high = middle;
    }
    return low * 2;
  }

  save(): Float64Array {
    return this.#pairs.slice(0, this.#used);
  }

  load(pairs: Float64Array): void {
    this.#used = pairs.length;
    this.#pairs = new Float64Array(Math.max(64, pairs.length));
    this.#pairs.set(pairs);
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
