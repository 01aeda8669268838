/** Units are taken whole and in order, each once, whatever is taken back in between. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, testSeed, times } from '../../../operators/testing/property.ts';
import { messageBatch } from '../message_batch.ts';
import type { PostgresSource } from './source.ts';
import { Units } from './units.ts';

interface Table {
  queuedBytes: number;
  arrivals: { ready(): void };
}

test('units', () => {
  const random = new Random(testSeed());
  for (let round = times(300); round > 0; round--) {
    const units = new Units();
    const tables = Array.from({ length: 1 + random.below(3) }, (): Table => {
      return { queuedBytes: 0, arrivals: { ready: () => undefined } };
    }) as unknown as PostgresSource[];
    /** Numbers of units, by table: of those that were pushed, and of those that were taken. */
    const pushed = tables.map((): number[] => []);
    const taken = tables.map((): number[] => []);
    let next = 0;
    const push = () => {
      const number = next++;
      const parts = tables.flatMap((table, t): [PostgresSource, ReturnType<typeof messageBatch>][] => {
        if (random.chance(0.4)) return [];
        pushed[t].push(number);
        const messages = Array.from({ length: random.below(5) }, () => {
          return { key: null, value: Buffer.alloc(random.below(9)), timestamp: -1, headers: [] };
        });
        return [[table, messageBatch(0, number, messages)]];
      });
      units.push(new Map(parts));
    };
    const tick = (rows: number) => {
      units.admit(rows);
      const polled = tables.map((table) => {
        const numbers: number[] = [];
        for (let batch = units.poll(table); batch !== null; batch = units.poll(table))
          numbers.push(Number(batch.baseOffset));
        return numbers;
      });
      const last = Math.max(-1, ...polled.flat());
      // All that belongs to the units up to the last one, and nothing behind it.
      tables.forEach((_, t) => {
        const wanted = pushed[t].slice(taken[t].length).filter((number) => number <= last);
        assert.deepEqual(polled[t], wanted);
      });
      if (random.chance(0.3)) {
        units.giveBack();
        return;
      }
      tables.forEach((table, t) => {
        if (polled[t].length === 0) return;
        taken[t].push(...polled[t]);
        units.settle(table);
      });
    };
    for (let step = random.below(60); step > 0; step--) {
      if (random.chance(0.6)) push();
      else tick(random.below(12));
    }
    for (let i = 0; i < 1000 && tables.some((table) => units.has(table)); i++) tick(1 + random.below(12));
    assert.deepEqual(taken, pushed);
    assert.deepEqual(
      tables.map(({ queuedBytes }) => queuedBytes),
      tables.map(() => 0),
    );
  }
});
