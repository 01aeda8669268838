/** The one place that picks the accumulator of an aggregate call, by pg_proc signature. */
import { unsupported } from '../errors.ts';
import { elementType, isArrayType } from '../expr/array_types.ts';
import type { AggCall, SortKey } from '../plan.ts';
import type { Heap } from '../state/heap.ts';
import { type ColType, OID, physOf } from '../types.ts';
import type { Accumulator } from './accumulator.ts';
import { CountAccumulator } from './count.ts';
import { DecodedAccumulator, type Summary } from './decoded.ts';
import { ExtremeAccumulator } from './extreme_value.ts';
import { floatMoments } from './float_moments.ts';
import type { CentredSums } from './float_sum.ts';
import { floatTotals } from './float_totals.ts';
import { IntegerSumAccumulator } from './integer_sum.ts';
import { intervalSum } from './interval_sum.ts';
import { MultisetAccumulator, type MultisetResult } from './multiset.ts';
import { numericTotals, squareTotals } from './numeric_totals.ts';
import { numericVariance } from './numeric_variance.ts';
import {
  anyValue,
  arrayAgg,
  byteaAgg,
  extremeOf,
  jsonAgg,
  jsonObjectAgg,
  mode,
  percentileCont,
  percentileDisc,
  stringAgg,
} from './ordered.ts';
import { rangeAgg, rangeIntersectAgg } from './ranges.ts';
import { bitwise, truth } from './truth.ts';

const INTEGERS = new Set(['int2', 'int4', 'int8']);
const FLOATS = new Set(['float4', 'float8']);
const BITS: Record<string, 16 | 32 | 64> = { int2: 16, int4: 32, int8: 64 };

/** Element type of an array type, null for other types. */
function elementOid(oid: number): number | null {
  return isArrayType(oid) ? elementType(oid) : null;
}

/** Two-argument statistics of the SQL standard over (y, x), from centred sums. NULL where undefined. */
const PAIR_STATISTICS: Record<string, (s: CentredSums) => number | null> = {
  covar_pop: (s) => (s.n < 1 ? null : s.sxy / s.n),
  covar_samp: (s) => (s.n < 2 ? null : s.sxy / (s.n - 1)),
  corr: (s) => (s.n < 1 || s.sxx === 0 || s.syy === 0 ? null : s.sxy / Math.sqrt(s.sxx * s.syy)),
  regr_avgx: (s) => (s.n < 1 ? null : s.meanX),
  regr_avgy: (s) => (s.n < 1 ? null : s.meanY),
  regr_sxx: (s) => (s.n < 1 ? null : s.sxx),
  regr_syy: (s) => (s.n < 1 ? null : s.syy),
  regr_sxy: (s) => (s.n < 1 ? null : s.sxy),
  regr_slope: (s) => (s.n < 1 || s.sxx === 0 ? null : s.sxy / s.sxx),
  regr_intercept: (s) => (s.n < 1 || s.sxx === 0 ? null : s.meanY - (s.sxy / s.sxx) * s.meanX),
  regr_r2: (s) => (s.n < 1 || s.sxx === 0 ? null : s.syy === 0 ? 1 : (s.sxy * s.sxy) / (s.sxx * s.syy)),
};

const SPREADS: Record<string, { sample: boolean; root: boolean }> = {
  var_pop: { sample: false, root: false },
  var_samp: { sample: true, root: false },
  variance: { sample: true, root: false },
  stddev_pop: { sample: false, root: true },
  stddev_samp: { sample: true, root: true },
  stddev: { sample: true, root: true },
};

function floatSpread({ sample, root }: { sample: boolean; root: boolean }) {
  return (s: CentredSums): number | null => {
    if (s.n < (sample ? 2 : 1)) return null;
    const variance = s.sxx / (sample ? s.n - 1 : s.n);
    return root ? Math.sqrt(variance) : variance;
  };
}

/** Aggregates with fixed bytes in their slots, by name and argument type (pg_type name). */
function inlineOf({ args }: AggCall, name: string, arg: string, inputTypes: ColType[], heap: Heap): Accumulator | null {
  if (name === 'count') return new CountAccumulator(args.length === 0 ? null : args[0]);
  const [column] = args;
  if (INTEGERS.has(arg) && (name === 'sum' || name === 'avg')) {
    return new IntegerSumAccumulator(column, name === 'avg' ? 'average' : arg === 'int8' ? 'numeric' : 'int8');
  }
  if (name === 'bool_and' || name === 'every') return truth(column, false);
  if (name === 'bool_or') return truth(column, true);
  if (name.startsWith('bit_') && arg in BITS) return bitwise(column, name.slice(4) as 'and' | 'or' | 'xor', BITS[arg]);
  return exactOf(args, name, arg, inputTypes, heap);
}

