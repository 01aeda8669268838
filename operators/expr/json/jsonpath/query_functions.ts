/**
 * JSON_EXISTS, JSON_VALUE and JSON_QUERY: a path over a document, made a value of a type, with what is to happen when nothing is
 * found and when something goes wrong. Errors of the path and of the conversion go ON ERROR; those of the document's text, of variables
 * that are missing and of the path's own syntax do not.
 */
import type { Datum } from '../../../datum.ts';
import { isDecimal } from '../../../datum.ts';
import { isValueError, SqlError } from '../../../errors.ts';
import { type ColType, OID } from '../../../types.ts';
import { isArrayType } from '../../array_types.ts';
import { sessionZone } from '../../datetime/settings.ts';
import { zoneOffsetAt } from '../../datetime/time_zone.ts';
import { parseNumeric } from '../../io/numeric.ts';
import { coerceTypmod, inputText, outputText } from '../../io/registry.ts';
import type { EvalContext } from '../../ir.ts';
import type { StandardType } from '../../to_char/standard_datetime.ts';
import { jsonbOf } from '../encode.ts';
import { parseJson } from '../parse.ts';
import { datumOf } from '../populate.ts';
import { isScalar, type Json, jsonbText } from '../value.ts';
import type { Variables } from './evaluate.ts';
import { type Item, isDatetime, jsonOfItem, PathError } from './item.ts';
import { anyResult, collect, type PathRun } from './path.ts';
import type { JsonPath } from './syntax.ts';

export type Behaviour = 'error' | 'null' | 'default' | 'emptyArray' | 'emptyObject' | 'true' | 'false';

/** What the syntax says besides the arguments. */
export interface QueryOptions {
  op: 'exists' | 'value' | 'query';
  wrapper: 'none' | 'conditional' | 'always';
  omitQuotes: boolean;
  onEmpty: Behaviour;
  onError: Behaviour;
}

export interface QueryCall {
  options: QueryOptions;
  path: JsonPath;
  target: Json;
  vars: Variables;
  /** Values of DEFAULT, of the result's type. */
  whenEmpty: Datum;
  whenError: Datum;
  type: ColType;
  /** The column of JSON_TABLE, for messages. */
  column?: string;
}

/** What a behaviour gives; missing: NULL. */
const BEHAVIOUR_VALUES: Partial<Record<Behaviour, { text: string; value: Json & (boolean | object) }>> = {
  emptyArray: { text: 'EMPTY ARRAY', value: [] },
  emptyObject: { text: 'EMPTY OBJECT', value: { k: 'object', entries: [] } },
  true: { text: 'TRUE', value: true },
  false: { text: 'FALSE', value: false },
};

export function sqlJson(call: QueryCall, ctx: EvalContext): Datum {
  const { options, path, target, vars, type } = call;
  const behave = (clause: string, behaviour: Behaviour, value: Datum): Datum => {
    if (behaviour === 'default') return value;
    const make = BEHAVIOUR_VALUES[behaviour];
    if (!make) return null;
    try {
      const made = make.value;
      return typeof made === 'boolean' ? convertBoolean(made, type, ctx) : convertJson(made, false, type, ctx);
    } catch (e) {
      if (!isValueError(e)) throw e;
      throw new SqlError('42804', `could not coerce ${clause} expression (${make.text}) to the RETURNING type`, {
        detail: e.message,
      });
    }
  };
  const silent = options.onError !== 'error';
  const run: PathRun = { path, target, vars, zoned: true, silent, ctx };
  const attempt = <T>(make: () => T, caught: (e: SqlError) => boolean): { value: T } | null => {
    try {
      return { value: make() };
    } catch (e) {
      if (!silent || !isValueError(e) || !caught(e)) throw e;
      return null;
    }
  };
  const ofPath = (e: SqlError) => e instanceof PathError;
  if (options.op === 'exists') {
    const any = attempt(() => anyResult(run), ofPath);
    return any ? convertBoolean(any.value, type, ctx) : behave('ON ERROR', options.onError, null);
  }
  const one = attempt(() => {
    const found: Item[] = [];
    collect(run, found);
    return options.op === 'value' ? singleScalar(found, call.column) : wrapped(found, options, call.column);
  }, ofPath);
  if (one && one.value === undefined) {
    if (options.onEmpty !== 'error') return behave('ON EMPTY', options.onEmpty, call.whenEmpty);
    const where = call.column === undefined ? '' : ` of column "${call.column}"`;
    throw new SqlError('22035', `no SQL/JSON item found for specified path${where}`);
  }
  const item = one?.value;
  if (item === undefined) return behave('ON ERROR', options.onError, call.whenError);
  const convert = (): Datum =>
    options.op === 'value'
      ? convertScalar(item, type, ctx)
      : convertJson(jsonOfItem(item), options.omitQuotes, type, ctx);
  const converted = attempt(convert, () => true);
  return converted ? converted.value : behave('ON ERROR', options.onError, call.whenError);
}

