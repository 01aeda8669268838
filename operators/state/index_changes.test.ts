/** An index that takes deltas with retractions in by kernels against one that takes them row by row. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { BatchBuilder, batchFromRows } from '../batch/builder.ts';
import { pages } from '../batch/pages.ts';
import { type Datum, decimal } from '../datum.ts';
import type { Retention } from '../plan.ts';
import { foundRows } from '../testing/found_rows.ts';
import { Bag, Random, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { KeyedIndex } from './keyed_index.ts';
import { RelationStore } from './relation_store.ts';

const seed = testSeed();
const types = [
  OID.int8,
  OID.text,
  OID.numeric,
  OID.timestamp,
  OID.int4,
  OID.uuid,
  OID.bool,
  OID.float8,
  OID.float8,
].map((oid) => colType(oid));

function randomRow(random: Random): Datum[] {
  const orNull = (value: Datum) => (random.below(20) === 0 ? null : value);
  const digits = random.below(10) === 0 ? 10n ** 30n : 1n;
  return [
    orNull(BigInt(random.below(3) === 0 ? 7 : random.below(60))),
    orNull('text'.repeat(random.pick([0, 1, 3, 4, 40])) + random.below(2)),
    orNull(random.below(20) === 0 ? NAN : decimal(digits * BigInt(random.below(2)), 2)),
    orNull(BigInt(random.below(1000))),
    orNull(random.pick([0, 1 << 16])),
    orNull(`0000000${random.below(2)}-0000-0000-0000-000000000000`),
    random.below(2) === 0,
    orNull(random.pick([0, -0, Number.NaN, 2.5])),
    Math.sqrt(random.below(3)),
  ];
}

const NAN: Datum = { ...decimal(0n), special: 'NaN' };

/** A delta of rows that come, and of rows that came before and go; now and then of one that never came. */
function randomDelta(random: Random, present: Datum[][]): { rows: Datum[][]; weights: number[] } {
  const rows: Datum[][] = [];
  const weights: number[] = [];
  const n = random.pick([3, 20, 200]);
  const goes = random.below(4) === 0 ? n : n / 2;
  while (rows.length < goes && present.length > 0) {
    const [row] = present.splice(random.below(present.length), 1);
    rows.push(row);
    weights.push(-1);
  }
  while (rows.length < n && goes < n) {
    const row = randomRow(random);
    const weight = random.below(10) === 0 ? 2 : random.below(40) === 0 ? 0 : 1;
    for (let i = 0; i < weight; i++) present.push(row);
    rows.push(row);
    weights.push(weight);
    // One that comes and goes at once, or goes before it comes.
    if (random.below(30) === 0 && weight > 0) {
      present.pop();
      const at = random.below(rows.length);
      rows.splice(at, 0, row);
      weights.splice(at, 0, -1);
    }
  }
  return { rows, weights };
}

const frees: Retention[] = [{ input: 0, column: 3, sources: [0], lag: 0n, strict: false }];
const shapes: { name: string; keys: number[]; nullKeys: boolean; frees: Retention[]; unique?: boolean }[] = [
  { name: 'an integer, some with many rows', keys: [0], nullKeys: true, frees: [] },
  { name: 'an integer said to have one row', keys: [0], nullKeys: true, frees: [], unique: true },
  { name: 'a text', keys: [1, 0], nullKeys: false, frees: [] },
  { name: 'a numeric, whose slots are found row by row', keys: [2, 0], nullKeys: false, frees: [] },
  { name: 'a float', keys: [7, 4], nullKeys: true, frees: [] },
  { name: 'a time by which keys are freed', keys: [3, 1], nullKeys: false, frees },
  { name: 'an integer, rows are freed by their time', keys: [0], nullKeys: true, frees },
];

