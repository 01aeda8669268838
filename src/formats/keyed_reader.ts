/**
 * A record read exactly where its value is of one form and its key, of keyed tables, of the same or JSON: what Avro's and Protobuf's exact readers have in common.
 *
 *   key -> columns of the primary key        no value -> the key's row goes (weight -1)        value -> the other columns
 */
import type { Datum } from '../../operators/datum.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import type { RawBatch } from '../sources/source.ts';
import type { Defaults } from './defaults.ts';
import type { DecoderSpec } from './format.ts';
import { readKey } from './json/slow_row.ts';
import type { DecodedRow, RecordReader } from './row_decoder.ts';
import { RowError, textOf } from './row_error.ts';

/** Sets the values of columns by the bytes of a message. Throws RowError. */
export interface MessageReader {
  read(bytes: Buffer, start: number, end: number, values: Datum[], defaults: Defaults, ctx: EvalContext): void;
}

/** The columns that values have: fields that are no part of the key. */
export function valueFields({ columns, upsertKey = [] }: DecoderSpec): number[] {
  return columns.flatMap(({ origin }, i) => (origin.k === 'field' && !upsertKey.includes(i) ? [i] : []));
}

export class KeyedReader implements RecordReader {
  readonly #spec: DecoderSpec;
  readonly #keyFields: number[];
  readonly #values: MessageReader;
  readonly #keys: MessageReader | null;

  /** `keys` null: they are JSON, or plain text. */
  constructor(spec: DecoderSpec, values: MessageReader, keys: MessageReader | null) {
    this.#spec = spec;
    this.#keyFields = spec.upsertKey ?? [];
    this.#values = values;
    this.#keys = keys;
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
    if (this.#keys !== null) {
      this.#keys.read(raw.bytes, start, end, values, defaults, ctx);
      return;
    }
    const key = readKey(textOf(raw.bytes.subarray(start, end)), this.#spec.columns, this.#keyFields, defaults, ctx);
    this.#keyFields.forEach((field, at) => {
      values[field] = key[at];
    });
  }
}
