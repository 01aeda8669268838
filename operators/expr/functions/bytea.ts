/** The functions of bytea, encodings and digests. */
import { hash } from 'node:crypto';
import { SqlError } from '../../errors.ts';
import { packed } from '../io/wire.ts';
import { crc32 as tableCrc32 } from '../text/crc.ts';
import { convertFrom, convertTo, encodingOf } from '../text/encodings.ts';
import { negativeSubstring, substringBounds } from '../text/strings.ts';
import { integerOutOfRange } from './integer.ts';
import { register } from './registry.ts';

function concatenated(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

function substring(b: Uint8Array, start: number, length?: number): Uint8Array {
  const { from, to } = substringBounds(start, length);
  return b.slice(from, Math.min(to, b.length));
}

function overlay(b: Uint8Array, part: Uint8Array, start: number, length = part.length): Uint8Array {
  if (start <= 0) throw negativeSubstring();
  if (start + length > 2147483647) throw integerOutOfRange('int4');
  return concatenated(substring(b, 1, start - 1), part, substring(b, start + length));
}

function trim(b: Uint8Array, set: Uint8Array, atStart: boolean, atEnd: boolean): Uint8Array {
  let from = 0;
  let to = b.length;
  if (set.length > 0) {
    if (atStart) while (from < to && set.includes(b[from])) from++;
    if (atEnd) while (to > from && set.includes(b[to - 1])) to--;
  }
  return b.slice(from, to);
}

register('byteacat(bytea,bytea)', (a: Uint8Array, b: Uint8Array) => concatenated(a, b));
for (const name of ['length', 'octet_length']) register(`${name}(bytea)`, (b: Uint8Array) => b.length);
register('bit_length(bytea)', (b: Uint8Array) => b.length * 8);
for (const name of ['substr', 'substring']) {
  register(`${name}(bytea,int4)`, (b: Uint8Array, start: number) => substring(b, start));
  register(`${name}(bytea,int4,int4)`, (b: Uint8Array, start: number, n: number) => substring(b, start, n));
}
register('overlay(bytea,bytea,int4)', (b: Uint8Array, p: Uint8Array, start: number) => overlay(b, p, start));
register('overlay(bytea,bytea,int4,int4)', (b: Uint8Array, p: Uint8Array, start: number, n: number) =>
  overlay(b, p, start, n),
);
register('position(bytea,bytea)', (b: Uint8Array, part: Uint8Array) => Buffer.from(b).indexOf(part) + 1);
for (const [name, atStart, atEnd] of [
  ['btrim', true, true],
  ['ltrim', true, false],
  ['rtrim', false, true],
] as const) {
  register(`${name}(bytea,bytea)`, (b: Uint8Array, set: Uint8Array) => trim(b, set, atStart, atEnd));
}
register('reverse(bytea)', (b: Uint8Array) => b.slice().reverse());

function requireIndex(i: number | bigint, length: number): number {
  if (i < 0 || i >= length) {
    throw new SqlError('2202E', `index ${i} out of valid range, 0..${length - 1}`);
  }
  return Number(i);
}

register('get_byte(bytea,int4)', (b: Uint8Array, i: number) => b[requireIndex(i, b.length)]);
register('set_byte(bytea,int4,int4)', (b: Uint8Array, i: number, value: number) => {
  const at = requireIndex(i, b.length);
  const out = b.slice();
  out[at] = value;
  return out;
});
register('get_bit(bytea,int8)', (b: Uint8Array, i: bigint) => {
  const at = requireIndex(i, b.length * 8);
  return (b[at >> 3] >> (at & 7)) & 1;
});
register('set_bit(bytea,int8,int4)', (b: Uint8Array, i: bigint, value: number) => {
  const at = requireIndex(i, b.length * 8);
  if (value !== 0 && value !== 1) throw new SqlError('22023', 'new bit must be 0 or 1');
  const out = b.slice();
  out[at >> 3] = (out[at >> 3] & ~(1 << (at & 7))) | (value << (at & 7));
  return out;
});
register('bit_count(bytea)', (b: Uint8Array) => {
  let n = 0;
  for (let byte of b) for (; byte !== 0; byte &= byte - 1) n++;
  return BigInt(n);
});

register('encode(bytea,text)', (b: Uint8Array, name: string) => encodingOf(name).encode(b));
register('decode(text,text)', (t: string, name: string) => encodingOf(name).decode(t));
register('convert_from(bytea,name)', convertFrom);
register('convert_to(text,name)', convertTo);
register('convert(bytea,name,name)', (b: Uint8Array, from: string, to: string) => convertTo(convertFrom(b, from), to));
register('length(bytea,name)', (b: Uint8Array, encoding: string) => [...convertFrom(b, encoding)].length);

const digest = (algorithm: string, b: Uint8Array) => Uint8Array.from(hash(algorithm, b, 'buffer'));
register('md5(bytea)', (b: Uint8Array) => hash('md5', b, 'hex'));
for (const name of ['sha224', 'sha256', 'sha384', 'sha512']) {
  register(`${name}(bytea)`, (b: Uint8Array) => digest(name, b));
}
register('crc32(bytea)', (b: Uint8Array) => BigInt(tableCrc32(b, 'ieee')));
register('crc32c(bytea)', (b: Uint8Array) => BigInt(tableCrc32(b, 'castagnoli')));

register('bytea(int2)', (n: number) => packed(2, (v) => v.setInt16(0, n)));
register('bytea(int4)', (n: number) => packed(4, (v) => v.setInt32(0, n)));
register('bytea(int8)', (n: bigint) => packed(8, (v) => v.setBigInt64(0, n)));

/** Big-endian bytes as an unsigned number, then signed only when all bytes are there. */
function integerOfBytes(b: Uint8Array, width: number): bigint | null {
  if (b.length > width) return null;
  let n = 0n;
  for (const byte of b) n = (n << 8n) | BigInt(byte);
  return BigInt.asIntN(width * 8, n);
}
for (const [type, width] of [
  ['int2', 2],
  ['int4', 4],
  ['int8', 8],
] as const) {
  register(`${type}(bytea)`, (b: Uint8Array) => {
    const n = integerOfBytes(b, width);
    if (n === null) throw integerOutOfRange(type);
    return width === 8 ? n : Number(n);
  });
}
