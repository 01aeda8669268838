/**
 * Reads the fields of one message body. Every read is checked against the body's end: pg-protocol's BufferReader trusts its
 * server and would run past it. Errors are PostgreSQL's: 08P01 for shape, 22021 for text that is not UTF-8.
 */
import { isUtf8 } from 'node:buffer';
import { SqlError } from '../../../operators/errors.ts';
import { protocolError } from './protocol.ts';

/** Up to here looking at each byte costs less than a call out of JavaScript. */
const SHORT_BYTES = 32;

/** The text of bytes; 22021 names the first offending byte as PostgreSQL does. */
export function checkedUtf8(bytes: Buffer): string {
  if (isShortAscii(bytes, 0, bytes.length)) return bytes.latin1Slice(0, bytes.length);
  if (!isUtf8(bytes)) throw invalidUtf8(bytes);
  return bytes.utf8Slice(0, bytes.length);
}

function isShortAscii(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > SHORT_BYTES) return false;
  for (let i = start; i < end; i++) if (bytes[i] > 0x7f) return false;
  return true;
}

function invalidUtf8(bytes: Buffer): SqlError {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (prefixIsUtf8(bytes, middle)) good = middle;
    else bad = middle;
  }
  let start = good;
  while (start > 0 && good - start < 3 && (bytes[start] & 0xc0) === 0x80) start--;
  const lead = bytes[start];
  const length = lead >= 0xf8 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  const shown = [...bytes.subarray(start, start + length)].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`);
  return new SqlError('22021', `invalid byte sequence for encoding "UTF8": ${shown.join(' ')}`);
}

/** True when the first n bytes are UTF-8 but for a character cut at the end. */
function prefixIsUtf8(bytes: Buffer, n: number): boolean {
  for (let cut = 0; cut <= 3 && cut <= n; cut++) {
    if (isUtf8(bytes.subarray(0, n - cut))) {
      const rest = bytes.subarray(n - cut, n);
      if (cut === 0) return true;
      const lead = rest[0];
      const wanted = lead >= 0xf5 ? 0 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
      return wanted > cut;
    }
  }
  return false;
}

export class MessageReader {
  readonly #body: Buffer;
  readonly #end: number;
  #at: number;

  /** Of the bytes from `start` to `end`. */
  constructor(body: Buffer, start = 0, end = body.length) {
    this.#body = body;
    this.#end = end;
    this.#at = start;
  }

  byte(): number {
    this.#need(1);
    return this.#body[this.#at++];
  }

  letter(): string {
    return String.fromCharCode(this.byte());
  }

  /** Unsigned: counts go up to 65535. */
  uint16(): number {
    this.#need(2);
    const body = this.#body;
    const at = this.#at;
    this.#at = at + 2;
    return (body[at] << 8) | body[at + 1];
  }

  int32(): number {
    this.#need(4);
    const body = this.#body;
    const at = this.#at;
    this.#at = at + 4;
    return (body[at] << 24) | (body[at + 1] << 16) | (body[at + 2] << 8) | body[at + 3];
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  uint64(): bigint {
    return this.#body.readBigUInt64BE(this.skip(8));
  }

  /** `likely`, when that is what is there: then no text is made. */
  cstring(likely = ''): string {
    if (this.#take(likely)) return likely;
    const start = this.#at;
    const end = this.#body.indexOf(0, start);
    if (end < 0 || end >= this.#end) throw protocolError('invalid string in message');
    this.#at = end + 1;
    if (end === start) return '';
    if (isShortAscii(this.#body, start, end)) return this.#body.latin1Slice(start, end);
    return checkedUtf8(this.#body.subarray(start, end));
  }

  #take(text: string): boolean {
    const body = this.#body;
    const at = this.#at;
    const { length } = text;
    if (at + length >= this.#end || length > SHORT_BYTES) return false;
    for (let i = 0; i < length; i++) {
      const char = text.charCodeAt(i);
      if (char > 0x7f || body[at + i] !== char) return false;
    }
    if (body[at + length] !== 0) return false;
    this.#at = at + length + 1;
    return true;
  }

  /** Where so many bytes begin, which are passed over. */
  skip(length: number): number {
    this.#need(length);
    const start = this.#at;
    this.#at += length;
    return start;
  }

  bytes(length: number): Buffer {
    this.#need(length);
    const value = this.#body.subarray(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }

  /** What skip() counts in. */
  get buffer(): Buffer {
    return this.#body;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  /** The body must be used up. */
  end(): void {
    if (this.#at !== this.#end) throw protocolError('invalid message format');
  }

  #need(bytes: number): void {
    if (bytes < 0 || this.#at + bytes > this.#end) throw protocolError('insufficient data left in message');
  }
}
