/**
 * jsonb values: the tree behind the canonical text that a jsonb datum is.
 *
 *   {"b": 2, "aa": [1, null]}     keys by UTF-8 length, then bytes; of equal keys the last wins; ", " and ": "
 *
 * Numbers are numerics: `1e2` is 100, `1.50` keeps its scale, `-0` is 0.
 */
import type { Decimal } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { compareDecimal } from '../decimal/compare.ts';
import { decimalToText, parseDecimal } from '../decimal/text.ts';
import { compareText } from '../text/code_points.ts';
import { decodeString, type JsonNode, parseJson } from './parse.ts';

export interface JsonObject {
  k: 'object';
  /** Sorted and without duplicates. */
  entries: [key: string, value: Json][];
}

type Scalar = null | boolean | string | Decimal;
export type Json = Scalar | Json[] | JsonObject;

export function isObject(j: Json): j is JsonObject {
  return j !== null && typeof j === 'object' && 'k' in j && j.k === 'object';
}

export function isScalar(j: Json): j is Scalar {
  return !Array.isArray(j) && !isObject(j);
}

const byteLength = (s: string) => Buffer.byteLength(s, 'utf8');

/** The order of keys within an object. */
export function compareKeys(a: string, b: string): number {
  return byteLength(a) - byteLength(b) || compareText(a, b);
}

/** An object of entries in any order; of equal keys the last wins. */
export function jsonObject(entries: Iterable<[string, Json]>): JsonObject {
  return { k: 'object', entries: [...new Map(entries)].sort((a, b) => compareKeys(a[0], b[0])) };
}

/** Value of a key, or undefined. */
export function getKey(o: JsonObject, key: string): Json | undefined {
  return o.entries.find(([k]) => k === key)?.[1];
}

/** The jsonb value of a JSON text. */
export function parseJsonb(text: string): Json {
  return jsonOfNode(parseJson(text), text);
}

/** The jsonb value of a part of a JSON text. */
function jsonOfNode(node: JsonNode, text: string): Json {
  switch (node.kind) {
    case 'null':
      return null;
    case 'true':
      return true;
    case 'false':
      return false;
    case 'string':
      return decodeString(node);
    case 'number':
      return parseNumber(text.slice(node.start, node.end));
    case 'array':
      return node.items.map((item) => jsonOfNode(item, text));
    case 'object':
      return jsonObject(node.entries.map((e): [string, Json] => [decodeString(e.key), jsonOfNode(e.value, text)]));
  }
}

function parseNumber(text: string): Decimal {
  const d = parseDecimal(text);
  if (!d) throw new SqlError('22P02', `invalid input syntax for type numeric: "${text}"`);
  return d;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that JSON must escape
const ESCAPED = /["\\\u0000-\u001f]/;
const ALL_ESCAPED = new RegExp(ESCAPED, 'g');
const SHORT: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** A JSON string literal. */
export function quoteJson(text: string): string {
  if (!ESCAPED.test(text)) return `"${text}"`;
  return `"${text.replace(ALL_ESCAPED, (c) => SHORT[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
}

/** The canonical text: the jsonb datum. */
export function jsonbText(j: Json): string {
  if (j === null) return 'null';
  if (typeof j === 'boolean') return String(j);
  if (typeof j === 'string') return quoteJson(j);
  if (Array.isArray(j)) return `[${j.map(jsonbText).join(', ')}]`;
  if (!isObject(j)) return decimalToText(j);
  return `{${j.entries.map(([key, value]) => `${quoteJson(key)}: ${jsonbText(value)}`).join(', ')}}`;
}

/** What ->> gives: strings bare, null as NULL, anything else its text. */
export function scalarText(j: Json): string | null {
  return j === null ? null : typeof j === 'string' ? j : jsonbText(j);
}

/** jsonb_typeof */
export function typeName(j: Json): string {
  if (j === null) return 'null';
  if (typeof j === 'boolean') return 'boolean';
  if (typeof j === 'string') return 'string';
  if (Array.isArray(j)) return 'array';
  return isObject(j) ? 'object' : 'number';
}

/** Equality of two scalars: numbers by value. */
function equalScalars(a: Scalar, b: Scalar): boolean {
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b;
  return compareDecimal(a, b) === 0;
}

/** a @> b. An array contains a scalar that is one of its items, at the top only. */
export function contains(a: Json, b: Json): boolean {
  if (isObject(a) || isObject(b)) return isObject(a) && isObject(b) && containsNested(a, b);
  if (Array.isArray(a)) return containsItems(a, Array.isArray(b) ? b : [b]);
  return isScalar(b) && equalScalars(a, b);
}

function containsNested(a: Json, b: Json): boolean {
  if (isObject(a)) {
    if (!isObject(b) || a.entries.length < b.entries.length) return false;
    return b.entries.every(([key, value]) => {
      const mine = getKey(a, key);
      return mine !== undefined && containsNested(mine, value);
    });
  }
  if (Array.isArray(a)) return Array.isArray(b) && containsItems(a, b);
  return isScalar(b) && equalScalars(a, b);
}

function containsItems(a: Json[], b: Json[]): boolean {
  return b.every((item) =>
    isScalar(item)
      ? a.some((x) => isScalar(x) && equalScalars(x, item))
      : a.some((x) => !isScalar(x) && containsNested(x, item)),
  );
}

/** The ? operator: a key of an object, or a string of an array or the value itself. */
export function hasKey(j: Json, key: string): boolean {
  if (isObject(j)) return getKey(j, key) !== undefined;
  return Array.isArray(j) ? j.includes(key) : j === key;
}
