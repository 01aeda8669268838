/**
 * JSON_TABLE in FROM: a set-returning function over the document, with the table's paths and columns as a constant and the values of
 * PASSING and DEFAULT as a record, which is not NULL whatever they are.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { Column, JsonTable, Rows } from '../../operators/expr/json/jsonpath/json_table.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import type { PgNode } from '../parse/ast.ts';
import { isArray, RECORD, TEXT } from './coercion.ts';
import { rowsItem } from './from_function.ts';
import type { FromItem } from './from_item.ts';
import {
  asJsonb,
  asPath,
  type Behaved,
  bindBehaviour,
  bindPassing,
  refuseQuotes,
  refuseUnreadable,
  wrapperOf,
} from './json_query.ts';
import type { Level } from './level.ts';
import { locationOf } from './node.ts';

interface Found {
  columns: { name: string; type: ColType }[];
  /** Names of columns and paths: none may come twice. */
  names: Set<string>;
  /** Values of PASSING, then of DEFAULT. */
  values: Expr[];
}

export function bindJsonTable(level: Level, c: PgNode): FromItem {
  const at = locationOf(c);
  const saved = level.lateralActive;
  level.lateralActive = true;
  const { document, table, found } = level.inClause('from_function', () => bindParts(level, c));
  level.lateralActive = saved;
  const args: Expr[] = [
    document,
    { k: 'const', v: JSON.stringify(table), t: TEXT },
    { k: 'row', items: found.values, t: RECORD },
  ];
  const rows = { fn: 'json_table(any)', args };
  return rowsItem(level, { name: 'json_table', columns: found.columns, rows, location: at }, c.alias);
}

function bindParts(level: Level, c: PgNode): { document: Expr; table: JsonTable; found: Found } {
  const document = asJsonb(level, level.bind(c.context_item.raw_expr));
  const { names, values } = bindPassing(level, c);
  const found: Found = { columns: [], names: new Set(), values };
  const rows = bindRows(level, c, found);
  return {
    document,
    table: { names, width: found.columns.length, errors: tellsErrors(level, c.on_error), rows },
    found,
  };
}

function tellsErrors(level: Level, node: PgNode | undefined): boolean {
  if (!node) return false;
  if (node.btype === 'JSON_BEHAVIOR_ERROR') return true;
  if (node.btype === 'JSON_BEHAVIOR_EMPTY' || node.btype === 'JSON_BEHAVIOR_EMPTY_ARRAY') return false;
  throw level.error('42601', 'invalid ON ERROR behavior', locationOf(node), {
    detail: 'Only EMPTY [ ARRAY ] or ERROR is allowed in the top-level ON ERROR clause.',
  });
}

/** A path with its columns: the whole table, or a NESTED one. */
function bindRows(level: Level, c: PgNode, found: Found): Rows<string> {
  if (c.pathspec.name) claim(level, found, c.pathspec.name, c.pathspec.name_location);
  const rows: Rows<string> = { path: constantPath(level, c.pathspec.string), columns: [], nested: [] };
  const columns = (c.columns as PgNode[]).map((node) => node.JsonTableColumn);
  const isNested = (column: PgNode) => column.coltype === 'JTC_NESTED';
  // Its own columns stand before those of nested paths, wherever they are written.
  for (const own of columns.filter((x) => !isNested(x))) rows.columns.push(bindColumn(level, own, found));
  for (const nested of columns.filter(isNested)) rows.nested.push(bindRows(level, nested, found));
  return rows;
}

function claim(level: Level, found: Found, name: string, location: number): void {
  if (found.names.has(name)) {
    throw level.error('42712', `duplicate JSON_TABLE column or path name: ${name}`, location);
  }
  found.names.add(name);
}

function constantPath(level: Level, node: PgNode): string {
  const path = asPath(level, level.bind(node));
  if (path.k === 'const' && typeof path.v === 'string') return path.v;
  throw level.error('0A000', 'only string constants are supported in JSON_TABLE path specification', locationOf(node));
}

function bindColumn(level: Level, c: PgNode, found: Found): Column<string> {
  const at = found.columns.length;
  const location = locationOf(c);
  claim(level, found, c.name, location);
  if (c.coltype === 'JTC_FOR_ORDINALITY') {
    found.columns.push({ name: c.name, type: colType(OID.int4) });
    return { k: 'ordinality', at };
  }
  const type = level.typeNamed(c.typeName, location);
  refuseUnreadable(level, type, location);
  found.columns.push({ name: c.name, type });
  const wrapper = wrapperOf(c);
  const omitQuotes = c.quotes === 'JS_QUOTES_OMIT';
  refuseQuotes(level, wrapper, omitQuotes, location);
  const said = (c.quotes ?? 'JS_QUOTES_UNSPEC') !== 'JS_QUOTES_UNSPEC' || (c.wrapper ?? 'JSW_UNSPEC') !== 'JSW_UNSPEC';
  const whole = type.oid === OID.json || type.oid === OID.jsonb || isArray(type);
  const formatted = c.coltype === 'JTC_FORMATTED' || whole || said;
  const op = c.coltype === 'JTC_EXISTS' ? 'exists' : formatted ? 'query' : 'value';
  const empty = bindBehaviour(level, op, 'ON EMPTY', c.on_empty, type, c.name);
  const error = bindBehaviour(level, op, 'ON ERROR', c.on_error, type, c.name);
  const given = (b: Behaved): number => (b.is === 'default' ? found.values.push(b.value) - 1 : -1);
  return {
    k: 'value',
    at,
    name: c.name,
    path: c.pathspec ? constantPath(level, c.pathspec.string) : keyPath(c.name),
    options: {
      op,
      wrapper,
      omitQuotes,
      onEmpty: empty.is ?? 'null',
      onError: error.is ?? (op === 'exists' ? 'false' : 'null'),
    },
    type,
    whenEmpty: given(empty),
    whenError: given(error),
  };
}

/** The path of a column that gives none: the key of its name. */
function keyPath(name: string): string {
  return `$.${JSON.stringify(name)}`;
}