/** JSON_EXISTS as a column of JSON_TABLE may have another type than boolean. */
function convertBoolean(value: boolean, type: ColType, ctx: EvalContext): Datum {
  if (type.oid === OID.bool) return value;
  if (type.oid === OID.int4) return Number(value);
  return read(String(value), type, ctx);
}

const WRAP_HINT = 'Use the WITH WRAPPER clause to wrap SQL/JSON items into an array.';

function place(column: string | undefined, name: string): string {
  return column === undefined ? `in ${name}` : `for column "${column}"`;
}

/** The one item, a scalar; undefined when there is none. */
function singleScalar(found: Item[], column: string | undefined): Item | undefined {
  if (found.length === 0) return undefined;
  const message = `JSON path expression ${place(column, 'JSON_VALUE')} must return single scalar item`;
  if (found.length > 1) throw new PathError('22034', message);
  const [item] = found;
  if (!isDatetime(item) && !isScalar(item)) throw new PathError('2203F', message);
  return item;
}

/** The item, or an array of the items. */
function wrapped(found: Item[], options: QueryOptions, column: string | undefined): Item | undefined {
  if (found.length === 0) return undefined;
  if (options.wrapper === 'always' || (options.wrapper === 'conditional' && found.length > 1)) {
    return found.map(jsonOfItem);
  }
  if (found.length > 1) {
    const message = `JSON path expression ${place(column, 'JSON_QUERY')} must return single item when no wrapper is requested`;
    throw new PathError('22034', message, { hint: WRAP_HINT });
  }
  return found[0];
}

const DATETIME_OIDS: Record<StandardType, number> = {
  date: OID.date,
  time: OID.time,
  timetz: OID.timetz,
  timestamp: OID.timestamp,
  timestamptz: OID.timestamptz,
};
const DATETIMES = new Map(Object.entries(DATETIME_OIDS).map(([type, oid]) => [oid, type as StandardType]));

/** JSON_VALUE: the text of the scalar, read as the type. */
function convertScalar(item: Item, type: ColType, ctx: EvalContext): Datum {
  if (item === null) return null;
  if (type.oid === OID.json || type.oid === OID.jsonb) return jsonbText(jsonOfItem(item));
  let text: string;
  if (isDatetime(item)) text = outputText(item.value, DATETIME_OIDS[item.type], ctx);
  else if (typeof item === 'boolean') text = item ? 't' : 'f';
  else text = typeof item === 'string' ? item : jsonbText(item);
  return read(text, type, ctx);
}

/** JSON_QUERY: the value itself as json and as text; an array from a JSON array; else its text, quotes included, read as the type. */
function convertJson(value: Json, omitQuotes: boolean, type: ColType, ctx: EvalContext): Datum {
  const { oid } = type;
  if (omitQuotes && typeof value === 'string') return read(value, type, ctx);
  const text = jsonbText(value);
  if (oid === OID.json || oid === OID.jsonb) return text;
  if (oid === OID.bytea) return Buffer.from(text, 'utf8');
  if (oid === OID.text || oid === OID.varchar || oid === OID.bpchar || omitQuotes) return read(text, type, ctx);
  if (!isArrayType(oid)) return read(text, type, ctx);
  if (!Array.isArray(value)) throw new SqlError('22P02', 'expected JSON array');
  return coerceTypmod(datumOf(text, parseJson(text), { name: '', type }, ctx), type, false);
}

function read(text: string, type: ColType, ctx: EvalContext): Datum {
  return coerceTypmod(inputText(text, type, ctx), type, false);
}

/** The variables of PASSING, each a document of its own. */
export function passedVariables(names: string[], passed: { value: Datum; oid: number }[], ctx: EvalContext): Variables {
  // Each is converted when it is first asked for, and kept: a path may ask for every item that it looks at.
  const known: ReturnType<Variables['find']>[] = [];
  const find: Variables['find'] = (name) => {
    const at = names.indexOf(name);
    if (at < 0) return undefined;
    if (known[at]) return known[at];
    const item = itemOf(passed[at].value, passed[at].oid, ctx);
    known[at] = { item, base: { root: isDatetime(item) ? null : item, id: at + 1 } };
    return known[at];
  };
  return { find, documents: names.length };
}

function itemOf(value: Datum, oid: number, ctx: EvalContext): Item {
  if (value === null) return null;
  const type = DATETIMES.get(oid);
  if (type) {
    const offset = type === 'timestamptz' ? zoneOffsetAt(sessionZone(ctx), value as bigint) : 0;
    return { k: 'datetime', type, value, offset };
  }
  if (isDecimal(value)) return value.special ? outputText(value, oid, ctx) : value;
  if (typeof value === 'number' || typeof value === 'bigint') {
    const text = outputText(value, oid, ctx);
    return oid === OID.float4 || oid === OID.float8 ? parseNumeric(text) : { k: 'dec', m: BigInt(text), s: 0 };
  }
  return jsonbOf(value, oid, ctx);
}
