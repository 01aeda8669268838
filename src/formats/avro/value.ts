/**
 * An Avro value as a value of a column's type.
 *
 * | Avro                | column                     | value                                                                              |
 * |---------------------|----------------------------|------------------------------------------------------------------------------------|
 * | null                | any                        | NULL                                                                               |
 * | union               | any                        | that of the branch                                                                 |
 * | a scalar            | any but json, jsonb        | what cast.ts makes of the value of the type that it is like (scalar.ts)             |
 * | string              | json, jsonb                | the JSON text that it is: Avro has no other place for one                          |
 * | any other           | json, jsonb                | what json_text.ts makes of it                                                      |
 * | array               | array                      | its items, each by this table; nested arrays must have equal lengths               |
 * | record, map, array  | any other                  | the type's text input of the JSON text: good for text, else an error               |
 *
 * Whether a value fits is found when it is read: a branch of a union that is never there does no harm.
 */
import { type Datum, isPgArray, type PgArray, pgArray } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { checkItems, MAX_DIMS, tooManyDims } from '../../../operators/expr/array/value.ts';
import { elementType, isArrayType } from '../../../operators/expr/array_types.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { inputText } from '../../../operators/expr/io/index.ts';
import { type ColType, colType } from '../../../operators/types.ts';
import { castOf, isJson } from '../cast.ts';
import type { AvroBytes } from './bytes.ts';
import { type JsonReader, jsonReader } from './json_text.ts';
import { type Scalar, scalarOf } from './scalar.ts';
import type { AvroType } from './schema.ts';

export type ValueReader = (from: AvroBytes) => Datum;

const CONTEXT = defaultContext();

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

function jsonValue(type: AvroType, column: ColType, known: Map<AvroType, JsonReader>): ValueReader {
  const read = jsonReader(type, known);
  return (from) => inputText(read(from), column, CONTEXT);
}

/** An array, perhaps one that may be null. */
function isNested(type: AvroType): boolean {
  return type.k === 'array' || (type.k === 'union' && type.branches.some((branch) => branch.k === 'array'));
}

function scalarReader({ oid, read }: Scalar, column: ColType): ValueReader {
  if (oid === column.oid && column.typmod === -1) return read;
  const cast = castOf(oid, column);
  return (from) => cast(read(from), from.context);
}

/** `item` reads elements, or arrays of them. */
function arrayReader(item: ValueReader, element: number): ValueReader {
  return (from) => {
    const items: Datum[] = [];
    from.blocks(() => {
      checkItems(items.length + 1);
      items.push(item(from));
    });
    const inner = items.find(isPgArray);
    return inner === undefined ? pgArray(element, items) : arrayOfArrays(items, inner, element);
  };
}

function arrayOfArrays(items: Datum[], first: PgArray, element: number): PgArray {
  const same = (value: Datum): value is PgArray => isPgArray(value) && String(value.dims) === String(first.dims);
  if (!items.every(same)) {
    throw new SqlError('22P02', 'malformed Avro array', {
      detail: 'Multidimensional arrays must have sub-arrays with matching dimensions.',
    });
  }
  if (first.dims.length === 0) return pgArray(element, []);
  const dims = [items.length, ...first.dims];
  if (dims.length > MAX_DIMS) throw tooManyDims(dims.length);
  checkItems(items.length * first.items.length);
  return { k: 'array', elem: element, dims, lower: dims.map(() => 1), items: items.flatMap((value) => value.items) };
}
