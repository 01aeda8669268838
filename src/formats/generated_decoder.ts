/**
 * Messages of formats for whose schemas readers are generated: runs of messages by these, straight into slots, and one by one exactly what they find odd.
 *
 *   message -> generated reader of its schema -> slots
 *                  \--odd message--> exact reader --> slots, or a bad record
 *
 * Bytes that do not lie in the shared memory are copied there. What has columns beside the value (keys, INCLUDE) is read one by one.
 */
import type { BatchBuilder } from '../../operators/batch/builder.ts';
import { BYTES, U8 } from '../../operators/batch/memory.ts';
import type { Datum } from '../../operators/datum.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { kernels } from '../../operators/kernels/index.ts';
import { type RawBatch, ZEROS_BEHIND } from '../sources/source.ts';
import { Defaults } from './defaults.ts';
import type { BadRow, Decoder, DecoderSpec } from './format.ts';
import { RecordContext } from './record_context.ts';
import { recordValue } from './record_value.ts';
import { type RecordReader, RowDecoder } from './row_decoder.ts';
import { RowError } from './row_error.ts';
import { RowSlots } from './row_slots.ts';

/** Reads messages i .. to, at bytes [starts[i], ends[i]) plus `shift`, into rows from `row` on; gives the first that it has not read. */
export type GeneratedReader = (
  starts: Int32Array,
  ends: Int32Array,
  shift: number,
  i: number,
  to: number,
  row: number,
) => number;

/** Finds the reader of a message, which begins with what names its schema; null: it is read exactly. */
export type ReaderOf = (bytes: Buffer, start: number, end: number) => GeneratedReader | null;

/** What generated readers need of the decoder. */
export interface DecoderParts {
  slots: RowSlots;
  /** Positions of the columns that the value has. */
  fields: number[];
  /** Of the message that is read into the row. */
  contextOf(row: number): EvalContext;
  /** Puts the DEFAULT into a column that the message does not have; false: it is to be read exactly. */
  putDefault(column: number, row: number): boolean;
}

export interface ExactMessages extends RecordReader {
  /** Sets the values of the key's columns. Throws RowError. */
  readKey(raw: RawBatch, i: number, values: Datum[], defaults: Defaults, ctx: EvalContext): void;
}

/** Bytes that are worth a call of Node. */
const MANY = 8192;

export class GeneratedDecoder implements Decoder {
  readonly #spec: DecoderSpec;
  readonly #exact: RowDecoder;
  readonly #exactReader: ExactMessages;
  readonly #defaults: Defaults;
  readonly #slots: RowSlots;
  readonly #ctx = new RecordContext();
  readonly #readerOf: ReaderOf;
  /** Columns from the record around the message. */
  readonly #recordFields: number[];
  readonly #keyFields: number[];
  readonly #values: Datum[];
  /** The record that row 0 of the batch would be, as records are read now. */
  #record = 0;
  bytes = 0;
  anyNull = false;

  constructor(spec: DecoderSpec, exact: ExactMessages, readers: (parts: DecoderParts) => ReaderOf) {
    const { columns, upsertKey = [] } = spec;
    this.#spec = spec;
    this.#exactReader = exact;
    this.#exact = new RowDecoder(spec, exact);
    this.#defaults = new Defaults(columns);
    this.#slots = new RowSlots(spec);
    this.#keyFields = upsertKey;
    this.#recordFields = columns.flatMap(({ origin }, i) => (origin.k === 'field' ? [] : [i]));
    this.#values = columns.map(() => null);
    this.#readerOf = readers({
      slots: this.#slots,
      fields: columns.flatMap(({ origin }, i) => (origin.k === 'field' && !upsertKey.includes(i) ? [i] : [])),
      contextOf: (row) => {
        // A run of many messages: 'now' is the time of this one.
        this.#ctx.record = this.#record + row;
        return this.#ctx;
      },
      putDefault: (column, row) => this.#putDefault(column, row),
    });
  }

  decode(raw: RawBatch, from: number, to: number, out: BatchBuilder, now: bigint): BadRow[] {
    this.bytes = 0;
    this.anyNull = false;
    const bad: BadRow[] = [];
    if (from >= to) return bad;
    const slots = this.#slots;
    out.reserve(to - from);
    slots.bind(out);
    slots.anyNull = false;
    this.#defaults.setClock(now);
    this.#ctx.raw = raw;
    const shift = this.#place(raw, from, to, out);
    const alone = this.#keyFields.length > 0 || this.#recordFields.length > 0;
    for (let i = from; i < to; ) {
      this.#ctx.record = i;
      const start = raw.valueStart[i];
      const reader = start < 0 ? null : this.#readerOf(raw.bytes, start, raw.valueEnd[i]);
      if (reader !== null) {
        this.#record = i - out.n;
        const reached = reader(raw.valueStart, raw.valueEnd, shift, i, alone ? i + 1 : to, out.n);
        if (reached > i && (!alone || this.#readAround(raw, i, out.n))) {
          out.addRows(reached - i, 1);
          i = reached;
          continue;
        }
      }
      bad.push(...this.#exact.decode(raw, i, i + 1, out, now));
      if (this.#exact.anyNull) this.anyNull = true;
      i++;
    }
    if (slots.anyNull) this.anyNull = true;
    return bad;
  }

  /** What is to be added to positions to make them addresses. */
  #place({ bytes, address, valueStart, valueEnd }: RawBatch, from: number, to: number, out: BatchBuilder): number {
    let first = bytes.length;
    let last = 0;
    for (let i = from; i < to; i++) {
      const start = valueStart[i];
      if (start < 0) continue;
      const end = valueEnd[i];
      this.bytes += end - start;
      if (start < first) first = start;
      if (end > last) last = end;
    }
    if (address !== undefined) return address;
    const length = Math.max(0, last - first);
    const place = out.arena.alloc(length + ZEROS_BEHIND + 8) + ((bytes.byteOffset + first) & 7);
    if (length >= MANY) BYTES.fill(bytes.subarray(first, last), place, place + length);
    else if (length > 0) U8.set(bytes.subarray(first, last), place);
    kernels.fillBytes(place + length, 0, ZEROS_BEHIND);
    return place - first;
  }

  #putDefault(column: number, row: number): boolean {
    const { notNull } = this.#spec.columns[column];
    const fails = this.#defaults.fails(column);
    const value = fails ? null : this.#defaults.value(column);
    if (value === null && (notNull || fails)) return false;
    this.#slots.put(column, row, value);
    return true;
  }

  /** The columns of a row that do not come from the value; false when there is something wrong with them. */
  #readAround(raw: RawBatch, i: number, row: number): boolean {
    const { columns } = this.#spec;
    const values = this.#values;
    try {
      if (this.#keyFields.length > 0) this.#exactReader.readKey(raw, i, values, this.#defaults, this.#ctx);
      for (const column of this.#keyFields) this.#slots.put(column, row, values[column]);
      for (const column of this.#recordFields)
        this.#slots.put(column, row, recordValue(columns[column], raw, i, this.#ctx));
    } catch (error) {
      if (error instanceof RowError) return false;
      throw error;
    }
    return true;
  }

  release(): void {
    this.#slots.release();
  }
}
