import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Datum } from './datum.ts';
import { OverOnce } from './over_once.ts';
import type { FrameBound, PlanNode, SortKey, WindowCall, WindowFrame } from './plan.ts';
import { overRows } from './testing/naive_window.ts';
import { Bag, checkOperator, Random, testSeed } from './testing/property.ts';
import { runOnce } from './testing/run_once.ts';
import { colType, OID } from './types.ts';

const seed = testSeed();
const int4 = colType(OID.int4);
const int8 = colType(OID.int8);
// partition key, order key, float order key, value, distance, filter
const types = [int4, int4, colType(OID.float8), colType(OID.text), int4, colType(OID.bool)];
const names = ['k', 'o', 'f', 't', 'd', 'b'];

function row(_input: number, random: Random): Datum[] {
  return [
    random.pick([null, 1, 2]),
    random.pick([null, 1, 2, 3, 4, 5, 8]),
    random.pick([null, 0, -0, Number.NaN, 1.5, 2.5]),
    random.pick([null, 'a', 'a text longer than twelve bytes']),
    random.pick([1, 2, 3]),
    random.pick([null, true, false]),
  ];
}

const current: FrameBound = { k: 'current' };
const start: FrameBound = { k: 'unboundedPreceding' };
const end: FrameBound = { k: 'unboundedFollowing' };
const count = (k: 'preceding' | 'following', n: bigint): FrameBound => ({ k, offset: n, offsetType: int8 });
const distance = (k: 'preceding' | 'following', n: number): FrameBound => ({
  k,
  offset: n,
  offsetType: int4,
  add: 'int4pl(int4,int4)',
  sub: 'int4mi(int4,int4)',
});

const DEFAULT: WindowFrame = { mode: 'range', start, end: current, exclude: 'none' };
const frame = (
  mode: WindowFrame['mode'],
  from: FrameBound,
  to: FrameBound,
  exclude: WindowFrame['exclude'] = 'none',
): WindowFrame => ({ mode, start: from, end: to, exclude });

const plain = (fn: string, args: number[], t = int8, over = DEFAULT): WindowCall => ({
  fn,
  args,
  filter: null,
  aggregate: false,
  frame: over,
  t,
});
const aggregate = (
  fn: string,
  args: number[],
  over: WindowFrame,
  t = int8,
  filter: number | null = null,
): WindowCall => ({
  fn,
  args,
  filter,
  aggregate: true,
  frame: over,
  t,
});

const byKey: SortKey[] = [{ col: 1, desc: false, nullsFirst: false }];
const byKeyDown: SortKey[] = [{ col: 1, desc: true, nullsFirst: true }];
const byFloat: SortKey[] = [
  { col: 2, desc: true, nullsFirst: false },
  { col: 1, desc: false, nullsFirst: true },
];
const float8 = colType(OID.float8);
const texts = colType(OID._text);
const array = (over: WindowFrame) => aggregate('array_agg(anynonarray)', [3], over, texts);

