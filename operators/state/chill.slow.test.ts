/** An index whose runs go to the cold store, slice by slice or all at once, holds what a map of weights holds; and memory comes back. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import { Arena } from '../batch/arena.ts';
import { BatchBuilder, batchFromRows } from '../batch/builder.ts';
import { I32, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import { type Datum, decimal } from '../datum.ts';
import { OutOfMemory } from '../errors.ts';
import '../expr/functions/index.ts';
import type { Retention } from '../plan.ts';
import { MemoryColdStore } from '../testing/cold_memory.ts';
import { Image } from '../testing/image.ts';
import { Bag, Random, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { chill } from './chill.ts';
import { bringBack } from './cold_reads.ts';
import { cold } from './cold_store.ts';
import { KeyedIndex } from './keyed_index.ts';
import { RunCursor } from './run_blocks.ts';
import { pagesOf, type Saved } from './saved.ts';
import { Undo } from './undo.ts';

const seed = testSeed();
const types = [colType(OID.int4), colType(OID.text), colType(OID.numeric), colType(OID.timestamp)];
const KEYS = 60;
const HOUR = 3600_000_000n;

interface Change {
  row: Datum[];
  weight: number;
}

let store: MemoryColdStore;
let used = 0;

/** An index and what it should hold. */
class World {
  index: KeyedIndex;
  bag = new Bag();
  watermark: bigint | null = null;
  readonly #arena = new Arena();
  readonly #image = new Image();
  readonly #make: () => KeyedIndex;

  constructor(make: () => KeyedIndex) {
    this.#make = make;
    this.index = make();
  }

