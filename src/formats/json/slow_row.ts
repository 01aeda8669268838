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
import { checked, guarded, missing, RowError } from '../row_error.ts';
import { datumOfJson } from './value.ts';

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

/** The columns at `fields` from a message key. */
export function readKey(
  text: string,
  columns: SourceColumn[],
  fields: number[],
  defaults: Defaults,
  ctx: EvalContext,
): Datum[] {
  if (fields.length === 1 && !/^[ \t\r\n]*\{/.test(text)) return [readScalarKey(text, columns[fields[0]], ctx)];
  return readObject(text, columns, fields, defaults, ctx);
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
  return checked(
    column,
    guarded(column.name, () => inputText(text, column.type, ctx)),
  );
}

function convert(node: JsonNode, text: string, column: SourceColumn, ctx: EvalContext): Datum {
  return guarded(column.name, () => datumOfJson(node, text, column.type, ctx));
}

function nameOf(node: JsonNode): string {
  return node.kind === 'true' || node.kind === 'false' ? 'boolean' : node.kind;
}
