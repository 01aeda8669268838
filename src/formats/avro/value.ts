/**
 * An Avro value as a value of a column's type.
 *
 * | Avro                | column                     | value                                                                              |
 * |---------------------|----------------------------|------------------------------------------------------------------------------------|
 * | null                | any                        | NULL                                                                               |
 * | union               | any                        | that of the branch                                                                 |
 * | a scalar            | the type that it is like   | itself (scalar.ts)                                                                 |
 * | timestamp-*, local- | timestamp, timestamptz     | itself, UTC where one has a zone and the other none                                |
 * | int, long           | timestamp, timestamptz     | milliseconds since 1970, as a number in a JSON message                             |
 * | string              | json, jsonb                | the JSON text that it is: Avro has no other place for one                          |
 * | any other           | json, jsonb                | what json_text.ts makes of it                                                      |
 * | array               | array                      | its items, each by this table; nested arrays must have equal lengths               |
 * | any other scalar    | any other                  | the type's text input of its text: a cast by way of text                           |
 * | record, map, array  | any other                  | the type's text input of the JSON text: good for text, else an error               |
 *
 * Whether a value fits is found when it is read: a branch of a union that is never there does no harm.
 */
import { type Datum, type PgArray, pgArray } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { elementType, isArrayType } from '../../../operators/expr/array_types.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { coerceTypmod, inputText, outputText } from '../../../operators/expr/io/index.ts';
import { type ColType, colType, OID } from '../../../operators/types.ts';
import type { AvroBytes } from './bytes.ts';
import { type JsonReader, jsonReader } from './json_text.ts';
import { type Scalar, scalarOf, timestampOf } from './scalar.ts';
import type { AvroType } from './schema.ts';

export type ValueReader = (from: AvroBytes) => Datum;

const CONTEXT = defaultContext();
const MOST_DIMENSIONS = 6;

/** `known`: readers of the schema's records as JSON text. */
export function valueReader(type: AvroType, column: ColType, known = new Map<AvroType, JsonReader>()): ValueReader {
  if (type.k === 'null') {
    return (from) => {
      from.count();
      return null;
    };
  }
  if (type.k === 'union') {
    const branches = type.branches.map((branch) => valueReader(branch, column, known));
    return (from) => branches[from.readIndex(branches.length)](from);
  }
  if (isJson(column.oid) && type.k !== 'string') return jsonValue(type, column, known);
  if (type.k === 'array' && isArrayType(column.oid)) {
    const element = colType(elementType(column.oid), column.typmod);
    const item = isNested(type.items) && !isJson(element.oid) ? column : element;
    return arrayReader(valueReader(type.items, item, known), element.oid);
  }
  const scalar = scalarOf(type);
  return scalar === null ? jsonValue(type, column, known) : scalarReader(scalar, column);
}

function isJson(oid: number): boolean {
  return oid === OID.json || oid === OID.jsonb;
}

function jsonValue(type: AvroType, column: ColType, known: Map<AvroType, JsonReader>): ValueReader {
  const read = jsonReader(type, known);
  return (from) => inputText(read(from), column, CONTEXT);
}

/** An array, perhaps one that may be null. */
function isNested(type: AvroType): boolean {
  return type.k === 'array' || (type.k === 'union' && type.branches.some((branch) => branch.k === 'array'));
}

function scalarReader({ oid, read }: Scalar, column: ColType): ValueReader {
  const isTime = column.oid === OID.timestamp || column.oid === OID.timestamptz;
  if (oid === column.oid || (isTime && (oid === OID.timestamp || oid === OID.timestamptz))) {
    if (column.typmod === -1) return read;
    return (from) => coerceTypmod(read(from), column, false);
  }
  if (isTime && (oid === OID.int4 || oid === OID.int8)) {
    return (from) => coerceTypmod(timestampOf(BigInt(read(from) as number | bigint) * 1000n), column, false);
  }
  if (oid === OID.text) return (from) => inputText(read(from) as string, column, from.context);
  if (oid === OID.bool) return (from) => inputText(String(read(from)), column, CONTEXT);
  return (from) => inputText(outputText(read(from), oid, CONTEXT), column, CONTEXT);
}

/** `item` reads elements, or arrays of them. */
function arrayReader(item: ValueReader, element: number): ValueReader {
  return (from) => {
    const items: Datum[] = [];
    from.blocks(() => items.push(item(from)));
    const inner = items.find((value): value is PgArray => isArray(value));
    return inner === undefined ? pgArray(element, items) : arrayOfArrays(items, inner, element);
  };
}

function isArray(value: Datum): value is PgArray {
  return typeof value === 'object' && value !== null && 'k' in value && value.k === 'array';
}

function arrayOfArrays(items: Datum[], first: PgArray, element: number): PgArray {
  const same = (value: Datum): value is PgArray => isArray(value) && String(value.dims) === String(first.dims);
  if (!items.every(same)) {
    throw new SqlError('22P02', 'malformed Avro array', {
      detail: 'Multidimensional arrays must have sub-arrays with matching dimensions.',
    });
  }
  if (first.dims.length === 0) return pgArray(element, []);
  const dims = [items.length, ...first.dims];
  if (dims.length > MOST_DIMENSIONS) {
    throw new SqlError(
      '54000',
      `number of array dimensions (${dims.length}) exceeds the maximum allowed (${MOST_DIMENSIONS})`,
    );
  }
  return { k: 'array', elem: element, dims, lower: dims.map(() => 1), items: items.flatMap((value) => value.items) };
}
