/**
 * Total orders of datums: for each type the order of its default btree operator class, NULLs excluded. Used by the
 * comparison functions, the naive oracles and the tests. Types with an order of their own register it by OID.
 *
 * Traps: text is compared by code point (UTF-8 byte order, collation "C"), not by UTF-16 unit; NaN is equal to NaN and
 * greater than every other number; bpchar ignores trailing blanks.
 */
import type { Datum, PgRecord } from '../datum.ts';
import { SqlError } from '../errors.ts';
import { isEnumArray, isEnumType, OID } from '../types.ts';
import { compareDecimal } from './decimal/compare.ts';
import { compareText } from './text/code_points.ts';

export type Comparator = (a: Datum, b: Datum) => number;

const registry = new Map<number, Comparator>();

/** Registers the order of a type: negative, 0 or positive. `cmp` may name its own datum type. */
export function registerCompare(oid: number, cmp: (a: never, b: never) => number): void {
  if (registry.has(oid)) throw new Error(`the order of type ${oid} is registered twice`);
  registry.set(oid, cmp as unknown as Comparator);
}

export function hasCompare(oid: number): boolean {
  return registry.has(ordered(oid));
}

/** The type that has its order: enum values are numbers in the order of their type. */
function ordered(oid: number): number {
  return isEnumType(oid) ? OID.int4 : isEnumArray(oid) ? OID._int4 : oid;
}

/** The order of a type as a function; a type without one is error 42883. */
export function comparatorOf(oid: number): Comparator {
  const cmp = registry.get(ordered(oid));
  if (!cmp) throw new SqlError('42883', `could not identify a comparison function for type ${oid}`);
  return cmp;
}

/** Negative, 0 or positive; neither argument may be NULL. */
export function compareDatum(a: Datum, b: Datum, oid: number): number {
  return comparatorOf(oid)(a, b);
}

/** Equality by the type's default order; neither argument may be NULL. */
export function equalDatum(a: Datum, b: Datum, oid: number): boolean {
  return comparatorOf(oid)(a, b) === 0;
}

/** Order of numbers and bigints, also mixed. */
export function compareNumbers(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Order of floats: -0 equals 0, NaN equals NaN and is greater than everything. */
export function compareFloats(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  return (Number.isNaN(a) ? 1 : 0) - (Number.isNaN(b) ? 1 : 0);
}

/** Order of byte strings: first difference, then length. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** char(n) without the blanks that do not count. */
export function trimBpchar(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  return end === text.length ? text : text.slice(0, end);
}

/** Order of char(n): trailing blanks do not count. */
export function compareBpchar(a: string, b: string): number {
  return compareText(trimBpchar(a), trimBpchar(b));
}

/** Order of records: field by field, NULL last; two NULLs are equal here. */
export function compareRecords(a: PgRecord, b: PgRecord): number {
  if (a.values.length !== b.values.length) {
    throw new SqlError('42804', 'cannot compare record types with different numbers of columns');
  }
  for (let i = 0; i < a.values.length; i++) {
    if (a.types[i] !== b.types[i]) {
      throw new SqlError('42804', `cannot compare dissimilar column types at record column ${i + 1}`);
    }
    const [x, y] = [a.values[i], b.values[i]];
    if (x === null || y === null) {
      if (x === y) continue;
      return x === null ? 1 : -1;
    }
    const c = compareDatum(x, y, a.types[i]);
    if (c !== 0) return c;
  }
  return 0;
}

registerCompare(OID.bool, (a: boolean, b: boolean) => Number(a) - Number(b));
for (const oid of [OID.int2, OID.int4, OID.oid, OID.regproc, OID.regprocedure, OID.regoper, OID.regoperator]) {
  registerCompare(oid, compareNumbers);
}
for (const oid of [OID.regclass, OID.regtype, OID.regnamespace, OID.regrole, OID.regconfig, OID.regcollation]) {
  registerCompare(oid, compareNumbers);
}
// xid and cid have no btree order in PostgreSQL; equality needs one here.
for (const oid of [OID.xid, OID.cid, OID.int8]) registerCompare(oid, compareNumbers);
registerCompare(OID.float4, compareFloats);
registerCompare(OID.float8, compareFloats);
registerCompare(OID.numeric, compareDecimal);
// Bit strings are held as text of 0 and 1.
for (const oid of [
  OID.text,
  OID.varchar,
  OID.name,
  OID.char,
  OID.unknown,
  OID.cstring,
  OID.refcursor,
  OID.bit,
  OID.varbit,
]) {
  registerCompare(oid, compareText);
}
registerCompare(OID.bpchar, compareBpchar);
registerCompare(OID.bytea, compareBytes);
registerCompare(OID.record, compareRecords);
