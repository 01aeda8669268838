/**
 * Aggregates read from the ordered values of a group: array_agg, string_agg, json aggregates, percentiles, mode, min and max under retraction.
 *
 * Without ORDER BY inside the call PostgreSQL takes the order of its scan; here it is the order of the values, so that replay, batch and
 * view agree.
 */
import { type Datum, isPgArray, isRecord, type PgArray, pgArray } from '../datum.ts';
import { SqlError } from '../errors.ts';
import { arrayTooLarge, checkItems, MAX_DIMS, tooManyDims } from '../expr/array/value.ts';
import { defaultContext } from '../expr/context.ts';
import { resolveCall } from '../expr/functions/registry.ts';
import { jsonbArrayText, jsonbDatumOf, jsonbObjectText, jsonOf, keyOf } from '../expr/json/encode.ts';
import { quoteJson } from '../expr/json/value.ts';
import { MAX_ITEMS } from '../expr/part_limits.ts';
import { TextBuilder } from '../expr/text/text_builder.ts';
import { turn } from '../turn.ts';
import { type ColType, colType, OID } from '../types.ts';
import type { Entry, MultisetResult } from './multiset.ts';

const LOOK_VALUES = 4096;
/** They become no value of their own. */
const MOST_OF_PERCENTILE = 1 << 26;

function* expanded(entries: Iterable<Entry>): Iterable<Datum[]> {
  for (const { values, weight } of entries) for (let i = 0; i < weight; i++) yield values;
}

/** The same; 54000 where these are too many for one value. Equal rows are an entry, so they may be more than all memory has room for. */
function* counted(entries: Iterable<Entry>, most = MAX_ITEMS): Iterable<Datum[]> {
  let n = 0;
  for (const values of expanded(entries)) {
    if (n === most) throw arrayTooLarge(most);
    if (n++ % LOOK_VALUES === 0) turn.look();
    yield values;
  }
}

/** array_agg of values, or of arrays, which are stacked. */
export function arrayAgg(elem: number, arrays: boolean): MultisetResult {
  return {
    keepsNulls: true,
    result(entries) {
      const items = Array.from(counted(entries), ([item]) => item);
      if (items.length === 0) return null;
      return arrays ? stack(items as (PgArray | null)[], elem) : pgArray(elem, items);
    },
  };
}

function notNull(item: PgArray | null): PgArray {
  if (item === null) throw new SqlError('22004', 'cannot accumulate null arrays');
  return item;
}

/** There is one at least. */
function stack(items: (PgArray | null)[], elem: number): PgArray {
  const { dims, lower } = notNull(items[0]);
  if (dims.length === 0) throw new SqlError('2202E', 'cannot accumulate empty arrays');
  if (dims.length === MAX_DIMS) throw tooManyDims(MAX_DIMS + 1);
  const [sizes, bounds] = [dims.join(), lower.join()];
  const all: Datum[] = [];
  for (const each of items) {
    const item = notNull(each);
    if (item.dims.join() !== sizes || item.lower.join() !== bounds)
      throw new SqlError('2202E', 'cannot accumulate arrays of different dimensionality');
    checkItems(all.length + item.items.length);
    for (const one of item.items) all.push(one);
  }
  return { k: 'array', elem, dims: [items.length, ...dims], lower: [1, ...lower], items: all };
}

/** string_agg(value, delimiter): a NULL value is left out, a NULL delimiter is ''. */
export function stringAgg(): MultisetResult {
  return {
    keepsNulls: true,
    result(entries) {
      const out = new TextBuilder();
      let any = false;
      for (const [value, delimiter] of expanded(entries)) {
        if (value === null) continue;
        if (any && delimiter !== null) out.add(delimiter as string);
        out.add(value as string);
        any = true;
      }
      return any ? out.take() : null;
    },
  };
}

export function byteaAgg(): MultisetResult {
  return {
    keepsNulls: true,
    result(entries) {
      const parts: Uint8Array[] = [];
      for (const [value, delimiter] of counted(entries)) {
        if (value === null) continue;
        if (parts.length > 0 && delimiter !== null) parts.push(delimiter as Uint8Array);
        parts.push(value as Uint8Array);
      }
      return parts.length === 0 ? null : new Uint8Array(Buffer.concat(parts));
    },
  };
}

/** A record with the names of its fields. */
const named = (d: Datum, names: string[] | undefined): Datum =>
  names !== undefined && isRecord(d) ? { ...d, names } : d;

/** json_agg, jsonb_agg; `strict` leaves NULLs out. `names`: of a record's fields. */
export function jsonAgg(type: ColType, binary: boolean, strict: boolean, names?: string[]): MultisetResult {
  return {
    keepsNulls: true,
    result(entries, context) {
      const items = [...counted(entries)].map(([v]) => named(v, names));
      if (items.length === 0) return null;
      const shown = strict ? items.filter((v) => v !== null) : items;
      if (binary) return jsonbArrayText(shown.map((v) => jsonbDatumOf(v, type.oid, context)));
      // Arrays and records begin a line of their own, as PostgreSQL writes them.
      const text = shown.map(
        (v, i) => (i > 0 && (isPgArray(v) || isRecord(v)) ? '\n ' : '') + jsonOf(v, type.oid, context),
      );
      return `[${text.join(', ')}]`;
    },
  };
}

