/**
 * Aggregates whose totals kernels add up in the groups' slots, exactly, and which have what the kernels refuse as records: the forms are numeric_totals.ts', float_totals.ts' and float_moments.ts'.
 *
 *   kernel takes the rows in -> rows that it left, one by one: the group's total as an object -> back to bytes, as a record only if it must be
 *
 * State: that of kernels/aggregate_layout.ts; in a record's stead the slot of that in the first 16 bytes. Both forms hold the same, so which one it is shows nowhere. O(1) a
 * row. Between add() and endTick() objects are open; their slots say `record`.
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { type BatchBuilder, isValid, readDatum } from '../batch/builder.ts';
import { I32, U8, U32 } from '../batch/memory.ts';
import { FORM_RECORD, TOTAL_FORM, WIDE_RESULT_BYTES } from '../kernels/aggregate_layout.ts';
import { kernels } from '../kernels/index.ts';
import type { Heap } from '../state/heap.ts';
import type { Saved } from '../state/saved.ts';
import { touchRange } from '../state/write_marks.ts';
import { PHYS_WIDTH } from '../types.ts';
import { type Accumulator, addEach, type Groups, type KernelCall, type Rows } from './accumulator.ts';
import { freeRecord, readRecord, type Summary, writeRecord } from './decoded.ts';

/** How a summary lies in a slot. */
export interface Form<S> {
  bytes: number;
  read(state: number): S;
  /** Into bytes that are zero; false, and nothing is written, when it does not fit. */
  write(state: number, summary: S): boolean;
}

export interface Reading<S> {
  form: Form<S>;
  summary: Summary<S>;
  /** Which additions of the kernel these are (kernels/aggregate_layout.ts), and a name for what they make. */
  kind: number;
  name: string;
  /** Brings the object to the form in which it is most likely to fit. */
  reduce(summary: S): void;
  /** Results of groups by a kernel, which gives how many it did before one that is not for it; `outside`: WIDE_RESULT_BYTES a group, and `scratch` bytes. */
  results?(groups: number, n: number, offset: number, data: number, valid: number, outside: number): number;
  scratch?: number;
}

export class Totals<S> implements Accumulator {
  readonly bytes: number;
  readonly state: string;
  readonly #args: number[];
  readonly #reading: Reading<S>;
  readonly #heap: Heap;
  readonly #open = new Map<number, S>();
  /** Groups whose total is a record. */
  #records = 0;
  #columns: Column[] = [];
  /** Where the kernel lists the rows that it leaves. */
  #rest = 0;

  /** `args`: one or two columns; a row with a NULL in them is passed over. */
  constructor(args: number[], reading: Reading<S>, heap: Heap) {
    this.#args = args;
    this.#reading = reading;
    this.#heap = heap;
    this.bytes = reading.form.bytes;
    this.state = `${reading.name}(${args.join()})`;
  }

  get inSlot(): boolean {
    return this.#records === 0;
  }

  begin(delta: Batch): void {
    this.#columns = this.#args.map((arg) => delta.columns[arg]);
  }

  add(state: number, row: number, weight: number): void {
    const columns = this.#columns;
    const [first, second] = columns;
    if (!isValid(first, row) || (second !== undefined && !isValid(second, row))) return;
    if (kernels.addToTotal(this.#reading.kind, state, first.data, second?.data ?? 0, row, weight) !== 0) return;
    const values = columns.map((column) => readDatum(column, row));
    this.#reading.summary.add(this.#opened(state), values, weight);
  }

  /** The group's total as an object, which its slot then no longer says. */
  #opened(state: number): S {
    const open = this.#open.get(state);
    if (open !== undefined) return open;
    const summary = this.#stored(state);
    this.#open.set(state, summary);
    this.#clear(state);
    U8[state + TOTAL_FORM] = FORM_RECORD;
    this.#records++;
    return summary;
  }

  #stored(state: number): S {
    const { form, summary } = this.#reading;
    return U8[state + TOTAL_FORM] === FORM_RECORD ? summary.decode(readRecord(state)) : form.read(state);
  }

  /** All zero, after what the slot owns has been given back. */
  #clear(state: number): void {
    if (U8[state + TOTAL_FORM] === FORM_RECORD) {
      freeRecord(state, this.#heap);
      this.#records--;
    }
    kernels.fillBytes(state, 0, this.bytes);
  }

  addAll(rows: Rows, n: number): void {
    addEach(this, rows, n);
  }

  kernelCall(arena: Arena, n: number): KernelCall {
    const [{ data, valid }, second] = this.#columns;
    this.#rest = arena.alloc((n + 1) * 4) >>> 2;
    U32[this.#rest] = 0;
    return { kind: this.#reading.kind, data, valid, rest: this.#rest * 4, second };
  }

  takeRest({ groups, offset, weights }: Rows): void {
    const left = U32[this.#rest];
    if (left === 0) return;
    for (let i = 1; i <= left; i++) {
      const row = U32[this.#rest + i];
      this.add(U32[groups + row] + offset, row, I32[weights + row]);
    }
    // Others may read these slots (Accumulator.state).
    this.endTick();
  }

  result(state: number, out: BatchBuilder, column: number, row: number): void {
    if (this.#open.has(state)) {
      this.#write(state, out, column, row);
      return;
    }
    const addresses = out.arena.alloc(4) >>> 2;
    U32[addresses] = state;
    this.resultAll({ addresses, n: 1, offset: 0 }, out, column, row);
  }

  /** result() by way of an object. */
  #write(state: number, out: BatchBuilder, column: number, row: number): void {
    const summary = this.#open.get(state) ?? this.#stored(state);
    out.setDatum(column, row, this.#reading.summary.result(summary));
  }

  resultAll({ addresses, n, offset }: Groups, out: BatchBuilder, column: number, row: number): void {
    const { results, scratch = 0 } = this.#reading;
    const { data, valid, phys } = out.columns[column];
    const width = PHYS_WIDTH[phys];
    const outside = out.arena.alloc(n * WIDE_RESULT_BYTES + scratch);
    for (let i = 0; i < n; i++) {
      const to = row + i;
      if (results !== undefined)
        i += results(
          (addresses + i) * 4,
          n - i,
          offset,
          data + to * width,
          valid + to,
          outside + i * WIDE_RESULT_BYTES,
        );
      if (i < n) this.#write(U32[addresses + i] + offset, out, column, row + i);
    }
  }

  free(state: number): void {
    this.#open.delete(state);
    // No row of this tick need have touched a group that a watermark frees.
    touchRange(state, this.bytes);
    this.#clear(state);
  }

  /** Writes the open objects back into their slots. Slots must not have moved since add(). */
  endTick(): void {
    const { form, summary, reduce } = this.#reading;
    for (const [state, total] of this.#open) {
      this.#clear(state);
      reduce(total);
      if (form.write(state, total)) continue;
      writeRecord(state, summary.encode(total), this.#heap);
      U8[state + TOTAL_FORM] = FORM_RECORD;
      this.#records++;
    }
    this.#open.clear();
  }

  size() {
    return { rows: 0, bytes: 0 };
  }

  save(): Saved {
    return { records: this.#records };
  }

  load(saved: Saved): void {
    this.#records = (saved as { records: number }).records;
  }

  release(): void {
    this.#open.clear();
  }
}
