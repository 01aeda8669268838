/**
 * format = 'cloudevents': every message is one event; its attributes are columns of their names, and what it says is the column `data`.
 *
 * | data is                                             | json, jsonb                  | bytea                   | any other                               |
 * |-----------------------------------------------------|------------------------------|-------------------------|-----------------------------------------|
 * | JSON in the envelope                                | itself                       | its JSON text in UTF-8  | as a field of a JSON message            |
 * | a string in the envelope, its type not JSON         | a JSON string                | its characters in UTF-8 | the type's text input of it             |
 * | bytes (binary mode, data_base64), their type JSON   | the JSON text that they are  | themselves              | as a field of a JSON message            |
 * | bytes of another type                               | a JSON string                | themselves              | the type's text input of the characters |
 *
 * Bytes without a datacontenttype are JSON where the column is json or jsonb, else text. Columns that the event does not have take their DEFAULT.
 */
import type { Datum } from '../../../operators/datum.ts';
import { inputText } from '../../../operators/expr/io/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { parseJson } from '../../../operators/expr/json/parse.ts';
import { quoteJson } from '../../../operators/expr/json/value.ts';
import { type ColType, colType, OID } from '../../../operators/types.ts';
import type { RawBatch } from '../../sources/source.ts';
import { isJson } from '../cast.ts';
import type { Defaults } from '../defaults.ts';
import type { Decoder, DecoderSpec, SourceColumn } from '../format.ts';
import { datumOfJson } from '../json/value.ts';
import { type DecodedRow, type RecordReader, RowDecoder } from '../row_decoder.ts';
import { charactersOf, checked, guarded, missing } from '../row_error.ts';
import { DATA } from './attributes.ts';
import { type CloudEvent, isJsonType, type JsonPart, readEvent } from './event.ts';

const TEXT = colType(OID.text);

export function cloudeventsDecoder(spec: DecoderSpec): Decoder {
  return new RowDecoder(spec, new EventReader(spec));
}

class EventReader implements RecordReader {
  readonly #columns: SourceColumn[];

  constructor({ columns }: DecoderSpec) {
    this.#columns = columns;
  }

  read(raw: RawBatch, i: number, defaults: Defaults, ctx: EvalContext): DecodedRow[] {
    const event = readEvent(raw, i);
    const values = this.#columns.map((column, place) => {
      if (column.origin.k !== 'field') return null;
      const value = guarded(column.name, () => columnValue(event, column, ctx));
      return value === undefined ? missing(place, column, defaults) : checked(column, value);
    });
    return [{ values, weight: 1 }];
  }
}

/** Undefined: the event does not have it. */
function columnValue(event: CloudEvent, { name, type, origin }: SourceColumn, ctx: EvalContext): Datum | undefined {
  if (origin.k !== 'field') throw new Error(`column ${name} is no attribute`);
  if (origin.name === DATA) return dataOf(event, type, ctx);
  const value = event.attribute(origin.name);
  if (value === undefined) return undefined;
  if (typeof value !== 'string') return datumOfJson(value.node, value.text, type, ctx);
  return inputText(isJson(type.oid) ? quoteJson(value) : value, type, ctx);
}

function dataOf(event: CloudEvent, type: ColType, ctx: EvalContext): Datum | undefined {
  const { data } = event;
  if (data === undefined) return undefined;
  const said = event.attribute('datacontenttype');
  const contentType = typeof said === 'string' ? said : undefined;
  return data instanceof Uint8Array ? ofBytes(data, contentType, type, ctx) : ofJson(data, contentType, type, ctx);
}

function ofJson({ node, text }: JsonPart, contentType: string | undefined, type: ColType, ctx: EvalContext): Datum {
  if (type.oid !== OID.bytea) return datumOfJson(node, text, type, ctx);
  const isText = node.kind === 'string' && !isJsonType(contentType);
  const content = isText ? (datumOfJson(node, text, TEXT, ctx) as string) : text.slice(node.start, node.end);
  return new Uint8Array(Buffer.from(content, 'utf8'));
}

function ofBytes(bytes: Uint8Array, contentType: string | undefined, type: ColType, ctx: EvalContext): Datum {
  if (type.oid === OID.bytea) return new Uint8Array(bytes);
  const text = charactersOf(bytes, DATA);
  if (isJson(type.oid)) return inputText(isJsonType(contentType) ? text : quoteJson(text), type, ctx);
  // As the same event would be read in the other mode.
  if (contentType !== undefined && isJsonType(contentType)) return datumOfJson(parseJson(text), text, type, ctx);
  return inputText(text, type, ctx);
}
