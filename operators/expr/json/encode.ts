/**
 * SQL values as JSON: what to_json, row_to_json, json_build_object and the JSON aggregates write.
 *
 *   int, float, numeric   as they are, in quotes when they are NaN or infinite
 *   date, timestamp[tz]   ISO 8601 with a T, whatever DateStyle says
 *   json, jsonb           themselves          arrays, records     [1,2] and {"f1":1}
 *   anything else         its text as a JSON string
 */
import { type Datum, decimal, isDecimal, isPgArray, isRecord, type PgArray, type PgRecord } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { isArrayType } from '../array_types.ts';
import { isoDateText, isoTimestampText } from '../datetime/output.ts';
import { parseDecimal } from '../decimal/text.ts';
import { outputText } from '../io/registry.ts';
import type { EvalContext } from '../ir.ts';
import { compareKeys, type Json, jsonbText, parseJsonb, quoteJson } from './value.ts';

const NUMBERS = new Set<number>([OID.int2, OID.int4, OID.int8, OID.float4, OID.float8, OID.numeric]);
const JSON_NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/** JSON text of a value of a type; NULL is `null`. `pretty` puts line feeds between rows and fields of the outer level. */
export function jsonOf(d: Datum, oid: number, ctx: EvalContext, pretty = false): string {
  if (d === null) return 'null';
  if (oid === OID.bool) return String(d);
  if (oid === OID.json || oid === OID.jsonb) return d as string;
  if (isArrayType(oid)) return arrayJson(d as PgArray, ctx, pretty);
  if (isRecord(d)) return recordJson(d, ctx, pretty);
  if (NUMBERS.has(oid)) {
    const text = outputText(d, oid, ctx);
    return JSON_NUMBER.test(text) ? text : quoteJson(text);
  }
  return quoteJson(scalarOf(d, oid, ctx));
}

function scalarOf(d: Datum, oid: number, ctx: EvalContext): string {
  switch (oid) {
    case OID.date:
      return isoDateText(d as number);
    case OID.timestamp:
      return isoTimestampText(d as bigint, null);
    case OID.timestamptz:
      return isoTimestampText(d as bigint, ctx);
    default:
      return outputText(d, oid, ctx);
  }
}

function arrayJson(a: PgArray, ctx: EvalContext, pretty: boolean): string {
  if (a.dims.length === 0) return '[]';
  const separator = pretty ? ',\n ' : ',';
  let at = 0;
  const level = (depth: number): string => {
    const parts: string[] = [];
    for (let i = 0; i < a.dims[depth]; i++) {
      parts.push(depth === a.dims.length - 1 ? jsonOf(a.items[at++], a.elem, ctx) : level(depth + 1));
    }
    return `[${parts.join(depth === 0 ? separator : ',')}]`;
  };
  return level(0);
}

/** Those of fields without names, by how many there are. */
const namesOfUnnamed: string[][] = [];

function namesOf({ names, values }: PgRecord): string[] {
  if (names !== undefined) return names;
  namesOfUnnamed[values.length] ??= values.map((_, i) => `f${i + 1}`);
  return namesOfUnnamed[values.length];
}

function recordJson(r: PgRecord, ctx: EvalContext, pretty: boolean): string {
  const separator = pretty ? ',\n ' : ',';
  const names = namesOf(r);
  return `{${r.values.map((v, i) => `${quoteJson(names[i])}:${jsonOf(v, r.types[i], ctx)}`).join(separator)}}`;
}

/** The jsonb value of a value of a type. */
export function jsonbOf(d: Datum, oid: number, ctx: EvalContext): Json {
  if (d === null || typeof d === 'boolean') return d;
  if (isPgArray(d)) return arrayJsonb(d, ctx);
  if (isRecord(d)) return recordJsonb(d, ctx);
  if (oid === OID.json || oid === OID.jsonb) return parseJsonb(d as string);
  return NUMBERS.has(oid) ? numberJsonb(d, oid, ctx) : scalarOf(d, oid, ctx);
}

function numberJsonb(d: Datum, oid: number, ctx: EvalContext): Json {
  if (typeof d === 'bigint') return decimal(d);
  if (typeof d === 'number' && oid !== OID.float4 && oid !== OID.float8) return decimal(BigInt(d));
  if (isDecimal(d) && d.special === undefined) return d;
  const text = outputText(d, oid, ctx);
  return JSON_NUMBER.test(text) ? parseDecimal(text) : text;
}

