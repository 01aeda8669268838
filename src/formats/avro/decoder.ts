/**
 * format = 'avro': every message is one Avro record, its fields are columns by exact name (value.ts says how its values become theirs).
 *
 *   value bytes -> schema id (registry/framing.ts) -> the writer's schema (registry/schemas.ts) -> generated reader (generated.ts), made once -> slots
 *                                                                                                   \--odd message--> exact_reader.ts --> slots, or a bad record
 *
 * With the option `schema` messages are bodies alone, all by that schema. Envelope upsert: the primary key's columns come from the message key, which is Avro
 * too, or with key_format = 'json' what it is with format = 'json'; a null value deletes the key.
 */
import { BYTES } from '../../../operators/batch/memory.ts';
import { SqlError } from '../../../operators/errors.ts';
import { schemaIdAt } from '../../registry/framing.ts';
import type { Schemas } from '../../registry/schemas.ts';
import type { Decoder, DecoderSpec } from '../format.ts';
import { type DecoderParts, GeneratedDecoder, type GeneratedReader } from '../generated_decoder.ts';
import { RowDecoder } from '../row_decoder.ts';
import { RowError } from '../row_error.ts';
import { AvroBytes } from './bytes.ts';
import { ExactReader } from './exact_reader.ts';
import { type FieldReader, generate } from './generated.ts';
import type { AvroOptions } from './options.ts';
import { columnValue, type SharedReaders } from './row_reader.ts';
import { type AvroType, parseSchemas } from './schema.ts';
import { skipOf } from './skip.ts';
import { valueReader } from './value.ts';

/** `schemas`: those of the records' source. */
export function avroDecoder(spec: DecoderSpec, form: AvroOptions, schemas: Schemas): Decoder {
  return new GeneratedDecoder(spec, new ExactReader(spec, form, schemas), (parts) => {
    const readers = new Readers(spec, form, schemas, parts);
    return (bytes, start, end) => readers.of(bytes, start, end);
  });
}

/** The same rows, read one by one. */
export function exactAvroDecoder(spec: DecoderSpec, form: AvroOptions, schemas: Schemas): Decoder {
  return new RowDecoder(spec, new ExactReader(spec, form, schemas));
}

class Readers {
  readonly #spec: DecoderSpec;
  readonly #schema: string | null;
  readonly #schemas: Schemas;
  readonly #parts: DecoderParts;
  readonly #from = new AvroBytes();
  /** By schema id; null: read exactly. */
  readonly #readers = new Map<number, GeneratedReader | null>();

  constructor(spec: DecoderSpec, form: AvroOptions, schemas: Schemas, parts: DecoderParts) {
    this.#spec = spec;
    this.#schema = form.schema;
    this.#schemas = schemas;
    this.#parts = parts;
  }

  of(bytes: Buffer, start: number, end: number): GeneratedReader | null {
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
      const { slots, fields, putDefault } = this.#parts;
      return generate(record, {
        id: this.#schema === null ? id : -1,
        columns: this.#spec.columns,
        fields,
        slots,
        general: (type, column) => this.#fieldReader(type, column, shared),
        absent: (column) => (at, _end, row) => (putDefault(column, row) ? at : -1),
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
      this.#unlessWrong(at, end, row, () => this.#parts.slots.put(column, row, columnValue(read, from, to)));
  }

  /** Reads something from `at` on; gives where it ended, -1 when something is wrong with it. */
  #unlessWrong(at: number, end: number, row: number, read: () => void): number {
    const from = this.#from;
    if (!(at <= end)) return -1;
    from.begin(BYTES, at, end, this.#parts.contextOf(row));
    try {
      read();
    } catch (error) {
      if (error instanceof SqlError || error instanceof RowError) return -1;
      throw error;
    }
    return from.at;
  }
}
