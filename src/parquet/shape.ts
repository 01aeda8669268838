/**
 * What the values of a Parquet column are: a tree of its types, and the text that PostgreSQL has for them.
 *
 *   leaf      a number, date, ... as it lies in the file: exact, whatever it is annotated as       list   of items
 *   struct    fields by name                                                                     map    of values by key
 *
 * Texts are bytes, one a character (latin1), so that a string is what it is in the file, be it UTF-8 or not.
 */
import type { SchemaElement, SchemaTree } from 'hyparquet';
import { defaultContext } from '../../operators/expr/context.ts';
import { EPOCH_DIFF_DAYS, EPOCH_DIFF_MICROS } from '../../operators/expr/datetime/calendar.ts';
import { outputText } from '../../operators/expr/io/index.ts';
import { OID } from '../../operators/types.ts';

export type Shape =
  /** `bare`: it is written in JSON as it is where it is a number or a truth value. */
  | { k: 'leaf'; text(value: unknown): string; bare: boolean; bytes: boolean }
  | { k: 'list'; item: Shape }
  | { k: 'struct'; fields: [name: string, shape: Shape][] }
  | { k: 'map'; value: Shape };

const CONTEXT = defaultContext();

export function shapeOf(tree: SchemaTree): Shape {
  const { element, children } = tree;
  const one =
    element.repetition_type === 'REPEATED'
      ? ({ ...tree, element: { ...element, repetition_type: 'REQUIRED' } } as SchemaTree)
      : null;
  if (one !== null) return { k: 'list', item: shapeOf(one) };
  if (children.length === 0) return leafOf(element);
  if (element.converted_type === 'LIST') {
    const [repeated] = children;
    return { k: 'list', item: shapeOf(repeated.children.length === 1 ? repeated.children[0] : unrepeated(repeated)) };
  }
  if (element.converted_type === 'MAP' && children[0].children.length === 2)
    return { k: 'map', value: shapeOf(children[0].children[1]) };
  return { k: 'struct', fields: children.map((child) => [latin1(child.element.name), shapeOf(child)]) };
}

function unrepeated(tree: SchemaTree): SchemaTree {
  return { ...tree, element: { ...tree.element, repetition_type: 'REQUIRED' } };
}

/** The same characters' UTF-8 bytes, one a character. */
export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

const { latin1Slice } = Buffer.prototype;
const characters = (value: unknown): string =>
  typeof value === 'string' ? latin1(value) : latin1Slice.call(value as Uint8Array, 0, (value as Uint8Array).length);

function leafOf(element: SchemaElement): Shape {
  const { type, converted_type: converted, logical_type: logical, scale } = element;
  const leaf = (text: (value: never) => string, bare = false, bytes = false): Shape => {
    return { k: 'leaf', text: text as (value: unknown) => string, bare, bytes };
  };
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL') {
    const digits = scale ?? (logical?.type === 'DECIMAL' ? logical.scale : 0) ?? 0;
    return leaf((value: number | bigint | Uint8Array) => decimalText(value, digits), true);
  }
  switch (type) {
    case 'BOOLEAN':
      return leaf((value: boolean) => (value ? 'true' : 'false'), true);
    case 'INT32':
      if (converted === 'DATE' || logical?.type === 'DATE') return leaf((value: number) => dateText(value));
      if (converted === 'TIME_MILLIS' || logical?.type === 'TIME')
        return leaf((value: number) => outputText(BigInt(value) * 1000n, OID.time, CONTEXT));
      if (isUnsigned(element)) return leaf((value: number) => String(value >>> 0), true);
      return leaf((value: number) => String(value), true);
    case 'INT64':
      return int64Of(element, leaf);
    case 'INT96':
      return leaf((value: bigint) => timestampText(microsOf(value, 'NANOS'), false));
    case 'FLOAT':
      return leaf((value: number) => outputText(value, OID.float4, CONTEXT), true);
    case 'DOUBLE':
      return leaf((value: number) => outputText(value, OID.float8, CONTEXT), true);
    case 'FIXED_LEN_BYTE_ARRAY':
      if (logical?.type === 'UUID') return leaf(uuidText);
      if (logical?.type === 'FLOAT16') return leaf((value: Uint8Array) => String(halfOf(value)), true);
      if (converted === 'INTERVAL') return leaf(intervalText);
      return leaf(characters, false, true);
    default:
      return leaf(characters, false, !isText(element));
  }
}

function int64Of(element: SchemaElement, leaf: (text: (value: never) => string, bare?: boolean) => Shape): Shape {
  const { converted_type: converted, logical_type: logical } = element;
  if (logical?.type === 'TIMESTAMP' || converted === 'TIMESTAMP_MILLIS' || converted === 'TIMESTAMP_MICROS') {
    const unit = logical?.type === 'TIMESTAMP' ? logical.unit : converted === 'TIMESTAMP_MILLIS' ? 'MILLIS' : 'MICROS';
    const zoned = logical?.type === 'TIMESTAMP' ? logical.isAdjustedToUTC : true;
    return leaf((value: bigint) => timestampText(microsOf(value, unit), zoned));
  }
  if (logical?.type === 'TIME' || converted === 'TIME_MICROS') {
    const unit = logical?.type === 'TIME' ? logical.unit : 'MICROS';
    return leaf((value: bigint) => outputText(microsOf(value, unit), OID.time, CONTEXT));
  }
  if (isUnsigned(element)) return leaf((value: bigint) => String(BigInt.asUintN(64, value)), true);
  return leaf((value: bigint) => String(value), true);
}

/** Nanoseconds are cut, as DuckDB and Arrow do: towards the past. */
function microsOf(value: bigint, unit: string): bigint {
  if (unit === 'MILLIS') return value * 1000n;
  if (unit === 'MICROS') return value;
  return (value - (((value % 1000n) + 1000n) % 1000n)) / 1000n;
}

function isUnsigned({ converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  return converted?.startsWith('UINT_') === true || (logical?.type === 'INTEGER' && !logical.isSigned);
}

function isText({ converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  const texts: (string | undefined)[] = ['UTF8', 'JSON', 'ENUM', 'STRING'];
  return texts.includes(converted) || texts.includes(logical?.type);
}

function decimalText(value: number | bigint | Uint8Array, scale: number): string {
  const whole = value instanceof Uint8Array ? signed(value) : BigInt(value);
  const digits = String(whole < 0n ? -whole : whole).padStart(scale + 1, '0');
  const at = digits.length - scale;
  const sign = whole < 0n ? '-' : '';
  return scale > 0 ? `${sign}${digits.slice(0, at)}.${digits.slice(at)}` : `${sign}${digits}`;
}

/** Two's complement, the first byte is the highest. */
function signed(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
}

function dateText(days: number): string {
  return outputText(days - EPOCH_DIFF_DAYS, OID.date, CONTEXT);
}

function timestampText(micros: bigint, zoned: boolean): string {
  return outputText(micros - EPOCH_DIFF_MICROS, zoned ? OID.timestamptz : OID.timestamp, CONTEXT);
}

function uuidText(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Three numbers of 32 bits, the first byte is the lowest. */
function intervalText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [months, days, milliseconds] = [0, 4, 8].map((at) => view.getUint32(at, true));
  return `${months} mons ${days} days ${milliseconds / 1000} secs`;
}

function halfOf(bytes: Uint8Array): number {
  const bits = bytes[0] | (bytes[1] << 8);
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * 2 ** -14 * fraction : sign * 2 ** (exponent - 15) * (1 + fraction);
}