/** Which members an object has: `strict` leaves those out whose value is NULL, `unique` refuses a key that comes again. */
export interface ObjectRules {
  strict: boolean;
  unique: boolean;
}

/** json_object_agg, jsonb_object_agg. `names`: of the fields of values that are records. */
export function jsonObjectAgg(
  types: ColType[],
  binary: boolean,
  { strict, unique }: ObjectRules,
  names?: string[],
): MultisetResult {
  return {
    keepsNulls: true,
    result(entries, context) {
      const members: string[] = [];
      const pairs: [string, string][] = [];
      const keys = new Set<string>();
      for (const [key, stored] of counted(entries)) {
        if (key === null && binary) throw new SqlError('22023', 'field name must not be null');
        const text = keyOf(key, types[0].oid, context);
        const name = quoteJson(text);
        if (unique && keys.has(name)) {
          throw new SqlError('22030', `duplicate JSON object key value${binary ? '' : `: ${name}`}`);
        }
        keys.add(name);
        const value = named(stored, names);
        if (strict && value === null) continue;
        if (binary) {
          const json = jsonbDatumOf(value, types[1].oid, context);
          // PostgreSQL strips the nulls of jsonb itself too.
          if (!strict || json !== 'null') pairs.push([text, json]);
        } else members.push(`${name} : ${jsonOf(value, types[1].oid, context)}`);
      }
      if (keys.size === 0) return null;
      return binary ? jsonbObjectText(pairs) : `{ ${members.join(', ')} }`;
    },
  };
}

/** The most frequent value; the first of them in order. */
export function mode(): MultisetResult {
  return {
    keepsNulls: false,
    tellsRepeats: true,
    result(entries) {
      let best: Datum = null;
      let most = 0;
      let current: Datum = null;
      let count = 0;
      for (const { values, weight, repeats } of entries) {
        if (!repeats) {
          current = values[0];
          count = 0;
        }
        count += weight;
        if (count > most) {
          most = count;
          best = current;
        }
      }
      return best;
    },
  };
}

/** percentile_disc: the first value whose cumulative share reaches the fraction. `values` are [fraction(s), value]. */
export function percentileDisc(elem: number, many: boolean): MultisetResult {
  return percentile(many, elem, (values, fraction) => values[Math.max(0, Math.ceil(fraction * values.length) - 1)]);
}

/** percentile_cont: interpolated between neighbours; for float8 and interval. */
export function percentileCont(elem: number, many: boolean): MultisetResult {
  return percentile(many, elem, (values, fraction) => {
    const position = fraction * (values.length - 1);
    const low = Math.floor(position);
    const high = Math.ceil(position);
    const a = values[low];
    const b = values[high];
    if (low === high) return a;
    return interpolate(a, b, position - low);
  });
}

function interpolate(a: Datum, b: Datum, share: number): Datum {
  if (typeof a === 'number' && typeof b === 'number') return a + (b - a) * share;
  const context = defaultContext();
  const fn = (name: string, argTypes: number[], args: Datum[]) =>
    resolveCall(name, {
      argTypes: argTypes.map((o) => colType(o)),
      resultType: colType(OID.interval),
      variadic: false,
    })(args, context);
  const difference = fn('interval_mi(interval,interval)', [OID.interval, OID.interval], [b, a]);
  const part = fn('interval_mul(interval,float8)', [OID.interval, OID.float8], [difference, share]);
  return fn('interval_pl(interval,interval)', [OID.interval, OID.interval], [a, part]);
}

function percentile(many: boolean, elem: number, pick: (values: Datum[], fraction: number) => Datum): MultisetResult {
  const one = (values: Datum[], fraction: Datum): Datum => {
    if (fraction === null) return null;
    const f = fraction as number;
    if (f < 0 || f > 1 || Number.isNaN(f)) throw new SqlError('22003', `percentile value ${f} is not between 0 and 1`);
    return pick(values, f);
  };
  return {
    keepsNulls: true,
    direct: 1,
    result(entries) {
      const values: Datum[] = [];
      let fraction: Datum = null;
      for (const [f, value] of counted(entries, MOST_OF_PERCENTILE)) {
        fraction = f;
        if (value !== null) values.push(value);
      }
      if (values.length === 0 || fraction === null) return null;
      if (!many) return one(values, fraction);
      const fractions = fraction as PgArray;
      return { ...fractions, elem, items: fractions.items.map((f) => one(values, f)) };
    },
  };
}

/** min or max read from one end of the ordered values. */
export function extremeOf(greatest: boolean): MultisetResult {
  return { keepsNulls: false, end: greatest ? 'last' : 'first', result: () => null };
}

/** any_value: the least one, so that it does not depend on arrival. */
export function anyValue(): MultisetResult {
  return { keepsNulls: false, end: 'first', result: () => null };
}
