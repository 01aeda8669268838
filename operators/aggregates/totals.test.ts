/** Totals, moments and counts in slots against the objects of numeric_sum.ts, numeric_variance.ts and float_sum.ts, which add up a group's values from nothing, and against the values' own bits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { BatchBuilder, batchFromRows, readDatum } from '../batch/builder.ts';
import { U8, U32 } from '../batch/memory.ts';
import { type Datum, decimal } from '../datum.ts';
import { SqlError } from '../errors.ts';
import { defaultContext } from '../expr/context.ts';
import { INFINITY, NAN, NEG_INFINITY } from '../expr/decimal/normal.ts';
import { FORM_RECORD, TOTAL_FORM } from '../kernels/aggregate_layout.ts';
import { kernels } from '../kernels/index.ts';
import type { AggCall, PlanNode } from '../plan.ts';
import { Heap } from '../state/heap.ts';
import { checkOperator, Random, testSeed, times } from '../testing/property.ts';
import { type ColType, colType, OID } from '../types.ts';
import type { Accumulator } from './accumulator.ts';
import type { Summary } from './decoded.ts';
import { floatMoments } from './float_moments.ts';
import { type CentredSums, floatSum, momentsOf } from './float_sum.ts';
import { floatTotals } from './float_totals.ts';
import { numericSum } from './numeric_sum.ts';
import { numericTotals, squareTotals } from './numeric_totals.ts';
import { numericVariance } from './numeric_variance.ts';

const seed = testSeed();
const [int4, int2, int8, numeric, bool, float4, float8] = [
  OID.int4,
  OID.int2,
  OID.int8,
  OID.numeric,
  OID.bool,
  OID.float4,
  OID.float8,
].map((oid) => colType(oid));

/** Mostly money; some of every kind that has no room in a slot. */
function anyNumber(random: Random): Datum {
  const cents = BigInt(random.below(2000) - 1000);
  switch (random.below(16)) {
    case 0:
      return null;
    case 1:
      return random.pick([NAN, INFINITY, NEG_INFINITY]);
    case 2:
      return decimal(cents * 10n ** BigInt(random.below(40)), random.below(12));
    case 3:
      return decimal(random.pick([2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 10n ** 36n]), random.pick([0, 2]));
    case 4:
      return decimal(cents, random.pick([255, 256, 40]));
    case 5:
    case 6:
      return decimal(cents, random.below(9));
    default:
      return decimal(cents, 2);
  }
}

const doubles = new Float64Array(1);
const words = new Uint32Array(doubles.buffer);

