/**
 * Accumulators whose state is a small value object: read from the slot at a group's first row of a tick, updated for all its rows,
 * written back before results are taken.
 *
 * State: | varlen slot: the encoded object |.
 */
import type { Batch, Column } from '../batch/batch.ts';
import { type BatchBuilder, readDatum } from '../batch/builder.ts';
import { decodeCompositeAt, encodeComposite } from '../batch/composite.ts';
import { U32 } from '../batch/memory.ts';
import { slotPayload, varlenAddress, writeVarlenBytes } from '../batch/slots.ts';
import type { Datum } from '../datum.ts';
import type { Heap } from '../state/heap.ts';
import { type Accumulator, addEach, type Groups, type Rows, resultOfEach } from './accumulator.ts';

/** The mathematics of one such aggregate; `S` is its object, made of datums when encoded. */
export interface Summary<S> {
  empty(): S;
  add(summary: S, args: Datum[], weight: number): void;
  /** Null is SQL's NULL. */
  result(summary: S): Datum;
  encode(summary: S): Datum[];
  decode(parts: Datum[]): S;
}

/** The parts in the record whose slot this is. */
export function readRecord(slot: number): Datum[] {
  return (decodeCompositeAt(varlenAddress(slot)) as { values: Datum[] }).values;
}

export function writeRecord(slot: number, values: Datum[], heap: Heap): void {
  writeVarlenBytes(slot, encodeComposite({ k: 'record', types: values.map(() => 0), values }), heap);
}

export function freeRecord(slot: number, heap: Heap): void {
  const payload = slotPayload('varlen', slot);
  if (payload !== null) heap.free(payload.address, payload.bytes);
}

export class DecodedAccumulator<S> implements Accumulator {
  readonly bytes = 16;
  readonly #args: number[];
  readonly #summary: Summary<S>;
  readonly #heap: Heap;
  readonly #open = new Map<number, S>();
  #columns: Column[] = [];

  constructor(args: number[], summary: Summary<S>, heap: Heap) {
    this.#args = args;
    this.#summary = summary;
    this.#heap = heap;
  }

  begin(delta: Batch): void {
    this.#columns = this.#args.map((a) => delta.columns[a]);
  }

  add(state: number, row: number, weight: number): void {
    const args = this.#columns.map((column) => readDatum(column, row));
    if (args.includes(null)) return;
    this.#summary.add(this.#load(state), args, weight);
  }

  #load(state: number): S {
    const open = this.#open.get(state);
    if (open !== undefined) return open;
    const summary = this.#stored(state) ?? this.#summary.empty();
    this.#open.set(state, summary);
    return summary;
  }

  #stored(state: number): S | null {
    return U32[state >>> 2] === 0 ? null : this.#summary.decode(readRecord(state));
  }

  addAll(rows: Rows, n: number): void {
    addEach(this, rows, n);
  }

  result(state: number, out: BatchBuilder, column: number, row: number): void {
    const summary = this.#open.get(state) ?? this.#stored(state) ?? this.#summary.empty();
    out.setDatum(column, row, this.#summary.result(summary));
  }

  resultAll(groups: Groups, out: BatchBuilder, column: number, row: number): void {
    resultOfEach(this, groups, out, column, row);
  }

  free(state: number): void {
    this.#open.delete(state);
    freeRecord(state, this.#heap);
  }

  /** Writes the open objects back into their slots. Slots must not have moved since add(). */
  endTick(): void {
    for (const [state, summary] of this.#open) {
      freeRecord(state, this.#heap);
      writeRecord(state, this.#summary.encode(summary), this.#heap);
    }
    this.#open.clear();
  }

  size() {
    return { rows: 0, bytes: 0 };
  }

  save() {
    return null;
  }

  load(): void {
    // No object is open between ticks.
  }

  release(): void {
    this.#open.clear();
  }
}
