/**
 * SQL values in JavaScript, and back. Between them lies JSON, which realm.ts turns into what bodies see:
 *
 *   type                                  body sees     JSON       result, besides the same again
 *   int2, int4, float4, float8            number        number     anything whose text the type reads: bigint, boolean, string
 *   int8                                  bigint        text       number
 *   numeric                               string        text       number, bigint
 *   boolean                               boolean       boolean    string
 *   text and its like, uuid, interval, .. string        text       number, bigint, boolean, Date as ISO text
 *   bytea                                 Uint8Array    hex        ArrayBuffer and views of it, string
 *   date, timestamp, timestamptz          string        ISO text   Date
 *   json, jsonb                           what it says  itself     any value that JSON can write
 *   arrays                                Array         array      string
 *
 * Texts of times have all microseconds, in UTC, as new Date(text) reads them. What the type does not read is an error 22P02 and the like, by its own input.
 */
import type { Datum, PgArray } from '../../operators/datum.ts';
import { pgArray } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { checkedArray, MAX_DIMS, tooManyDims } from '../../operators/expr/array/value.ts';
import { defaultContext, withoutClock } from '../../operators/expr/context.ts';
import { inputText, outputText } from '../../operators/expr/io/index.ts';
import { type ColType, OID } from '../../operators/types.ts';
import { elementTypeOf } from '../../planner/types/catalog.ts';

/** As a value comes out of JSON.parse. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** How realm.ts reads or writes a value; `item`: of an array's elements. */
export interface Kind {
  kind: string;
  item?: string;
}

const CONTEXT = withoutClock(defaultContext());

const INTEGERS = new Map<number, number>([
  [OID.int2, 32767],
  [OID.int4, 2147483647],
]);
const FLOATS: ReadonlySet<number> = new Set([OID.float4, OID.float8]);
const TIMES: ReadonlySet<number> = new Set([OID.date, OID.timestamp, OID.timestamptz]);
const JSONS: ReadonlySet<number> = new Set([OID.json, OID.jsonb]);
const TEXTS: ReadonlySet<number> = new Set([
  OID.numeric,
  OID.text,
  OID.varchar,
  OID.bpchar,
  OID.uuid,
  OID.time,
  OID.timetz,
  OID.interval,
  OID.inet,
  OID.cidr,
  OID.macaddr,
  OID.macaddr8,
  OID.bit,
  OID.varbit,
]);

/** Whether values of the type can go into a body and come out of it. */
export function isPassed(oid: number): boolean {
  const type = elementTypeOf(oid) || oid;
  const isNumber = INTEGERS.has(type) || FLOATS.has(type) || type === OID.int8;
  return isNumber || type === OID.bool || type === OID.bytea || TIMES.has(type) || JSONS.has(type) || TEXTS.has(type);
}

export function argumentKind(oid: number): Kind {
  const item = elementTypeOf(oid);
  if (item !== 0) return { kind: 'array', item: argumentKind(item).kind };
  if (oid === OID.int8) return { kind: 'int8' };
  if (oid === OID.bytea) return { kind: 'bytes' };
  return { kind: FLOATS.has(oid) ? 'float' : 'plain' };
}

export function resultKind(oid: number): Kind {
  const item = elementTypeOf(oid);
  if (item !== 0) return { kind: 'array', item: resultKind(item).kind };
  if (JSONS.has(oid)) return { kind: 'json' };
  if (oid === OID.bytea) return { kind: 'bytes' };
  if (INTEGERS.has(oid)) return { kind: 'int' };
  return { kind: oid === OID.float8 ? 'float' : 'text' };
}

/** What writes arguments of a type as JSON. */
export function writer({ oid }: ColType): (value: Datum) => string {
  const one = valueWriter(oid);
  return (value) => (value === null ? 'null' : one(value));
}

function valueWriter(oid: number): (value: Datum) => string {
  const item = elementTypeOf(oid);
  if (item !== 0) {
    const write = writer({ oid: item, typmod: -1 });
    return (value) => arrayJson(value as PgArray, write);
  }
  if (INTEGERS.has(oid) || oid === OID.bool || JSONS.has(oid)) return String;
  if (FLOATS.has(oid)) return (value) => floatJson(value as number);
  if (oid === OID.bytea) return (value) => `"${Buffer.from(value as Uint8Array).toString('hex')}"`;
  if (TIMES.has(oid)) return (value) => `"${isoText(outputText(value, oid, CONTEXT))}"`;
  if (oid === OID.int8) return (value) => `"${value}"`;
  if (oid === OID.text || oid === OID.varchar) return (value) => JSON.stringify(value);
  return (value) => JSON.stringify(outputText(value, oid, CONTEXT));
}

