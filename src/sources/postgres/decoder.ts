/**
 * Records of a database's table (changes.ts says what they look like) become commands by key of envelope upsert (upsert_delta.ts keeps the rows). Values are the types' text forms, as in a dump.
 * O(bytes) a record.
 */
import type { Datum } from '../../../operators/datum.ts';
import { equalDatum } from '../../../operators/expr/compare.ts';
import { inputText } from '../../../operators/expr/io/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import type { Defaults } from '../../formats/defaults.ts';
import { ALL_GONE, type Decoder, type DecoderSpec, type SourceColumn } from '../../formats/format.ts';
import { type DecodedRow, type RecordReader, RowDecoder } from '../../formats/row_decoder.ts';
import { checked, guarded, textOf } from '../../formats/row_error.ts';
import { unescapeField } from '../../postgres/copy/text_fields.ts';
import type { RawBatch } from '../source.ts';
import { UNCHANGED_FIELD } from './changes.ts';

const NULL_FIELD = '\\N';

export function postgresDecoder(spec: DecoderSpec): Decoder {
  return new RowDecoder(spec, new ChangeReader(spec));
}

/** Positions of the columns whose values a record has, in its order. */
export function fieldColumns(columns: SourceColumn[]): number[] {
  return columns.flatMap(({ origin }, column) => (origin.k === 'field' ? [column] : []));
}

class ChangeReader implements RecordReader {
  readonly #columns: SourceColumn[];
  readonly #fields: number[];
  readonly #key: number[];

  constructor({ columns, upsertKey }: DecoderSpec) {
    this.#columns = columns;
    this.#fields = fieldColumns(columns);
    this.#key = upsertKey ?? [];
  }

  read(raw: RawBatch, i: number, _defaults: Defaults, ctx: EvalContext): DecodedRow[] {
    const key = lineAt(raw, raw.keyStart[i], raw.keyEnd[i]);
    const value = lineAt(raw, raw.valueStart[i], raw.valueEnd[i]);
    const old = key === null ? null : this.#old(key, ctx);
    if (value === null) return [old ?? { values: this.#empty(), weight: ALL_GONE }];
    const row = this.#row(value, ctx);
    return old === null || this.#sameKey(old, row) ? [row] : [old, row];
  }

  #row(fields: string[], ctx: EvalContext): DecodedRow {
    const values = this.#empty();
    const kept: number[] = [];
    this.#fields.forEach((field, at) => {
      if (fields[at] === UNCHANGED_FIELD) kept.push(field);
      else values[field] = this.#value(field, fields[at], ctx);
    });
    return kept.length === 0 ? { values, weight: 1 } : { values, weight: 1, kept };
  }

  #old(fields: string[], ctx: EvalContext): DecodedRow {
    const values = this.#empty();
    this.#key.forEach((field, at) => {
      values[field] = this.#value(field, fields[at], ctx);
    });
    return { values, weight: -1 };
  }

  #value(field: number, text: string, ctx: EvalContext): Datum {
    const column = this.#columns[field];
    if (text === NULL_FIELD) return checked(column, null);
    const value = guarded(column.name, () => inputText(unescapeField(text), column.type, ctx));
    return checked(column, value);
  }

  #sameKey(old: DecodedRow, row: DecodedRow): boolean {
    return this.#key.every((field) => {
      return equalDatum(old.values[field], row.values[field], this.#columns[field].type.oid);
    });
  }

  #empty(): Datum[] {
    return this.#columns.map(() => null);
  }
}

/** The fields of a line as they stand there: a tab within one is escaped. */
function lineAt(raw: RawBatch, start: number, end: number): string[] | null {
  return start < 0 ? null : textOf(raw.bytes.subarray(start, end)).split('\t');
}
