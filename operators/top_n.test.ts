import { test } from 'node:test';
import { type Datum, decimal } from './datum.ts';
import type { PlanNode, SortKey } from './plan.ts';
import { comparePeers, inOrder, partitions } from './testing/naive_order.ts';
import { checkOperator, type Random, testSeed } from './testing/property.ts';
import { type ColType, colType, OID } from './types.ts';

const seed = testSeed();
const types = [colType(OID.int4), colType(OID.float8), colType(OID.text), colType(OID.numeric)];
const names = ['k', 'f', 't', 'n'];
const order: SortKey[] = [
  { col: 1, desc: true, nullsFirst: true },
  { col: 3, desc: false, nullsFirst: false },
];

function row(_input: number, random: Random): Datum[] {
  return [
    random.below(5) === 0 ? null : random.below(3),
    random.pick([null, 0, -0, Number.NaN, 1.5]),
    random.pick([null, 'a', 'a text longer than twelve bytes']),
    random.pick([null, decimal(1n), decimal(10n, 1), decimal(7n, 2)]),
  ];
}

type TopN = PlanNode & { op: 'topn' };

function topRows(node: TopN, rows: Datum[][], types: ColType[]): Datum[][] {
  const out: Datum[][] = [];
  for (const group of partitions(rows, node.partition, types)) {
    const sorted = inOrder(group, node.order, types);
    const limit = node.limit === null ? sorted.length : Math.min(sorted.length, node.offset + node.limit);
    let rank = 0;
    let dense = 0;
    sorted.forEach((r, i) => {
      const peers = i > 0 && comparePeers(sorted[i - 1], r, node.order, types) === 0;
      if (!peers) {
        rank = i + 1;
        dense++;
      }
      const tied =
        node.withTies && node.limit !== 0 && limit > 0 && comparePeers(sorted[limit - 1], r, node.order, types) === 0;
      if (i < node.offset || (i >= limit && !tied) || node.limit === 0) return;
      const number = { none: null, row_number: i + 1, rank, dense_rank: dense }[node.rank];
      out.push(number === null ? r : [...r, BigInt(number)]);
    });
  }
  return out;
}

function check(fields: Partial<TopN>, appendOnly = false): void {
  const node: TopN = {
    op: 'topn',
    inputs: [],
    types,
    names,
    partition: [0],
    order,
    limit: 3,
    offset: 0,
    withTies: false,
    rank: 'none',
    ...fields,
  };
  if (node.rank !== 'none') {
    node.types = [...types, colType(OID.int8)];
    node.names = [...names, 'rank'];
  }
  checkOperator({ node, inputTypes: [types], row, appendOnly, naive: ([rows]) => topRows(node, rows, types) }, seed);
}

const cases: [string, Partial<TopN>][] = [
  ['limit', {}],
  ['distinct on', { limit: 1 }],
  ['row_number = 1', { limit: 1, rank: 'row_number' }],
  ['the first of all', { partition: [], limit: 1 }],
  ['one partition, offset', { partition: [], offset: 2 }],
  ['limit without order', { order: [], limit: 4 }],
  ['limit 0', { limit: 0, withTies: true }],
  ['offset alone', { limit: null, offset: 3 }],
  ['ties', { withTies: true }],
  ['ties after offset', { withTies: true, offset: 2 }],
  ['row_number', { rank: 'row_number' }],
  ['row_number of all', { rank: 'row_number', limit: null }],
  ['rank', { rank: 'rank', withTies: true }],
  ['rank of all', { rank: 'rank', limit: null }],
  ['dense_rank of all', { rank: 'dense_rank', limit: null }],
  ['float partition', { partition: [1], order: [] }],
];

for (const [name, fields] of cases) {
  test(`top-N, ${name}`, () => check(fields));
  test(`top-N over an append-only input, ${name}`, () => check(fields, true));
}

// Without numerics the order is one that kernels compare by.
const plainTypes = [
  colType(OID.int4),
  colType(OID.float8),
  colType(OID.text),
  colType(OID.int8),
  colType(OID.uuid),
  colType(OID.bool),
];
const plainOrders: SortKey[][] = [
  order,
  [{ col: 2, desc: true, nullsFirst: false }],
  [
    { col: 5, desc: false, nullsFirst: true },
    { col: 4, desc: true, nullsFirst: true },
  ],
  [],
];

/** What a partition's slot has is not in its rows: a text, a column of the order. */
const plainPartitions = [[0], [2, 0], [5, 2], []];

for (const limit of [1, 2, 5])
  for (const rank of ['none', 'row_number'] as const)
    test(`the first ${limit} rows of an append-only input by kernels, ${rank}`, () => {
      plainOrders.forEach((keys, i) => {
        const node: TopN = {
          op: 'topn',
          inputs: [],
          types: rank === 'none' ? plainTypes : [...plainTypes, colType(OID.int8)],
          names: ['k', 'f', 't', 'n', 'u', 'b', 'rank'],
          partition: plainPartitions[i],
          order: keys,
          limit,
          offset: 0,
          withTies: false,
          rank,
        };
        const plainRow = (_input: number, random: Random): Datum[] => [
          random.below(5) === 0 ? null : random.below(3),
          random.pick([null, 0, -0, Number.NaN, 1.5, -3]),
          random.pick([null, '', 'a', 'ab', 'a text longer than twelve bytes', 'a text longer than twelve words']),
          random.pick([null, 7n, -7n, 2n ** 60n]),
          random.pick([null, '00000000-0000-4000-8000-000000000009', 'f0000000-0000-4000-8000-000000000000']),
          random.pick([null, true, false]),
        ];
        checkOperator(
          {
            node,
            inputTypes: [plainTypes],
            row: plainRow,
            appendOnly: true,
            naive: ([rows]) => topRows(node, rows, plainTypes),
          },
          seed + i,
        );
      });
    });

for (const limit of [1, 2])
  test(`the first ${limit} rows of an append-only input, by all of its columns`, () => {
    const all = [colType(OID.int4), colType(OID.text)];
    const node: TopN = {
      op: 'topn',
      inputs: [],
      types: all,
      names: ['k', 't'],
      partition: [1, 0],
      order: [],
      limit,
      offset: 0,
      withTies: false,
      rank: 'none',
    };
    const someRow = (_input: number, random: Random): Datum[] => [
      random.pick([null, 1, 2]),
      random.pick([null, '', 'a text longer than twelve bytes']),
    ];
    checkOperator(
      {
        node,
        inputTypes: [all],
        row: someRow,
        appendOnly: true,
        naive: ([rows]) => topRows(node, rows, all),
      },
      seed,
    );
  });
