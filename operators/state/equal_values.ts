/**
 * Arrays, records, ranges and jsonb that are equal without having the same bytes: {1.0} and {1.00}, '1' and '1.0' as jsonb, {'1 mon'} and {'30 days'}, [1.0,2) and [1,2). Equality and hash are those of one
 * form that all equals have, so keys of joins, groups, DISTINCT and indexes agree with `=`.
 *
 * Cost: each value is decoded and written anew, so types whose equals always have the same bytes (int[], text[]) are not for this.
 */
import { encodeComposite } from '../batch/composite.ts';
import { BYTES, U32 } from '../batch/memory.ts';
import { readSlot, varlenAddress } from '../batch/slots.ts';
import type { Datum, PgRange } from '../datum.ts';
import { elementType, isArrayType } from '../expr/array_types.ts';
import { trimBpchar } from '../expr/compare.ts';
import { normalizeDecimal } from '../expr/decimal/normal.ts';
import { OID } from '../types.ts';
import { equalVarlen, mix } from './slot_order.ts';

/** Types of items, or of values in records, of which this is so. */
const UNLIKE = new Set<number>([
  OID.numeric,
  OID.float4,
  OID.float8,
  OID.interval,
  OID.bpchar,
  OID.jsonb,
  OID.record,
  OID.numrange,
  OID.nummultirange,
]);
/** Those of them that have no layout of their own, and are not char(n). */
const UNLIKE_VARLEN = new Set<number>([OID.jsonb, OID.record, OID.numrange, OID.nummultirange]);
const DAY = 86_400_000_000n;

/** Whether equal values of a varlen type may have other bytes; char(n) has ways of its own (slot_order.ts). */
export function areEqualsUnlike(oid: number): boolean {
  return UNLIKE_VARLEN.has(oid) || (isArrayType(oid) && UNLIKE.has(elementType(oid)));
}

/** True where no number has another look. */
function isOneJson(json: string | Buffer): boolean {
  return !json.includes('.') && !json.includes('-0');
}

function oneNumber(token: string): string {
  const short = token.includes('.') ? token.replace(/\.?0+$/, '') : token;
  return short === '-0' ? '0' : short;
}

/** The numbers outside of strings without zeros at their ends. */
function oneJson(text: string): string {
  if (isOneJson(text)) return text;
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    const start = quote < 0 ? text.length : quote;
    parts.push(text.slice(at, start).replace(/-?\d+(?:\.\d+)?/g, oneNumber));
    at = quote < 0 ? start : endOfString(text, quote);
    parts.push(text.slice(start, at));
  }
  return parts.join('');
}

/** Behind the string that begins at a quote. */
function endOfString(text: string, quote: number): number {
  let at = quote + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** The one of a value's equals that stands for all of them; it may be of another type. */
export function oneOf(value: Datum, oid: number): Datum {
  if (typeof value === 'number') return value === 0 ? 0 : value;
  if (typeof value === 'string') {
    if (oid === OID.jsonb) return oneJson(value);
    return oid === OID.bpchar ? trimBpchar(value) : value;
  }
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  switch (value.k) {
    case 'dec':
      return normalizeDecimal(value);
    case 'interval':
      return (BigInt(value.months) * 30n + BigInt(value.days)) * DAY + value.micros;
    case 'array':
      return { ...value, items: value.items.map((item) => oneOf(item, value.elem)) };
    case 'record':
      return { ...value, values: value.values.map((field, i) => oneOf(field, value.types[i])) };
    case 'range':
      return { ...value, lower: oneOf(value.lower, value.sub), upper: oneOf(value.upper, value.sub) };
    case 'multirange':
      return { ...value, ranges: value.ranges.map((range) => oneOf(range, oid) as PgRange) };
  }
}

/** Those of the value that stands for all equals. */
function bytesOf(slot: number, oid: number): Uint8Array {
  if (oid !== OID.jsonb) return encodeComposite(oneOf(readSlot('varlen', oid, slot), oid));
  const from = varlenAddress(slot);
  const bytes = BYTES.subarray(from, from + U32[slot >>> 2]);
  return isOneJson(bytes) ? bytes : Buffer.from(oneJson(bytes.toString()));
}

export function hashValue(h: number, slot: number, oid: number): number {
  const bytes = bytesOf(slot, oid);
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4)
    h = mix(h, bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24));
  for (; at < bytes.length; at++) h = mix(h, bytes[at]);
  return mix(h, bytes.length);
}

export function equalValues(a: number, b: number, oid: number): boolean {
  return equalVarlen(a, b) || Buffer.compare(bytesOf(a, oid), bytesOf(b, oid)) === 0;
}
