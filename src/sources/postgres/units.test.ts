import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, testSeed } from '../../../operators/testing/property.ts';
import { type Message, messageBatch } from '../message_batch.ts';
import type { PostgresSource } from './source.ts';
import { Units } from './units.ts';

/** As much of a table as units ask for. */
function tableOf(): PostgresSource {
  return { queuedBytes: 0, arrivals: { ready: () => undefined } } as unknown as PostgresSource;
}

function batchOf(number: number, rows: number) {
  const message: Message = { key: null, value: Buffer.from(`${number}`), timestamp: -1, headers: [] };
  return { ...messageBatch(0, number * 10, Array(rows).fill(message)), place: `${number}` };
}

test('whole units in order, and again where they were given back', (t) => {
  const seed = testSeed();
  t.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  for (let round = 0; round < 50; round++) {
    const units = new Units();
    const tables = [tableOf(), tableOf(), tableOf()];
    /** What waits: the tables of each unit. */
    let left: Map<PostgresSource, number>[] = [];
    let number = 0;
    let removed: PostgresSource | null = null;
    for (let step = 0; step < 200; step++) {
      for (let i = random.below(7); i > 0; i--) {
        const some = tables.filter((table) => table !== removed && random.chance(0.5));
        const unit = new Map(some.map((table) => [table, random.below(4)]));
        units.push(new Map([...unit].map(([table, rows]) => [table, batchOf(number, rows)])));
        number++;
        if (unit.size > 0) left.push(new Map(some.map((table) => [table, number - 1])));
      }
      if (step === 100) {
        removed = tables[2];
        units.remove(tables[2]);
        for (const unit of left) unit.delete(tables[2]);
        left = left.filter(({ size }) => size > 0);
      }
      units.admit(1 + random.below(12));
      const polled = tables.map((table) => {
        const places: number[] = [];
        for (let batch = units.poll(table); batch !== null; batch = units.poll(table)) places.push(Number(batch.place));
        return places;
      });
      const last = Math.max(-1, ...polled.flat());
      const admitted = left.filter((unit) => Math.max(...unit.values()) <= last);
      for (const [i, table] of tables.entries())
        assert.deepEqual(
          polled[i],
          admitted.flatMap((unit) => unit.get(table) ?? []),
        );
      assert.equal(admitted.length > 0, left.length > 0);
      if (random.chance(0.25)) {
        units.giveBack();
        continue;
      }
      tables.forEach((table, i) => {
        for (const place of polled[i]) units.settle(table, `${place}`);
      });
      left = left.slice(admitted.length);
      assert.equal(units.isEmpty, left.length === 0);
      for (const table of tables)
        assert.equal(
          units.has(table),
          left.some((unit) => unit.has(table)),
        );
    }
    assert.equal(
      units.bytes,
      tables.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
    );
  }
});