const cases: [string, SortKey[], WindowCall[]][] = [
  [
    'ranks',
    byFloat,
    [
      plain('row_number()', []),
      plain('rank()', []),
      plain('dense_rank()', []),
      plain('percent_rank()', [], float8),
      plain('cume_dist()', [], float8),
    ],
  ],
  ['row_number alone', byKey, [plain('row_number()', [])]],
  ['lag and lead by one', byKey, [plain('lag(anyelement)', [3], types[3]), plain('lead(anyelement)', [1], int4)]],
  ['lag alone', byKeyDown, [plain('lag(anyelement)', [3], types[3])]],
  [
    'lag and lead by a column',
    byKey,
    [plain('lag(anyelement,int4)', [1, 4], int4), plain('lead(anycompatible,int4,anycompatible)', [1, 4, 4], int4)],
  ],
  ['default frame', byKey, [aggregate('sum(int4)', [1], DEFAULT), array(DEFAULT)]],
  [
    'no order',
    [],
    [aggregate('count(any)', [3], DEFAULT), array(DEFAULT), plain('first_value(anyelement)', [3], types[3])],
  ],
  [
    'rows around',
    byKey,
    [
      aggregate('sum(int4)', [4], frame('rows', count('preceding', 2n), count('following', 1n))),
      aggregate('max(int4)', [1], frame('rows', count('preceding', 1n), current), int4),
    ],
  ],
  ['rows behind', byKeyDown, [array(frame('rows', count('preceding', 3n), count('preceding', 1n)))]],
  ['rows ahead', byKey, [array(frame('rows', count('following', 1n), count('following', 2n)))]],
  ['rows to the end', byKey, [aggregate('count(any)', [3], frame('rows', current, end))]],
  [
    'range distance',
    byKey,
    [
      aggregate('sum(int4)', [4], frame('range', distance('preceding', 2), distance('following', 1))),
      array(frame('range', distance('following', 1), distance('following', 3))),
      array(frame('range', start, distance('preceding', 1))),
    ],
  ],
  [
    'range distance, descending',
    byKeyDown,
    [array(frame('range', distance('preceding', 2), current)), array(frame('range', distance('following', 1), end))],
  ],
  [
    'groups',
    byKey,
    [
      array(frame('groups', count('preceding', 1n), count('following', 1n))),
      array(frame('groups', count('following', 1n), end)),
      aggregate('sum(int4)', [1], frame('groups', current, current)),
    ],
  ],
  [
    'exclude',
    byKey,
    [
      array(frame('rows', count('preceding', 2n), count('following', 2n), 'current')),
      array(frame('range', start, current, 'group')),
      array(frame('groups', count('preceding', 1n), current, 'ties')),
      plain('first_value(anyelement)', [1], int4, frame('rows', start, end, 'current')),
      plain('last_value(anyelement)', [1], int4, frame('rows', start, end, 'ties')),
    ],
  ],
  ['exclude in rows alone', byKey, [array(frame('rows', count('preceding', 2n), count('following', 2n), 'ties'))]],
  ['filter', byKey, [aggregate('sum(int4)', [1], frame('rows', count('preceding', 2n), current), int8, 5)]],
  [
    'values of the frame',
    byKey,
    [
      plain('last_value(anyelement)', [3], types[3]),
      plain('nth_value(anyelement,int4)', [1, 4], int4, frame('rows', count('preceding', 1n), count('following', 2n))),
    ],
  ],
  ['peers only', byKey, [array(frame('range', current, current))]],
];

for (const [name, order, calls] of cases) {
  test(`window functions, ${name}`, () => {
    const node: PlanNode & { op: 'over' } = {
      op: 'over',
      inputs: [],
      types: [...types, ...calls.map((c) => c.t)],
      names: [...names, ...calls.map((_, i) => `w${i}`)],
      partition: [0],
      order,
      calls,
    };
    checkOperator({ node, inputTypes: [types], row, rows: 30, naive: ([rows]) => overRows(node, rows, types) }, seed);
    checkOnce(node);
  });
}

/** The same of a plan that is run once. */
function checkOnce(node: PlanNode & { op: 'over' }): void {
  const chance = new Random(seed);
  for (const partition of [[0], [3, 2], []]) {
    const rows = Array.from({ length: chance.pick([0, 1, 60]) }, () => row(0, chance));
    const weights = rows.map(() => (chance.below(5) === 0 ? 2 : 1));
    const over = { ...node, partition };
    const { texts } = runOnce(() => new OverOnce(over, types), types, rows, weights, 20, chance);
    const all = rows.flatMap((one, i) => Array<Datum[]>(weights[i]).fill(one));
    const expected = new Bag();
    for (const one of overRows(over, all, types)) expected.add(one, 1);
    assert.deepEqual(texts, expected.texts());
  }
}

test('window functions, ntile', () => {
  const inputTypes = [int4, int4];
  const node: PlanNode & { op: 'over' } = {
    op: 'over',
    inputs: [],
    types: [...inputTypes, int4],
    names: ['v', 'buckets', 'w'],
    partition: [],
    order: [{ col: 0, desc: false, nullsFirst: false }],
    calls: [plain('ntile(int4)', [1], int4)],
  };
  checkOperator(
    {
      node,
      inputTypes: [inputTypes],
      rows: 30,
      row: (_input, random) => [random.below(9), 4],
      naive: ([rows]) => overRows(node, rows, inputTypes),
    },
    seed,
  );
});
