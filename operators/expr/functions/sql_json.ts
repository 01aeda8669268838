/**
 * The functions that SQL/JSON syntax is bound to; they have no names of their own in PostgreSQL.
 *
 *   sql_json(document jsonb, path jsonpath, options, value when empty, value on error, variables...)   JSON_VALUE and its kin
 *   json_table(document jsonb, table, record of variables and defaults)                                 JSON_TABLE
 *   is_json(value, kind, unique keys)                                                                  IS JSON
 *   json_unique_keys(json)                                                                             JSON(... WITH UNIQUE KEYS)
 */
import type { Datum, PgRecord } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { readTable, tableRows } from '../json/jsonpath/json_table.ts';
import { parsePath } from '../json/jsonpath/parse.ts';
import { Latest } from '../json/jsonpath/path.ts';
import { passedVariables, type QueryOptions, sqlJson } from '../json/jsonpath/query_functions.ts';
import { decodeString, type JsonNode, parseJson } from '../json/parse.ts';
import { parseJsonb } from '../json/value.ts';
import { type CallInfo, register, registerTyped, registerTypedSet } from './registry.ts';

class Site {
  readonly paths = new Latest(parsePath);
  readonly options = new Latest((text) => JSON.parse(text) as QueryOptions & { names: string[] });
  readonly tables = new Latest(readTable);
}
const sites = new WeakMap<CallInfo, Site>();

function siteOf(call: CallInfo): Site {
  const site = sites.get(call) ?? new Site();
  sites.set(call, site);
  return site;
}

registerTyped('sql_json(any)', (args, call, ctx) => {
  const [document, path, options, whenEmpty, whenError, ...values] = args;
  if (document === null || path === null) return null;
  const site = siteOf(call);
  const { names, ...said } = site.options.of(options as string);
  const passed = values.map((value, i) => ({ value, oid: call.argTypes[i + 5].oid }));
  return sqlJson(
    {
      target: parseJsonb(document as string),
      path: site.paths.of(path as string),
      options: said,
      whenEmpty,
      whenError,
      vars: passedVariables(names, passed, ctx),
      type: call.resultType,
    },
    ctx,
  );
});

registerTypedSet('json_table(any)', ([document, table, values], call, ctx) => {
  const { types, values: given } = values as PgRecord;
  const passed = given.map((value, i) => ({ value, oid: types[i] }));
  return tableRows(siteOf(call).tables.of(table as string), parseJsonb(document as string), passed, ctx);
});

/** Whether an object within has a key twice. Escapes are looked at, as they are in keys that are compared. */
function repeatsKeys(node: JsonNode): boolean {
  if (node.kind === 'string') decodeString(node);
  if (node.kind === 'array') return node.items.some(repeatsKeys);
  if (node.kind !== 'object') return false;
  const keys = new Set(node.entries.map((e) => decodeString(e.key)));
  return keys.size < node.entries.length || node.entries.some((e) => repeatsKeys(e.value));
}

/** What is read is no JSON: the syntax, or an escape that stands for no character. */
const NOT_JSON: ReadonlySet<string> = new Set(['22P02', '22P05']);

function isJson(text: string, kind: string, unique: boolean): boolean {
  try {
    const node = parseJson(text);
    const isContainer = node.kind === 'array' || node.kind === 'object';
    if (kind === 'scalar' ? isContainer : kind !== 'any' && node.kind !== kind) return false;
    return !unique || !repeatsKeys(node);
  } catch (e) {
    if (e instanceof SqlError && NOT_JSON.has(e.sqlstate)) return false;
    throw e;
  }
}

registerTyped('is_json(any)', ([value, kind, unique]: Datum[], call) => {
  const text = call.argTypes[0].oid === OID.bytea ? Buffer.from(value as Uint8Array).toString('utf8') : value;
  return isJson(text as string, kind as string, unique === true);
});

register('json_unique_keys(json)', (text: string) => {
  if (repeatsKeys(parseJson(text))) throw new SqlError('22030', 'duplicate JSON object key value');
  return text;
});
