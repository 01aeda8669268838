/** Windows come and go in a table: what is left is what a map of deadlines has, and its bytes follow its rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { batchFromRows } from '../batch/builder.ts';
import { I64, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import type { Datum } from '../datum.ts';
import '../expr/functions/index.ts';
import { Random, rowText, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { RowTable } from './row_table.ts';
import { TableRetention } from './table_retention.ts';

const seed = testSeed();
const WINDOW = 10_000_000;
const LAG = 5;

for (const text of [false, true]) {
  test(`windows in a table of ${text ? 'long texts' : 'numbers'}`, () => {
    const used = pages.usedPages;
    for (let round = 0; round < times(12); round++) {
      const random = new Random(seed + round);
      const types = [colType(OID.timestamp), colType(text ? OID.text : OID.int8)];
      const table = new RowTable(types, 8, 'sql');
      const frees = [{ input: 0, column: 0, sources: [1], lag: BigInt(LAG), strict: false }];
      const retention = TableRetention.of(table, frees, [0, 1]);
      assert.ok(retention !== null);
      const arena = new Arena();
      const live = new Map<string, Datum[]>();
      const most = 1 + random.below(round % 3 === 0 ? 3 : 900);
      for (let tick = 1; tick < 60; tick++) {
        const start = BigInt(Math.floor(tick / 5)) * BigInt(WINDOW);
        const rows = Array.from({ length: random.below(most) }, (): Datum[] => {
          const key = BigInt(random.below(2000));
          return [random.below(50) === 0 ? start + BigInt(WINDOW) : start, text ? `${key}`.repeat(6) : key];
        });
        const batch = batchFromRows(types, rows, arena);
        table.begin(batch.columns, rows.length);
        if (rows.length > 0)
          retention.noteFresh(table.findOrInsertAll({ n: rows.length, weights: 0, skipNulls: false }, arena), arena);
        for (const row of rows) live.set(rowText(row), row);
        // Now and then the watermark stands still for long, and all rows go at once.
        const watermark = random.below(9) === 0 ? Number(start) + 2 * WINDOW : Number(start) - WINDOW / 2;
        while (!retention.free(() => BigInt(watermark), null));
        for (const [name, [at]] of live) if (Number(at) + LAG < watermark - 2 ** 20) live.delete(name);
        table.endTick();
        const kept = batchFromRows(types, [...live.values()], arena);
        table.bind(kept.columns);
        const { slots } = table.findAll({ n: kept.n, weights: 0, skipNulls: false }, arena);
        for (let i = 0; i < kept.n; i++) assert.notEqual(U32[slots + i], 0);
        assert.equal(table.size, live.size);
        let found = 0;
        table.forEach((slot) => {
          assert.ok(table.placeOf(slot) >= 0);
          found++;
        });
        assert.equal(found, live.size);
        arena.reset();
      }
      arena.release();
      retention.release();
      table.release();
    }
    assert.equal(pages.usedPages, used);
  });
}

test('a table whose rows died gives back what it needed for them', () => {
  const used = pages.usedPages;
  const types = [colType(OID.timestamp), colType(OID.int8)];
  const table = new RowTable(types, 8, 'sql');
  const frees = [{ input: 0, column: 0, sources: [1], lag: 0n, strict: false }];
  const retention = TableRetention.of(table, frees, [0, 1]);
  assert.ok(retention !== null);
  const arena = new Arena();
  const add = (time: number, n: number) => {
    const rows = Array.from({ length: n }, (_, i): Datum[] => [BigInt(time), BigInt(i)]);
    const batch = batchFromRows(types, rows, arena);
    table.begin(batch.columns, n);
    retention.noteFresh(table.findOrInsertAll({ n, weights: 0, skipNulls: false }, arena), arena);
    table.endTick();
  };
  const free = (time: number) => {
    while (!retention.free(() => BigInt(time), null));
    table.endTick();
    return table.bytes;
  };
  add(0, 2000);
  add(WINDOW, 1000);
  const most = table.bytes;
  const moves = table.moves;
  const some = free(WINDOW);
  assert.equal(table.size, 1000);
  assert.equal(table.moves, moves + 1);
  assert.ok(some < most * 0.75, `${some} of ${most} bytes`);
  add(2 * WINDOW, 900);
  free(2 * WINDOW);
  assert.equal(table.size, 900);
  add(3 * WINDOW, 1);
  for (let i = 1; i < 12; i++) {
    add(3 * WINDOW + i * 2 ** 20, 1);
    free(3 * WINDOW + i * 2 ** 20);
  }
  assert.ok(table.size <= 2);
  assert.ok(table.bytes < 250, `${table.bytes} bytes of ${table.size} rows`);
  assert.equal(free(5 * WINDOW), 0);
  add(6 * WINDOW, 20);
  assert.equal(table.size, 20);
  arena.release();
  retention.release();
  table.release();
  assert.equal(pages.usedPages, used);
});

test('rows that die one by one, few of many at once, or of a large table', () => {
  const used = pages.usedPages;
  for (const most of [3, 30, 300, 20_000]) {
    const random = new Random(seed + most);
    const types = [colType(OID.timestamp), colType(OID.int8)];
    const table = new RowTable(types, 8, 'sql');
    const retention = TableRetention.of(table, [{ input: 0, column: 0, sources: [1], lag: 0n, strict: false }], [0, 1]);
    assert.ok(retention !== null);
    const arena = new Arena();
    const live = new Map<string, Datum[]>();
    for (let tick = 0; tick < (most > 1000 ? 8 : 60); tick++) {
      // All that is there dies at the end of this stretch, and the table begins anew.
      const isOver = random.below(15) === 0;
      const now = tick * 2 ** 18;
      const rows = Array.from({ length: random.below(most) + (most > 1000 ? most / 2 : 0) }, (): Datum[] => [
        BigInt(now + random.below(random.pick([2 ** 17, 2 ** 22]))),
        BigInt(random.below(1e9)),
      ]);
      const batch = batchFromRows(types, rows, arena);
      table.begin(batch.columns, rows.length);
      if (random.below(2) === 0)
        retention.noteFresh(table.findOrInsertAll({ n: rows.length, weights: 0, skipNulls: false }, arena), arena);
      else
        for (let row = 0; row < rows.length; row++) {
          const slot = table.findOrInsert(row);
          if (table.inserted) retention.note(slot);
        }
      for (const row of rows) live.set(rowText(row), row);
      const watermark = isOver ? now + 2 ** 24 : now;
      while (!retention.free(() => BigInt(watermark), null));
      table.endTick();
      for (const [name, [at]] of live) if (Number(at) < watermark) live.delete(name);
      const kept = batchFromRows(types, [...live.values()], arena);
      table.bind(kept.columns);
      const { slots } = table.findAll({ n: kept.n, weights: 0, skipNulls: false }, arena);
      for (let i = 0; i < kept.n; i++) assert.notEqual(U32[slots + i], 0, `tick ${tick}, ${most} rows, seed ${seed}`);
      // A row stays for some of its life beyond it, never for long.
      table.forEach((slot) => {
        assert.ok(Number(I64[(slot + table.rowOffset) / 8]) > watermark - 2 ** 19);
      });
      if (isOver) assert.equal(table.size, 0);
      if (isOver) live.clear();
      arena.reset();
    }
    arena.release();
    retention.release();
    table.release();
  }
  assert.equal(pages.usedPages, used);
});
