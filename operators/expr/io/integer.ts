/**
 * Text and binary of int2, int4, int8, oid, xid and cid.
 *
 * Integers take blanks around, a sign, 0x / 0o / 0b and single underscores between digits. oid and xid are C's strtoul with
 * base 0: 010 is eight, -1 is 4294967295.
 */
import type { Datum } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { trimBlanks } from '../decimal/text.ts';
import { registerIo } from './registry.ts';
import { fixed, packed } from './wire.ts';

const INTEGER = /^([+-])?(?:(\d+(?:_\d+)*)|0([xX](?:_?[0-9a-fA-F])+|[oO](?:_?[0-7])+|[bB](?:_?[01])+))$/;
const PLAIN = /^-?\d{1,15}$/;

function invalid(text: string, type: string): SqlError {
  return new SqlError('22P02', `invalid input syntax for type ${type}: "${text}"`);
}

function outOfRange(text: string, type: string): SqlError {
  return new SqlError('22003', `value "${text}" is out of range for type ${type}`);
}

/** Text to an integer of any size within +-limit (and -limit - 1). */
function parseInteger(text: string, type: string, max: bigint): bigint {
  const f = INTEGER.exec(trimBlanks(text));
  if (!f) throw invalid(text, type);
  const digits = (f[2] ?? `0${f[3].toLowerCase()}`).replaceAll('_', '');
  const magnitude = BigInt(digits);
  const v = f[1] === '-' ? -magnitude : magnitude;
  if (v > max || v < -max - 1n) throw outOfRange(text, type);
  return v;
}

function parseInt2(text: string): number {
  return parseSmall(text, 'smallint', 32767);
}

export function parseInt4(text: string): number {
  return parseSmall(text, 'integer', 2147483647);
}

function parseSmall(text: string, type: string, max: number): number {
  if (PLAIN.test(text)) {
    const n = Number(text) + 0;
    if (n <= max && n >= -max - 1) return n;
  }
  return Number(parseInteger(text, type, BigInt(max)));
}

export function parseInt8(text: string): bigint {
  if (PLAIN.test(text)) return BigInt(text);
  return parseInteger(text, 'bigint', 9223372036854775807n);
}

const STRTOUL = /^([+-])?(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9]\d*))$/;

/** Text to an unsigned 32-bit number as C's strtoul(base 0) reads it. */
export function parseUint32(text: string, type: string): number {
  const f = STRTOUL.exec(trimBlanks(text));
  if (!f) throw invalid(text, type);
  const magnitude = f[2] ? BigInt(`0x${f[2]}`) : f[3] ? BigInt(`0o0${f[3]}`) : BigInt(f[4]);
  const v = f[1] === '-' ? -magnitude : magnitude;
  if (v > 4294967295n || v < -2147483648n) throw outOfRange(text, type);
  return Number(BigInt.asUintN(32, v));
}

registerIo(OID.int2, {
  in: parseInt2,
  out: String,
  recv: (bytes) => fixed(bytes, 2).getInt16(0),
  send: (d: number) => packed(2, (v) => v.setInt16(0, d)),
});

registerIo(OID.int4, {
  in: parseInt4,
  out: String,
  recv: (bytes) => fixed(bytes, 4).getInt32(0),
  send: (d: number) => packed(4, (v) => v.setInt32(0, d)),
});

registerIo(OID.int8, {
  in: parseInt8,
  out: String,
  recv: (bytes) => fixed(bytes, 8).getBigInt64(0),
  send: (d: bigint) => packed(8, (v) => v.setBigInt64(0, d)),
});

/** Binary form of the unsigned 32-bit types, shared with the reg* types. */
export const uint32Binary = {
  recv: (bytes: Uint8Array): Datum => fixed(bytes, 4).getUint32(0),
  send: (d: number): Uint8Array => packed(4, (v) => v.setUint32(0, d)),
};

for (const [oid, type] of [
  [OID.oid, 'oid'],
  [OID.xid, 'xid'],
  [OID.cid, 'cid'],
] as const) {
  registerIo(oid, { in: (text) => parseUint32(text, type), out: String, ...uint32Binary });
}
