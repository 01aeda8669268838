/**
 * format = 'raw': the one column is the value of the message: its bytes for bytea, else what the type's text input makes of its characters. A message without a value is NULL.
 */
import type { Datum } from '../../../operators/datum.ts';
import { inputText } from '../../../operators/expr/io/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { OID } from '../../../operators/types.ts';
import type { RawBatch } from '../../sources/source.ts';
import type { Defaults } from '../defaults.ts';
import type { Decoder, DecoderSpec, SourceColumn } from '../format.ts';
import { type DecodedRow, type RecordReader, RowDecoder } from '../row_decoder.ts';
import { charactersOf, checked, guarded } from '../row_error.ts';

/** The decoder of a stream whose one column is the message. */
export function rawDecoder(spec: DecoderSpec): Decoder {
  return new RowDecoder(spec, new RawReader(spec));
}

class RawReader implements RecordReader {
  readonly #columns: SourceColumn[];
  readonly #field: number;

  constructor({ columns }: DecoderSpec) {
    this.#columns = columns;
    this.#field = columns.findIndex(({ origin }) => origin.k === 'field');
  }

  read(raw: RawBatch, i: number, _defaults: Defaults, ctx: EvalContext): DecodedRow[] {
    const values: Datum[] = this.#columns.map(() => null);
    const column = this.#columns[this.#field];
    const start = raw.valueStart[i];
    const bytes = start < 0 ? null : raw.bytes.subarray(start, raw.valueEnd[i]);
    values[this.#field] = checked(column, bytes === null ? null : contentOf(bytes, column, ctx));
    return [{ values, weight: 1 }];
  }
}

function contentOf(bytes: Uint8Array, column: SourceColumn, ctx: EvalContext): Datum {
  if (column.type.oid === OID.bytea) return new Uint8Array(bytes);
  const characters = charactersOf(bytes, column.name);
  return guarded(column.name, () => inputText(characters, column.type, ctx));
}
