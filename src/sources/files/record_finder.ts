/**
 * Finds the records of a text file in its bytes, wherever those are cut: lines of JSON, records of csv, which have ends of lines in quotes.
 *
 *   bytes  [ rest of the last piece | the next bytes ]  -->  [start, end) of each whole record, without the \n      + where the rest begins
 *
 * Lines of JSON without anything but spaces are none. Only \n ends a record; a \r before it is left to the format.
 */
import type { CsvOptions } from '../../formats/csv/fields.ts';

const LF = 10;

export class RecordFinder {
  /** Of csv; null: a quote is a byte as any other. */
  readonly #quotes: { quote: number; escape: number } | null;
  #inQuotes = false;
  starts: number[] = [];
  ends: number[] = [];
  /** Up to where the rest was looked at, from its beginning. */
  #looked = 0;

  constructor(csv: CsvOptions | null) {
    this.#quotes = csv === null ? null : { quote: csv.quote.charCodeAt(0), escape: csv.escape.charCodeAt(0) };
  }

  /** The records that are whole in `data`, which begins with the rest of before. Gives where the new rest begins. */
  find(data: Buffer): number {
    this.starts = [];
    this.ends = [];
    let start = 0;
    let at = this.#looked;
    let quote = this.#nextQuote(data, at);
    while (at < data.length) {
      if (this.#inQuotes) {
        at = this.#leaveQuotes(data, at);
        if (this.#inQuotes) break;
        quote = this.#nextQuote(data, at);
        continue;
      }
      const found = data.indexOf(LF, at);
      const end = found < 0 ? data.length : found;
      if (quote < at) quote = this.#nextQuote(data, at);
      if (quote < end) {
        this.#inQuotes = true;
        at = quote + 1;
      } else if (found < 0) at = data.length;
      else {
        this.#add(data, start, end);
        start = end + 1;
        at = start;
      }
    }
    this.#looked = at - start;
    return start;
  }

  /** What is left at the end of the file is a record. */
  end(rest: Buffer): void {
    this.starts = [];
    this.ends = [];
    if (rest.length > 0) this.#add(rest, 0, rest.length);
  }

  #add(data: Buffer, start: number, end: number): void {
    if (this.#quotes === null && isBlank(data, start, end)) return;
    this.starts.push(start);
    this.ends.push(end);
  }

  #nextQuote(data: Buffer, from: number): number {
    if (this.#quotes === null) return Number.POSITIVE_INFINITY;
    const at = data.indexOf(this.#quotes.quote, from);
    return at < 0 ? Number.POSITIVE_INFINITY : at;
  }

  /** Behind the quote that ends the quotes; while there is none, where to look on when there are more bytes. A doubled quote ends and begins them. */
  #leaveQuotes(data: Buffer, from: number): number {
    const { quote, escape: escapeByte } = this.#quotes as { quote: number; escape: number };
    for (let at = from; at < data.length; at++) {
      const byte = data[at];
      if (byte === escapeByte && escapeByte !== quote) {
        // Whether it escapes the next byte is seen with that.
        if (at + 1 === data.length) return at;
        if (data[at + 1] === quote || data[at + 1] === escapeByte) at++;
      } else if (byte === quote) {
        this.#inQuotes = false;
        return at + 1;
      }
    }
    return data.length;
  }
}

function isBlank(data: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = data[at];
    if (byte !== 32 && byte !== 9 && byte !== 13) return false;
  }
  return true;
}
