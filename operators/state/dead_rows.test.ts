import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { BatchBuilder, batchFromRows } from '../batch/builder.ts';
import { pages } from '../batch/pages.ts';
import { type Datum, decimal } from '../datum.ts';
import type { Retention } from '../plan.ts';
import { MemoryColdStore } from '../testing/cold_memory.ts';
import { Bag, Random, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { cold } from './cold_store.ts';
import { KeyedIndex } from './keyed_index.ts';

const seed = testSeed();
const types = [OID.int8, OID.text, OID.numeric, OID.timestamp, OID.text].map((oid) => colType(oid));
const SECOND = 1_000_000n;
const dead: Retention = { input: 0, column: 3, sources: [0], lag: 2n * SECOND, strict: false };

function randomRow(random: Random, now: bigint): Datum[] {
  const hot = random.below(4) === 0;
  return [
    hot ? 7n : BigInt(random.below(100)),
    'k'.repeat(random.pick([3, 20, 200])),
    random.below(10) === 0 ? decimal(10n ** 30n, 2) : decimal(5n, 1),
    random.below(50) === 0 ? null : now + BigInt(random.below(5_000_000)),
    random.below(3000) === 0 ? 'long'.repeat(20_000) : null,
  ];
}

/** The kernel, and what is there without it: once runs have gone to the cold store it has no part any more. */
for (const name of ['by the kernel', 'by the kernel, rows that never go', 'one by one'] as const) {
  test(`rows that live are all there, and the dead ones go, ${name}`, () => {
    const used = pages.usedPages;
    const random = new Random(seed);
    const appendOnly = name !== 'by the kernel';
    const index = new KeyedIndex(types, [0], true, [dead], appendOnly);
    const arena = new Arena();
    const bag = new Bag();
    const live: { row: Datum[]; time: bigint }[] = [];
    let now = 0n;
    if (name === 'one by one') cold.store = new MemoryColdStore();
    const rounds = times(24);
    for (let round = 0; round < rounds; round++) {
      const rows = Array.from({ length: random.below(300) }, () => randomRow(random, now));
      const weights = rows.map(() => 1);
      if (!appendOnly) {
        for (let i = random.below(20); i > 0 && live.length > 0; i--) {
          const [{ row }] = live.splice(random.below(live.length), 1);
          rows.push(row);
          weights.push(-1);
        }
      }
      rows.forEach((row, i) => {
        bag.add(row, weights[i]);
        if (weights[i] > 0 && row[3] !== null) live.push({ row, time: row[3] as bigint });
      });
      index.apply(batchFromRows(types, rows, arena, weights), arena);
      index.endTick();
      arena.reset();
      now += BigInt(random.below(1_500_000));
      index.free(() => now);
      if (name === 'one by one' && round % 8 === 0) index.chill(Number.POSITIVE_INFINITY);
      for (let i = live.length - 1; i >= 0; i--) if (live[i].time + dead.lag < now) live.splice(i, 1);
      const lives = ([, , , time]: Datum[]) => time === null || (time as bigint) + dead.lag >= now;
      const out = new BatchBuilder(types, arena);
      index.forEach(arena, (slot, entry, weight) => index.loadRow(slot, entry, out.columns, out.addRow(weight)));
      assert.equal(out.n, index.size);
      const seen = new Bag();
      seen.addBatch(out.build());
      const texts = (of: Bag) => {
        const some = new Bag();
        for (const { row, weight } of of.rows.values()) if (lives(row)) some.add(row, weight);
        return some.texts();
      };
      assert.deepEqual(texts(seen), texts(bag), `round ${round}`);
      arena.reset();
    }
    now += 100n * SECOND;
    while (!index.free(() => now));
    // Those without a time live on, and beside them what is less than a quarter of its run.
    const kept = [...bag.rows.values()].filter(({ row }) => row[3] === null);
    const dying = index.size - kept.reduce((sum, { weight }) => sum + weight, 0);
    assert.ok(dying >= 0 && dying * 4 <= index.size, `${dying} of ${index.size} rows are dead`);
    index.release();
    arena.release();
    cold.store = null;
    assert.equal(pages.usedPages, used);
  });
}
