/** An index that takes in what is new: what it finds new of cold keys, of NULL keys and beside them, and what it is when it takes in rows as others do again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { BatchBuilder, batchFromRows, readRow } from '../batch/builder.ts';
import { U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import type { Datum } from '../datum.ts';
import { MemoryColdStore } from '../testing/cold_memory.ts';
import { Random, rowText, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { bringBack } from './cold_reads.ts';
import { cold } from './cold_store.ts';
import { newestBlock } from './key_slot.ts';
import { KeyedIndex } from './keyed_index.ts';

const seed = testSeed();
const types = [colType(OID.int8), colType(OID.int8), colType(OID.text)];
const text = (number: number) => (number % 3 === 0 ? `a text that lies outside of its slot, ${number}` : `${number}`);

/** An index by its first columns, and the rows that it should have. */
class World {
  readonly arena = new Arena();
  readonly index: KeyedIndex;
  readonly rows = new Set<string>();

  constructor(keys = [0], nullKeys = true) {
    this.index = new KeyedIndex(types, keys, nullKeys, [], true);
  }

  /** Takes the rows of a tick in; gives how many were new. */
  take(rows: Datum[][]): number {
    const { index, arena } = this;
    const delta = batchFromRows(types, rows, arena);
    const { fresh, made } = index.takeNew(delta.columns, delta, arena);
    const found = [...U32.subarray(fresh, fresh + made)].map((row) => rowText(rows[row]));
    const news = new Set(rows.map(rowText).filter((row) => !this.rows.has(row)));
    assert.deepEqual(found.sort(), [...news].sort());
    for (const row of news) this.rows.add(row);
    // A reader sees the rows of the tick.
    index.bindKeys(delta.columns, arena);
    const last = rows.length - 1;
    if (index.keyColumns.length === 1 && rows[last][0] !== null) {
      const key = `${rowText(rows[last].slice(0, 1)).slice(0, -1)},`;
      assert.equal(index.countOf(index.seek(last)), [...this.rows].filter((row) => row.startsWith(key)).length);
    }
    index.endTick();
    arena.reset();
    return made;
  }

  chill(): void {
    while (this.index.chill(Number.POSITIVE_INFINITY) > 0);
    assert.ok(this.index.coldBytes > 0);
  }

  check(): void {
    const { index, arena } = this;
    const out = new BatchBuilder(types, arena);
    index.forEach(arena, (slot, entry, weight) => index.loadRow(slot, entry, out.columns, out.addRow(weight)));
    const all = Array.from({ length: out.n }, (_, row) => rowText(readRow(out.build(), row)));
    assert.deepEqual(all.sort(), [...this.rows].sort());
    assert.equal(index.size, this.rows.size);
    arena.reset();
  }

  release(): void {
    this.index.release();
    this.arena.release();
  }
}

const rowsOf = (keys: number, each: number): Datum[][] =>
  Array.from({ length: keys * each }, (_, i) => [BigInt(i % keys), BigInt(i), text(i)]);

function withStore(work: (store: MemoryColdStore) => void): void {
  const store = new MemoryColdStore();
  cold.store = store;
  try {
    work(store);
  } finally {
    cold.store = null;
  }
}

test('keys that are cold are no crowd, are read once a batch, and come back', () => {
  withStore((store) => {
    const world = new World();
    const rows = rowsOf(100, 3);
    world.take(rows.slice(0, 100));
    world.take(rows.slice(100, 200));
    world.take(rows.slice(200));
    world.chill();
    const before = store.reads;
    assert.equal(world.take(rows), 0);
    assert.ok(store.reads - before <= 101, `${store.reads - before} reads of 100 keys`);
    assert.equal(world.index.isCrowded, false);
    for (let tick = 0; tick < 3; tick++) world.take(rows);
    assert.equal(world.index.isCrowded, false);
    assert.ok(bringBack(1 << 30) > 0);
    assert.equal(world.index.coldBytes, 0);
    world.check();
    // Rows of keys that got some in the same batch are a crowd.
    world.take(rows.map(([key, value]) => [key, value, 'another']));
    assert.equal(world.index.isCrowded, true);
    world.check();
    world.release();
  });
});

test('what is new beside rows that are cold', () => {
  withStore(() => {
    const used = pages.usedPages;
    for (let world_ = 0; world_ < times(20); world_++) {
      const random = new Random(seed + world_);
      const world = new World();
      for (let tick = 0; tick < 15; tick++) {
        world.take(
          Array.from({ length: 1 + random.below(100) }, () => {
            const value = random.below(4);
            return [random.below(10) === 0 ? null : BigInt(random.below(30)), BigInt(value), text(random.below(3))];
          }),
        );
        if (random.below(2) === 0) while (world.index.chill(Number.POSITIVE_INFINITY) > 0);
        if (random.below(3) === 0) bringBack(1 << 20);
        world.check();
      }
      world.release();
    }
    assert.equal(pages.usedPages, used);
  });
});

test('an index that takes in what is new no more has blocks again', () => {
  const world = new World();
  const more = Array.from({ length: 400 }, (_, i): Datum[] => [1n, BigInt(i), 'x']);
  const slotOf = () => {
    let found = 0;
    world.index.forEach(world.arena, (slot) => {
      found = slot;
    });
    return (found + world.index.payloadOffset) >>> 2;
  };
  world.take(more.slice(0, 200));
  assert.equal(newestBlock(slotOf()), 0);
  assert.equal(world.index.isCrowded, true);
  world.index.endTakingNew();
  world.index.apply(batchFromRows(types, more.slice(200), world.arena), world.arena);
  for (const row of more) world.rows.add(rowText(row));
  world.index.endTick();
  assert.notEqual(newestBlock(slotOf()), 0);
  world.check();
  world.release();
});

for (const keys of [[0], [1, 0], [0, 1, 2]]) {
  for (const nullKeys of [false, true]) {
    test(`keys ${keys} ${nullKeys ? 'and those with' : 'without'} NULLs when no more is taken in`, () => {
      withStore(() => {
        const world = new World(keys, nullKeys);
        const values = [null, 1n, 2n];
        const rows = values.flatMap((a) => values.flatMap((b) => [null, 'x', text(3)].map((c) => [a, b, c])));
        world.take(rows);
        while (world.index.chill(Number.POSITIVE_INFINITY) > 0);
        world.check();
        world.index.endTakingNew();
        if (!nullKeys) {
          world.rows.clear();
          for (const row of rows) if (keys.every((key) => row[key] !== null)) world.rows.add(rowText(row));
        }
        world.check();
        const more: Datum[][] = [
          [3n, 3n, 'x'],
          [null, 3n, 'x'],
        ];
        world.index.apply(batchFromRows(types, more, world.arena), world.arena);
        world.index.endTick();
        world.rows.add(rowText(more[0]));
        if (nullKeys) world.rows.add(rowText(more[1]));
        world.check();
        world.release();
      });
    });
  }
}