for (const { name, keys, nullKeys, frees: conditions, unique } of shapes) {
  test(`deltas that are taken in at once are those that are taken in row by row, key: ${name}`, () => {
    const used = pages.usedPages;
    const random = new Random(seed);
    const [atOnce, oneByOne] = [0, 1].map(() => new KeyedIndex(types, keys, nullKeys, conditions, false, unique));
    const arena = new Arena();
    const present: Datum[][] = [];
    const rounds = times(24);
    for (let round = 0; round < rounds; round++) {
      const { rows, weights } = randomDelta(random, present);
      const owed = random.below(8) === 0 ? randomRow(random) : null;
      if (owed !== null) {
        rows.push(owed);
        weights.push(-1);
      }
      const deltas = [batchFromRows(types, rows, arena, weights)];
      // It comes after all.
      if (owed !== null) deltas.push(batchFromRows(types, [owed], arena));
      for (const delta of deltas) {
        atOnce.apply(delta, arena);
        oneByOne.apply(delta);
        for (const index of [atOnce, oneByOne]) index.endTick();
        assert.equal(atOnce.size, oneByOne.size);
      }
      const watermark = BigInt(random.below(500));
      for (const index of [atOnce, oneByOne]) if (round % 8 === 7) while (!index.free(() => watermark));
      const probes = [...rows.slice(-8), ...Array.from({ length: 8 }, () => randomRow(random))];
      assert.deepEqual(foundRows(atOnce, probes, arena), foundRows(oneByOne, probes, arena), `round ${round}`);
      for (const index of [atOnce, oneByOne]) index.endTick();
      arena.reset();
      // What the watermark has freed is not there to go.
      if (conditions.length > 0 && round % 8 === 7) present.length = 0;
    }
    if (conditions.length === 0) {
      const rest = batchFromRows(
        types,
        present,
        arena,
        present.map(() => -1),
      );
      atOnce.apply(rest, arena);
      atOnce.endTick();
      assert.equal(atOnce.size, 0);
    }
    for (const index of [atOnce, oneByOne]) index.release();
    arena.release();
    assert.equal(pages.usedPages, used);
  });
}

test('a row whose weight takes several entries with long texts leaves what the list cannot hold to the index', () => {
  const used = pages.usedPages;
  const arena = new Arena();
  const two = types.slice(0, 2);
  const index = new KeyedIndex(two, [0], true);
  const rows: Datum[][] = Array.from({ length: 20 }, (_, i) => [
    BigInt(i),
    `a text that is longer than its slot, ${i}`,
  ]);
  const times = 6;
  const apply = (weight: number) => {
    index.apply(
      batchFromRows(
        two,
        rows,
        arena,
        rows.map(() => weight),
      ),
      arena,
    );
    index.endTick();
    arena.reset();
  };
  for (let i = 0; i < times; i++) apply(1);
  apply(-times);
  assert.equal(index.size, 0);
  index.release();
  arena.release();
  assert.equal(pages.usedPages, used);
});

test('weights that are added at once are those that are added row by row', () => {
  const random = new Random(seed);
  const arena = new Arena();
  const [atOnce, oneByOne] = [0, 1].map(() => new RelationStore(types));
  const present: Datum[][] = [];
  const rows = (store: RelationStore) => {
    const bag = new Bag();
    const out = new BatchBuilder(types, arena);
    store.forEach((address, weight) => {
      store.ops.load(address, out.columns, out.addRow(weight));
    });
    bag.addBatch(out.build());
    return bag.texts();
  };
  let told = 0;
  for (let round = times(24); round > 0; round--) {
    const { rows: delta, weights } = randomDelta(random, present);
    delta.push(randomRow(random));
    weights.push(-random.below(2));
    const batch = batchFromRows(types, delta, arena, weights);
    atOnce.apply(batch);
    oneByOne.apply(batch, () => told++);
    for (const store of [atOnce, oneByOne]) store.endTick();
    assert.deepEqual(rows(atOnce), rows(oneByOne));
    assert.equal(atOnce.size, oneByOne.size);
    assert.equal(atOnce.negative, oneByOne.negative);
    arena.reset();
  }
  assert.ok(told > 0);
  for (const store of [atOnce, oneByOne]) store.release();
  arena.release();
});
