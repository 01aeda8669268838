import { test } from 'node:test';
import { type Datum, decimal } from './datum.ts';
import type { PlanNode, SortKey } from './plan.ts';
import { comparePeers, inOrder, partitions } from './testing/naive_order.ts';
import { checkOperator, type Random, testSeed } from './testing/property.ts';
import { colType, OID } from './types.ts';

const seed = testSeed();
const types = [
  colType(OID.int4),
  colType(OID.int8),
  colType(OID.text),
  colType(OID.numeric),
  colType(OID.float8),
  colType(OID.date),
];

function row(_input: number, random: Random): Datum[] {
  return [
    random.below(5) === 0 ? null : random.below(3),
    random.pick([null, -1n, 0n, 2n ** 40n, 2n ** 40n + 1n]),
    random.pick([null, 'a', 'a text longer than twelve bytes']),
    random.pick([null, decimal(1n), decimal(10n, 1), decimal(7n, 2)]),
    random.pick([null, 0, -0, Number.NaN, 1.5]),
    random.pick([null, -3, 0, 7]),
  ];
}

type TopN = PlanNode & { op: 'topn' };

function check(order: SortKey[], partition: number[], rank: TopN['rank'] = 'none'): void {
  const node: TopN = {
    op: 'topn',
    inputs: [],
    types: rank === 'none' ? types : [...types, colType(OID.int8)],
    names: [...types, ...(rank === 'none' ? [] : [rank])].map((_, i) => `c${i}`),
    partition,
    order,
    limit: 1,
    offset: 0,
    withTies: true,
    rank,
    keepsBest: true,
  };
  const naive = ([rows]: Datum[][][]): Datum[][] =>
    partitions(rows, partition, types).flatMap((group) => {
      const sorted = inOrder(group, order, types);
      const best = sorted.filter((r) => comparePeers(sorted[0], r, order, types) === 0);
      return rank === 'none' ? best : best.map((r) => [...r, 1n]);
    });
  checkOperator({ node, inputTypes: [types], row, appendOnly: true, naive }, seed);
}

for (const desc of [false, true]) {
  for (const nullsFirst of [false, true]) {
    const name = `${desc ? 'greatest' : 'least'}, NULLs ${nullsFirst ? 'first' : 'last'}`;
    test(`the ${name} int8 of each partition`, () => check([{ col: 1, desc, nullsFirst }], [0]));
    test(`the ${name} date of each partition`, () => check([{ col: 5, desc, nullsFirst }], [0]));
    test(`the ${name} numeric of each partition`, () => check([{ col: 3, desc, nullsFirst }], [2]));
  }
}
test('the greatest of all', () => check([{ col: 1, desc: true, nullsFirst: false }], []));
test('by a float and a text, with the rank', () =>
  check(
    [
      { col: 4, desc: true, nullsFirst: false },
      { col: 2, desc: false, nullsFirst: true },
    ],
    [0],
    'rank',
  ));
