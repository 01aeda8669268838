/**
 * JSON_EXISTS, JSON_VALUE and JSON_QUERY: a path over a document, made a value of a type, with what is to happen when nothing is
 * found and when something goes wrong. Errors of the path and of the conversion go ON ERROR; those of the document's text, of variables
 * that are missing and of the path's own syntax do not.
 */
import type { Datum } from '../../../datum.ts';
import { isDecimal } from '../../../datum.ts';
import { SqlError } from '../../../errors.ts';
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
import { isScalar, type Json, jsonbText, parseJsonb } from '../value.ts';
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
  /** Names of the variables. */
  names: string[];
}

export interface QueryCall {
  options: QueryOptions;
  path: JsonPath;
  document: string;
  /** Values of DEFAULT, of the result's type. */
  whenEmpty: Datum;
  whenError: Datum;
  passed: { value: Datum; oid: number }[];
  type: ColType;
}

export function sqlJson(call: QueryCall, ctx: EvalContext): Datum {
  const { options, path, document, type } = call;
  const behave = (behaviour: Behaviour, value: Datum): Datum => {
    switch (behaviour) {
      case 'default':
        return value;
      case 'emptyArray':
        return convertJson([], false, type, ctx);
      case 'emptyObject':
        return convertJson({ k: 'object', entries: [] }, false, type, ctx);
      case 'true':
      case 'false':
        return behaviour === 'true';
      default:
        return null;
    }
  };
  const silent = options.onError !== 'error';
  const target = parseJsonb(document);
  const run: PathRun = { path, target, vars: variablesOf(options.names, call.passed, ctx), zoned: true, silent, ctx };
  const onError = <T>(attempt: () => T, soft: (e: SqlError) => boolean): { value: T } | null => {
    try {
      return { value: attempt() };
    } catch (e) {
      if (!silent || !(e instanceof SqlError) || !soft(e)) throw e;
      return null;
    }
  };
  const isPathError = (e: SqlError) => e instanceof PathError;
  if (options.op === 'exists') {
    const any = onError(() => anyResult(run), isPathError);
    return any ? any.value : behave(options.onError, null);
  }
  const found: Item[] = [];
  const one = onError(() => {
    collect(run, found);
    return options.op === 'value' ? singleScalar(found) : wrapped(found, options);
  }, isPathError);
  if (one && one.value === undefined) {
    if (options.onEmpty === 'error') throw new SqlError('22035', 'no SQL/JSON item found for specified path');
    return behave(options.onEmpty, call.whenEmpty);
  }
  const item = one?.value;
  const converted =
    item === undefined
      ? null
      : onError(
          () =>
            options.op === 'value'
              ? convertScalar(item, type, ctx)
              : convertJson(jsonOfItem(item), options.omitQuotes, type, ctx),
          () => true,
        );
  return converted ? converted.value : behave(options.onError, call.whenError);
}

const WRAP_HINT = 'Use the WITH WRAPPER clause to wrap SQL/JSON items into an array.';

/** The one item, a scalar; undefined when there is none. */
function singleScalar(found: Item[]): Item | undefined {
  if (found.length === 0) return undefined;
  const message = 'JSON path expression in JSON_VALUE must return single scalar item';
  if (found.length > 1) throw new PathError('22034', message);
  const [item] = found;
  if (!isDatetime(item) && !isScalar(item)) throw new PathError('2203F', message);
  return item;
}

/** The item, or an array of the items. */
function wrapped(found: Item[], options: QueryOptions): Item | undefined {
  if (found.length === 0) return undefined;
  if (options.wrapper === 'always' || (options.wrapper === 'conditional' && found.length > 1)) {
    return found.map(jsonOfItem);
  }
  if (found.length > 1) {
    const message = 'JSON path expression in JSON_QUERY must return single item when no wrapper is requested';
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
function variablesOf(names: string[], passed: QueryCall['passed'], ctx: EvalContext): Variables {
  const find: Variables['find'] = (name) => {
    const at = names.indexOf(name);
    if (at < 0) return undefined;
    const item = itemOf(passed[at].value, passed[at].oid, ctx);
    return { item, base: { root: isDatetime(item) ? null : item, id: at + 1 } };
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
