import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as immediately } from 'node:timers/promises';
import { Random, testSeed } from '../../../operators/testing/property.ts';
import { type Message, messageBatch } from '../message_batch.ts';
import type { PostgresSource } from './source.ts';
import { bytesOf, Units } from './units.ts';

/** As much of a table as units ask for. */
function tableOf(): PostgresSource {
  return { queuedBytes: 0, arrivals: { ready: () => undefined } } as unknown as PostgresSource;
}

function batchOf(number: number, rows: number) {
  const message: Message = { key: null, value: Buffer.from(`${number}`), timestamp: -1, headers: [] };
  return { ...messageBatch(0, number * 10, Array(rows).fill(message)), place: `${number}` };
}

const sum = (numbers: number[]) => numbers.reduce((before, one) => before + one, 0);

/** Whether fewer bytes wait. */
async function hasRoom(units: Units, bytes: number): Promise<boolean> {
  const enough = new AbortController();
  let isThere = false;
  const room = units.room(bytes, enough.signal).then(() => {
    isThere = !enough.signal.aborted;
  });
  await immediately();
  enough.abort();
  await room;
  return isThere;
}

test('whole units in order, and again where they were given back', async (t) => {
  const seed = testSeed();
  t.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  for (let round = 0; round < 50; round++) {
    const units = new Units();
    const tables = [tableOf(), tableOf(), tableOf()];
    /** What waits: the tables of each unit, and how many bytes it has of each. */
    let left: { number: number; bytes: Map<PostgresSource, number> }[] = [];
    let number = 0;
    let removed: PostgresSource | null = null;
    for (let step = 0; step < 200; step++) {
      for (let i = random.below(7); i > 0; i--) {
        const some = tables.filter((table) => table !== removed && random.chance(0.5));
        const unit = new Map(some.map((table) => [table, batchOf(number, random.below(4))]));
        units.push(unit);
        const bytes = new Map([...unit].map(([table, batch]) => [table, bytesOf(batch)]));
        if (unit.size > 0) left.push({ number, bytes });
        number++;
      }
      if (step === 100) {
        removed = tables[2];
        units.remove(tables[2]);
        for (const { bytes } of left) bytes.delete(tables[2]);
        left = left.filter(({ bytes }) => bytes.size > 0);
      }
      units.admit(1 + random.below(12));
      const polled = tables.map((table) => {
        const places: number[] = [];
        for (let batch = units.poll(table); batch !== null; batch = units.poll(table)) places.push(Number(batch.place));
        return places;
      });
      const last = Math.max(-1, ...polled.flat());
      const admitted = left.filter((unit) => unit.number <= last);
      for (const [i, table] of tables.entries())
        assert.deepEqual(
          polled[i],
          admitted.flatMap((unit) => (unit.bytes.has(table) ? unit.number : [])),
        );
      assert.equal(admitted.length > 0, left.length > 0);
      if (random.chance(0.25)) {
        units.giveBack();
        continue;
      }
      tables.forEach((table, i) => {
        // The last one speaks for those before it.
        const places = random.chance(0.5) ? polled[i] : polled[i].slice(-1);
        for (const place of places) units.settle(table, `${place}`);
      });
      left = left.slice(admitted.length);
      for (const table of tables) {
        const own = left.flatMap(({ bytes }) => bytes.get(table) ?? []);
        assert.equal(units.has(table), own.length > 0);
        assert.equal(table.queuedBytes, sum(own));
      }
    }
    const waiting = sum(tables.map(({ queuedBytes }) => queuedBytes));
    assert.equal(await hasRoom(units, waiting), false);
    assert.equal(await hasRoom(units, waiting + 1), true);
  }
});
