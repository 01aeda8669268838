/**
 * Text, binary and typmod of bit(n) and bit varying(n). The datum is the text itself: a string of 0 and 1.
 *
 * Input takes binary digits, with or without a leading b, or hexadecimal ones after x. The typmod is the length itself.
 */
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { mapCharacters } from '../text/text_builder.ts';
import { registerIo } from './registry.ts';

/** Text to bits; 22P02 names the bad digit. */
function parseBits(text: string): string {
  const hex = /^[xX]/.test(text);
  const digits = /^[bBxX]/.test(text) ? text.slice(1) : text;
  const bad = /[^01]/u;
  const found = (hex ? /[^0-9a-fA-F]/u : bad).exec(digits);
  if (found) throw new SqlError('22P02', `"${found[0]}" is not a valid ${hex ? 'hexadecimal' : 'binary'} digit`);
  if (!hex) return digits;
  return mapCharacters(digits, (d) => Number.parseInt(d, 16).toString(2).padStart(4, '0'));
}

/** bit(n): an assignment wants the exact length, an explicit cast cuts or fills with zeros on the right. */
export function applyBitTypmod(bits: string, n: number, explicit: boolean): string {
  if (n <= 0 || bits.length === n) return bits;
  if (!explicit) throw new SqlError('22026', `bit string length ${bits.length} does not match type bit(${n})`);
  return bits.slice(0, n).padEnd(n, '0');
}

/** bit varying(n): an assignment refuses what is longer, an explicit cast cuts it. */
export function applyVarbitTypmod(bits: string, n: number, explicit: boolean): string {
  if (n <= 0 || bits.length <= n) return bits;
  if (!explicit) throw new SqlError('22001', `bit string too long for type bit varying(${n})`);
  return bits.slice(0, n);
}

function fromBinary(bytes: Uint8Array): string {
  if (bytes.length < 4) throw new SqlError('08P01', 'insufficient data left in message');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0);
  if (length < 0) throw new SqlError('22P03', 'invalid length in external bit string');
  if (bytes.length !== 4 + Math.ceil(length / 8)) throw new SqlError('08P01', 'insufficient data left in message');
  let bits = '';
  for (let i = 4; i < bytes.length; i++) bits += bytes[i].toString(2).padStart(8, '0');
  return bits.slice(0, length);
}

function toBinary(bits: string): Uint8Array {
  const out = new Uint8Array(4 + Math.ceil(bits.length / 8));
  new DataView(out.buffer).setInt32(0, bits.length);
  for (let i = 0; i < bits.length; i += 8) out[4 + i / 8] = Number.parseInt(bits.slice(i, i + 8).padEnd(8, '0'), 2);
  return out;
}

for (const [oid, typmod] of [
  [OID.bit, applyBitTypmod],
  [OID.varbit, applyVarbitTypmod],
] as const) {
  registerIo(oid, { in: parseBits, out: (d: string) => d, recv: fromBinary, send: (d: string) => toBinary(d), typmod });
}
