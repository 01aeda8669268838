/**
 * Aggregates from their definitions: a function of the whole list of argument rows, NULL rule included. No incremental tricks; this is
 * what the operators are compared with. Looked up by name, then by the type of the first argument.
 */
import { type Datum, type Decimal, decimal, type Interval, interval, pgArray } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { add, divide, multiply, subtract } from '../../../operators/expr/decimal/arithmetic.ts';
import { compareDecimal } from '../../../operators/expr/decimal/compare.ts';
import { isqrt } from '../../../operators/expr/decimal/series.ts';
import { resolveCall } from '../../../operators/expr/functions/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { type ColType, OID } from '../../../operators/types.ts';
import { exactSum } from './exact_sum.ts';
import { compareValues } from './order.ts';

export interface AggregateInput {
  /** Argument rows, in ORDER BY's order, DISTINCT and FILTER applied. */
  rows: Datum[][];
  argTypes: ColType[];
  resultType: ColType;
  context: EvalContext;
}

type Aggregate = (input: AggregateInput) => Datum;

/** Values of the first argument without NULLs. */
function values(input: AggregateInput): Datum[] {
  return input.rows.map((r) => r[0]).filter((v) => v !== null);
}

const ZERO = decimal(0n);

function asDecimal(v: Datum): Decimal {
  if (typeof v === 'number' || typeof v === 'bigint') return decimal(BigInt(v));
  return v as Decimal;
}

function sum(input: AggregateInput): Datum {
  const list = values(input);
  if (list.length === 0) return null;
  switch (input.argTypes[0].oid) {
    case OID.int2:
    case OID.int4:
      return inInt8(list.reduce((s: bigint, v) => s + BigInt(v as number), 0n));
    case OID.int8:
    case OID.numeric:
      return list.map(asDecimal).reduce(add, ZERO);
    case OID.float4:
      return Math.fround(exactSum(list as number[]));
    case OID.float8:
      return exactSum(list as number[]);
    case OID.interval:
      return (list as Interval[]).reduce((s, v) => interval(s.months + v.months, s.days + v.days, s.micros + v.micros));
    default:
      throw unknown(`sum of type ${input.argTypes[0].oid}`);
  }
}

function inInt8(v: bigint): bigint {
  if (BigInt.asIntN(64, v) !== v) throw new SqlError('22003', 'bigint out of range');
  return v;
}

function avg(input: AggregateInput): Datum {
  const list = values(input);
  if (list.length === 0) return null;
  const n = decimal(BigInt(list.length));
  switch (input.argTypes[0].oid) {
    case OID.int2:
    case OID.int4:
    case OID.int8:
    case OID.numeric:
      return divide(list.map(asDecimal).reduce(add, ZERO), n);
    case OID.float4:
    case OID.float8:
      return exactSum(list as number[]) / list.length;
    case OID.interval: {
      const div = resolveCall('interval_div(interval,float8)', {
        argTypes: [input.argTypes[0], { oid: OID.float8, typmod: -1 }],
        resultType: input.resultType,
        variadic: false,
      });
      return div([sum(input), list.length], input.context);
    }
    default:
      throw unknown(`avg of type ${input.argTypes[0].oid}`);
  }
}

function extreme(sign: 1 | -1): Aggregate {
  return (input) => {
    const list = values(input);
    const better = (a: Datum, b: Datum): Datum => (compareValues(b, a, input.argTypes[0]) * sign > 0 ? b : a);
    return list.length === 0 ? null : list.reduce(better);
  };
}

