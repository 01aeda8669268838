/**
 * Cuts COPY data into lines (text) or records (csv), wherever the chunks of the client end.
 *
 *   text   a line end after a backslash is data        csv   a line end inside quotes is data
 *
 * Lines end with \n, \r\n or \r; the first line's end decides, as in PostgreSQL. Bytes are scanned once; only an unfinished line
 * is kept between chunks.
 */
import { badFormat } from './copy_errors.ts';
import { Unfinished } from './unfinished.ts';

const LF = 10;
const CR = 13;
const BACKSLASH = 92;

export interface SplitOptions {
  csv: boolean;
  /** Bytes of csv's quote and escape. */
  quote: number;
  escape: number;
}

export class LineSplitter {
  readonly #options: SplitOptions;
  readonly #rest = new Unfinished();
  /** Bytes of #rest that are scanned already. */
  #scanned = 0;
  #inQuotes = false;
  #skipNext = false;
  #lineEnd: 'lf' | 'crlf' | 'cr' | null = null;
  /** Line ends inside of quotes so far, as PostgreSQL counts them. */
  quotedEnds = 0;

  constructor(options: SplitOptions) {
    this.#options = options;
  }

  /** Gives each line that is complete now: where it begins and ends, without its line end; the bytes are valid during the call only. Throws 22P04. */
  push(chunk: Buffer, onLine: (data: Buffer, start: number, end: number) => void): void {
    const data = this.#rest.with(chunk);
    let start = 0;
    let at = this.#scanned;
    while (at < data.length) {
      const byte = data[at];
      if (this.#skipNext) {
        this.#skipNext = false;
        at++;
        continue;
      }
      if (byte === LF || byte === CR) {
        if (!this.#inQuotes) {
          if (byte === CR && this.#lineEnd !== 'cr' && at + 1 >= data.length) break;
          const length = this.#endAt(data, at);
          if (length > 0) {
            onLine(data, start, at);
            at += length;
            start = at;
            continue;
          }
        } else if (byte === (this.#lineEnd === 'lf' ? LF : CR)) this.quotedEnds++;
      } else this.#look(byte);
      at++;
    }
    this.#rest.keep(data, start);
    this.#scanned = at - start;
  }

  /** Follows quotes and escapes. */
  #look(byte: number): void {
    const { csv, quote, escape: escapeByte } = this.#options;
    if (!csv) {
      if (byte === BACKSLASH) this.#skipNext = true;
      return;
    }
    if (this.#inQuotes && byte === escapeByte && escapeByte !== quote) this.#skipNext = true;
    else if (byte === quote) this.#inQuotes = !this.#inQuotes;
  }

  /** Length of the line end at `at`, or 0 when these bytes are data. */
  #endAt(data: Buffer, at: number): number {
    const crlf = data[at] === CR && data[at + 1] === LF;
    this.#lineEnd ??= data[at] === LF ? 'lf' : crlf ? 'crlf' : 'cr';
    switch (this.#lineEnd) {
      case 'lf':
        if (data[at] === LF) return 1;
        throw this.#stray('carriage return', '\\r');
      case 'crlf':
        if (crlf) return 2;
        throw data[at] === CR ? this.#stray('carriage return', '\\r') : this.#stray('newline', '\\n');
      case 'cr':
        if (data[at] === CR) return 1;
        throw this.#stray('newline', '\\n');
    }
  }

  #stray(what: string, escaped: string) {
    const { csv } = this.#options;
    const error = badFormat(csv ? `unquoted ${what} found in data` : `literal ${what} found in data`);
    error.fields.hint = csv ? `Use quoted CSV field to represent ${what}.` : `Use "${escaped}" to represent ${what}.`;
    return error;
  }

  /** The last line, when the data does not end with a line end. Throws 22P04 inside quotes. */
  end(): Buffer | null {
    if (this.#inQuotes) throw badFormat('unterminated CSV quoted field');
    const { bytes } = this.#rest;
    let rest = bytes;
    if (this.#lineEnd !== 'lf' && rest.length > 0 && rest[rest.length - 1] === CR)
      rest = rest.subarray(0, rest.length - 1);
    return bytes.length === 0 ? null : rest;
  }
}
