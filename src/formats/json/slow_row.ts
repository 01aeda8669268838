/**
 * One message read exactly, by the JSON parser and the types' own text input: for messages that the fast readers find odd, and the
 * definition of what every message means. Throws RowError for a message that gives no row.
 */
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { inputText } from '../../../operators/expr/io/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { decodeString, type JsonNode, parseJson } from '../../../operators/expr/json/parse.ts';
import type { Defaults } from '../defaults.ts';
import type { SourceColumn } from '../format.ts';
import { datumOfJson } from './value.ts';

/** Why a record gives no row. */
export class RowError extends Error {
  readonly sqlstate: string;
  readonly column: string | null;

  constructor(sqlstate: string, message: string, column: string | null) {
    super(message);
    this.sqlstate = sqlstate;
    this.column = column;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The characters of a message; 22021 when they are not UTF-8. */
export function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new RowError('22021', 'invalid byte sequence for encoding "UTF8"', null);
  }
}

/** Values of the columns at `fields` from a message that is a JSON object; missing ones have their default. */
export function readObject(
  text: string,
  columns: SourceColumn[],
  fields: number[],
  defaults: Defaults,
  ctx: EvalContext,
): Datum[] {
  const node = guarded(null, () => parseJson(text));
  if (node.kind !== 'object') throw new RowError('22023', `the message is a JSON ${nameOf(node)}, not an object`, null);
  const values = new Map<string, JsonNode>();
  for (const { key, value } of node.entries)
    values.set(
      guarded(null, () => decodeString(key)),
      value,
    );
  return fields.map((field) => {
    const column = columns[field];
    const value = column.origin.k === 'field' ? values.get(column.origin.name) : undefined;
    if (value === undefined) return missing(field, column, defaults);
    return checked(column, convert(value, text, column, ctx));
  });
}

/** The one key column from a key that is no JSON object: a JSON value, or else the key's own characters. */
export function readScalarKey(text: string, column: SourceColumn, ctx: EvalContext): Datum {
  let node: JsonNode | null = null;
  try {
    node = parseJson(text);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
  }
  if (node !== null) return checked(column, convert(node, text, column, ctx));
  return guarded(column.name, () => inputText(text, column.type, ctx));
}

/** The value of a column whose field is not there. */
export function missing(field: number, column: SourceColumn, defaults: Defaults): Datum {
  return checked(
    column,
    guarded(column.name, () => defaults.value(field)),
  );
}

function convert(node: JsonNode, text: string, column: SourceColumn, ctx: EvalContext): Datum {
  return guarded(column.name, () => datumOfJson(node, text, column.type, ctx));
}

export function checked(column: SourceColumn, value: Datum): Datum {
  if (value !== null || !column.notNull) return value;
  throw new RowError('23502', `null value in column "${column.name}" violates not-null constraint`, column.name);
}

function nameOf(node: JsonNode): string {
  return node.kind === 'true' || node.kind === 'false' ? 'boolean' : node.kind;
}

/** An error of a type's input is the row's. */
export function guarded<T>(column: string | null, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof SqlError) throw new RowError(error.sqlstate, messageOf(error), column);
    throw error;
  }
}

function messageOf(error: SqlError): string {
  return error.fields.detail === undefined ? error.message : `${error.message}: ${error.fields.detail}`;
}
