/**
 * One message read exactly, value by value: what every message means. The generated readers (generated.ts) leave to it whatever they find odd.
 */
import type { Datum } from '../../../operators/datum.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { FRAMING_BYTES, schemaIdAt } from '../../registry/framing.ts';
import type { Schemas } from '../../registry/schemas.ts';
import type { RawBatch } from '../../sources/source.ts';
import type { Defaults } from '../defaults.ts';
import type { DecoderSpec } from '../format.ts';
import { readKey } from '../json/slow_row.ts';
import type { DecodedRow, RecordReader } from '../row_decoder.ts';
import { guarded, RowError, textOf } from '../row_error.ts';
import { AvroBytes } from './bytes.ts';
import type { AvroOptions } from './options.ts';
import { checkEnd, keyReader, type RowReader, rowReader } from './row_reader.ts';
import { type AvroType, parseSchemas } from './schema.ts';

type MakeReader = (type: AvroType) => RowReader;

export class ExactReader implements RecordReader {
  readonly #spec: DecoderSpec;
  readonly #form: AvroOptions;
  readonly #keyFields: number[];
  readonly #values: Messages;
  readonly #keys: Messages;

  constructor(spec: DecoderSpec, form: AvroOptions, schemas: Schemas) {
    const { columns, upsertKey = [] } = spec;
    this.#spec = spec;
    this.#form = form;
    this.#keyFields = upsertKey;
    const fields = columns.flatMap(({ origin }, i) => (origin.k === 'field' && !upsertKey.includes(i) ? [i] : []));
    this.#values = new Messages((type) => rowReader(type, columns, fields), form.schema, schemas);
    this.#keys = new Messages((type) => keyReader(type, columns, upsertKey), null, schemas);
  }

  read(raw: RawBatch, i: number, defaults: Defaults, ctx: EvalContext): DecodedRow[] {
    const values: Datum[] = this.#spec.columns.map(() => null);
    if (this.#keyFields.length > 0) {
      this.readKey(raw, i, values, defaults, ctx);
      if (raw.valueStart[i] < 0) return [{ values, weight: -1 }];
    }
    if (raw.valueStart[i] < 0) throw new RowError('22004', 'the record has no value', null);
    this.#values.read(raw.bytes, raw.valueStart[i], raw.valueEnd[i], values, defaults, ctx);
    return [{ values, weight: 1 }];
  }

  /** Sets the values of the key's columns. */
  readKey(raw: RawBatch, i: number, values: Datum[], defaults: Defaults, ctx: EvalContext): void {
    const [start, end] = [raw.keyStart[i], raw.keyEnd[i]];
    if (start < 0) throw new RowError('23502', 'the record has no key', this.#spec.columns[this.#keyFields[0]].name);
    if (this.#form.key === 'avro') this.#keys.read(raw.bytes, start, end, values, defaults, ctx);
    else {
      const text = textOf(raw.bytes.subarray(start, end));
      const key = readKey(text, this.#spec.columns, this.#keyFields, defaults, ctx);
      this.#keyFields.forEach((field, at) => {
        values[field] = key[at];
      });
    }
  }
}

/** Messages, or their keys, by the schemas that they name. */
class Messages {
  readonly #make: MakeReader;
  readonly #schema: string | null;
  readonly #schemas: Schemas;
  readonly #readers = new Map<number, RowReader>();
  readonly #from = new AvroBytes();

  constructor(make: MakeReader, schema: string | null, schemas: Schemas) {
    this.#make = make;
    this.#schema = schema;
    this.#schemas = schemas;
  }

  read(bytes: Buffer, start: number, end: number, values: Datum[], defaults: Defaults, ctx: EvalContext): void {
    const id = this.#schema === null ? schemaIdAt(bytes, start, end) : 0;
    if (id < 0) throw new RowError('22P03', 'the message does not begin with a zero byte and a schema id', null);
    let reader = this.#readers.get(id);
    if (reader === undefined) {
      reader = this.#readerOf(id);
      this.#readers.set(id, reader);
    }
    const from = this.#from;
    from.begin(bytes, this.#schema === null ? start + FRAMING_BYTES : start, end, ctx);
    const read = reader;
    guarded(null, () => {
      read(from, values, defaults);
      checkEnd(from);
    });
  }

  #readerOf(id: number): RowReader {
    const known = this.#schema === null ? this.#schemas.get(id) : { texts: [this.#schema] };
    if ('missing' in known) return failing(new RowError('22P03', known.missing, null));
    try {
      return guarded(null, () => this.#make(parseSchemas(known.texts)));
    } catch (error) {
      if (error instanceof RowError) return failing(error);
      throw error;
    }
  }
}

function failing(error: RowError): RowReader {
  return () => {
    throw error;
  };
}
