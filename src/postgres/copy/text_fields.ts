/**
 * Fields of a line of COPY text. A field equal to the null string before its escapes are read is NULL.
 *
 *   \b \f \n \r \t \v    control characters       \123 \x4f   a byte       \c    c itself
 */
import { SqlError } from '../../../operators/errors.ts';
import { checkedUtf8 } from '../wire/message_reader.ts';

const CONTROL: Record<string, number> = { b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 };
const BACKSLASH = 92;
const X = 120;

/** What follows the backslash for a byte that a field must have escaped; 0: stands for itself. */
export const ESCAPES = new Uint8Array(256);
for (const [letter, byte] of Object.entries(CONTROL)) ESCAPES[byte] = letter.charCodeAt(0);
ESCAPES[BACKSLASH] = BACKSLASH;

/** The fields of a line, without any check of their number. */
export function splitTextLine(line: string, delimiter: string, nullText: string): (string | null)[] {
  if (!line.includes('\\')) {
    const fields: (string | null)[] = line.split(delimiter);
    for (let i = 0; i < fields.length; i++) if (fields[i] === nullText) fields[i] = null;
    return fields;
  }
  const fields: (string | null)[] = [];
  let start = 0;
  let at = 0;
  while (at <= line.length) {
    if (line[at] === '\\') at += 2;
    else if (at === line.length || line[at] === delimiter) {
      const raw = line.slice(start, at);
      fields.push(raw === nullText ? null : unescapeField(raw));
      start = ++at;
    } else at++;
  }
  // A backslash as the last character stands for itself.
  if (start <= line.length) fields.push(unescapeField(line.slice(start)));
  return fields;
}

/**
 * What a field stands for, which is not NULL. In place, as bytes: escaped ones may make up characters together, and nothing is kept of each of many. A backslash at the
 * end stands for itself.
 */
export function unescapeField(raw: string): string {
  if (!raw.includes('\\')) return raw;
  const bytes = Buffer.from(raw);
  let to = 0;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at++];
    if (byte !== BACKSLASH || at === bytes.length) {
      bytes[to++] = byte;
      continue;
    }
    const c = bytes[at++];
    const isHex = c === X && digitOf(bytes[at], 16) >= 0;
    if (isHex || digitOf(c, 8) >= 0) {
      const [base, first, most] = isHex ? [16, at, 2] : [8, at - 1, 3];
      let value = 0;
      for (at = first; at < first + most && digitOf(bytes[at], base) >= 0; at++)
        value = value * base + digitOf(bytes[at], base);
      bytes[to++] = value;
    } else bytes[to++] = CONTROL[String.fromCharCode(c)] ?? c;
  }
  return copiedText(bytes.subarray(0, to));
}

/** -1 where it is none, or there is none. */
function digitOf(byte: number | undefined, base: number): number {
  if (byte === undefined) return -1;
  const letter = byte | 32;
  const digit = byte >= 48 && byte <= 57 ? byte - 48 : letter >= 97 && letter <= 102 ? letter - 87 : -1;
  return digit < base ? digit : -1;
}

/** The text of bytes of COPY, which has no zeros. */
export function copiedText(bytes: Buffer): string {
  if (bytes.includes(0)) throw new SqlError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
  return checkedUtf8(bytes);
}
