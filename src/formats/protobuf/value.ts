/**
 * What was found of a field as a value of its column's type.
 *
 * | Protobuf                  | column         | value                                                                                  |
 * |---------------------------|----------------|----------------------------------------------------------------------------------------|
 * | not there, with presence  | any            | the column's DEFAULT, else NULL                                                         |
 * | not there, without        | any            | its zero: 0, '', false, the label of 0, an empty array or object                        |
 * | string, StringValue       | json, jsonb    | the JSON text that it is                                                                |
 * | any other                 | json, jsonb    | json_text.ts                                                                            |
 * | repeated                  | array          | its items, each by this table                                                           |
 * | enum                      | int, ...       | its number                                                                              |
 * | a scalar                  | any other      | what cast.ts makes of the value of the type that it is like (scalar.ts)                 |
 * | message, map, repeated    | any other      | the type's text input of the JSON text: good for text, else an error                    |
 */
import { type Datum, pgArray } from '../../../operators/datum.ts';
import { elementType, isArrayType } from '../../../operators/expr/array_types.ts';
import { inputText } from '../../../operators/expr/io/index.ts';
import { type ColType, colType, OID } from '../../../operators/types.ts';
import { type Cast, castOf, isJson } from '../cast.ts';
import type { ProtobufBytes } from './bytes.ts';
import type { JsonTexts } from './json_text.ts';
import { readInt32, type Scalar, scalarOf } from './scalar.ts';
import { type Found, readAll, readOne } from './scan.ts';
import type { Field } from './schema.ts';

/** Undefined: it is not there. */
export type ValueReader = (from: ProtobufBytes, found: Found) => Datum | undefined;

/** What a field that has a zero is when it is not there. */
const ZEROS = Buffer.alloc(8);
const INTEGERS: number[] = [OID.int2, OID.int4, OID.int8];

export function valueReader(field: Field, column: ColType, texts: JsonTexts): ValueReader {
  const scalar = scalarFor(field, field.repeated ? elementOf(column) : column);
  if (scalar === null || (field.repeated && !isArrayType(column.oid))) return jsonValue(field, column, texts);
  if (field.repeated) return arrayReader(scalar, elementOf(column));
  const cast = castOf(scalar.oid, column);
  const read = (from: ProtobufBytes) => cast(scalar.read(from), from.context);
  const zeroLength = field.type.k === 'string' || field.type.k === 'bytes' ? 0 : ZEROS.length;
  return (from, found) => {
    if (found.length > 0) return readOne(from, field, found, read);
    return field.presence ? undefined : from.within(ZEROS, 0, zeroLength, () => read(from));
  };
}

function elementOf(column: ColType): ColType {
  return isArrayType(column.oid) ? colType(elementType(column.oid), column.typmod) : column;
}

/** Null: it is read as JSON text. */
function scalarFor({ type }: Field, column: ColType): Scalar | null {
  if (type.k === 'enum' && INTEGERS.includes(column.oid)) return { oid: OID.int4, read: readInt32 };
  const scalar = scalarOf(type);
  if (!isJson(column.oid)) return scalar;
  // Other texts are no JSON texts: a label is a JSON string.
  return scalar?.oid === OID.text && type.k !== 'enum' ? scalar : null;
}

function arrayReader({ oid, read }: Scalar, element: ColType): ValueReader {
  const cast: Cast = castOf(oid, element);
  return itemsReader(element, (from) => cast(read(from), from.context));
}

function itemsReader({ oid }: ColType, item: (from: ProtobufBytes) => Datum): ValueReader {
  return (from, found) => {
    const items: Datum[] = [];
    readAll(from, found, () => items.push(item(from)));
    return pgArray(oid, items);
  };
}

function jsonValue(field: Field, column: ColType, texts: JsonTexts): ValueReader {
  if (field.repeated && isArrayType(column.oid)) {
    const element = elementOf(column);
    const item = texts.value(field.type);
    return itemsReader(element, (from) => inputText(item(from), element, from.context));
  }
  const text = texts.field(field);
  return (from, found) => {
    const value = text(from, found);
    return value === null ? undefined : inputText(value, column, from.context);
  };
}
