/**
 * format = 'json': every message is one JSON object, its fields are columns by exact name.
 *
 *   value bytes --in place, or copied once into the batch's arena--> scan kernel --common form--> slots      (operators/kernels/assembly/json)
 *                                                        \--odd value--> value.ts --> slot
 *                                                        \--odd message--> slow_row.ts --> slots, or a bad record
 *
 * A field that is null is NULL, a missing one its column's DEFAULT (defaults.ts) or NULL; of equal keys the last counts; undeclared fields are left out
 * (but must be JSON). value.ts says how JSON values become column values. Long texts stay where the kernel has read them. All declared columns are checked for every record, so which
 * records are bad does not depend on the columns needed.
 *
 * Envelope upsert: the primary key's columns come from the message key: the fields of a JSON object, or for a key of one column any JSON
 * value or plain characters. The other columns come from the value; a null value deletes the key.
 */
import type { Arena } from '../../../operators/batch/arena.ts';
import type { BatchBuilder } from '../../../operators/batch/builder.ts';
import { BYTES, F64, I32, U8, U32 } from '../../../operators/batch/memory.ts';
import { writeSlot } from '../../../operators/batch/slots.ts';
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { parseJson } from '../../../operators/expr/json/parse.ts';
import { kernels } from '../../../operators/kernels/index.ts';
import * as layout from '../../../operators/kernels/json_layout.ts';
import { physOf } from '../../../operators/types.ts';
import { type RawBatch, ZEROS_BEHIND } from '../../sources/source.ts';
import { Defaults } from '../defaults.ts';
import type { BadRow, Decoder, DecoderSpec, TimeBounds } from '../format.ts';
import { RecordContext } from '../record_context.ts';
import { recordValue } from '../record_value.ts';
import { RowError, textOf } from '../row_error.ts';
import { Columns } from './columns.ts';
import { ObjectScan } from './object_scan.ts';
import { readObject, readScalarKey } from './slow_row.ts';
import { datumOfJson } from './value.ts';

/** Records that are copied at a time: their bytes are still in the processor's cache when they are scanned. */
const PIECE = 512;
const { FORM_FLOAT8, STATUS_DEFERRED, STATUS_DONE } = layout;

/** Bytes that are worth a call of Node. */
const MANY = 8192;
/** Positions of so many records are copied one by one sooner than by set(), which takes half a microsecond to begin. */
const FEW = 200;

/** No bad row. */
const NONE: BadRow[] = [];

/** Addresses of the records' first bytes and of those behind their last, as positions; the first and the last of all, and how many bytes they have. */
interface Positions {
  starts: number;
  ends: number;
  first: number;
  last: number;
  sum: number;
}

/** The decoder of a stream's JSON messages. */
export function jsonDecoder(spec: DecoderSpec): Decoder {
  return new JsonDecoder(spec);
}

class JsonDecoder implements Decoder {
  readonly #columns: Columns;
  readonly #defaults: Defaults;
  readonly #value: ObjectScan;
  /** Columns from the message key (upsert). */
  readonly #key: ObjectScan;
  /** Columns from the record around the message. */
  readonly #recordFields: number[];
  readonly #upsert: boolean;
  readonly #ctx = new RecordContext();
  bytes = 0;
  anyNull = false;
  #raw!: RawBatch;
  #out!: BatchBuilder;
  #bad = NONE;
  readonly #values: Positions = { starts: 0, ends: 0, first: 0, last: 0, sum: 0 };
  readonly #keys: Positions = { starts: 0, ends: 0, first: 0, last: 0, sum: 0 };
  /** First record of the present decode(). */
  #from = 0;
  /** The kernel has read all its rows alone. */
  #byKernel = true;
  #shift = 0;

