/**
 * One SQL value as the reference interpreter, the codecs and the tests see it. Batches and state never hold these:
 * there a value is a slot (types.ts). All shapes are plain data and survive structured cloning between threads.
 *
 * | type                                   | datum                                                                  |
 * |----------------------------------------|------------------------------------------------------------------------|
 * | bool                                   | boolean                                                                |
 * | int2, int4, oid, reg*, xid             | number (integer)                                                       |
 * | int8                                   | bigint                                                                 |
 * | float4, float8                         | number (float4 already rounded by Math.fround)                          |
 * | numeric                                | Decimal                                                                |
 * | text, varchar, bpchar, name, "char", json, jsonb, unknown, cstring | string (jsonb in PostgreSQL's canonical text) |
 * | bytea                                  | Uint8Array                                                             |
 * | date                                   | number: days since 2000-01-01; +-infinity are 2147483647 and -2147483648 |
 * | time                                   | bigint: microseconds of the day                                        |
 * | timestamp, timestamptz                 | bigint: microseconds since 2000-01-01 (UTC for timestamptz); +-infinity are the int64 limits |
 * | interval                               | Interval                                                               |
 * | uuid                                   | string, 36 characters, lower case                                      |
 * | arrays, int2vector, oidvector          | PgArray                                                                |
 * | record                                 | PgRecord                                                               |
 * | ranges                                 | PgRange                                                                |
 * | multiranges                            | PgMultirange                                                           |
 * | bit, bit varying                       | string of 0 and 1                                                      |
 * | void                                   | ''                                                                     |
 */
export type Datum =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Decimal
  | Interval
  | PgArray
  | PgRecord
  | PgRange
  | PgMultirange;

/** numeric: value = m / 10^s. `s` is PostgreSQL's dscale (digits shown after the point, >= 0). */
export interface Decimal {
  k: 'dec';
  /** Unscaled value; 0n for the specials. */
  m: bigint;
  s: number;
  /** Absent for a finite number. */
  special?: 'NaN' | 'Infinity' | '-Infinity';
}

export interface Interval {
  k: 'interval';
  months: number;
  days: number;
  micros: bigint;
}

/** dims [] is the empty array. items are in row-major order; nested arrays do not exist, as in PostgreSQL. */
export interface PgArray {
  k: 'array';
  elem: number;
  dims: number[];
  lower: number[];
  items: Datum[];
}

export interface PgRecord {
  k: 'record';
  types: number[];
  values: Datum[];
  /** Field names where they are known; else f1, f2, ... */
  names?: string[];
}

/** Equal ranges have equal fields, but for numeric bounds of other scales: expr/range/value.ts makes them so. */
export interface PgRange {
  k: 'range';
  /** Type of the bounds. */
  sub: number;
  empty: boolean;
  /** null where the range has no end; of the empty range, too. */
  lower: Datum;
  upper: Datum;
  /** False where there is no bound. */
  lowerInc: boolean;
  upperInc: boolean;
}

/** Ranges in order, none of them empty, no two of which touch. */
export interface PgMultirange {
  k: 'multirange';
  /** Type of the bounds. */
  sub: number;
  ranges: PgRange[];
}

export const TIMESTAMP_INFINITY = 9223372036854775807n;
export const TIMESTAMP_NEG_INFINITY = -9223372036854775808n;
export const DATE_INFINITY = 2147483647;
export const DATE_NEG_INFINITY = -2147483648;

export function decimal(m: bigint, s = 0): Decimal {
  return { k: 'dec', m, s };
}

export function interval(months: number, days: number, micros: bigint): Interval {
  return { k: 'interval', months, days, micros };
}

/** A one-dimensional array with lower bound 1. */
export function pgArray(elem: number, items: Datum[]): PgArray {
  return {
    k: 'array',
    elem,
    dims: items.length === 0 ? [] : [items.length],
    lower: items.length === 0 ? [] : [1],
    items,
  };
}

export function isDecimal(d: Datum): d is Decimal {
  return typeof d === 'object' && d !== null && 'k' in d && d.k === 'dec';
}

export function isPgArray(d: Datum): d is PgArray {
  return typeof d === 'object' && d !== null && 'k' in d && d.k === 'array';
}

export function isRecord(d: Datum): d is PgRecord {
  return typeof d === 'object' && d !== null && 'k' in d && d.k === 'record';
}
