/**
 * A JSON value as a value of a column's type: what json_populate_record of PostgreSQL does, and one thing more.
 *
 * | JSON            | column                                | value                                                               |
 * |-----------------|---------------------------------------|---------------------------------------------------------------------|
 * | null            | any                                   | NULL                                                                |
 * | any             | json, jsonb                           | the value itself; a string with its escapes resolved                |
 * | array           | array                                 | its items, likewise; nested arrays must have equal lengths          |
 * | string          | any other                             | the type's text input of the characters                             |
 * | number          | timestamp, timestamptz                | milliseconds since 1970 (PostgreSQL refuses these)                   |
 * | number, boolean | any other                             | the type's text input of the text as written, so 1.0 is no integer  |
 * | object, array   | any other                             | the type's text input of the JSON text: good for text, else an error |
 */
import { type Datum, type Decimal, type PgArray, pgArray } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { MAX_DIMS, tooManyDims } from '../../../operators/expr/array/value.ts';
import { arrayTypeOf, elementType, isArrayType as isArray } from '../../../operators/expr/array_types.ts';
import { EPOCH_DIFF_MICROS, timestampInRange } from '../../../operators/expr/datetime/calendar.ts';
import { coerceTypmod, inputText } from '../../../operators/expr/io/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { decodeString, type JsonArrayNode, type JsonNode } from '../../../operators/expr/json/parse.ts';
import { quoteJson } from '../../../operators/expr/json/value.ts';
import { type ColType, colType, isTimestamp, OID } from '../../../operators/types.ts';
import { isJson } from '../cast.ts';

/** int2vector and oidvector are written as text. */
export function isArrayType(oid: number): boolean {
  return isArray(oid) && arrayTypeOf(elementType(oid)) === oid;
}

/** The datum of `node`, a part of `text`. Throws SqlError as PostgreSQL's input functions do. */
export function datumOfJson(node: JsonNode, text: string, type: ColType, ctx: EvalContext): Datum {
  if (node.kind === 'null') return null;
  const source = text.slice(node.start, node.end);
  if (isJson(type.oid)) {
    return inputText(node.kind === 'string' ? quoteJson(decodeString(node)) : source, type, ctx);
  }
  if (node.kind === 'string') return inputText(decodeString(node), type, ctx);
  if (isArrayType(type.oid)) return arrayOf(node, type, (item, element) => datumOfJson(item, text, element, ctx));
  if (node.kind === 'number' && isTimestamp(type.oid)) {
    return coerceTypmod(epochMilliseconds(source, ctx), type, false);
  }
  return inputText(source, type, ctx);
}

/** A JSON array as an array of this type; `datumOf` makes its items. */
export function arrayOf(node: JsonNode, type: ColType, datumOf: (item: JsonNode, element: ColType) => Datum): PgArray {
  if (node.kind !== 'array') throw new SqlError('22P02', 'expected JSON array');
  const element = colType(elementType(type.oid), type.typmod);
  const dims: number[] = [];
  for (let inner: JsonNode = node; inner.kind === 'array'; inner = inner.items[0]) {
    if (isJson(element.oid) && dims.length > 0) break;
    if (dims.length === MAX_DIMS) throw tooManyDims(MAX_DIMS + 1);
    dims.push(inner.items.length);
    if (inner.items.length === 0) break;
  }
  const items: Datum[] = [];
  collect(node, element, dims, 0, (item) => items.push(datumOf(item, element)));
  if (items.length === 0) return pgArray(element.oid, []);
  return { k: 'array', elem: element.oid, dims, lower: dims.map(() => 1), items };
}

function collect(
  node: JsonArrayNode,
  element: ColType,
  dims: number[],
  depth: number,
  push: (item: JsonNode) => void,
): void {
  if (node.items.length !== dims[depth]) throw malformedArray();
  const last = depth === dims.length - 1;
  for (const item of node.items) {
    if (last) {
      if (item.kind === 'array' && !isJson(element.oid)) throw malformedArray();
      push(item);
    } else if (item.kind === 'array') collect(item, element, dims, depth + 1, push);
    else throw malformedArray();
  }
}

function malformedArray(): SqlError {
  return new SqlError('22P02', 'malformed JSON array', {
    detail: 'Multidimensional arrays must have sub-arrays with matching dimensions.',
  });
}

/** Rounds to microseconds, halves away from zero. */
function epochMilliseconds(text: string, ctx: EvalContext): bigint {
  const { m, s } = inputText(text, colType(OID.numeric), ctx) as Decimal;
  const scaled = m * 1000n;
  const unit = 10n ** BigInt(s);
  const magnitude = ((scaled < 0n ? -scaled : scaled) * 2n + unit) / (unit * 2n);
  const value = (scaled < 0n ? -magnitude : magnitude) - EPOCH_DIFF_MICROS;
  if (timestampInRange(value)) return value;
  throw new SqlError('22008', `timestamp out of range: "${text}"`);
}
