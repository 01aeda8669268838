/** An index to which a kernel appends all rows of a delta against one that takes them one by one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { batchFromRows } from '../batch/builder.ts';
import { pages } from '../batch/pages.ts';
import { type Datum, decimal } from '../datum.ts';
import { APPEND_COLUMNS } from '../kernels/append_layout.ts';
import { KEYS_BYTES } from '../kernels/key_layout.ts';
import type { Retention } from '../plan.ts';
import { foundRows } from '../testing/found_rows.ts';
import { Random, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { KeyedIndex } from './keyed_index.ts';

const seed = testSeed();
const types = [OID.int8, OID.text, OID.numeric, OID.timestamp, OID.text, OID.bool, OID.timestamp].map((oid) =>
  colType(oid),
);

function randomRow(random: Random): Datum[] {
  return [
    random.below(20) === 0 ? null : BigInt(random.below(3) === 0 ? 7 : random.below(200)),
    random.below(20) === 0 ? null : 'key'.repeat(random.pick([1, 4, 5, 40])) + random.below(30),
    random.below(20) === 0 ? null : decimal(random.below(10) === 0 ? 10n ** 30n : BigInt(random.below(30)), 2),
    random.below(20) === 0 ? null : BigInt(random.below(1000)),
    random.below(500) === 0 ? 'long'.repeat(20_000) : 'value'.repeat(random.below(5)),
    random.below(2) === 0,
    BigInt(random.below(1000)),
  ];
}

const dies = (column: number): Retention => ({ input: 0, column, sources: [0], lag: 0n, strict: false });
const shapes: { name: string; keys: number[]; nullKeys: boolean; frees: Retention[] }[] = [
  { name: 'an integer', keys: [0], nullKeys: true, frees: [] },
  { name: 'a text', keys: [1], nullKeys: false, frees: [] },
  { name: 'a numeric, whose slots are found row by row', keys: [2], nullKeys: false, frees: [] },
  { name: 'three columns in another order', keys: [5, 1, 0], nullKeys: true, frees: [] },
  { name: 'a time by which keys are freed', keys: [3, 1], nullKeys: false, frees: [dies(3)] },
  { name: 'a time that frees rows with another one', keys: [3, 1], nullKeys: false, frees: [dies(3), dies(6)] },
  { name: 'all columns but two', keys: [6, 0, 1, 5, 2], nullKeys: true, frees: [] },
];

for (const { name, keys, nullKeys, frees } of shapes) {
  test(`rows that are appended at once are those that are added one by one, key: ${name}`, () => {
    const used = pages.usedPages;
    const random = new Random(seed);
    const [atOnce, oneByOne] = [0, 1].map(() => new KeyedIndex(types, keys, nullKeys, frees, true));
    const arena = new Arena();
    const rounds = times(24);
    for (let round = 0; round < rounds; round++) {
      const rows = Array.from({ length: random.pick([0, 1, 5, 200]) }, () => randomRow(random));
      const weights = rows.map((): number => (random.below(10) === 0 ? 2 : 1));
      // A row of weight 0 is not for the kernel.
      if (random.below(5) === 0 && rows.length > 0) weights[random.below(rows.length)] = 0;
      const counted = !weights.includes(0);
      const delta = batchFromRows(types, rows, arena, weights);
      atOnce.apply(delta, arena);
      assert.equal(atOnce.countsAdded, counted);
      oneByOne.apply(delta);
      const watermark = BigInt(random.below(1000));
      for (const index of [atOnce, oneByOne]) {
        index.endTick();
        if (round % 8 === 7) while (!index.free(() => watermark));
      }
      arena.reset();
      assert.equal(atOnce.size, oneByOne.size);
      const probes = [...rows, ...Array.from({ length: 20 }, () => randomRow(random))];
      assert.deepEqual(foundRows(atOnce, probes, arena), foundRows(oneByOne, probes, arena), `round ${round}`);
      for (const index of [atOnce, oneByOne]) index.endTick();
      arena.reset();
    }
    for (const index of [atOnce, oneByOne]) index.release();
    arena.release();
    assert.equal(pages.usedPages, used);
  });
}

test('the record of an append begins with that of its keys', () => {
  assert.equal(APPEND_COLUMNS, KEYS_BYTES);
});
