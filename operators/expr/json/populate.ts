/** JSON values as values of SQL types: rows of given columns (json_to_record and json_to_recordset), results of JSON_QUERY. */
import { type Datum, type PgArray, pgArray } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { colType, OID } from '../../types.ts';
import { checkedArray, MAX_DIMS, tooManyDims } from '../array/value.ts';
import { elementType, isArrayType } from '../array_types.ts';
import { inputText } from '../io/registry.ts';
import type { EvalContext } from '../ir.ts';
import { decodeString, type JsonNode, type JsonObjectNode } from './parse.ts';
import type { RowColumn } from './row_description.ts';

/** One value per column: the last member of that name converted to the column's type, NULL where there is none. */
export function rowOfObject(text: string, node: JsonObjectNode, columns: RowColumn[], ctx: EvalContext): Datum[] {
  const members = new Map(node.entries.map((e) => [decodeString(e.key), e.value]));
  return columns.map((c) => {
    const value = members.get(c.name);
    return value === undefined ? null : datumOf(text, value, c, ctx);
  });
}

/** A part of a JSON text as a value of the column's type. */
export function datumOf(text: string, node: JsonNode, column: RowColumn, ctx: EvalContext): Datum {
  const { type } = column;
  if (node.kind === 'null') return null;
  const written = text.slice(node.start, node.end);
  if (type.oid === OID.json || type.oid === OID.jsonb) return inputText(written, type, ctx);
  if (node.kind === 'string') return inputText(decodeString(node), type, ctx);
  if (isArrayType(type.oid)) return arrayOf(text, node, column, ctx);
  return inputText(written, type, ctx);
}

function arrayOf(text: string, root: JsonNode, column: RowColumn, ctx: EvalContext): PgArray {
  const elem = elementType(column.type.oid);
  const item: RowColumn = { name: column.name, type: colType(elem, column.type.typmod) };
  const notArray = (path: number[]) => {
    const place = path.length === 0 ? 'value' : `array element ${path.map((i) => `[${i}]`).join('')}`;
    return new SqlError('22P02', 'expected JSON array', { hint: `See the ${place} of key "${column.name}".` });
  };
  if (root.kind !== 'array') throw notArray([]);
  const dims: number[] = [];
  for (let n: JsonNode | undefined = root; n?.kind === 'array'; n = n.items[0]) dims.push(n.items.length);
  if (dims.length > MAX_DIMS) throw tooManyDims(dims.length);
  const items: Datum[] = [];
  const walk = (node: JsonNode, path: number[]): void => {
    const depth = path.length;
    if (depth === dims.length) {
      if (node.kind === 'array') throw mismatch();
      items.push(datumOf(text, node, item, ctx));
      return;
    }
    if (node.kind !== 'array') throw notArray(path);
    if (node.items.length !== dims[depth]) throw mismatch();
    for (const [i, n] of node.items.entries()) walk(n, [...path, i]);
  };
  walk(root, []);
  if (items.length === 0) return pgArray(elem, []);
  return checkedArray(
    elem,
    dims,
    dims.map(() => 1),
    items,
  );
}

function mismatch(): SqlError {
  return new SqlError('22P02', 'malformed JSON array', {
    detail: 'Multidimensional arrays must have sub-arrays with matching dimensions.',
  });
}
