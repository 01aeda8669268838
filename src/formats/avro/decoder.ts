/**
 * format = 'avro': every message is one Avro record, its fields are columns by exact name (value.ts says how its values become theirs).
 *
 *   value bytes -> schema id (framing.ts) -> the writer's schema (schemas.ts) -> generated reader (generated.ts), made once -> slots
 *                                                                                  \--odd message--> exact_reader.ts --> slots, or a bad record
 *
 * With the option `schema` messages are bodies alone, all by that schema. Envelope upsert: the primary key's columns come from the message key, which is Avro
 * too, or with key_format = 'json' what it is with format = 'json'; a null value deletes the key.
 */
import type { BatchBuilder } from '../../../operators/batch/builder.ts';
import { BYTES, U8 } from '../../../operators/batch/memory.ts';
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { kernels } from '../../../operators/kernels/index.ts';
import { type RawBatch, ZEROS_BEHIND } from '../../sources/source.ts';
import { Defaults } from '../defaults.ts';
import type { BadRow, Decoder, DecoderSpec } from '../format.ts';
import { RecordContext } from '../record_context.ts';
import { recordValue } from '../record_value.ts';
import { RowDecoder } from '../row_decoder.ts';
import { RowError } from '../row_error.ts';
import { AvroBytes } from './bytes.ts';
import { ExactReader } from './exact_reader.ts';
import { schemaIdAt } from './framing.ts';
import { type FieldReader, type GeneratedReader, generate } from './generated.ts';
import type { AvroOptions } from './options.ts';
import { columnValue, type SharedReaders } from './row_reader.ts';
import { RowSlots } from './row_slots.ts';
import { type AvroType, parseSchemas } from './schema.ts';
import type { Schemas } from './schemas.ts';
import { skipOf } from './skip.ts';
import { valueReader } from './value.ts';

/** Bytes that are worth a call of Node. */
const MANY = 8192;

/** `schemas`: those of the records' source. */
export function avroDecoder(spec: DecoderSpec, form: AvroOptions, schemas: Schemas): Decoder {
  return new AvroDecoder(spec, form, schemas);
}

/** The same rows, read one by one. */
export function exactAvroDecoder(spec: DecoderSpec, form: AvroOptions, schemas: Schemas): Decoder {
  return new RowDecoder(spec, new ExactReader(spec, form, schemas));
}

class AvroDecoder implements Decoder {
  readonly #spec: DecoderSpec;
  readonly #schema: string | null;
  readonly #schemas: Schemas;
  readonly #exact: RowDecoder;
  readonly #exactReader: ExactReader;
  readonly #defaults: Defaults;
  readonly #slots: RowSlots;
  readonly #ctx = new RecordContext();
  readonly #from = new AvroBytes();
  /** By schema id; null: read exactly. */
  readonly #readers = new Map<number, GeneratedReader | null>();
  /** Columns from the value, and from the record around the message. */
  readonly #fields: number[];
  readonly #recordFields: number[];
  readonly #keyFields: number[];
  readonly #values: Datum[];
  /** The record that row 0 of the batch would be, as records are read now. */
  #record = 0;
  bytes = 0;
  anyNull = false;

  constructor(spec: DecoderSpec, form: AvroOptions, schemas: Schemas) {
    const { columns, upsertKey = [] } = spec;
    this.#spec = spec;
    this.#schema = form.schema;
    this.#schemas = schemas;
    this.#exactReader = new ExactReader(spec, form, schemas);
    this.#exact = new RowDecoder(spec, this.#exactReader);
    this.#defaults = new Defaults(columns);
    this.#slots = new RowSlots(spec);
    this.#keyFields = upsertKey;
    this.#fields = columns.flatMap(({ origin }, i) => (origin.k === 'field' && !upsertKey.includes(i) ? [i] : []));
    this.#recordFields = columns.flatMap(({ origin }, i) => (origin.k === 'field' ? [] : [i]));
    this.#values = columns.map(() => null);
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
    // What has columns beside the value is read one by one.
    const alone = this.#keyFields.length > 0 || this.#recordFields.length > 0;
    for (let i = from; i < to; ) {
      this.#ctx.record = i;
      const start = raw.valueStart[i];
      const reader = start < 0 ? null : this.#readerOf(raw, start, raw.valueEnd[i]);
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

  /** What is to be added to positions to make them addresses: bytes that do not lie in the shared memory are copied there. */
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

  #readerOf({ bytes }: RawBatch, start: number, end: number): GeneratedReader | null {
    const id = this.#schema === null ? schemaIdAt(bytes, start, end) : 0;
    if (id < 0) return null;
    let reader = this.#readers.get(id);
    if (reader === undefined) {
      reader = this.#generate(id);
      this.#readers.set(id, reader);
    }
    return reader;
  }

  #generate(id: number): GeneratedReader | null {
    const known = this.#schema === null ? this.#schemas.get(id) : { texts: [this.#schema] };
    if ('missing' in known) return null;
    try {
      const record = parseSchemas(known.texts);
      if (record.k !== 'record') return null;
      const shared: SharedReaders = { skips: new Map(), json: new Map() };
      return generate(record, {
        id: this.#schema === null ? id : -1,
        columns: this.#spec.columns,
        fields: this.#fields,
        slots: this.#slots,
        general: (type, column) => this.#fieldReader(type, column, shared),
        absent: (column) => this.#absentReader(column),
      });
    } catch (error) {
      // What is wrong with the schema is what is wrong with each message.
      if (error instanceof SqlError) return null;
      throw error;
    }
  }

  #fieldReader(type: AvroType, column: number, { skips, json }: SharedReaders): FieldReader {
    const from = this.#from;
    if (column < 0) {
      const skip = skipOf(type, skips);
      return (at, end, row) => this.#unlessWrong(at, end, row, () => skip(from));
    }
    const to = this.#spec.columns[column];
    const read = valueReader(type, to.type, json);
    return (at, end, row) =>
      this.#unlessWrong(at, end, row, () => this.#slots.put(column, row, columnValue(read, from, to)));
  }

  /** Reads something from `at` on; gives where it ended, -1 when something is wrong with it. */
  #unlessWrong(at: number, end: number, row: number, read: () => void): number {
    const from = this.#from;
    if (!(at <= end)) return -1;
    // A run of many messages: 'now' is the time of this one.
    this.#ctx.record = this.#record + row;
    from.begin(BYTES, at, end, this.#ctx);
    try {
      read();
    } catch (error) {
      if (error instanceof SqlError || error instanceof RowError) return -1;
      throw error;
    }
    return from.at;
  }

  #absentReader(column: number): FieldReader {
    const { notNull } = this.#spec.columns[column];
    return (at, _end, row) => {
      const value = this.#defaults.fails(column) ? null : this.#defaults.value(column);
      if (value === null && (notNull || this.#defaults.fails(column))) return -1;
      this.#slots.put(column, row, value);
      return at;
    };
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