/** An object's key: which name of a record it is, and what its text begins with. */
interface Key {
  place: number;
  before: string;
}

/** For lists of names, which rows share: the keys in their order; of equal ones the last. */
const orders = new WeakMap<string[], Key[]>();

function orderOf(names: string[]): Key[] {
  let order = orders.get(names);
  if (order === undefined) {
    const places = new Map(names.map((name, i) => [name, i]));
    const sorted = [...places].sort((a, b) => compareKeys(a[0], b[0]));
    order = sorted.map(([name, place]) => ({ place, before: `${quoteJson(name)}: ` }));
    orders.set(names, order);
  }
  return order;
}

function recordJsonb(r: PgRecord, ctx: EvalContext): Json {
  const names = namesOf(r);
  const entries = orderOf(names).map(({ place }): [string, Json] => [
    names[place],
    jsonbOf(r.values[place], r.types[place], ctx),
  ]);
  return { k: 'object', entries };
}

function arrayJsonb(a: PgArray, ctx: EvalContext): Json {
  let at = 0;
  const level = (depth: number): Json => {
    if (depth === a.dims.length) return jsonbOf(a.items[at++], a.elem, ctx);
    return Array.from({ length: a.dims[depth] }, () => level(depth + 1));
  };
  return a.dims.length === 0 ? [] : level(0);
}

/** jsonb datum of a value: the text of jsonbOf(), without the tree. */
export function jsonbDatumOf(d: Datum, oid: number, ctx: EvalContext): string {
  if (d === null) return 'null';
  if (isPgArray(d)) return arrayJsonbText(d, ctx);
  if (isRecord(d)) return recordJsonbText(d, ctx);
  switch (oid) {
    case OID.bool:
      return String(d);
    case OID.int2:
    case OID.int4:
    case OID.int8:
      return String(d);
    case OID.text:
    case OID.varchar:
      return quoteJson(d as string);
    case OID.jsonb:
      return d as string;
    case OID.float8: {
      // What JavaScript writes without an exponent are the same shortest digits; -0 is 0 in both.
      const text = ctx.extraFloatDigits > 0 ? String(d) : '';
      return /^[-\d.]+$/.test(text) ? text : jsonbText(numberJsonb(d, oid, ctx));
    }
    default:
      return jsonbText(jsonbOf(d, oid, ctx));
  }
}

/** jsonb array of the texts of its items. */
export function jsonbArrayText(items: string[]): string {
  return `[${items.join(', ')}]`;
}

/** jsonb object of keys and the texts of their values, in any order; of equal keys the last wins. */
export function jsonbObjectText(entries: Iterable<[string, string]>): string {
  const sorted = [...new Map(entries)].sort((a, b) => compareKeys(a[0], b[0]));
  return `{${sorted.map(([key, text]) => `${quoteJson(key)}: ${text}`).join(', ')}}`;
}

function recordJsonbText(r: PgRecord, ctx: EvalContext): string {
  const order = orderOf(namesOf(r));
  let text = '{';
  for (let i = 0; i < order.length; i++) {
    const { place, before } = order[i];
    text += i === 0 ? before : `, ${before}`;
    text += jsonbDatumOf(r.values[place], r.types[place], ctx);
  }
  return `${text}}`;
}

function arrayJsonbText(a: PgArray, ctx: EvalContext): string {
  let at = 0;
  const level = (depth: number): string => {
    if (depth === a.dims.length) return jsonbDatumOf(a.items[at++], a.elem, ctx);
    return jsonbArrayText(Array.from({ length: a.dims[depth] }, () => level(depth + 1)));
  };
  return a.dims.length === 0 ? '[]' : level(0);
}

/** The text of a value used as an object key; NULL is 22004, and arrays, records and json are refused. */
export function keyOf(d: Datum, oid: number, ctx: EvalContext): string {
  if (d === null) throw new SqlError('22004', 'null value not allowed for object key');
  if (oid === OID.json || oid === OID.jsonb || isPgArray(d) || isRecord(d)) {
    throw new SqlError('22023', 'key value must be scalar, not array, composite, or json');
  }
  if (oid === OID.bool) return String(d);
  return NUMBERS.has(oid) ? outputText(d, oid, ctx) : scalarOf(d, oid, ctx);
}
