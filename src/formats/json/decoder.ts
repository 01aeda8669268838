/**
 * format = 'json': every message is one JSON object, its fields are columns by exact name.
 *
 *   value bytes --copied once into the batch's arena--> fast_row.ts --common form--> slots
 *                                                        \--odd--> slow_row.ts --> slots, or a bad record
 *
 * A field that is null is NULL, a missing one its column's DEFAULT (defaults.ts) or NULL; of equal keys the last counts; undeclared fields are left out (but must be JSON). value.ts says how JSON values
 * become column values. Long texts stay where the copy has them. All declared columns are checked for every record, so which
 * records are bad does not depend on the columns needed.
 *
 * Envelope upsert: the primary key's columns come from the message key: the fields of a JSON object, or for a key of one column any JSON
 * value or plain characters. The other columns come from the value; a null value deletes the key.
 */
import { isUtf8 } from 'node:buffer';
import type { BatchBuilder } from '../../../operators/batch/builder.ts';
import { U8 } from '../../../operators/batch/memory.ts';
import { writeSlot } from '../../../operators/batch/slots.ts';
import type { Datum } from '../../../operators/datum.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { physOf } from '../../../operators/types.ts';
import type { RawBatch } from '../../sources/source.ts';
import { Defaults } from '../defaults.ts';
import type { BadRow, Decoder, DecoderSpec } from '../format.ts';
import { Columns, clear } from './columns.ts';
import { FastRow } from './fast_row.ts';
import { recordValue } from './record.ts';
import { ODD, scan, skipSpace } from './scan.ts';
import { RowError, readObject, readScalarKey, textOf } from './slow_row.ts';

/** Zeros behind the copy stop every reader. */
const PADDING = 64;
const EPOCH_SHIFT_MS = 946_684_800_000;
const BASE_CONTEXT = defaultContext();

/** The decoder of a stream's JSON messages. */
export function jsonDecoder(spec: DecoderSpec): Decoder {
  return new JsonDecoder(spec);
}

/** 'now' in a message is the record's own time, so that reading it again gives the same row. Seldom asked for. */
class RecordContext implements EvalContext {
  raw!: RawBatch;
  record = 0;
  readonly timeZone = BASE_CONTEXT.timeZone;
  readonly dateStyle = BASE_CONTEXT.dateStyle;
  readonly intervalStyle = BASE_CONTEXT.intervalStyle;
  readonly extraFloatDigits = BASE_CONTEXT.extraFloatDigits;
  readonly byteaOutput = BASE_CONTEXT.byteaOutput;
  readonly user = BASE_CONTEXT.user;
  readonly database = BASE_CONTEXT.database;
  readonly searchPath = BASE_CONTEXT.searchPath;
  readonly tick = BASE_CONTEXT.tick;

  get now(): bigint {
    return BigInt(Math.trunc(this.raw.timestamp[this.record]) - EPOCH_SHIFT_MS) * 1000n;
  }
}

class JsonDecoder implements Decoder {
  readonly #columns: Columns;
  readonly #defaults: Defaults;
  /** Columns from the value, from the message key (upsert), and from the record. */
  readonly #valueFields: number[];
  readonly #keyFields: number[];
  readonly #recordFields: number[];
  readonly #valueRow: FastRow;
  readonly #keyRow: FastRow;
  readonly #upsert: boolean;
  readonly #ctx = new RecordContext();
  #raw!: RawBatch;
  #out!: BatchBuilder;
  #shift = 0;

  constructor(spec: DecoderSpec) {
    this.#columns = new Columns(spec);
    this.#defaults = new Defaults(spec.columns);
    this.#upsert = spec.upsertKey !== undefined;
    this.#keyFields = spec.upsertKey ?? [];
    const positions = spec.columns.map((_, i) => i);
    const isField = (i: number) => spec.columns[i].origin.k === 'field';
    this.#valueFields = positions.filter((i) => isField(i) && !this.#keyFields.includes(i));
    this.#recordFields = positions.filter((i) => !isField(i));
    this.#valueRow = new FastRow(this.#columns, this.#valueFields);
    this.#keyRow = new FastRow(this.#columns, this.#keyFields);
  }