  constructor(spec: DecoderSpec) {
    this.#columns = new Columns(spec);
    this.#defaults = new Defaults(spec.columns);
    this.#upsert = spec.upsertKey !== undefined;
    const keyFields = spec.upsertKey ?? [];
    const positions = spec.columns.map((_, i) => i);
    const isField = (i: number) => spec.columns[i].origin.k === 'field';
    this.#recordFields = positions.filter((i) => !isField(i));
    this.#value = new ObjectScan(
      this.#columns,
      positions.filter((i) => isField(i) && !keyFields.includes(i)),
      spec.time,
    );
    this.#key = new ObjectScan(this.#columns, keyFields);
  }

  decode(raw: RawBatch, from: number, to: number, out: BatchBuilder, now: bigint): BadRow[] {
    this.bytes = 0;
    this.anyNull = false;
    this.#byKernel = from < to;
    if (from >= to) return NONE;
    this.#bad = NONE;
    this.#raw = raw;
    this.#ctx.raw = raw;
    this.#out = out;
    out.reserve(to - from);
    this.#defaults.setClock(now);
    this.#columns.bind(out, this.#defaults);
    this.#value.bindColumns(out);
    if (this.#upsert) this.#key.bindColumns(out);
    for (let i = from; i < to; i += PIECE) this.#piece(i, Math.min(i + PIECE, to));
    if (this.#value.anyNull || (this.#upsert && this.#key.anyNull)) this.anyNull = true;
    return this.#bad;
  }

  times(): TimeBounds | null | undefined {
    return this.#byKernel ? this.#value.times() : undefined;
  }

  /** Copies and reads records from .. to; what the columns are bound to has room for their rows. */
  #piece(from: number, to: number): void {
    const raw = this.#raw;
    this.#from = from;
    const values = this.#values;
    const keys = this.#keys;
    this.#findPositions(raw.valueStart, raw.valueEnd, from, to, values);
    this.bytes += values.sum;
    let { first, last } = values;
    if (this.#upsert) {
      this.#findPositions(raw.keyStart, raw.keyEnd, from, to, keys);
      first = Math.min(first, keys.first);
      last = Math.max(last, keys.last);
    }
    this.#place(first, last);
    this.#value.bindRecords(values.starts, values.ends, this.#shift);
    if (this.#upsert) this.#key.bindRecords(keys.starts, keys.ends, this.#shift);
    const alone = this.#upsert || this.#recordFields.length > 0;
    for (let i = from; i < to; i++) {
      if (!alone) {
        i = this.#readRun(i, to);
        if (i === to) break;
      }
      this.#ctx.record = i;
      try {
        this.#readRecord(i, alone);
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
        if (this.#bad === NONE) this.#bad = [];
        this.#bad.push({ index: i, reason: error.message, sqlstate: error.sqlstate, column: error.column });
      }
    }
  }

  /** Positions of records from .. to in the arena, and where their bytes begin and end in `raw`. */
  #findPositions(starts: Int32Array, ends: Int32Array, from: number, to: number, out: Positions): void {
    const { arena } = this.#out;
    const n = to - from;
    if (n > FEW) {
      const extent = arena.alloc(layout.EXTENT_BYTES);
      out.starts = copyIn(starts, from, to, arena);
      out.ends = copyIn(ends, from, to, arena);
      kernels.extentOf(out.starts, out.ends, n, extent);
      const word = extent >>> 2;
      out.first = I32[word];
      out.last = I32[word + 1];
      out.sum = U32[word + 2];
      return;
    }
    const address = arena.alloc(n * 8);
    let first = 0x7fffffff;
    let last = 0;
    let sum = 0;
    for (let i = from, at = address >>> 2; i < to; i++, at++) {
      const start = starts[i];
      const end = ends[i];
      I32[at] = start;
      I32[at + n] = end;
      if (start < 0) continue;
      if (start < first) first = start;
      if (end > last) last = end;
      sum += end - start;
    }
    out.starts = address;
    out.ends = address + n * 4;
    out.first = first;
    out.last = last;
    out.sum = sum;
  }

  /**
   * Makes positions in `raw` plus #shift addresses: copies bytes [first, last) into the arena, unless they lie in the shared memory. V8 copies into shared memory a word at a time, and only
   * between equally aligned places, else a byte; filling a buffer with another one is a memcpy of Node's, twice as fast, but costs half a microsecond.
   */
  #place(first: number, last: number): void {
    const { bytes, address: place } = this.#raw;
    if (place !== undefined) {
      this.#shift = place;
      return;
    }
    const length = Math.max(0, last - first);
    const address = this.#out.arena.alloc(length + ZEROS_BEHIND + 8) + ((bytes.byteOffset + first) & 7);
    if (length >= MANY) BYTES.fill(bytes.subarray(first, last), address, address + length);
    else if (length > 0) U8.set(bytes.subarray(first, last), address);
    kernels.fillBytes(address + length, 0, ZEROS_BEHIND);
    this.#shift = length > 0 ? address - first : 0;
  }

  /** Rows of records from i on, up to the first that the kernel can't finish, which is returned. */
  #readRun(i: number, to: number): number {
    const out = this.#out;
    const reached = this.#value.read(i - this.#from, to - this.#from, out.n) + this.#from;
    out.n += reached - i;
    return reached;
  }

  /** The next row from record i. `unread`: the kernel has not been at it. */
  #readRecord(i: number, unread: boolean): void {
    this.#byKernel = false;
    const status = unread ? null : this.#value.status;
    let weight = 1;
    if (this.#upsert) {
      this.#readKey(i);
      if (this.#raw.valueStart[i] < 0) weight = -1;
    }
    if (weight > 0) this.#readValue(i, status);
    else for (const field of this.#value.fields) this.#put(field, null);
    for (const column of this.#recordFields)
      this.#put(column, recordValue(this.#columns.all[column], this.#raw, i, this.#ctx));
    this.#out.addRow(weight);
  }

  #readValue(i: number, status: number | null): void {
    const start = this.#raw.valueStart[i];
    if (start < 0) throw new RowError('22004', 'the record has no value', null);
    this.#readObject(start, this.#raw.valueEnd[i], this.#value, status ?? this.#readOne(this.#value, i));
  }

  /** Runs the kernel over one record; gives the status. */
  #readOne(scan: ObjectScan, i: number): number {
    scan.read(i - this.#from, i - this.#from + 1, this.#out.n);
    return scan.status;
  }

  /** Finishes the object in bytes[start, end), which the kernel left with this status. */
  #readObject(start: number, end: number, scan: ObjectScan, status: number): void {
    if (status === STATUS_DONE || (status === STATUS_DEFERRED && this.#convertDeferred(scan))) return;
    const text = textOf(this.#raw.bytes.subarray(start, end));
    const values = readObject(text, this.#columns.all, scan.fields, this.#defaults, this.#ctx);
    scan.fields.forEach((field, i) => {
      this.#put(field, values[i]);
    });
  }

  /** Converts the values that the kernel left; false when one has an error, which the exact reader words. */
  #convertDeferred(scan: ObjectScan): boolean {
    const columns = this.#columns;
    for (const { field, start, end } of scan.deferred()) {
      const text = BYTES.utf8Slice(start, end);
      if (columns.form[field] === FORM_FLOAT8 && this.#putDouble(field, text)) continue;
      try {
        this.#put(field, datumOfJson(parseJson(text), text, columns.all[field].type, this.#ctx));
      } catch (error) {
        if (error instanceof SqlError) return false;
        throw error;
      }
    }
    return true;
  }

  /** A number of more digits than the kernel takes; over- and underflow are left to the type's input. */
  #putDouble(field: number, text: string): boolean {
    const value = text.startsWith('"') ? Number.NaN : Number(text);
    if (value === 0 || !Number.isFinite(value)) return false;
    F64[this.#columns.begin(field, this.#out.n, true) / 8] = value;
    return true;
  }

  /** Writes a datum into the next row. */
  #put(column: number, value: Datum): void {
    if (value === null) this.anyNull = true;
    const slot = this.#columns.begin(column, this.#out.n, value !== null);
    const { oid } = this.#columns.all[column].type;
    if (value !== null) writeSlot(physOf(oid), oid, slot, value, this.#out.arena);
  }

  #readKey(i: number): void {
    const start = this.#raw.keyStart[i];
    const end = this.#raw.keyEnd[i];
    const { fields } = this.#key;
    const first = this.#columns.all[fields[0]];
    if (start < 0) throw new RowError('23502', 'the record has no key', first.name);
    if (fields.length === 1 && !this.#startsObject(start, end)) {
      if (this.#key.readScalar(start + this.#shift, end + this.#shift, this.#out.n)) return;
      this.#put(fields[0], readScalarKey(textOf(this.#raw.bytes.subarray(start, end)), first, this.#ctx));
      return;
    }
    this.#readObject(start, end, this.#key, this.#readOne(this.#key, i));
  }

  release(): void {
    this.#value.release();
    this.#key.release();
    this.#columns.release();
  }

  #startsObject(start: number, end: number): boolean {
    const { bytes } = this.#raw;
    while (start < end && isSpace(bytes[start])) start++;
    return bytes[start] === OPEN_BRACE;
  }
}

/** Positions of records from .. to in the arena; the alignment is kept, see #copy. */
function copyIn(positions: Int32Array, from: number, to: number, arena: Arena): number {
  const address = arena.alloc((to - from) * 4 + 4) + ((positions.byteOffset + from * 4) & 4);
  I32.set(from === 0 && to === positions.length ? positions : positions.subarray(from, to), address >>> 2);
  return address;
}

const OPEN_BRACE = 123;

function isSpace(c: number): boolean {
  return c === 32 || c === 10 || c === 13 || c === 9;
}
