/**
 * Rows offset + 1 .. offset + limit of each partition in order: ORDER BY .. LIMIT, DISTINCT ON, row_number() <= k, rank() <= k.
 *
 *   partition in order (ties: whole row)      | r1 r2 | r3 r4 r5 | r6 ...
 *                                              offset    shown     beyond
 *
 * A row of weight w is w rows. withTies: the rows equal to the last shown row by the order are shown too. The rank column counts within
 * the partition, rows skipped by offset included.
 * Each tick: a change beyond the shown prefix costs a binary search and no output; any other shows the partition from the first touched
 * position before (-) and after (+). What is the same on both sides is the same entry, by address, and does not leave.
 * O(log n + offset + limit) a touched partition.
 * State: the input; with an append-only input at most the prefix of each partition, since rows beyond it can never come back.
 * A partition that a watermark proves untouched by every change to come is forgotten; its rows stay shown.
 */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, weightOf } from './batch/builder.ts';
import { U32 } from './batch/memory.ts';
import type { Operator, Tick } from './operator.ts';
import type { PlanNode } from './plan.ts';
import { consolidator } from './state/consolidate.ts';
import type { Watermarks } from './state/deadline.ts';
import { OrderedIndex } from './state/ordered_index.ts';
import { type RowCompare, rowCompare } from './state/row_ops.ts';
import type { Saved } from './state/saved.ts';
import type { ColType } from './types.ts';

type TopNSpec = PlanNode & { op: 'topn' };

/** Words of the operator's bytes of a partition; all zero between ticks. */
const SEEN = 0;
const END = 1;
const FULL = 2;
const FIRST = 3;
const NOT_TOUCHED = 0xffffffff;

/** An entry as its partition shows it: rows from + 1 .. to of the partition. */
interface Shown {
  entry: number;
  from: number;
  to: number;
  rank: number;
  dense: number;
}

/** How far a walk through a partition's entries is: the position, the rows before it, and the ranks of the last entry. */
interface Walk {
  at: number;
  before: number;
  rank: number;
  dense: number;
}

export class TopNOperator implements Operator {
  readonly #spec: TopNSpec;
  readonly #appendOnly: boolean;
  /** Rows up to which a partition is shown, ties aside. */
  readonly #limit: number;
  readonly #index: OrderedIndex;
  readonly #peers: RowCompare;
  readonly #consolidateInput: ReturnType<typeof consolidator>;

  /** `appendOnly`: the input never retracts. */
  constructor(spec: TopNSpec, inputTypes: ColType[], appendOnly: boolean) {
    this.#spec = spec;
    this.#appendOnly = appendOnly;
    this.#limit = spec.limit === null ? Number.POSITIVE_INFINITY : spec.limit === 0 ? 0 : spec.offset + spec.limit;
    this.#index = new OrderedIndex(inputTypes, spec.partition, spec.order, 16, spec.frees);
    this.#peers = rowCompare(this.#index.runs.rows.layout, spec.order, false);
    this.#consolidateInput = consolidator(inputTypes);
  }