/** Mostly of like size; some at the ends of what doubles are, and all bits at random. */
function anyDouble(random: Random): Datum {
  switch (random.below(14)) {
    case 0:
      return null;
    case 1:
      return random.pick([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    case 2:
      return random.pick([0, -0, 5e-324, -5e-324, 2 ** -1022, 2 ** 1000, -(2 ** 1000), 1e-300, 2 ** 53, -1]);
    case 3:
    case 4:
      words[0] = random.below(2 ** 30) * 7;
      words[1] = random.below(2 ** 30) * 7;
      return Number.isFinite(doubles[0]) && Math.abs(doubles[0]) < 2 ** 1000 ? doubles[0] : 1;
    case 5:
    case 6:
      return (random.below(2 ** 30) - 2 ** 29) * 2 ** (random.below(120) - 60);
    default:
      return (random.below(2 ** 30) - 2 ** 29) / 1000;
  }
}

const anyFloat = (random: Random): Datum => {
  const value = anyDouble(random);
  return value === null || Math.abs(value as number) > 2 ** 100 ? null : Math.fround(value as number);
};

/** Whose squares are no infinities. */
const anyRoot = (random: Random): Datum => {
  const value = anyDouble(random);
  return value !== null && Number.isFinite(value) && Math.abs(value as number) > 2 ** 450 ? 2 ** 450 : value;
};

function of<S>(summary: Summary<S>, values: Datum[]): Datum {
  const state = summary.empty();
  for (const value of values) if (value !== null) summary.add(state, [value], 1);
  return summary.result(state);
}

interface Case {
  fn: string;
  arg: number;
  /** A second argument; result() then gets pairs. */
  other?: number;
  t?: ColType;
  filter?: true;
  result(values: Datum[], others: Datum[]): Datum;
}

const sum = (values: Datum[]) => of(numericSum(false), values);
const average = (values: Datum[]) => of(numericSum(true), values);
const spread = (sample: boolean, root: boolean) => (values: Datum[]) => of(numericVariance(sample, root), values);

const floatSumOf = (values: Datum[]) => of(floatSum(false, false), values);
const floatAverage = (values: Datum[]) => of(floatSum(true, false), values);
const singleSum = (values: Datum[]) => of(floatSum(false, true), values);

/** Everything that centred sums have, each in a result. */
const CENTRED: Record<string, (s: CentredSums) => number | null> = {
  stddev: (s) => (s.n < 2 ? null : Math.sqrt(s.sxx / (s.n - 1))),
  var_pop: (s) => (s.n < 1 ? null : s.sxx / s.n),
  regr_avgx: (s) => (s.n < 1 ? null : s.meanX),
  regr_avgy: (s) => (s.n < 1 ? null : s.meanY),
  regr_sxx: (s) => (s.n < 1 ? null : s.sxx),
  regr_syy: (s) => (s.n < 1 ? null : s.syy),
  regr_sxy: (s) => (s.n < 1 ? null : s.sxy),
};

const centred = (name: string) => (values: Datum[]) => of(momentsOf(CENTRED[name], false), values);

const centredPairs = (name: string) => (values: Datum[], others: Datum[]) => {
  const summary = momentsOf(CENTRED[name], true);
  const state = summary.empty();
  values.forEach((y, i) => {
    if (y !== null && others[i] !== null) summary.add(state, [y, others[i]], 1);
  });
  return summary.result(state);
};

const some = (values: Datum[]) => values.filter((value) => value !== null);
const every = (values: Datum[]) => (some(values).length === 0 ? null : some(values).every((v) => v === true));
const any = (values: Datum[]) => (some(values).length === 0 ? null : some(values).some((v) => v === true));

const bitsOf = (together: (a: bigint, b: bigint) => bigint) => (values: Datum[]) => {
  const words = some(values).map((v) => BigInt(v as number | bigint));
  if (words.length === 0) return null;
  const word = words.reduce(together);
  return typeof some(values)[0] === 'bigint' ? word : Number(word);
};
const and = bitsOf((a, b) => a & b);
const or = bitsOf((a, b) => a | b);
const xor = bitsOf((a, b) => a ^ b);

/** group, x numeric, filter, i int4, z int8, d float8, f float4, r and e float8, s int2 */
const inputTypes = [int4, numeric, bool, int4, int8, float8, float4, float8, float8, int2];
const cases: Case[] = [
  { fn: 'sum(numeric)', arg: 1, result: sum },
  { fn: 'avg(numeric)', arg: 1, result: average },
  { fn: 'sum(numeric)', arg: 1, filter: true, result: sum },
  { fn: 'avg(numeric)', arg: 1, filter: true, result: average },
  { fn: 'stddev(numeric)', arg: 1, result: spread(true, true) },
  { fn: 'var_pop(numeric)', arg: 1, filter: true, result: spread(false, false) },
  { fn: 'variance(int4)', arg: 3, result: spread(true, false) },
  { fn: 'stddev_pop(int8)', arg: 4, result: spread(false, true) },
  { fn: 'sum(float8)', arg: 5, result: floatSumOf },
  { fn: 'avg(float8)', arg: 5, result: floatAverage },
  { fn: 'avg(float8)', arg: 5, filter: true, result: floatAverage },
  { fn: 'sum(float4)', arg: 6, result: singleSum },
  { fn: 'avg(float4)', arg: 6, result: floatAverage },
  { fn: 'stddev(float8)', arg: 7, result: centred('stddev') },
  { fn: 'var_pop(float8)', arg: 7, result: centred('var_pop') },
  { fn: 'var_pop(float8)', arg: 7, filter: true, result: centred('var_pop') },
  { fn: 'stddev(float4)', arg: 6, result: centred('stddev') },
  ...['regr_avgx', 'regr_avgy', 'regr_sxx', 'regr_syy', 'regr_sxy'].map(
    (name): Case => ({ fn: `${name}(float8,float8)`, arg: 7, other: 8, result: centredPairs(name) }),
  ),
  { fn: 'regr_sxy(float8,float8)', arg: 8, other: 7, filter: true, result: centredPairs('regr_sxy') },
  { fn: 'bool_and(bool)', arg: 2, t: bool, result: every },
  { fn: 'bool_or(bool)', arg: 2, t: bool, result: any },
  { fn: 'every(bool)', arg: 2, t: bool, filter: true, result: every },
  { fn: 'bit_and(int4)', arg: 3, t: int4, result: and },
  { fn: 'bit_or(int4)', arg: 3, t: int4, filter: true, result: or },
  { fn: 'bit_xor(int4)', arg: 3, t: int4, result: xor },
  { fn: 'bit_and(int8)', arg: 4, t: int8, filter: true, result: and },
  { fn: 'bit_or(int8)', arg: 4, t: int8, result: or },
  { fn: 'bit_xor(int8)', arg: 4, t: int8, result: xor },
  { fn: 'bit_and(int2)', arg: 9, t: int2, result: and },
  { fn: 'bit_or(int2)', arg: 9, t: int2, result: or },
  { fn: 'bit_xor(int2)', arg: 9, t: int2, result: xor },
];

const calls: AggCall[] = cases.map(({ fn, arg, other, filter, t }) => ({
  fn,
  args: other === undefined ? [arg] : [arg, other],
  distinct: false,
  filter: filter === true ? 2 : null,
  orderBy: [],
  t: t ?? (fn === 'sum(float4)' ? float4 : fn.includes('float') ? float8 : numeric),
}));

for (const money of [true, false]) {
  test(`totals of ${money ? 'money' : 'numbers of all kinds'}`, () => {
    const types: ColType[] = [int4, ...calls.map((c) => c.t)];
    const names = types.map((_, i) => `c${i}`);
    const node: PlanNode = { op: 'aggregate', inputs: [], types, names, keys: [0], calls, global: false };
    checkOperator(
      {
        node,
        inputTypes: [inputTypes],
        row: (_, random) => [
          random.below(4),
          money ? decimal(BigInt(random.below(2000) - 1000), random.pick([2, 2, 2, 0, 4])) : anyNumber(random),
          random.pick([null, true, false]),
          random.pick([null, random.below(100) - 50, -(2 ** 31), 2 ** 31 - 1]),
          random.pick([null, BigInt(random.below(100)), -(2n ** 63n), 2n ** 62n, 2n ** 40n]),
          anyDouble(random),
          anyFloat(random),
          anyRoot(random),
          anyRoot(random),
          random.pick([null, random.below(100) - 50, -(2 ** 15), 2 ** 15 - 1]),
        ],
        naive: ([rows]) => {
          const groups = new Map<Datum, Datum[][]>();
          for (const row of rows) groups.set(row[0], [...(groups.get(row[0]) ?? []), row]);
          return [...groups].map(([key, members]) => [
            key,
            ...cases.map(({ arg, other = 0, filter, result }) => {
              const taken = members.filter((row) => filter === undefined || row[2] === true);
              return result(
                taken.map((row) => row[arg]),
                taken.map((row) => row[other]),
              );
            }),
          ]);
        },
      },
      seed,
    );
  });
}

/** Sums and counts at the edges of what a slot can hold, and numbers of values that only large weights bring about. */
function edge(random: Random): Datum {
  return random.below(3) === 0
    ? decimal(random.pick([1n, -1n]) * 2n ** BigInt(40 + random.below(24)) - 1n, random.pick([0, 0, 9, 18]))
    : anyNumber(random);
}

interface Change {
  values: Datum[];
  weight: number;
}

/** A list of changes whose second half takes the first back in another order. */
function thereAndBack(random: Random, n: number, anyValue: (random: Random) => Datum): Change[] {
  const there = Array.from({ length: n }, () => ({
    values: [anyValue(random), anyValue(random)],
    weight: random.pick([1, 1, 2, 2 ** 20, 2 ** 31 - 1]),
  }));
  const back = there.map(({ values, weight }) => ({ values, weight: -weight }));
  for (let i = back.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [back[i], back[j]] = [back[j], back[i]];
  }
  return [...there, ...back];
}

/** A value, or the SQLSTATE of the error in its place. */
function outcome(work: () => Datum): Datum {
  try {
    return work();
  } catch (error) {
    if (error instanceof SqlError) return error.sqlstate;
    throw error;
  }
}

interface Kind {
  name: string;
  type?: ColType;
  value?(random: Random): Datum;
  /** It takes two arguments. */
  pairs?: true;
  summary: Summary<never>;
  make(heap: Heap): Accumulator;
}

const doubleKind = { type: float8, value: anyDouble };

const READINGS: Kind[] = [
  {
    name: 'float',
    ...doubleKind,
    summary: floatSum(false, false) as Summary<never>,
    make: (heap) => floatTotals(0, false, false, heap),
  },
  {
    name: 'float average',
    ...doubleKind,
    summary: floatSum(true, false) as Summary<never>,
    make: (heap) => floatTotals(0, true, false, heap),
  },
  ...['stddev', 'regr_avgx'].map((name) => ({
    name,
    ...doubleKind,
    summary: momentsOf(CENTRED[name], false) as Summary<never>,
    make: (heap: Heap) => floatMoments([0], CENTRED[name], heap),
  })),
  ...['regr_sxx', 'regr_syy', 'regr_sxy', 'regr_avgx', 'regr_avgy'].map((name) => ({
    name: `${name} of pairs`,
    ...doubleKind,
    pairs: true as const,
    summary: momentsOf(CENTRED[name], true) as Summary<never>,
    make: (heap: Heap) => floatMoments([0, 1], CENTRED[name], heap),
  })),
  {
    name: 'single',
    type: float4,
    value: anyFloat,
    summary: floatSum(false, true) as Summary<never>,
    make: (heap) => floatTotals(0, false, true, heap),
  },
  { name: 'sum', summary: numericSum(false) as Summary<never>, make: (heap) => numericTotals(0, false, heap) },
  { name: 'avg', summary: numericSum(true) as Summary<never>, make: (heap) => numericTotals(0, true, heap) },
  {
    name: 'variance',
    summary: numericVariance(false, false) as Summary<never>,
    make: (heap) => squareTotals(0, 'numeric', numericVariance(false, false), heap),
  },
];

for (const { name, summary, make, pairs, type = numeric, value: anyValue = edge } of READINGS) {
  test(`${name}: one total there and back, in both forms`, () => {
    const random = new Random(seed);
    const context = defaultContext();
    const arena = new Arena();
    let forms = 0;
    for (let round = 0; round < times(120); round++) {
      const heap = new Heap();
      const accumulator = make(heap);
      const state = heap.alloc(accumulator.bytes);
      kernels.fillBytes(state, 0, accumulator.bytes);
      const expected = summary.empty();
      for (const { values, weight } of thereAndBack(random, 1 + random.below(10), anyValue)) {
        accumulator.begin(batchFromRows([type, type], [values], arena));
        accumulator.add(state, 0, weight);
        const args = pairs ? values : values.slice(0, 1);
        if (!args.includes(null)) summary.add(expected, args, weight);
        const wanted = outcome(() => summary.result(expected));
        const shown = (write: (out: BatchBuilder) => void) =>
          outcome(() => {
            const out = new BatchBuilder([type], arena, 1);
            write(out);
            return readDatum(out.columns[0], 0);
          });
        const label = `round ${round}, ${weight} times`;
        const open = shown((out) => accumulator.result(state, out, 0, out.addRow(1), context));
        assert.deepEqual(open, wanted, label);
        if (random.below(2) === 0) accumulator.endTick();
        const addresses = arena.alloc(4) >>> 2;
        U32[addresses] = state;
        const groups = { addresses, n: 1, offset: 0 };
        const closed = shown((out) => accumulator.resultAll(groups, out, 0, out.addRow(1), context));
        assert.deepEqual(closed, wanted, label);
        forms |= U8[state + TOTAL_FORM] === FORM_RECORD ? 1 : 2;
        arena.reset();
      }
      accumulator.endTick();
      assert.ok(accumulator.inSlot, 'nothing is left outside of the slot when all has gone');
      accumulator.free(state);
      heap.release();
    }
    assert.equal(forms, 3, 'both forms came about');
    arena.release();
  });
}