  decode(raw: RawBatch, from: number, to: number, out: BatchBuilder, now: bigint): BadRow[] {
    const bad: BadRow[] = [];
    if (from >= to) return bad;
    this.#raw = raw;
    this.#ctx.raw = raw;
    this.#out = out;
    out.reserve(to - from);
    this.#defaults.setClock(now);
    this.#columns.bind(out, this.#defaults);
    this.#copy(from, to);
    for (let i = from; i < to; i++) {
      this.#ctx.record = i;
      try {
        if (this.#upsert) this.#readCommand(i);
        else {
          this.#readValue(i);
          this.#readRecord(i);
          out.addRow(1);
        }
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
        bad.push({ index: i, reason: error.message, sqlstate: error.sqlstate, column: error.column });
      }
    }
    return bad;
  }

  /** Copies the bytes of the records' values (and keys) into the arena; positions in `raw` plus #shift are addresses then. */
  #copy(from: number, to: number): void {
    const { valueStart, valueEnd, keyStart, keyEnd, bytes } = this.#raw;
    let first = bytes.length;
    let last = 0;
    for (let i = from; i < to; i++) {
      if (valueStart[i] >= 0) {
        first = Math.min(first, valueStart[i]);
        last = Math.max(last, valueEnd[i]);
      }
      if (this.#upsert && keyStart[i] >= 0) {
        first = Math.min(first, keyStart[i]);
        last = Math.max(last, keyEnd[i]);
      }
    }
    const length = Math.max(0, last - first);
    const address = this.#out.arena.alloc(length + PADDING);
    if (length > 0) U8.set(bytes.subarray(first, last), address);
    U8.fill(0, address + length, address + length + PADDING);
    this.#shift = address - first;
  }

  #readValue(i: number): void {
    const start = this.#raw.valueStart[i];
    if (start < 0) throw new RowError('22004', 'the record has no value', null);
    this.#readPart(start, this.#raw.valueEnd[i], this.#valueRow, this.#valueFields);
  }

  /** Reads the object in bytes[start, end) into the next row. */
  #readPart(start: number, end: number, reader: FastRow, fields: number[]): void {
    if (this.#readFast(start, end, reader, fields)) return;
    const text = textOf(this.#raw.bytes.subarray(start, end));
    const values = readObject(text, this.#columns.all, fields, this.#defaults, this.#ctx);
    fields.forEach((field, i) => {
      this.#put(field, values[i]);
    });
  }

  #readFast(start: number, end: number, reader: FastRow, fields: number[]): boolean {
    scan.high = false;
    const limit = end + this.#shift;
    const row = this.#out.n;
    let p = reader.read(skipSpace(start + this.#shift), row, this.#out.arena, this.#ctx);
    if (p === ODD) return false;
    if (p < limit) p = skipSpace(p);
    if (p !== limit) return false;
    if (scan.high && !isUtf8(this.#raw.bytes.subarray(start, end))) return false;
    const columns = this.#columns;
    for (const field of fields) {
      if (!reader.has(field) && !columns.setMissing(field, row)) return false;
    }
    return true;
  }

  /** Writes a datum into the next row. */
  #put(column: number, value: Datum): void {
    const columns = this.#columns;
    const row = this.#out.n;
    const slot = columns.data[column] + row * columns.step[column];
    const { type } = columns.all[column];
    clear(slot, columns.width[column]);
    U8[columns.valid[column] + row * columns.validStep[column]] = value === null ? 0 : 1;
    if (value !== null) writeSlot(physOf(type.oid), type.oid, slot, value, this.#out.arena);
  }

  #readRecord(i: number): void {
    for (const column of this.#recordFields) {
      this.#put(column, recordValue(this.#columns.all[column], this.#raw, i, this.#ctx));
    }
  }

  #readCommand(i: number): void {
    this.#readKey(i);
    this.#readRecord(i);
    if (this.#raw.valueStart[i] >= 0) {
      this.#readValue(i);
      this.#out.addRow(1);
      return;
    }
    for (const field of this.#valueFields) this.#put(field, null);
    this.#out.addRow(-1);
  }

  #readKey(i: number): void {
    const start = this.#raw.keyStart[i];
    const end = this.#raw.keyEnd[i];
    if (start < 0) throw new RowError('23502', 'the record has no key', this.#columns.all[this.#keyFields[0]].name);
    const p = skipSpace(start + this.#shift);
    if (U8[p] === 123 || this.#keyFields.length > 1) {
      this.#readPart(start, end, this.#keyRow, this.#keyFields);
      return;
    }
    const [column] = this.#keyFields;
    scan.high = false;
    const behind = this.#keyRow.readColumn(column, p, this.#out.n, this.#out.arena, this.#ctx);
    if (behind === end + this.#shift && !scan.high) return;
    this.#put(
      column,
      readScalarKey(textOf(this.#raw.bytes.subarray(start, end)), this.#columns.all[column], this.#ctx),
    );
  }
}