function floatJson(value: number): string {
  return Number.isFinite(value) && !Object.is(value, -0) ? String(value) : Object.is(value, -0) ? '"-0"' : `"${value}"`;
}

function arrayJson({ dims, items }: PgArray, write: (value: Datum) => string): string {
  let at = 0;
  const level = (depth: number): string => {
    if (depth === dims.length) return write(items[at++]);
    return `[${Array.from({ length: dims[depth] }, () => level(depth + 1)).join(',')}]`;
  };
  return dims.length === 0 ? '[]' : level(0);
}

/** '2024-01-31 10:00:00+00' -> '2024-01-31T10:00:00Z'; years have six digits and a sign where four are too few. */
function isoText(text: string): string {
  const parts = /^(\d+)(-\d\d-\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?)(\+00)?)?( BC)?$/.exec(text);
  if (parts === null) return text;
  const [, digits, day, time, zone, isBefore] = parts;
  const year = isBefore === undefined ? Number(digits) : 1 - Number(digits);
  const isShort = year >= 0 && year <= 9999;
  const long = `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`;
  const whole = `${isShort ? String(year).padStart(4, '0') : long}${day}`;
  return time === undefined ? whole : `${whole}T${time}${zone === undefined ? '' : 'Z'}`;
}

/** The other way, for PostgreSQL's input, which knows neither signs nor a year 0. */
function timeText(text: string): string {
  const parts = /^([+-]\d{6,7}|0000)(-.*)$/.exec(text);
  if (parts === null) return text;
  const year = Number(parts[1]);
  return year > 0
    ? `${String(year).padStart(4, '0')}${parts[2]}`
    : `${String(1 - year).padStart(4, '0')}${parts[2]} BC`;
}

/** What reads results as a type. Throws SqlErrors of the type's input. */
export function reader(type: ColType): (value: Json) => Datum {
  const one = valueReader(type);
  return (value) => (value === null ? null : one(value));
}

function valueReader(type: ColType): (value: Json) => Datum {
  const { oid, typmod } = type;
  const item = elementTypeOf(oid);
  if (item !== 0) {
    const read = reader({ oid: item, typmod });
    return (value) => (Array.isArray(value) ? arrayOf(item, value, read) : inputText(checked(value), type, CONTEXT));
  }
  const most = INTEGERS.get(oid);
  if (most !== undefined) {
    return (value) => {
      if (typeof value === 'number' && Number.isInteger(value) && value <= most && value >= -most - 1) return value;
      return inputText(String(value), type, CONTEXT);
    };
  }
  if (oid === OID.float8)
    return (value) => (typeof value === 'number' ? value : inputText(checked(value), type, CONTEXT));
  if (TIMES.has(oid)) return (value) => inputText(timeText(checked(value)), type, CONTEXT);
  return (value) => inputText(checked(value), type, CONTEXT);
}

/** Text that PostgreSQL can have. */
function checked(value: Json): string {
  const text = String(value);
  if (text.includes('\0')) throw new SqlError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
  if (!text.isWellFormed()) throw new SqlError('22021', 'half of a surrogate pair is no character');
  return text;
}

function arrayOf(elem: number, value: Json[], read: (value: Json) => Datum): Datum {
  const dims: number[] = [];
  for (let at: Json = value; Array.isArray(at); at = at[0] ?? null) dims.push(at.length);
  if (dims.includes(0)) {
    if (value.length === 0 || (dims.length > 1 && value.every((x) => Array.isArray(x) && x.length === 0)))
      return pgArray(elem, []);
    throw unequal();
  }
  if (dims.length > MAX_DIMS) throw tooManyDims(dims.length);
  const items: Datum[] = [];
  const level = (list: Json, depth: number): void => {
    if (Array.isArray(list) !== depth < dims.length) throw unequal();
    if (!Array.isArray(list)) items.push(read(list));
    else if (list.length !== dims[depth]) throw unequal();
    else for (const item of list) level(item, depth + 1);
  };
  level(value, 0);
  const lower = dims.map(() => 1);
  return checkedArray(elem, dims, lower, items);
}

function unequal(): SqlError {
  return new SqlError('2202E', 'multidimensional arrays must have sub-arrays with matching dimensions');
}
