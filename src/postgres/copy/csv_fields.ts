/**
 * Fields of a csv record. Quotes may open and close anywhere in a field; a field without any quote that equals the null string is
 * NULL, a quoted one never is.
 */
export interface CsvOptions {
  delimiter: string;
  null: string;
  quote: string;
  escape: string;
}

/** The fields of a record, without any check of their number. */
export function splitCsvRecord(record: string, options: CsvOptions): (string | null)[] {
  const { delimiter, quote, escape: escapeChar } = options;
  if (!record.includes(quote)) {
    return record.split(delimiter).map((field) => (field === options.null ? null : field));
  }
  const fields: (string | null)[] = [];
  let text = '';
  let quoted = false;
  let inQuotes = false;
  for (let at = 0; at < record.length; at++) {
    const c = record[at];
    if (inQuotes) {
      const next = record[at + 1];
      if (c === escapeChar && (next === quote || next === escapeChar)) {
        text += next;
        at++;
      } else if (c === quote) inQuotes = false;
      else text += c;
    } else if (c === quote) {
      inQuotes = true;
      quoted = true;
    } else if (c === delimiter) {
      fields.push(!quoted && text === options.null ? null : text);
      text = '';
      quoted = false;
    } else text += c;
  }
  fields.push(!quoted && text === options.null ? null : text);
  return fields;
}
