/** A log holds what a table holds, row for row, with its oldest rows on disk or all; a tick that is taken back, and a restart, leave it as it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { budget } from '../batch/budget.ts';
import { BatchBuilder, batchFromRows, readRow } from '../batch/builder.ts';
import { I32, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import type { Datum } from '../datum.ts';
import { MemoryColdStore } from '../testing/cold_memory.ts';
import { Image } from '../testing/image.ts';
import { Random, rowText, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { cold } from './cold_store.ts';
import { RelationStore, type RowStore } from './relation_store.ts';
import { RowLog } from './row_log.ts';
import { pagesOf, type Saved } from './saved.ts';
import { Undo } from './undo.ts';

const types = [OID.int4, OID.text, OID.numeric, OID.float8, OID.bool, OID.int8].map((oid) => colType(oid));

function randomRow(random: Random): Datum[] {
  const maybe = (value: Datum): Datum => (random.below(5) === 0 ? null : value);
  return [
    maybe(random.below(50)),
    maybe('x'.repeat(random.below(40))),
    maybe({ k: 'dec', m: random.below(3) === 0 ? 10n ** 30n : BigInt(random.below(1000)), s: 2 }),
    maybe(random.below(10) / 4),
    maybe(random.below(2) === 0),
    maybe(BigInt(random.below(9))),
  ];
}

function bag(store: RowStore, arena: Arena): [string, number][] {
  const out = new BatchBuilder(types, arena, Math.max(1, store.size));
  const weights: number[] = [];
  for (let at = 0; at >= 0; )
    at = store.visitFrom(at, Number.POSITIVE_INFINITY, store.end, arena, (address, weight) => {
      store.ops.load(address, out.columns, out.addRow(weight));
      weights.push(weight);
    });
  const batch = out.build();
  const sums = new Map<string, number>();
  weights.forEach((weight, row) => {
    const key = rowText(readRow(batch, row));
    sums.set(key, (sums.get(key) ?? 0) + weight);
  });
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
}

test('a log holds what a table holds, also after a tick that was taken back and after a restart', () => {
  const random = new Random(testSeed());
  const used = pages.usedPages;
  const arena = new Arena();
  const image = new Image();
  for (let round = 0; round < times(6); round++) {
    let log = new RowLog(types);
    const table = new RelationStore(types);
    for (let tick = 0; tick < 12; tick++) {
      const n = random.below(4) === 0 ? random.below(300) : random.below(10);
      const rows = Array.from({ length: n }, () => randomRow(random));
      const batch = batchFromRows(
        types,
        rows,
        arena,
        rows.map(() => random.below(3)),
      );
      const undo = new Undo();
      undo.start();
      undo.keep(log);
      log.apply(batch);
      if (random.below(3) === 0) undo.takeBack();
      else {
        undo.commit();
        table.apply(batch);
      }
      log.endTick();
      table.endTick();
      assert.deepEqual(bag(log, arena), bag(table, arena));
      if (random.below(4) === 0) {
        const saved = log.save();
        image.over(pagesOf(saved as unknown as Saved), () => log.release());
        log = new RowLog(types);
        log.load(saved);
        assert.deepEqual(bag(log, arena), bag(table, arena));
      }
      arena.reset();
    }
    log.release();
    table.release();
  }
  arena.release();
  assert.equal(pages.usedPages, used);
});

test('the oldest rows of a log are on disk: row for row what was appended, over ticks taken back, restarts, a full store and scans', () => {
  const random = new Random(testSeed());
  const used = pages.usedPages;
  const arena = new Arena();
  const image = new Image();
  const store = new MemoryColdStore();
  cold.store = store;
  for (let round = 0; round < times(6); round++) {
    let log = new RowLog(types);
    const rows: string[] = [];
    const check = (end: number, most: number) => {
      const { coldBytes } = log;
      let seen = 0;
      for (let at = 0; at >= 0; ) {
        const out = new BatchBuilder(types, arena, 16);
        const found = log.rowsFrom(at, most, end, arena);
        for (let i = 0; i < found.n; i++) log.ops.load(U32[found.rows + i], out.columns, out.addRow(1));
        const batch = out.build();
        for (let i = 0; i < found.n; i++) {
          const text = `${I32[found.words + i]}: ${rowText(readRow(batch, i))}`;
          if (text !== rows[seen]) assert.equal(text, rows[seen], `row ${seen}`);
          seen++;
        }
        at = found.next;
        arena.reset();
      }
      assert.equal(seen, end);
      assert.equal(log.coldBytes, coldBytes, 'who reads leaves the rows where they are');
    };
    for (let tick = 0; tick < 14; tick++) {
      const n = random.pick([0, 3, 255, 256, 700, 3000]);
      const list = Array.from({ length: n }, () => randomRow(random));
      const weights = list.map(() => (random.below(20) === 0 ? random.below(3) : 1));
      // One that is longer than a page.
      if (n > 3 && random.below(3) === 0) list[random.below(n)][1] = 'long '.repeat(30_000);
      const undo = new Undo();
      undo.start();
      undo.keep(log);
      log.apply(batchFromRows(types, list, arena, weights));
      if (random.below(4) === 0) undo.takeBack();
      else {
        undo.commit();
        list.forEach((row, i) => {
          if (weights[i] > 0) rows.push(`${weights[i]}: ${rowText(row)}`);
        });
      }
      arena.reset();
      log.endTick();
      if (random.below(3) > 0) log.chill(random.pick([1, 50_000, 400_000, Number.POSITIVE_INFINITY]));
      if (random.below(5) === 0) {
        store.room = random.below(3);
        try {
          log.chill(Number.POSITIVE_INFINITY);
        } catch (error) {
          assert.match(String(error), /there is no room/);
        }
        store.room = Number.POSITIVE_INFINITY;
      }
      if (random.below(4) === 0) {
        // To another place on disk.
        const at = random.below(20);
        log.visitCold(at, 5, (place, bytes) => {
          const copy = arena.alloc(bytes);
          store.read(place, bytes, copy);
          store.free(place, bytes);
          return store.write(copy, [bytes]);
        });
      }
      arena.reset();
      check(log.size, random.pick([100, 1000, 100_000]));
      check(random.below(log.size + 1), 300);
      if (random.below(4) === 0) {
        const saved = log.save();
        const stored = store.save();
        image.over(pagesOf(saved as unknown as Saved), () => log.release());
        store.load(stored);
        log = new RowLog(types);
        log.load(saved);
        check(log.size, 500);
      }
    }
    assert.ok(log.size === 0 || store.places > 0 || log.coldBytes === 0);
    log.release();
    assert.equal(store.places, 0);
  }
  assert.ok(store.reads > 0);
  cold.store = null;
  arena.release();
  assert.equal(pages.usedPages, used);
});

test('what a log has on disk is not in memory; a log that only has rows that are no part yet sends nothing', () => {
  const arena = new Arena();
  cold.store = new MemoryColdStore();
  // Chunks are a small share of it.
  budget.limit = 64 << 20;
  const log = new RowLog([colType(OID.int4), colType(OID.text)]);
  const rows = (n: number) =>
    batchFromRows(
      log.ops.layout.types,
      Array.from({ length: n }, (_, i) => [i, 'x'.repeat(100)]),
      arena,
    );
  log.apply(rows(200));
  log.endTick();
  assert.equal(log.chill(1000), 0);
  const before = pages.usedPages;
  for (let i = 0; i < 20; i++) {
    log.apply(rows(2000));
    log.endTick();
    arena.reset();
  }
  const taken = pages.usedPages - before;
  while (log.runBytes > 4 << 16 && log.chill(100_000) > 0);
  assert.ok(log.runBytes <= 12 << 16, `${log.runBytes} bytes of pages are left`);
  assert.ok(pages.usedPages - before < taken / 4);
  assert.ok(log.coldBytes > 40_000 * 100);
  assert.ok(log.bytes < 512 << 10, `${log.bytes} bytes`);
  const piece = log.rowsFrom(0, log.size, log.end, arena);
  assert.ok(piece.n < log.size / 2 && piece.next === piece.n, 'a piece ends when much was read');
  log.release();
  arena.release();
  budget.limit = Number.POSITIVE_INFINITY;
  cold.store = null;
});

test('rows of a log that are long go and come back few at a time', () => {
  const arena = new Arena();
  cold.store = new MemoryColdStore();
  const log = new RowLog([colType(OID.int4), colType(OID.text)]);
  for (let i = 0; i < 300; i++) {
    log.apply(batchFromRows(log.ops.layout.types, [[i, String(i).repeat(i < 100 ? 100_000 : 1)]], arena));
    log.endTick();
    arena.reset();
  }
  while (log.chill(1 << 20) > 0);
  assert.ok(log.coldBytes > 15e6 && log.bytes < 6e6, `${log.coldBytes} bytes on disk, ${log.bytes} in memory`);
  const before = arena.bytes;
  let seen = 0;
  for (let at = 0; at >= 0; arena.reset()) {
    const { n, rows, next } = log.rowsFrom(at, 1, log.end, arena);
    for (let i = 0; i < n; i++) assert.equal(I32[(U32[rows + i] + log.ops.layout.offsets[0]) >>> 2], seen++);
    assert.ok(arena.bytes - before < 4 << 20, `a piece of ${arena.bytes} bytes`);
    at = next;
  }
  assert.equal(seen, 300);
  log.release();
  arena.release();
  cold.store = null;
});

test('pieces of a log end where it ended when the scan began', () => {
  const arena = new Arena();
  const log = new RowLog(types.slice(0, 1));
  const numbers = (from: number, n: number) =>
    batchFromRows(
      types.slice(0, 1),
      Array.from({ length: n }, (_, i) => [from + i]),
      arena,
    );
  log.apply(numbers(0, 10_000));
  const { end } = log;
  log.apply(numbers(10_000, 500));
  let seen = 0;
  for (let at = 0; at >= 0; ) {
    const { n, rows, words, next } = log.rowsFrom(at, 777, end, arena);
    for (let i = 0; i < n; i++) {
      assert.equal(I32[U32[rows + i] >>> 2], seen++);
      assert.equal(I32[words + i], 1);
    }
    at = next;
  }
  assert.equal(seen, 10_000);
  log.release();
  arena.release();
});
