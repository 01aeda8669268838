/** A log holds what a table holds, row for row; a tick that is taken back, and a restart, leave it as it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { BatchBuilder, batchFromRows, readRow } from '../batch/builder.ts';
import { I32, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import type { Datum } from '../datum.ts';
import { Image } from '../testing/image.ts';
import { Random, rowText, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
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
  store.forEach((address, weight) => {
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
        image.start(pagesOf(saved as unknown as Saved));
        image.finish();
        log.release();
        image.load();
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
