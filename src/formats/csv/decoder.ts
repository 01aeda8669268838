/**
 * format = 'csv': every message is one record as COPY ... (FORMAT csv) has it, its fields are the columns in the order of their declaration.
 *
 * One end of a line behind it is none of it. Columns behind its last field have their DEFAULT; without one the record is bad, as one with too many fields is.
 */
import type { Datum } from '../../../operators/datum.ts';
import { inputText } from '../../../operators/expr/io/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import type { RawBatch } from '../../sources/source.ts';
import type { Defaults } from '../defaults.ts';
import type { Decoder, DecoderSpec, SourceColumn } from '../format.ts';
import { type DecodedRow, type RecordReader, RowDecoder } from '../row_decoder.ts';
import { charactersOf, checked, guarded, missing, RowError } from '../row_error.ts';
import { type CsvOptions, splitCsvRecord } from './fields.ts';

/** The decoder of a stream's csv messages. */
export function csvDecoder(spec: DecoderSpec, options: CsvOptions): Decoder {
  return new RowDecoder(spec, new CsvReader(spec, options));
}

class CsvReader implements RecordReader {
  readonly #columns: SourceColumn[];
  readonly #fields: number[];
  readonly #options: CsvOptions;

  constructor({ columns }: DecoderSpec, options: CsvOptions) {
    this.#columns = columns;
    this.#fields = columns.flatMap(({ origin }, column) => (origin.k === 'field' ? [column] : []));
    this.#options = options;
  }

  read(raw: RawBatch, i: number, defaults: Defaults, ctx: EvalContext): DecodedRow[] {
    const start = raw.valueStart[i];
    if (start < 0) throw new RowError('22004', 'the record has no value', null);
    const text = charactersOf(raw.bytes.subarray(start, raw.valueEnd[i]), null).replace(/(\r\n|\n|\r)$/, '');
    checkOneRecord(text, this.#options);
    const found = splitCsvRecord(text, this.#options, null);
    if (found.length > this.#fields.length) throw new RowError('22P04', 'extra data after last expected column', null);
    const values: Datum[] = this.#columns.map(() => null);
    this.#fields.forEach((field, at) => {
      values[field] = at < found.length ? this.#value(field, found[at], ctx) : this.#missing(field, defaults);
    });
    return [{ values, weight: 1 }];
  }

  #value(field: number, characters: string | null, ctx: EvalContext): Datum {
    const column = this.#columns[field];
    if (characters === null) return checked(column, null);
    return checked(
      column,
      guarded(column.name, () => inputText(characters, column.type, ctx)),
    );
  }

  #missing(field: number, defaults: Defaults): Datum {
    const column = this.#columns[field];
    if (column.default !== undefined) return missing(field, column, defaults);
    throw new RowError('22P04', `missing data for column "${column.name}"`, column.name);
  }
}

/** Throws for quotes that are left open, and for an end of a line outside of quotes. */
function checkOneRecord(text: string, { quote, escape: escapeChar }: CsvOptions): void {
  let inQuotes = false;
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (inQuotes) {
      const next = text[at + 1];
      if (c === escapeChar && (next === quote || next === escapeChar)) at++;
      else if (c === quote) inQuotes = false;
    } else if (c === quote) inQuotes = true;
    else if (c === '\n' || c === '\r') throw new RowError('22P04', 'the message has more than one record', null);
  }
  if (inQuotes) throw new RowError('22P04', 'unterminated CSV quoted field', null);
}
