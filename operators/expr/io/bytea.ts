/** Text (hex and escape formats) and binary of bytea. */
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { TextBuilder } from '../text/text_builder.ts';
import { registerIo } from './registry.ts';
import { utf8 } from './wire.ts';

/** `\x` hex digits (blanks between pairs allowed), or the escape format with `\\` and `\ooo`. */
function parseBytea(text: string): Uint8Array {
  if (text.startsWith('\\x')) return parseHex(text.slice(2));
  return parseEscape(text, () => new SqlError('22P02', 'invalid input syntax for type bytea'));
}

/** Hex digits to bytes; blanks may stand between pairs. */
export function parseHex(text: string): Uint8Array {
  const out: number[] = [];
  for (let i = 0; i < text.length; ) {
    if (/[ \n\t\r]/.test(text[i])) {
      i++;
      continue;
    }
    const high = hexDigit(text, i++);
    if (i >= text.length) throw new SqlError('22023', 'invalid hexadecimal data: odd number of digits');
    out.push((high << 4) | hexDigit(text, i++));
  }
  return Uint8Array.from(out);
}

function hexDigit(text: string, i: number): number {
  const c = text.charCodeAt(i);
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  if (lower >= 97 && lower <= 102) return lower - 87;
  const char = String.fromCodePoint(text.codePointAt(i)!);
  throw new SqlError('22023', `invalid hexadecimal digit: "${char}"`);
}

/** Escape format to bytes: `\\` is a backslash, `\ooo` a byte, everything else its UTF-8. */
export function parseEscape(text: string, invalid: () => SqlError): Uint8Array {
  const bytes = utf8(text);
  if (!text.includes('\\')) return bytes;
  const out: number[] = [];
  const octal = (b: number | undefined, max: number) => b !== undefined && b >= 48 && b <= max;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 92) out.push(bytes[i]);
    else if (bytes[i + 1] === 92) {
      out.push(92);
      i++;
    } else if (octal(bytes[i + 1], 51) && octal(bytes[i + 2], 55) && octal(bytes[i + 3], 55)) {
      out.push(((bytes[i + 1] - 48) << 6) | ((bytes[i + 2] - 48) << 3) | (bytes[i + 3] - 48));
      i += 3;
    } else throw invalid();
  }
  return Uint8Array.from(out);
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** A backslash is two, and bytes for which `isOctal` holds are \ooo. */
export function toEscape(bytes: Uint8Array, isOctal: (byte: number) => boolean): string {
  const text = new TextBuilder();
  for (const b of bytes) {
    if (b === 92) text.add('\\\\');
    else text.add(isOctal(b) ? `\\${b.toString(8).padStart(3, '0')}` : String.fromCharCode(b));
  }
  return text.take();
}

const isUnprintable = (byte: number) => byte < 32 || byte > 126;

registerIo(OID.bytea, {
  in: parseBytea,
  out: (d: Uint8Array, ctx) => (ctx.byteaOutput === 'escape' ? toEscape(d, isUnprintable) : `\\x${toHex(d)}`),
  recv: (bytes) => Uint8Array.from(bytes),
  send: (d: Uint8Array) => d,
});