  apply(changes: Change[]): void {
    for (const { row, weight } of changes) this.bag.add(row, weight);
    const rows = changes.map((c) => c.row);
    const weights = changes.map((c) => c.weight);
    this.index.apply(batchFromRows(types, rows, this.#arena, weights), this.#arena);
  }

  end(): void {
    this.index.free(() => this.watermark);
    this.index.endTick();
    this.#arena.reset();
  }

  /** The tick runs while the state before it is saved; then that state is loaded, and the tick runs again. */
  restart(changes: Change[]): void {
    const saved = deserialize(serialize(this.index.save())) as ReturnType<KeyedIndex['save']>;
    const stored = store.save();
    const before = new Bag(this.bag.rows);
    const image = this.#image;
    image.start(pagesOf(saved as unknown as Saved));
    this.apply(changes);
    this.end();
    this.index.chill(10_000);
    image.finish();
    this.index.release();
    image.load();
    this.index = this.#make();
    this.index.load(saved);
    store.load(stored);
    this.bag = before;
    this.apply(changes);
    this.end();
  }

  /** The tick fails after so many changes of state, is taken back, and runs again. */
  fail(changes: Change[], lines: number): void {
    const before = new Bag(this.bag.rows);
    const undo = new Undo();
    undo.start(lines);
    undo.keep(this.index);
    try {
      this.apply(changes);
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      undo.takeBack();
      this.#arena.reset();
      this.bag = before;
      this.apply(changes);
      this.end();
      return;
    }
    undo.commit();
    this.end();
  }

  /** Compares the rows that no watermark has freed, by a scan and by looking each key up. */
  check(label: string): void {
    const lives = ([, , , at]: Datum[]) => this.watermark === null || (at as bigint) >= this.watermark;
    const texts = (bag: Bag) => {
      const live = new Bag();
      for (const { row, weight } of bag.rows.values()) if (lives(row)) live.add(row, weight);
      return live.texts();
    };
    const wanted = texts(this.bag);
    const found = (read: (out: BatchBuilder) => void): string[] => {
      const out = new BatchBuilder(types, this.#arena);
      read(out);
      const bag = new Bag();
      bag.addBatch(out.build());
      return texts(bag);
    };
    const { index } = this;
    const scan = (out: BatchBuilder) => {
      index.forEach(this.#arena, (slot, entry, weight) => index.loadRow(slot, entry, out.columns, out.addRow(weight)));
    };
    assert.deepEqual(found(scan), wanted, `${label}, scanned`);
    const keyType = types[index.keyColumns[0]];
    const values = [...new Set([...this.bag.rows.values()].map(({ row }) => row[index.keyColumns[0]]))];
    const keys = batchFromRows(
      [keyType],
      values.map((value) => [value]),
      this.#arena,
      values.map(() => 1),
    );
    const cursor = new RunCursor();
    const look = (slotOf: (row: number) => number) => (out: BatchBuilder) => {
      for (let row = 0; row < keys.n; row++) {
        const slot = slotOf(row);
        for (let at = cursor.begin(index, slot); at !== 0; at = cursor.next())
          index.loadRow(slot, at, out.columns, out.addRow(I32[(at + index.weightOffset) >>> 2]));
      }
    };
    index.bindKeys(keys.columns, this.#arena);
    const slots = index.seekAll({ n: keys.n, weights: 0, skipNulls: false });
    assert.deepEqual(found(look((row) => U32[slots + row])), wanted, `${label}, by all keys`);
    assert.deepEqual(found(look((row) => index.seek(row))), wanted, `${label}, key by key`);
    assert.equal(index.coldBytes, store.bytes, `${label}, bytes that are cold`);
    this.#arena.reset();
  }

  release(): void {
    this.index.release();
    this.#arena.release();
  }
}

function randomRow(random: Random, time: bigint, keys = KEYS): Datum[] {
  // Some have pages of their own.
  const words = random.below(300) === 0 ? 15_000 : random.below(60);
  const text = random.below(3) === 0 ? 'short' : 'long '.repeat(words) + random.below(50);
  const number = random.below(4) === 0 ? decimal(BigInt(random.below(50)) * 10n ** 30n, 2) : decimal(1n, 1);
  return [random.below(keys), random.below(9) === 0 ? null : text, number, time + BigInt(random.below(100)) * HOUR];
}

/** Rounds of random changes with slices of chills between them. */
function run(world: World, retracts: boolean, moves: boolean): void {
  const random = new Random(seed);
  let time = 0n;
  for (let tick = 0; tick < times(40); tick++) {
    const label = `tick ${tick}, seed ${seed}`;
    const live = [...world.bag.rows.values()].filter(({ row }) => !moves || (row[3] as bigint) >= time);
    const changes = Array.from({ length: random.below(120) }, () => {
      if (retracts && live.length > 0 && random.below(tick % 20 < 12 ? 4 : 1) === 0) {
        const { row, weight } = random.pick(live);
        return { row, weight: random.below(3) === 0 ? -weight : weight > 0 ? -1 : 1 };
      }
      return { row: randomRow(random, time), weight: retracts && random.below(40) === 0 ? -1 : 1 };
    });
    const how = random.below(5);
    if (how === 0) world.restart(changes);
    else if (how === 1) world.fail(changes, random.below(300));
    else {
      world.apply(changes);
      world.end();
    }
    const sent = random.below(6);
    if (sent === 0) world.index.chill(Number.POSITIVE_INFINITY);
    else if (sent < 4) for (let i = random.below(4); i > 0; i--) world.index.chill(1 + random.below(30_000));
    if (random.below(3) === 0) world.index.compact(1 + random.below(2 * KEYS));
    if (random.below(3) === 0) bringBack(1 + random.below(5000));
    if (moves && random.below(4) === 0) {
      time += BigInt(random.below(20)) * HOUR;
      world.watermark = time;
    }
    if (tick % 4 === 0) world.check(label);
  }
  // Whatever came before: something goes, and is read.
  world.apply(Array.from({ length: 50 }, () => ({ row: randomRow(random, time), weight: 1 })));
  world.end();
  world.index.chill(Number.POSITIVE_INFINITY);
  world.check(`at the end, seed ${seed}`);
  assert.ok(store.reads > 0 && store.writes > 0);
}

const dead: Retention = { input: 0, column: 3, lag: 0n, strict: false, sources: [1] };

describe('runs that go cold', () => {
  beforeEach(() => {
    store = new MemoryColdStore();
    cold.store = store;
    used = pages.usedPages;
  });

  afterEach(() => {
    cold.store = null;
    assert.equal(pages.usedPages, used);
    assert.equal(store.places, 0);
  });

  test('rows that come and go, some before they come', () => {
    const world = new World(() => new KeyedIndex(types, [0], true));
    run(world, true, false);
    world.apply([...world.bag.rows.values()].map(({ row, weight }) => ({ row, weight: -weight })));
    world.end();
    assert.equal(world.index.size, 0);
    assert.equal(store.places, 0);
    world.release();
  });

  test('rows that only come', () => {
    const world = new World(() => new KeyedIndex(types, [0], true, [], true));
    run(world, false, false);
    world.release();
  });

  test('rows that a watermark frees', () => {
    const world = new World(() => new KeyedIndex(types, [0], true, [dead]));
    run(world, true, true);
    world.release();
  });

  test('keys that a watermark frees are not read again', () => {
    const world = new World(() => new KeyedIndex(types, [3], true, [dead], true));
    run(world, false, true);
    world.index.chill(Number.POSITIVE_INFINITY);
    const { reads } = store;
    world.watermark = 10_000n * HOUR;
    for (let i = 0; i < 10; i++) world.end();
    assert.equal(world.index.size, 0);
    assert.equal(store.places, 0);
    assert.equal(store.reads, reads);
    world.release();
  });

  test('slices give the pages of the oldest rows back, the largest index first', () => {
    const worlds = [3, 1].map((share) => ({ share, world: new World(() => new KeyedIndex(types, [0], true)) }));
    const random = new Random(seed);
    for (let tick = 0; tick < 40; tick++) {
      for (const { share, world } of worlds) {
        world.apply(Array.from({ length: share * 50 }, () => ({ row: randomRow(random, 0n, 2000), weight: 1 })));
        world.end();
      }
    }
    const indexes = worlds.map(({ world }) => world.index);
    const [large, small] = indexes;
    const before = pages.usedBytes;
    const runs = () => large.runBytes + small.runBytes;
    const full = runs();
    assert.ok(chill(indexes, 1) > 0);
    assert.ok(large.coldBytes > 0);
    assert.equal(small.coldBytes, 0);
    while (runs() > full / 4) {
      const sent = chill(indexes, 20_000);
      assert.ok(sent > 0 && sent < 300_000, `${sent} bytes in one call`);
    }
    assert.ok(before - pages.usedBytes > full / 2, `${before - pages.usedBytes} of ${full} bytes came back`);
    while (chill(indexes, 20_000) > 0);
    assert.equal(runs(), 0);
    for (const { world } of worlds) world.release();
  });

  test('a pass sends what lies in the chunks that it chose, and ends when they are gone', () => {
    const index = new KeyedIndex(types, [0], true, [], true);
    const arena = new Arena();
    const text = 'a text that does not fit into its slot';
    for (let tick = 0; tick < 150; tick++) {
      const rows = Array.from({ length: 1000 }, (_, i): Datum[] => [tick * 1000 + i, text, null, 0n]);
      index.apply(
        batchFromRows(
          types,
          rows,
          arena,
          rows.map(() => 1),
        ),
        arena,
      );
      index.endTick();
      arena.reset();
    }
    for (;;) {
      index.chill(20_000);
      if (!index.chilling) break;
    }
    const sent = index.coldBytes;
    index.chill(Number.POSITIVE_INFINITY);
    assert.ok(sent > index.coldBytes / 5 && sent < index.coldBytes * 0.8, `${sent} of ${index.coldBytes} bytes`);
    index.release();
    arena.release();
  });

  test('keys that are looked up again and again are brought back, others are not', () => {
    const world = new World(() => new KeyedIndex(types, [0], true));
    const random = new Random(seed);
    const rows = Array.from({ length: 500 }, () => randomRow(random, 0n));
    // What is looked up is a small part.
    for (const row of rows) if (row[0] === 1 || row[0] === 2) row[1] = 'short';
    world.apply(rows.map((row) => ({ row, weight: 1 })));
    world.end();
    world.index.chill(Number.POSITIVE_INFINITY);
    const all = world.index.coldBytes;
    const arena = new Arena();
    const look = () => {
      const keys = batchFromRows([types[0]], [[1], [2]], arena, [1, 1]);
      world.index.bindKeys(keys.columns, arena);
      world.index.seekAll({ n: 2, weights: 0, skipNulls: false });
      arena.reset();
    };
    look();
    assert.equal(bringBack(1000), 0);
    for (let i = 0; i < 5; i++) look();
    const { reads } = store;
    const back = bringBack(Number.POSITIVE_INFINITY);
    assert.ok(back > 0 && back < all / 10, `${back} of ${all} bytes`);
    assert.equal(world.index.coldBytes, all - back);
    assert.equal(bringBack(1000), 0);
    const before = store.reads;
    look();
    assert.ok(before > reads && store.reads === before);
    world.check('rows that were brought back');
    world.release();
    arena.release();
  });

  test('a store without room leaves everything where it is, and takes more when it has room', () => {
    const world = new World(() => new KeyedIndex(types, [0], true));
    const random = new Random(seed);
    let failed = 0;
    for (let tick = 0; tick < 20; tick++) {
      world.apply(Array.from({ length: 60 }, () => ({ row: randomRow(random, 0n), weight: 1 })));
      world.end();
      store.room = random.below(KEYS);
      try {
        world.index.chill(tick % 2 === 0 ? Number.POSITIVE_INFINITY : 5000);
      } catch (error) {
        assert.match(String(error), /no room/);
        failed++;
      }
      if (tick % 4 === 3) world.check(`tick ${tick}, seed ${seed}`);
    }
    assert.ok(failed > 3, `${failed} failed`);
    store.room = Number.POSITIVE_INFINITY;
    while (world.index.chill(20_000) > 0);
    assert.equal(world.index.runBytes, 0);
    world.check('all that could go');
    world.release();
  });

  test('a key that grows while it is cold is written a few times, not once for every part', () => {
    const index = new KeyedIndex(types, [0], true, [], true);
    const arena = new Arena();
    for (let tick = 0; tick < 200; tick++) {
      const rows = Array.from({ length: 5 }, (): Datum[] => [
        1,
        'a text that does not fit into its slot',
        null,
        BigInt(tick),
      ]);
      const weights = rows.map(() => 1);
      index.apply(batchFromRows(types, rows, arena, weights), arena);
      index.endTick();
      arena.reset();
      index.chill(Number.POSITIVE_INFINITY);
    }
    assert.equal(store.writes, 200);
    assert.ok(store.places < 8, `${store.places} parts`);
    assert.ok(store.bytesWritten < 8 * store.bytes, `${store.bytesWritten} of ${store.bytes} bytes`);
    index.release();
    arena.release();
  });
});
