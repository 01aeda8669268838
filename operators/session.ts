/**
 * Session windows.      out = { row ++ window_start ++ window_end }
 *
 *   times of a key, in order:   t1 t2 t3 . . . . t4 t5        two neighbours are of one session iff their distance <= gap
 *                               [t1 .. t3 + gap)  [t4 .. t5 + gap)
 *
 * An insert may merge two sessions, a delete may split one. Each tick, for every touched key: the sessions that touch the changed stretch are
 * shown as they were (-) and as they are (+); equal rows cancel. Other sessions are not read.
 * State: the input, ordered by time within its key. O(log n) a changed row plus the rows of the touched sessions. A row whose time is NULL or
 * infinite belongs to no session and is left out.
 * A session that no row to come can reach is forgotten: one whose last row is dead.
 */
import type { Batch, Column } from './batch/batch.ts';
import { BatchBuilder, isValid, weightOf } from './batch/builder.ts';
import { I32, I64, U8, U32 } from './batch/memory.ts';
import { TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from './datum.ts';
import type { Operator, Tick } from './operator.ts';
import type { PlanNode } from './plan.ts';
import { consolidator } from './state/consolidate.ts';
import type { Watermarks } from './state/deadline.ts';
import { OrderedIndex } from './state/ordered_index.ts';
import type { Saved } from './state/saved.ts';
import type { ColType } from './types.ts';

type SessionSpec = PlanNode & { op: 'session' };

/**
 * The operator's bytes of a key, zero between ticks: touched; entries unchanged at the beginning and at the end (words); least and
 * greatest touched time (int64, at bytes 16 and 24).
 */
const SEEN = 0;
const PREFIX = 1;
const SUFFIX = 2;
const LEAST = 2;
const GREATEST = 3;
const USER_BYTES = 32;

export class SessionOperator implements Operator {
  readonly #spec: SessionSpec;
  readonly #index: OrderedIndex;
  readonly #timeOffset: number;
  readonly #consolidateInput: ReturnType<typeof consolidator>;
  readonly #consolidateOutput: ReturnType<typeof consolidator>;

  constructor(spec: SessionSpec, inputTypes: ColType[]) {
    this.#spec = spec;
    const order = [{ col: spec.time, desc: false, nullsFirst: false }];
    this.#index = new OrderedIndex(inputTypes, spec.keys, order, USER_BYTES, spec.frees);
    const { rows, rowOffset } = this.#index.runs;
    this.#timeOffset = rowOffset + rows.layout.offsets[spec.time];
    this.#consolidateInput = consolidator(inputTypes);
    this.#consolidateOutput = consolidator(spec.types);
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const delta = this.#consolidateInput(inputs[0], tick.arena);
    const index = this.#index;
    const out = new BatchBuilder(this.#spec.types, tick.arena, delta.n * 2);
    index.begin(delta);
    const time = delta.columns[this.#spec.time];
    const slots: number[] = [];
    const seen: number[] = [];
    const scratch = tick.arena.alloc(index.runs.rows.layout.stride);
    for (let row = 0; row < delta.n; row++) {
      const at = isValid(time, row) ? I64[time.data / 8 + row] : TIMESTAMP_INFINITY;
      if (at === TIMESTAMP_INFINITY || at === TIMESTAMP_NEG_INFINITY) {
        slots.push(0);
        continue;
      }
      const slot = index.partitionOf(row);
      if (U32[(index.user(slot) >>> 2) + SEEN] === 0) seen.push(slot);
      index.runs.rows.storeShallow(row, scratch);
      this.#touch(slot, scratch, at);
      slots.push(slot);
    }
    for (const slot of seen) this.#show(slot, -1, out);
    for (let row = 0; row < delta.n; row++) if (slots[row] !== 0) index.add(slots[row], row, weightOf(delta, row));
    for (const slot of seen) {
      this.#show(slot, 1, out);
      U32.fill(0, index.user(slot) >>> 2, (index.user(slot) + USER_BYTES) >>> 2);
      index.dropIfEmpty(slot);
    }
    return this.#consolidateOutput(out.build(), tick.arena);
  }

  /** Notes that the row at this address, of time `at`, will come or go. */
  #touch(slot: number, row: number, at: bigint): void {
    const { runs } = this.#index;
    const head = this.#index.head(slot);
    const count = runs.count(head);
    const position = runs.lowerBound(head, row);
    const present = position < count && runs.compare(runs.entry(head, position) + runs.rowOffset, row) === 0;
    const suffix = count - position - (present ? 1 : 0);
    const user = this.#index.user(slot);
    const words = user >>> 2;
    const times = user / 8;
    if (U32[words + SEEN] === 0) {
      U32[words + SEEN] = 1;
      U32[words + PREFIX] = position;
      U32[words + SUFFIX] = suffix;
      I64[times + LEAST] = at;
      I64[times + GREATEST] = at;
      return;
    }
    U32[words + PREFIX] = Math.min(U32[words + PREFIX], position);
    U32[words + SUFFIX] = Math.min(U32[words + SUFFIX], suffix);
    if (at < I64[times + LEAST]) I64[times + LEAST] = at;
    if (at > I64[times + GREATEST]) I64[times + GREATEST] = at;
  }

  /** Forgets the sessions that no change can reach any more: those before the first row that one may still reach, but for its own session. */
  free(watermarks: Watermarks): boolean {
    return this.#index.free(watermarks, (head, dead) => {
      let first = dead;
      while (first > 0 && first < this.#index.runs.count(head) && this.#joined(head, first)) first--;
      return first;
    });
  }

  #time(head: number, i: number): bigint {
    return I64[(this.#index.runs.entry(head, i) + this.#timeOffset) / 8];
  }

  /** Whether entries i - 1 and i are of one session. */
  #joined(head: number, i: number): boolean {
    return this.#time(head, i) - this.#time(head, i - 1) <= this.#spec.gap;
  }

  /** Adds, with `sign`, the rows of the sessions of a key that its changes touch, as they are at present. */
  #show(slot: number, sign: 1 | -1, out: BatchBuilder): void {
    const head = this.#index.head(slot);
    const user = this.#index.user(slot);
    const count = this.#index.runs.count(head);
    let from = U32[(user >>> 2) + PREFIX];
    let to = count - U32[(user >>> 2) + SUFFIX];
    const { gap } = this.#spec;
    // The unchanged neighbours take part when a touched row is, or was, within the gap: the same answer before and after the change.
    if (from > 0 && I64[user / 8 + LEAST] - this.#time(head, from - 1) <= gap) {
      from--;
      while (from > 0 && this.#joined(head, from)) from--;
    }
    if (to < count && this.#time(head, to) - I64[user / 8 + GREATEST] <= gap) {
      to++;
      while (to < count && this.#joined(head, to)) to++;
    }
    for (let first = from; first < to; ) {
      let last = first;
      while (last + 1 < to && this.#joined(head, last + 1)) last++;
      this.#write(head, first, last, sign, out);
      first = last + 1;
    }
  }

  #write(head: number, first: number, last: number, sign: 1 | -1, out: BatchBuilder): void {
    const { runs } = this.#index;
    const start = this.#time(head, first);
    const end = this.#time(head, last) + this.#spec.gap;
    const width = this.#spec.types.length - 2;
    for (let i = first; i <= last; i++) {
      const entry = runs.entry(head, i);
      const row = out.addRow(sign * I32[entry >>> 2]);
      runs.rows.load(entry + runs.rowOffset, out.columns, row);
      writeTime(out.columns[width], row, start);
      writeTime(out.columns[width + 1], row, end);
    }
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

function writeTime({ data, valid }: Column, row: number, time: bigint): void {
  U8[valid + row] = 1;
  I64[data / 8 + row] = time;
}