/** Sample or population variance: (n * sum x^2 - (sum x)^2) / (n * (n - 1 or n)). */
function variance(sample: boolean, root: boolean): Aggregate {
  return (input) => {
    const list = values(input);
    const n = list.length;
    if (n === 0 || (sample && n === 1)) return null;
    const oid = input.argTypes[0].oid;
    if (oid === OID.float4 || oid === OID.float8) return floatVariance(list as number[], sample, root);
    const numbers = list.map(asDecimal);
    const count = decimal(BigInt(n));
    const total = numbers.reduce(add, ZERO);
    const squares = numbers.map((x) => multiply(x, x)).reduce(add, ZERO);
    const top = subtract(multiply(count, squares), multiply(total, total));
    if (compareDecimal(top, ZERO) <= 0) return ZERO;
    const v = divide(top, decimal(BigInt(n) * BigInt(sample ? n - 1 : n)));
    return root ? squareRoot(v) : v;
  };
}

/** Square root with as many digits as its argument has, rounded half up. */
function squareRoot(v: Decimal): Decimal {
  const scaled = isqrt(v.m * 10n ** BigInt(v.s + 2));
  return decimal((scaled + 5n) / 10n, v.s);
}

function floatVariance(list: number[], sample: boolean, root: boolean): number {
  const mean = exactSum(list) / list.length;
  const v = exactSum(list.map((x) => (x - mean) ** 2)) / (sample ? list.length - 1 : list.length);
  return root ? Math.sqrt(v) : v;
}

function boolean(all: boolean): Aggregate {
  return (input) => {
    const list = values(input);
    return list.length === 0 ? null : all ? list.every((v) => v) : list.some((v) => v);
  };
}

function stringAgg(input: AggregateInput): Datum {
  const list = input.rows.filter((r) => r[0] !== null);
  if (list.length === 0) return null;
  return list.map((r, i) => (i === 0 ? '' : ((r[1] as string | null) ?? '')) + (r[0] as string)).join('');
}

/** Position of the value at fraction p: rows are the sorted values, the fraction is the first argument. */
function percentile(continuous: boolean): Aggregate {
  return (input) => {
    const list = input.rows.map((r) => r[r.length - 1]).filter((v) => v !== null);
    const p = input.rows[0]?.[0];
    if (list.length === 0 || p === null || p === undefined) return null;
    const at = Number(p) * (list.length - 1);
    if (!continuous) return list[Math.max(Math.ceil(Number(p) * list.length) - 1, 0)];
    const [low, high] = [list[Math.floor(at)] as number, list[Math.ceil(at)] as number];
    return low + (high - low) * (at - Math.floor(at));
  };
}

function mode(input: AggregateInput): Datum {
  let best: { value: Datum; n: number } = { value: null, n: 0 };
  let n = 0;
  const list = values(input);
  list.forEach((v, i) => {
    n = i > 0 && compareValues(list[i - 1], v, input.argTypes[0]) === 0 ? n + 1 : 1;
    if (n > best.n) best = { value: v, n };
  });
  return best.value;
}

const AGGREGATES: Record<string, Aggregate> = {
  count: (input) => BigInt(input.argTypes.length === 0 ? input.rows.length : values(input).length),
  sum,
  avg,
  min: extreme(-1),
  max: extreme(1),
  bool_and: boolean(true),
  every: boolean(true),
  bool_or: boolean(false),
  string_agg: stringAgg,
  array_agg: (input) =>
    input.rows.length === 0
      ? null
      : pgArray(
          input.argTypes[0].oid,
          input.rows.map((r) => r[0]),
        ),
  any_value: (input) => values(input)[0] ?? null,
  stddev: variance(true, true),
  stddev_samp: variance(true, true),
  stddev_pop: variance(false, true),
  variance: variance(true, false),
  var_samp: variance(true, false),
  var_pop: variance(false, false),
  percentile_cont: percentile(true),
  percentile_disc: percentile(false),
  mode,
};

function unknown(what: string): Error {
  return new Error(`the reference interpreter has no ${what}`);
}

/** The aggregate called `fn` (regprocedure text) over its argument rows. */
export function referenceAggregate(fn: string, input: AggregateInput): Datum {
  const aggregate = AGGREGATES[fn.slice(0, fn.indexOf('('))];
  if (!aggregate) throw unknown(`aggregate ${fn}`);
  return aggregate(input);
}
