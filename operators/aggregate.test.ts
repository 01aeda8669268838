import { test } from 'node:test';
import { type Datum, type Decimal, decimal } from './datum.ts';
import { divide } from './expr/decimal/arithmetic.ts';
import type { AggCall, PlanNode } from './plan.ts';
import { checkOperator, type Random, testSeed } from './testing/property.ts';
import { type ColType, colType, OID } from './types.ts';

const seed = testSeed();
const int4 = colType(OID.int4);
const int8 = colType(OID.int8);
const text = colType(OID.text);
const numeric = colType(OID.numeric);
const bool = colType(OID.bool);
/** key, x int4, y numeric, t text, f filter, z int8 */
const inputTypes = [text, int4, numeric, text, bool, int8];

/** In the order of bytes, beginnings first, with texts that lie in their slots and beside them. */
const TEXTS = [
  '',
  'a',
  'a text longer than twelve bytes',
  'abcd',
  'abcdefgh',
  'abcdefghijkl',
  'abcdefghijklm',
  'x',
  'yy',
  'yyyyyyyyy',
];

function row(_input: number, random: Random): Datum[] {
  return [
    random.pick([null, 'a', 'a key longer than twelve bytes']),
    random.below(5) === 0 ? null : random.below(7) - 3,
    random.below(5) === 0 ? null : decimal(BigInt(random.below(4)) * 10n ** 20n, 0),
    random.below(5) === 0 ? null : random.pick(TEXTS),
    random.pick([null, true, false]),
    random.pick([null, -(2n ** 40n), -1n, 0n, 5n, 2n ** 33n, 2n ** 62n]),
  ];
}

interface Case {
  fn: string;
  arg: number | null;
  t: ColType;
  distinct?: boolean;
  filter?: boolean;
  /** Of the values that are not NULL, in no order. */
  naive(values: Datum[]): Datum;
}

const least = (values: Datum[], sign: 1 | -1): Datum =>
  values.length === 0 ? null : values.reduce((a, b) => ((a as string) < (b as string) === sign > 0 ? a : b));
const numbers = (values: Datum[]) => values as number[];
const average = (values: Datum[]) =>
  values.length === 0 ? null : divide(decimal(sum(values) ?? 0n), decimal(BigInt(values.length)));
const sum = (values: Datum[]) => (values.length === 0 ? null : BigInt(numbers(values).reduce((a, b) => a + b, 0)));

const cases: Case[] = [
  { fn: 'count()', arg: null, t: int8, naive: (values) => BigInt(values.length) },
  { fn: 'count(any)', arg: 1, t: int8, naive: (values) => BigInt(values.length) },
  { fn: 'sum(int4)', arg: 1, t: int8, naive: sum },
  { fn: 'sum(int4)', arg: 1, t: int8, filter: true, naive: sum },
  { fn: 'count()', arg: null, t: int8, filter: true, naive: (values) => BigInt(values.length) },
  { fn: 'avg(int4)', arg: 1, t: numeric, naive: average },
  { fn: 'avg(int4)', arg: 1, t: numeric, filter: true, naive: average },
  { fn: 'avg(int4)', arg: 1, t: numeric, distinct: true, naive: (values) => average([...new Set(values)]) },
  { fn: 'sum(int4)', arg: 1, t: int8, distinct: true, naive: (values) => sum([...new Set(values)]) },
  { fn: 'count(any)', arg: 3, t: int8, distinct: true, naive: (values) => BigInt(new Set(values).size) },
  { fn: 'count(any)', arg: 3, t: int8, distinct: true, filter: true, naive: (values) => BigInt(new Set(values).size) },
  { fn: 'sum(int4)', arg: 1, t: int8, distinct: true, filter: true, naive: (values) => sum([...new Set(values)]) },
  {
    fn: 'sum(numeric)',
    arg: 2,
    t: numeric,
    naive: (values) =>
      values.length === 0
        ? null
        : decimal(
            (values as Decimal[]).reduce((a, d) => a + d.m, 0n),
            0,
          ),
  },
  {
    fn: 'bool_or(bool)',
    arg: 4,
    t: bool,
    naive: (values) => (values.length === 0 ? null : values.some((v) => v === true)),
  },
  { fn: 'min(text)', arg: 3, t: text, naive: (values) => least(values, 1) },
  { fn: 'max(text)', arg: 3, t: text, naive: (values) => least(values, -1) },
  { fn: 'min(int8)', arg: 5, t: int8, naive: (values) => least(values, 1) },
  { fn: 'max(int8)', arg: 5, t: int8, filter: true, naive: (values) => least(values, -1) },
  {
    fn: 'sum(int8)',
    arg: 5,
    t: numeric,
    naive: (values) =>
      values.length === 0
        ? null
        : decimal(
            (values as bigint[]).reduce((a, b) => a + b, 0n),
            0,
          ),
  },
  { fn: 'max(int4)', arg: 1, t: int4, naive: (values) => (values.length === 0 ? null : Math.max(...numbers(values))) },
];

const calls: AggCall[] = cases.map(({ fn, arg, t, distinct = false, filter = false }) => ({
  fn,
  args: arg === null ? [] : [arg],
  distinct,
  filter: filter ? 4 : null,
  orderBy: [],
  t,
}));

function groupRow(key: Datum[], rows: Datum[][]): Datum[] {
  return [
    ...key,
    ...cases.map(({ arg, filter, naive }) => {
      const passing = filter === true ? rows.filter((r) => r[4] === true) : rows;
      return naive(arg === null ? passing.map(() => 1) : passing.map((r) => r[arg]).filter((v) => v !== null));
    }),
  ];
}

for (const appendOnly of [false, true]) {
  const name = appendOnly ? ' over rows that never go' : '';
  test(`grouped aggregates${name}`, () => {
    const types = [text, ...calls.map((c) => c.t)];
    const names = types.map((_, i) => `c${i}`);
    const node: PlanNode = { op: 'aggregate', inputs: [], types, names, keys: [0], calls, global: false };
    checkOperator(
      {
        node,
        inputTypes: [inputTypes],
        row,
        appendOnly,
        naive: ([rows]) => {
          const groups = new Map<Datum, Datum[][]>();
          for (const r of rows) groups.set(r[0], [...(groups.get(r[0]) ?? []), r]);
          return [...groups].map(([key, members]) => groupRow([key], members));
        },
      },
      seed,
    );
  });
}

test('an aggregate without GROUP BY has one row, also for no input', () => {
  const types = calls.map((c) => c.t);
  const names = types.map((_, i) => `c${i}`);
  const node: PlanNode = { op: 'aggregate', inputs: [], types, names, keys: [], calls, global: true };
  checkOperator({ node, inputTypes: [inputTypes], row, naive: ([rows]) => [groupRow([], rows)], keepsRows: 1 }, seed);
});
