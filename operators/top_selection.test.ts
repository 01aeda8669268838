/** The first rows of a plan that is run once, piece by piece, are those of sorting all of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Datum, decimal } from './datum.ts';
import type { PlanNode, SortKey } from './plan.ts';
import { inOrder } from './testing/naive_order.ts';
import { Bag, Random, rowText, testSeed, times } from './testing/property.ts';
import { runOnce } from './testing/run_once.ts';
import { TopNOperator } from './top_n.ts';
import { isSelection, TopSelection } from './top_selection.ts';
import { colType, OID } from './types.ts';

const types = [colType(OID.int4), colType(OID.float8), colType(OID.text), colType(OID.numeric)];

function read(order: SortKey[], [limit, offset]: number[], rows: Datum[][], weights: number[], chance: Random) {
  const node: PlanNode = {
    op: 'topn',
    inputs: [0],
    types,
    names: ['i', 'f', 't', 'n'],
    partition: [],
    order,
    limit,
    offset,
    withTies: false,
    rank: 'none',
  };
  assert.ok(isSelection(node));
  const other = () => new TopNOperator(node, types, true);
  return runOnce(() => new TopSelection(node, other), types, rows, weights, 700, chance);
}

function expected(order: SortKey[], limit: number, offset: number, rows: Datum[][], weights: number[]): string[] {
  const all = rows.flatMap((row, i) => Array<Datum[]>(weights[i]).fill(row));
  const bag = new Bag();
  for (const row of inOrder(all, order, types).slice(offset, offset + limit)) bag.add(row, 1);
  return bag.texts();
}

test('the first rows, of whatever order', () => {
  const seed = testSeed();
  const chance = new Random(seed);
  for (let round = 0; round < times(60); round++) {
    const n = 1 + chance.below(chance.pick([20, 3000]));
    const [limit, offset] = [chance.pick([1, 3, 10, 100, 1000, 4000]), chance.pick([0, 0, 1, 50, 900])];
    // Texts that begin alike, and few different rows, are what keys do not tell apart.
    const stem = chance.pick(['', '', 'all texts begin with these words, ']);
    const values = chance.pick([3, 50, 100000]);
    const rises = chance.below(3);
    const rows = Array.from({ length: n }, (_, i): Datum[] => {
      const value = rises === 0 ? i : rises === 1 ? n - i : chance.below(values);
      return [
        chance.below(4) === 0 ? null : value,
        chance.pick([null, 0, -0, Number.NaN, value / 3]),
        chance.below(9) === 0 ? null : `${stem}${value}`,
        chance.pick([null, decimal(1n), decimal(10n, 1), decimal(BigInt(value) ** 9n, 3), decimal(BigInt(-value), 2)]),
      ];
    });
    const weights = rows.map(() => (chance.below(10) === 0 ? 1 + chance.below(3) : 1));
    const order = Array.from({ length: 1 + chance.below(2) }, () => ({
      col: chance.below(types.length),
      desc: chance.below(2) === 0,
      nullsFirst: chance.below(2) === 0,
    }));
    const { texts } = read(order, [limit, offset], rows, weights, chance);
    const says = `seed ${seed}, round ${round}: ${n} rows, ${JSON.stringify(order)} limit ${limit} offset ${offset}`;
    assert.deepEqual(texts, expected(order, limit, offset, rows, weights), says);
  }
});

for (const stem of ['', 'all texts begin with these words, '])
  test(`rows are kept as they are wanted, texts that begin with '${stem}'`, () => {
    const chance = new Random(testSeed());
    const order = [{ col: 2, desc: true, nullsFirst: false }];
    const rows = Array.from({ length: 20_000 }, (_, i): Datum[] => [i, null, `${stem}${1_000_000 + i}`, null]);
    const weights = rows.map(() => 1);
    for (const [limit, offset] of [
      [10, 0],
      [300, 700],
    ]) {
      const { texts, most } = read(order, [limit, offset], rows, weights, chance);
      const last = rows.slice(20_000 - limit - offset, 20_000 - offset);
      assert.deepEqual(texts, last.map((row) => `${rowText(row)} x 1`).sort());
      assert.ok(most <= (limit + offset) * 2 + 1000, `${most} rows were kept of ${limit + offset}`);
    }
  });
