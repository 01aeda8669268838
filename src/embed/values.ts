/**
 * Values of JavaScript as texts of PostgreSQL, and back. Nothing is lost on the way back: what no type of JavaScript holds whole stays text.
 *
 *   boolean                           boolean
 *   smallint, integer, real, double   number
 *   bigint                            bigint
 *   bytea                             Uint8Array
 *   json, jsonb                       what JSON.parse() makes of it
 *   arrays of these                   array
 *   all others                        string: numeric, dates and times, uuid, intervals, ranges ...
 */
import { parse as parseArray } from 'postgres-array';
import { OID } from '../../operators/types.ts';
import { jsonOf, ownForm } from './json_text.ts';
import { TidemarkError } from './tidemark_error.ts';

type FromText = (text: string) => unknown;

const FROM_TEXT = new Map<number, FromText>([
  [OID.bool, (text) => text === 't'],
  [OID.int2, Number],
  [OID.int4, Number],
  [OID.oid, Number],
  [OID.float4, Number],
  [OID.float8, Number],
  [OID.int8, BigInt],
  [OID.bytea, bytesOf],
  [OID.json, JSON.parse],
  [OID.jsonb, JSON.parse],
]);

/** Reads values of a type; `element`: the type of an array's items, or 0. */
export function reader(oid: number, element: number): FromText | null {
  if (element === 0) return FROM_TEXT.get(oid) ?? null;
  const item = FROM_TEXT.get(element) ?? ((text: string) => text);
  return (text) => parseArray(text, item);
}

export function isJson(oid: number): boolean {
  return oid === OID.json || oid === OID.jsonb;
}

/** As bytea_output = hex or escape write it. */
function bytesOf(text: string): Uint8Array {
  if (text.startsWith('\\x')) return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
  const bytes = text.replace(/\\(\\|\d{3})/g, (_, said: string) =>
    said === '\\' ? '\\' : String.fromCharCode(Number.parseInt(said, 8)),
  );
  return new Uint8Array(Buffer.from(bytes, 'latin1'));
}

/** Null: NULL. An array is one of PostgreSQL unless it is for a column or parameter of JSON. */
export function textOf(value: unknown, forJson = false): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return wellFormed(value);
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      if (value instanceof Date) return timeOf(value);
      if (value instanceof Uint8Array)
        return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
      if (Array.isArray(value) && !forJson) return finite(() => arrayText(value));
      if (!forJson && typeof ownForm(value) === 'string') return textOf(ownForm(value));
      return wellFormed(finite(() => jsonOf(value)));
    default:
      throw new TidemarkError({ code: '22023', message: `a ${typeof value} is no value` });
  }
}

/** What contains itself has no end. */
export function finite<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TidemarkError({ code: '22023', message: 'an object that contains itself is no value' }, { cause: error });
  }
}

function wellFormed(text: string): string {
  if (!/[\uD800-\uDFFF]/.test(text) || Buffer.from(text).toString() === text) return text;
  throw new TidemarkError({ code: '22021', message: 'half of a surrogate pair is no character of UTF-8' });
}

function timeOf(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new TidemarkError({ code: '22007', message: 'an invalid Date is no time' });
  const text = value.toISOString();
  // Years of more than four digits have a sign there, and those before the first are BC here.
  if (!/^[+-]/.test(text)) return text.startsWith('0000') ? `0001${text.slice(4)} BC` : text;
  const year = Number(text.slice(0, 7));
  return year > 0 ? `${year}${text.slice(7)}` : `${String(1 - year).padStart(4, '0')}${text.slice(7)} BC`;
}

function arrayText(items: unknown[]): string {
  const texts = items.map((item) => {
    if (Array.isArray(item)) return arrayText(item);
    const text = textOf(item);
    return text === null ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`;
  });
  return `{${texts.join()}}`;
}
