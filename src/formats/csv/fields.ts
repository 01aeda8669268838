/**
 * Fields of a csv record. Quotes may open and close anywhere in a field; a field without any quote that equals the null string is
 * NULL, a quoted one never is.
 */
import { TextBuilder } from '../../../operators/expr/text/text_builder.ts';

export interface CsvOptions {
  delimiter: string;
  null: string;
  quote: string;
  escape: string;
}

/** Which columns take the null string otherwise. */
export interface ForcedNulls {
  /** By position: the null string is a text; it is NULL in quotes as well. */
  notNull: boolean[];
  null: boolean[];
}

/** The fields of a record, without any check of their number. */
export function splitCsvRecord(record: string, options: CsvOptions, forced: ForcedNulls | null): (string | null)[] {
  const { delimiter, quote, escape: escapeChar } = options;
  const isNull = (text: string, quoted: boolean, column: number): boolean => {
    if (text !== options.null) return false;
    if (forced === null) return !quoted;
    return quoted ? forced.null[column] === true : forced.notNull[column] !== true;
  };
  if (!record.includes(quote)) {
    return record.split(delimiter).map((field, i) => (isNull(field, false, i) ? null : field));
  }
  const fields: (string | null)[] = [];
  const text = new TextBuilder();
  let quoted = false;
  let inQuotes = false;
  let from = 0;
  const take = (to: number, next: number) => {
    text.add(record.slice(from, to));
    from = next;
  };
  const end = (at: number) => {
    take(at, at + 1);
    const field = text.take();
    fields.push(isNull(field, quoted, fields.length) ? null : field);
    quoted = false;
  };
  for (let at = 0; at < record.length; at++) {
    const c = record[at];
    if (inQuotes) {
      const next = record[at + 1];
      // What is escaped is the first of what comes.
      if (c === escapeChar && (next === quote || next === escapeChar)) take(at, ++at);
      else if (c === quote) {
        inQuotes = false;
        take(at, at + 1);
      }
    } else if (c === quote) {
      inQuotes = true;
      quoted = true;
      take(at, at + 1);
    } else if (c === delimiter) end(at);
  }
  end(record.length);
  return fields;
}