  step(inputs: Batch[], tick: Tick): Batch {
    // Rows that cancel would touch partitions in vain.
    const delta = this.#appendOnly ? inputs[0] : this.#consolidateInput(inputs[0], tick.arena);
    const out = new BatchBuilder(this.#spec.types, tick.arena, Math.max(delta.n, 1));
    const scratch = tick.arena.alloc(this.#index.runs.rows.layout.stride);
    const { slots, seen } = this.#touch(delta, scratch);
    const before = seen.map((slot) => this.#shown(slot));
    this.#addAll(slots, delta, scratch);
    seen.forEach((slot, i) => {
      this.#emitChanges(before[i], this.#shown(slot), out);
      this.#untouch(slot);
    });
    return out.build();
  }

  /** What is shown meanwhile may be long: it is not looked at where add() alone knows what stays. */
  absorb(inputs: Batch[], tick: Tick): void {
    const [delta] = inputs;
    const scratch = tick.arena.alloc(this.#index.runs.rows.layout.stride);
    if (this.#appendOnly && this.#spec.withTies) {
      const { slots, seen } = this.#touch(delta, scratch);
      this.#addAll(slots, delta, scratch);
      for (const slot of seen) this.#untouch(slot);
      return;
    }
    const index = this.#index;
    index.begin(delta);
    const touched = new Set<number>();
    for (let row = 0; row < delta.n; row++) {
      if (weightOf(delta, row) === 0) continue;
      const slot = index.partitionOf(row);
      touched.add(slot);
      this.#add(slot, row, delta, scratch);
    }
    for (const slot of touched) index.dropIfEmpty(slot);
  }

  /** Where the rows go, 0 for one that changes nothing, and the partitions that are touched, whose words say what was and will be shown. */
  #touch(delta: Batch, scratch: number): { slots: number[]; seen: number[] } {
    const index = this.#index;
    index.begin(delta);
    const slots: number[] = [];
    const seen: number[] = [];
    for (let row = 0; row < delta.n; row++) {
      if (weightOf(delta, row) === 0) {
        slots.push(0);
        continue;
      }
      const slot = index.partitionOf(row);
      const user = index.user(slot) >>> 2;
      if (U32[user + SEEN] === 0) {
        this.#measure(slot);
        seen.push(slot);
      }
      index.runs.rows.storeShallow(row, scratch);
      const position = this.#touchedPosition(slot, scratch);
      if (position !== NOT_TOUCHED) U32[user + FIRST] = Math.min(U32[user + FIRST], position);
      slots.push(position === NOT_TOUCHED && this.#appendOnly ? 0 : slot);
    }
    return { slots, seen };
  }

  #addAll(slots: number[], delta: Batch, scratch: number): void {
    for (let row = 0; row < delta.n; row++) if (slots[row] !== 0) this.#add(slots[row], row, delta, scratch);
  }

  /** Lets go what a touched partition needs no more. */
  #untouch(slot: number): void {
    const index = this.#index;
    if (this.#appendOnly) {
      this.#measure(slot);
      index.runs.truncate(index.head(slot), U32[(index.user(slot) >>> 2) + END]);
    }
    U32.fill(0, index.user(slot) >>> 2, (index.user(slot) >>> 2) + 4);
    index.dropIfEmpty(slot);
  }

  /** Adds a row; when rows never come back and none ties in, those past the limit go at once. */
  #add(slot: number, row: number, delta: Batch, scratch: number): void {
    const index = this.#index;
    if (!this.#appendOnly || this.#spec.withTies) {
      index.add(slot, row, weightOf(delta, row));
      return;
    }
    // Every entry is at least one row.
    const { runs } = index;
    const head = index.head(slot);
    if (runs.count(head) >= this.#limit) {
      runs.rows.storeShallow(row, scratch);
      if (runs.lowerBound(head, scratch) >= this.#limit) return;
    }
    index.add(slot, row, weightOf(delta, row));
    if (runs.count(head) > this.#limit) runs.truncate(head, this.#limit);
  }

  /** Notes how many entries the shown prefix has and whether it is full. */
  #measure(slot: number): void {
    const { runs } = this.#index;
    const head = this.#index.head(slot);
    const count = runs.count(head);
    let rows = 0;
    let end = 0;
    if (this.#limit === Number.POSITIVE_INFINITY) end = count;
    else while (end < count && rows < this.#limit) rows += Math.max(0, runs.weight(runs.entry(head, end++)));
    const full = rows >= this.#limit;
    if (full && this.#spec.withTies && end > 0) while (end < count && this.#isPeer(head, end, end - 1)) end++;
    const user = this.#index.user(slot) >>> 2;
    U32[user + SEEN] = 1;
    U32[user + END] = end;
    U32[user + FULL] = full ? 1 : 0;
    U32[user + FIRST] = NOT_TOUCHED;
  }

  #isPeer(head: number, a: number, b: number): boolean {
    const { runs } = this.#index;
    return this.#peers(runs.entry(head, a) + runs.rowOffset, runs.entry(head, b) + runs.rowOffset) === 0;
  }

  /** Where the row at this address changes the shown prefix, or NOT_TOUCHED. */
  #touchedPosition(slot: number, row: number): number {
    const { runs } = this.#index;
    const user = this.#index.user(slot) >>> 2;
    const head = this.#index.head(slot);
    const end = U32[user + END];
    const position = runs.lowerBound(head, row);
    if (U32[user + FULL] === 0 || position < end) return position;
    if (!this.#spec.withTies || end === 0) return NOT_TOUCHED;
    return this.#peers(runs.entry(head, end - 1) + runs.rowOffset, row) === 0 ? position : NOT_TOUCHED;
  }

  /** What a touched partition shows at present, from the first touched position on. */
  #shown(slot: number): Shown[] {
    const first = U32[(this.#index.user(slot) >>> 2) + FIRST];
    const shown: Shown[] = [];
    if (first === NOT_TOUCHED) return shown;
    const walk = { at: 0, before: 0, rank: 1, dense: 0 };
    this.#walk(slot, walk, Number.POSITIVE_INFINITY, first, shown);
    return shown;
  }

  /** Goes up to `most` entries further; adds those from position `first` on that are shown. False: there are no more. */
  #walk(slot: number, walk: Walk, most: number, first: number, shown: Shown[]): boolean {
    const { runs } = this.#index;
    const head = this.#index.head(slot);
    const { offset, withTies } = this.#spec;
    const count = runs.count(head);
    let { at, before, rank, dense } = walk;
    for (const end = Math.min(at + most, count); at < end; at++) {
      const newPeers = at === 0 || !this.#isPeer(head, at, at - 1);
      if (newPeers) {
        rank = before + 1;
        dense++;
      }
      const tied = withTies && !newPeers && this.#limit > 0;
      if (before >= this.#limit && !tied) return false;
      const entry = runs.entry(head, at);
      const weight = Math.max(0, runs.weight(entry));
      const from = Math.max(before, offset);
      const to = tied || withTies ? before + weight : Math.min(before + weight, this.#limit);
      if (at >= first && to > from) shown.push({ entry, from, to, rank, dense });
      before += weight;
    }
    walk.at = at;
    walk.before = before;
    walk.rank = rank;
    walk.dense = dense;
    return at < count;
  }

  /** Emits what is shown no more and what is shown anew. Both lists are in order; entries that are gone hold their rows until the tick ends. */
  #emitChanges(old: Shown[], now: Shown[], out: BatchBuilder): void {
    const { compare, rowOffset } = this.#index.runs;
    let a = 0;
    let b = 0;
    while (a < old.length || b < now.length) {
      if (a < old.length && b < now.length && old[a].entry === now[b].entry) this.#emitChange(old[a++], now[b++], out);
      else if (
        b === now.length ||
        (a < old.length && compare(old[a].entry + rowOffset, now[b].entry + rowOffset) < 0)
      ) {
        this.#write(old[a++], -1, out);
      } else this.#write(now[b++], 1, out);
    }
  }

  /** The same entry before and after: the rows that differ in number or rank. */
  #emitChange(old: Shown, now: Shown, out: BatchBuilder): void {
    const { rank } = this.#spec;
    if (rank === 'row_number') {
      const [from, to] = [Math.max(old.from, now.from), Math.min(old.to, now.to)];
      if (from < to) {
        for (const [shown, sign] of [
          [old, -1],
          [now, 1],
        ] as const) {
          this.#write({ ...shown, to: from }, sign, out);
          this.#write({ ...shown, from: to }, sign, out);
        }
        return;
      }
    } else if (rank === 'none' || old[rank === 'rank' ? 'rank' : 'dense'] === now[rank === 'rank' ? 'rank' : 'dense']) {
      const more = now.to - now.from - (old.to - old.from);
      if (more > 0) this.#write({ ...now, from: now.to - more }, 1, out);
      else if (more < 0) this.#write({ ...old, from: old.to + more }, -1, out);
      return;
    }
    this.#write(old, -1, out);
    this.#write(now, 1, out);
  }

  /** Writes the rows of a shown entry, with `sign`. */
  #write({ entry, from, to, rank, dense }: Shown, sign: 1 | -1, out: BatchBuilder): void {
    if (from >= to) return;
    const { rows, rowOffset } = this.#index.runs;
    const address = entry + rowOffset;
    switch (this.#spec.rank) {
      case 'none':
        rows.load(address, out.columns, out.addRow(sign * (to - from)));
        return;
      case 'row_number':
        for (let n = from; n < to; n++) this.#writeRanked(address, n + 1, sign, out);
        return;
      case 'rank':
        this.#writeRanked(address, rank, sign * (to - from), out);
        return;
      case 'dense_rank':
        this.#writeRanked(address, dense, sign * (to - from), out);
    }
  }

  #writeRanked(address: number, rank: number, weight: number, out: BatchBuilder): void {
    const row = out.addRow(weight);
    this.#index.runs.rows.load(address, out.columns, row);
    out.setDatum(out.columns.length - 1, row, BigInt(rank));
  }

  integral(tick: Tick): Batch {
    const out = new BatchBuilder(this.#spec.types, tick.arena, Math.max(1, this.#index.partitions.size));
    // A partition that is not touched has its words at 0: shown from its first row on.
    this.#index.partitions.forEach((slot) => {
      for (const shown of this.#shown(slot)) this.#write(shown, 1, out);
    });
    return out.build();
  }

  *integralPieces(tick: Tick, most: number): Iterable<Batch> {
    const { partitions } = this.#index;
    const slots: number[] = [];
    let out = new BatchBuilder(this.#spec.types, tick.arena, most);
    for (let place = 0; place >= 0; ) {
      place = partitions.visitFrom(place, most, (slot) => slots.push(slot));
      for (const slot of slots.splice(0)) {
        const walk = { at: 0, before: 0, rank: 1, dense: 0 };
        for (let more = true; more; ) {
          const shown: Shown[] = [];
          more = this.#walk(slot, walk, most, 0, shown);
          for (const entry of shown) this.#write(entry, 1, out);
          if (out.n < most) continue;
          yield out.build();
          out = new BatchBuilder(this.#spec.types, tick.arena, most);
        }
      }
    }
    yield out.build();
  }

  free(watermarks: Watermarks): boolean {
    return this.#index.free(watermarks);
  }

  endTick(): void {
    this.#index.endTick();
  }

  state() {
    return { rows: this.#index.size, bytes: this.#index.bytes };
  }

  save() {
    return this.#index.save();
  }

  load(saved: Saved): void {
    this.#index.load(saved as ReturnType<typeof this.save>);
  }

  release(): void {
    this.#index.release();
  }
}
