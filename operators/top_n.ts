/**
 * Rows offset + 1 .. offset + limit of each partition in order: ORDER BY .. LIMIT, DISTINCT ON, row_number() <= k, rank() <= k.
 *
 *   partition in order (ties: whole row)      | r1 r2 | r3 r4 r5 | r6 ...
 *                                              offset    shown     beyond
 *
 * A row of weight w is w rows. withTies: the rows equal to the last shown row by the order are shown too. The rank column counts within
 * the partition, rows skipped by offset included.
 * Each tick: a change beyond the shown prefix costs a binary search and no output; any other shows the partition from the first touched
 * position before (-) and after (+), the equal rows cancel. O(log n + offset + limit) a touched partition.
 * State: the input; with an append-only input at most the prefix of each partition, since rows beyond it can never come back.
 */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, weightOf } from './batch/builder.ts';
import { U32 } from './batch/memory.ts';
import type { Operator, Tick } from './operator.ts';
import type { PlanNode } from './plan.ts';
import { consolidator } from './state/consolidate.ts';
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

export class TopNOperator implements Operator {
  readonly #spec: TopNSpec;
  readonly #appendOnly: boolean;
  /** Rows up to which a partition is shown, ties aside. */
  readonly #limit: number;
  readonly #index: OrderedIndex;
  readonly #peers: RowCompare;
  readonly #consolidateInput: ReturnType<typeof consolidator>;
  readonly #consolidateOutput: ReturnType<typeof consolidator>;

  /** `appendOnly`: the input never retracts. */
  constructor(spec: TopNSpec, inputTypes: ColType[], appendOnly: boolean) {
    this.#spec = spec;
    this.#appendOnly = appendOnly;
    this.#limit = spec.limit === null ? Number.POSITIVE_INFINITY : spec.limit === 0 ? 0 : spec.offset + spec.limit;
    this.#index = new OrderedIndex(inputTypes, spec.partition, spec.order, 16);
    this.#peers = rowCompare(this.#index.runs.rows.layout, spec.order, false);
    this.#consolidateInput = consolidator(inputTypes);
    this.#consolidateOutput = consolidator(spec.types);
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const delta = this.#consolidateInput(inputs[0], tick.arena);
    const index = this.#index;
    const out = new BatchBuilder(this.#spec.types, tick.arena, delta.n * 2);
    index.begin(delta);
    const slots: number[] = [];
    const seen: number[] = [];
    const scratch = tick.arena.alloc(index.runs.rows.layout.stride);
    for (let row = 0; row < delta.n; row++) {
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
    for (const slot of seen) this.#show(slot, -1, out);
    for (let row = 0; row < delta.n; row++) if (slots[row] !== 0) index.add(slots[row], row, weightOf(delta, row));
    for (const slot of seen) {
      this.#show(slot, 1, out);
      if (this.#appendOnly) {
        this.#measure(slot);
        index.runs.truncate(index.head(slot), U32[(index.user(slot) >>> 2) + END]);
      }
      U32.fill(0, index.user(slot) >>> 2, (index.user(slot) >>> 2) + 4);
      index.dropIfEmpty(slot);
    }
    return this.#consolidateOutput(out.build(), tick.arena);
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

  /** Adds, with `sign`, the rows that a touched partition shows at present, from the first touched position on. */
  #show(slot: number, sign: 1 | -1, out: BatchBuilder): void {
    const { runs } = this.#index;
    const head = this.#index.head(slot);
    const first = U32[(this.#index.user(slot) >>> 2) + FIRST];
    if (first === NOT_TOUCHED) return;
    const { offset, withTies } = this.#spec;
    const count = runs.count(head);
    let before = 0;
    let rank = 1;
    let dense = 0;
    for (let i = 0; i < count; i++) {
      const newPeers = i === 0 || !this.#isPeer(head, i, i - 1);
      if (newPeers) {
        rank = before + 1;
        dense++;
      }
      const tied = withTies && !newPeers && this.#limit > 0;
      if (before >= this.#limit && !tied) return;
      const weight = Math.max(0, runs.weight(runs.entry(head, i)));
      const from = Math.max(before, offset);
      const to = tied || withTies ? before + weight : Math.min(before + weight, this.#limit);
      if (i >= first && to > from) this.#write(runs.entry(head, i) + runs.rowOffset, from, to, rank, dense, sign, out);
      before += weight;
    }
  }

  /** Writes rows from + 1 .. to of the partition, all equal. */
  #write(
    address: number,
    from: number,
    to: number,
    rank: number,
    dense: number,
    sign: 1 | -1,
    out: BatchBuilder,
  ): void {
    const { rows } = this.#index.runs;
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
