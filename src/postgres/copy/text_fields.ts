/**
 * Fields of a line of COPY text. A field equal to the null string before its escapes are read is NULL.
 *
 *   \b \f \n \r \t \v    control characters       \123 \x4f   a byte       \c    c itself
 */
import { SqlError } from '../../../operators/errors.ts';
import { checkedUtf8 } from '../wire/message_reader.ts';

const CONTROL: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

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

const ESCAPE = /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|([\s\S]))/g;

/** What a field stands for, which is not NULL. */
export function unescapeField(raw: string): string {
  if (!raw.includes('\\')) return raw;
  if (!/\\(?:[0-7]|x[0-9a-fA-F])/.test(raw))
    return raw.replace(ESCAPE, (_all, _octal, _hex, c: string) => CONTROL[c] ?? c);
  // Escaped bytes may make up characters together: put the field together as bytes.
  const parts: Buffer[] = [];
  let last = 0;
  for (const match of raw.matchAll(ESCAPE)) {
    parts.push(Buffer.from(raw.slice(last, match.index)));
    const [, octal, hex, c] = match;
    if (octal !== undefined) parts.push(Buffer.from([Number.parseInt(octal, 8) & 255]));
    else if (hex !== undefined) parts.push(Buffer.from([Number.parseInt(hex, 16)]));
    else parts.push(Buffer.from(CONTROL[c] ?? c));
    last = match.index + match[0].length;
  }
  parts.push(Buffer.from(raw.slice(last)));
  return copiedText(Buffer.concat(parts));
}

/** The text of bytes of COPY, which has no zeros. */
export function copiedText(bytes: Buffer): string {
  if (bytes.includes(0)) throw new SqlError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
  return checkedUtf8(bytes);
}
