/** Messages of format = 'json' read one by one, where the values of a column are looked at (domains): slower, and the same rows as decoder.ts gives. */
import type { Datum } from '../../../operators/datum.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import type { RawBatch } from '../../sources/source.ts';
import type { Defaults } from '../defaults.ts';
import type { DecoderSpec, SourceColumn } from '../format.ts';
import type { DecodedRow, RecordReader } from '../row_decoder.ts';
import { RowError, textOf } from '../row_error.ts';
import { readKey, readObject } from './slow_row.ts';

export class JsonReader implements RecordReader {
  readonly #columns: SourceColumn[];
  readonly #fields: number[];
  /** Columns from the message key; null: envelope append. */
  readonly #key: number[] | null;

  constructor({ columns, upsertKey }: DecoderSpec) {
    this.#columns = columns;
    this.#key = upsertKey ?? null;
    this.#fields = columns.flatMap(({ origin }, i) => (origin.k === 'field' && !upsertKey?.includes(i) ? [i] : []));
  }

  read(raw: RawBatch, i: number, defaults: Defaults, ctx: EvalContext): DecodedRow[] {
    const values: Datum[] = this.#columns.map(() => null);
    const put = (fields: number[], found: Datum[]) => {
      fields.forEach((field, at) => {
        values[field] = found[at];
      });
    };
    if (this.#key !== null) {
      const start = raw.keyStart[i];
      if (start < 0) throw new RowError('23502', 'the record has no key', this.#columns[this.#key[0]].name);
      const text = textOf(raw.bytes.subarray(start, raw.keyEnd[i]));
      put(this.#key, readKey(text, this.#columns, this.#key, defaults, ctx));
    }
    const start = raw.valueStart[i];
    if (start < 0) {
      if (this.#key !== null) return [{ values, weight: -1 }];
      throw new RowError('22004', 'the record has no value', null);
    }
    const text = textOf(raw.bytes.subarray(start, raw.valueEnd[i]));
    put(this.#fields, readObject(text, this.#columns, this.#fields, defaults, ctx));
    return [{ values, weight: 1 }];
  }
}
