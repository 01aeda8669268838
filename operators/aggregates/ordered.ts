/**
 * Aggregates read from the ordered values of a group: array_agg, string_agg, json aggregates, percentiles, mode, min and max under retraction.
 *
 * Without ORDER BY inside the call PostgreSQL takes the order of its scan; here it is the order of the values, so that replay, batch and
 * view agree.
 */
import { type Datum, type PgArray, pgArray } from '../datum.ts';
import { SqlError } from '../errors.ts';
import { defaultContext } from '../expr/context.ts';
import { type BoundFunction, resolveCall } from '../expr/functions/registry.ts';
import type { EvalContext } from '../expr/ir.ts';
import { type ColType, colType, OID } from '../types.ts';
import type { Entry, MultisetResult } from './multiset.ts';

function* expanded(entries: Iterable<Entry>): Iterable<Datum[]> {
  for (const { values, weight } of entries) for (let i = 0; i < weight; i++) yield values;
}

export function arrayAgg(elem: number): MultisetResult {
  return {
    keepsNulls: true,
    result(entries) {
      const items = [...expanded(entries)].map((v) => v[0]);
      if (items.length === 0) return null;
      const first = items[0];
      // array_agg of arrays stacks them; their shapes must agree.
      if (first !== null && typeof first === 'object' && 'k' in first && first.k === 'array')
        return stack(items as (PgArray | null)[], elem);
      return pgArray(elem, items);
    },
  };
}

function stack(items: (PgArray | null)[], elem: number): PgArray {
  const shape = items[0] as PgArray;
  if (shape.dims.length === 0) throw new SqlError('2202E', 'cannot accumulate empty arrays');
  const all: Datum[] = [];
  for (const item of items) {
    if (item === null) throw new SqlError('22004', 'cannot accumulate null arrays');
    if (item.dims.join() !== shape.dims.join())
      throw new SqlError('2202E', 'cannot accumulate arrays of different dimensionality');
    all.push(...item.items);
  }
  return { k: 'array', elem, dims: [items.length, ...shape.dims], lower: [1, ...shape.lower], items: all };
}

/** string_agg(value, delimiter): a NULL value is left out, a NULL delimiter is ''. */
export function stringAgg(): MultisetResult {
  return {
    keepsNulls: true,
    result(entries) {
      let out: string | null = null;
      for (const [value, delimiter] of expanded(entries)) {
        if (value === null) continue;
        out = out === null ? (value as string) : out + ((delimiter as string | null) ?? '') + (value as string);
      }
      return out;
    },
  };
}

export function byteaAgg(): MultisetResult {
  return {
    keepsNulls: true,
    result(entries) {
      const parts: Uint8Array[] = [];
      for (const [value, delimiter] of expanded(entries)) {
        if (value === null) continue;
        if (parts.length > 0 && delimiter !== null) parts.push(delimiter as Uint8Array);
        parts.push(value as Uint8Array);
      }
      return parts.length === 0 ? null : new Uint8Array(Buffer.concat(parts));
    },
  };
}

function jsonText(type: ColType): (value: Datum, context: EvalContext) => string {
  const call: BoundFunction = resolveCall('to_json(anyelement)', {
    argTypes: [type],
    resultType: colType(OID.json),
    variadic: false,
  });
  return (value, context) => (value === null ? 'null' : (call([value], context) as string));
}

/** json_agg, jsonb_agg; `strict` leaves NULLs out. */
export function jsonAgg(type: ColType, binary: boolean, strict = false): MultisetResult {
  const toJson = jsonText(type);
  const context = defaultContext();
  return {
    keepsNulls: !strict,
    result(entries) {
      const items = [...expanded(entries)].map(([v]) => toJson(v, context));
      if (items.length === 0) return null;
      return canonical(`[${items.join(', ')}]`, binary, context);
    },
  };
}

/** json_object_agg, jsonb_object_agg. */
export function jsonObjectAgg(types: ColType[], binary: boolean): MultisetResult {
  const keyText = jsonText(types[0]);
  const valueText = jsonText(types[1]);
  const context = defaultContext();
  return {
    keepsNulls: true,
    result(entries) {
      const fields: string[] = [];
      for (const [key, value] of expanded(entries)) {
        if (key === null)
          throw new SqlError('22004', binary ? 'field name must not be null' : 'null value not allowed for object key');
        const name = typeof key === 'string' ? JSON.stringify(key) : JSON.stringify(keyText(key, context));
        fields.push(`${name} : ${valueText(value, context)}`);
      }
      if (fields.length === 0) return null;
      return canonical(`{ ${fields.join(', ')} }`, binary, context);
    },
  };
}

function canonical(text: string, binary: boolean, context: EvalContext): Datum {
  if (!binary) return text;
  const cast = resolveCall('jsonb_in(cstring)', {
    argTypes: [colType(OID.cstring)],
    resultType: colType(OID.jsonb),
    variadic: false,
  });
  return cast([text], context);
}

/** The most frequent value; the first of them in order. */
export function mode(): MultisetResult {
  return {
    keepsNulls: false,
    result(entries) {
      let best: Datum = null;
      let most = 0;
      let current: Datum = null;
      let count = 0;
      for (const { values, weight } of entries) {
        const key = JSON.stringify(values[0], (_, d) => (typeof d === 'bigint' ? `${d}n` : d));
        if (count > 0 && key === current) count += weight;
        else {
          current = key;
          count = weight;
        }
        if (count > most) {
          most = count;
          best = values[0];
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
    result(entries) {
      const values: Datum[] = [];
      let fraction: Datum = null;
      for (const [f, value] of expanded(entries)) {
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