/** Aggregates with exact totals in their slots. */
function exactOf(args: number[], name: string, arg: string, inputTypes: ColType[], heap: Heap): Accumulator | null {
  const [column] = args;
  if (arg === 'numeric' && (name === 'sum' || name === 'avg')) return numericTotals(column, name === 'avg', heap);
  if (FLOATS.has(arg) && (name === 'sum' || name === 'avg'))
    return floatTotals(column, name === 'avg', name === 'sum' && arg === 'float4', heap);
  if (name in PAIR_STATISTICS) return floatMoments(args, PAIR_STATISTICS[name], heap);
  if (!(name in SPREADS)) return null;
  const { sample, root } = SPREADS[name];
  if (FLOATS.has(arg)) return floatMoments(args, floatSpread(SPREADS[name]), heap);
  return squareTotals(column, physOf(inputTypes[column].oid), numericVariance(sample, root), heap);
}

/** Aggregates read from the ordered group. */
function multisetOf(name: string, argTypes: ColType[], { t: result, names }: AggCall): MultisetResult | null {
  switch (name) {
    case 'array_agg':
      return arrayAgg(elementOid(result.oid) ?? OID.text, elementOid(argTypes[0].oid) !== null);
    case 'string_agg':
      return result.oid === OID.bytea ? byteaAgg() : stringAgg();
    case 'json_agg':
    case 'json_agg_strict':
    case 'jsonb_agg':
    case 'jsonb_agg_strict':
      return jsonAgg(argTypes[0], name.startsWith('jsonb'), name.endsWith('strict'), names);
    case 'json_object_agg':
    case 'json_object_agg_strict':
    case 'json_object_agg_unique':
    case 'json_object_agg_unique_strict':
    case 'jsonb_object_agg':
    case 'jsonb_object_agg_strict':
    case 'jsonb_object_agg_unique':
    case 'jsonb_object_agg_unique_strict':
      return jsonObjectAgg(
        argTypes,
        name.startsWith('jsonb'),
        { strict: name.endsWith('strict'), unique: name.includes('unique') },
        names,
      );
    case 'mode':
      return mode();
    case 'percentile_disc':
    case 'percentile_cont': {
      const elem = elementOid(result.oid);
      const many = elementOid(argTypes[0].oid) !== null;
      return name === 'percentile_cont'
        ? percentileCont(elem ?? result.oid, many)
        : percentileDisc(elem ?? result.oid, many);
    }
    case 'any_value':
      return anyValue();
    case 'range_agg':
      return rangeAgg();
    case 'range_intersect_agg':
      return rangeIntersectAgg();
    case 'min':
    case 'max':
      return extremeOf(name === 'max');
    default:
      return null;
  }
}

/** `fn` is regprocedure text: `sum(int8)`; arguments of polymorphic ones are their declared types. */
export function makeAccumulator(call: AggCall, inputTypes: ColType[], appendOnly: boolean, heap: Heap): Accumulator {
  const open = call.fn.indexOf('(');
  const name = call.fn.slice(0, open);
  const arg = call.fn.slice(open + 1, -1).split(',')[0];
  const inline = inlineOf(call, name, arg, inputTypes, heap);
  if (inline !== null) return inline;
  if (name === 'regr_count') return new DecodedAccumulator(call.args, pairCount, heap);
  if ((name === 'sum' || name === 'avg') && (arg === 'interval' || arg === 'time'))
    return new DecodedAccumulator(call.args, intervalSum(name === 'avg'), heap);
  if (appendOnly && (name === 'min' || name === 'max')) {
    return new ExtremeAccumulator(call.args[0], inputTypes[call.args[0]], name === 'max', heap);
  }
  const reading = multisetOf(
    name,
    call.args.map((c) => inputTypes[c]),
    call,
  );
  if (reading === null) throw unsupported(`aggregate ${call.fn}`);
  const { args, order } = multisetColumns(name, call);
  return new MultisetAccumulator(args, inputTypes, order, call.distinct, reading, heap);
}

/** Ordered-set aggregates aggregate the WITHIN GROUP column; their direct arguments come first. min and max are ends of the order of values, whatever ORDER BY says. */
function multisetColumns(name: string, call: AggCall): { args: number[]; order: SortKey[] } {
  if (name === 'mode' || name.startsWith('percentile_'))
    return { args: [...call.args, ...call.orderBy.map((k) => k.col)], order: call.orderBy };
  return { args: call.args, order: name === 'min' || name === 'max' ? [] : call.orderBy };
}

const pairCount: Summary<{ n: number }> = {
  empty: () => ({ n: 0 }),
  add(s, _args, weight) {
    s.n += weight;
  },
  result: (s) => BigInt(s.n),
  encode: (s) => [s.n],
  decode: ([n]) => ({ n: n as number }),
};
