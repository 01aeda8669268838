/** Runs that lie in blocks: what cursors and the kernels of joins find in them, that what was written stays where it is, and what they take. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { batchFromRows } from '../batch/builder.ts';
import { I32, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import { OutOfMemory } from '../errors.ts';
import { kernels } from '../kernels/index.ts';
import { LEAST_BLOCK, MOST_BLOCK } from '../kernels/key_slot_layout.ts';
import type { Retention } from '../plan.ts';
import { MemoryColdStore } from '../testing/cold_memory.ts';
import { Random, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { cold } from './cold_store.ts';
import { COUNT, isCold } from './key_slot.ts';
import { KeyedIndex } from './keyed_index.ts';
import { furtherEntries, mostEntries, RunCursor } from './run_blocks.ts';
import { Undo } from './undo.ts';

const seed = testSeed();
const KEYS = 12;
const types = [colType(OID.int8), colType(OID.int8), colType(OID.text)];
const text = (number: number) => (number % 5 === 0 ? `a text that lies outside of its slot, ${number}` : `${number}`);

/** An index by its first column, and for each key the numbers of its rows in the order in which they came. */
class World {
  readonly arena = new Arena();
  readonly rows = new Map<number, number[]>();
  readonly index: KeyedIndex;
  #number = 0;

  constructor(frees: Retention[] = []) {
    this.index = new KeyedIndex(types, [0], true, frees, true);
  }

  /** A tick of so many rows of each key, at once or one by one; it stays open. Gives how many rows each key had before. */
  append(counts: Map<number, number>, byKernel: boolean): Map<number, number> {
    const { index, arena, rows } = this;
    const before = new Map([...rows].map(([key, list]) => [key, list.length]));
    const news: [bigint, bigint, string][] = [];
    // Keys take turns, so that their rows are mixed in the delta.
    for (let turn = 0; [...counts.values()].some((n) => n > turn); turn++)
      for (const [key, n] of counts) {
        if (turn >= n) continue;
        const number = this.#number++;
        rows.set(key, [...(rows.get(key) ?? []), number]);
        news.push([BigInt(key), BigInt(number), text(number)]);
      }
    index.apply(batchFromRows(types, news, arena), byKernel ? arena : undefined);
    return before;
  }

  end(): void {
    this.index.endTick();
    this.arena.reset();
  }

  number(entry: number): number {
    return U32[(entry + (this.index.places[1]?.offset ?? 0)) >>> 2];
  }

  /** The slots of all keys: word address. */
  slots(): number {
    const { index, arena } = this;
    const keys = batchFromRows(
      [types[0]],
      Array.from({ length: KEYS }, (_, key) => [BigInt(key)]),
      arena,
    );
    index.bindKeys(keys.columns, arena);
    return index.seekAll({ n: KEYS, weights: 0, skipNulls: false });
  }

  /** How many keys have cold rows and others. */
  split(): number {
    const { index, arena } = this;
    const seen = new Set<number>();
    index.forEach(arena, (slot) => seen.add(slot));
    return [...seen].filter((slot) => {
      const payload = (slot + index.payloadOffset) >>> 2;
      return isCold(payload) && U32[payload + COUNT] > 0;
    }).length;
  }

  /** Addresses of a key's entries, oldest first. */
  entries(slot: number): number[] {
    const cursor = new RunCursor();
    const found: number[] = [];
    for (let at = cursor.begin(this.index, slot); at !== 0; at = cursor.next()) found.push(at);
    return found.reverse();
  }

  /** Compares the rows of the keys from `first` on: those before may be gone. `before`: how many rows each key had before the tick. */
  check(label: string, first = 0, before?: Map<number, number>): void {
    const { index, rows, arena } = this;
    const slots = this.slots();
    const read = arena.alloc(KEYS * 4) >>> 2;
    for (let key = 0; key < first; key++) {
      if (U32[slots + key] === 0) rows.delete(key);
    }
    for (let key = 0; key < KEYS; key++) {
      const wanted = rows.get(key) ?? [];
      const slot = U32[slots + key];
      const found = this.entries(slot);
      assert.deepEqual(
        found.map((at) => this.number(at)),
        wanted,
        `${label}, key ${key}`,
      );
      assert.equal(index.countOf(slot), wanted.length, label);
      const skip = wanted.length >>> 1;
      const first = slot === 0 ? 0 : new RunCursor().begin(index, slot, skip);
      assert.equal(first, found.at(-1 - skip) ?? 0, `${label}, key ${key}, without ${skip}`);
      I32[read + key] = 1 + (key % 3);
    }
    this.#checkPairs(label, slots, read, null);
    if (before !== undefined && index.countsAdded) this.#checkPairs(`${label}, older`, slots, read, before);
  }

  /** What a join finds; `before`: rows of each key that count. */
  #checkPairs(label: string, slots: number, weights: number, before: Map<number, number> | null): void {
    const { index, rows, arena } = this;
    const { payloadOffset, entryStride, weightOffset } = index;
    const older = before !== null;
    const wanted = Array.from({ length: KEYS }, (_, key) =>
      (rows.get(key) ?? []).slice(0, before === null ? undefined : (before.get(key) ?? 0)).map((n) => [key, n]),
    ).flat();
    const n = kernels.countPairs(slots * 4, KEYS, payloadOffset, older);
    assert.equal(n, wanted.length, label);
    const [keys, others, products] = [0, 1, 2].map(() => arena.alloc(n * 4));
    kernels.expandPairs(
      slots * 4,
      weights * 4,
      KEYS,
      payloadOffset,
      entryStride,
      weightOffset,
      older,
      keys,
      others,
      products,
    );
    const found = Array.from({ length: n }, (_, i) => [U32[(keys >>> 2) + i], this.number(U32[(others >>> 2) + i])]);
    assert.deepEqual(found, wanted, label);
    for (let i = 0; i < n; i++) assert.equal(I32[(products >>> 2) + i], 1 + (U32[(keys >>> 2) + i] % 3), label);
  }

  release(): void {
    this.index.release();
    this.arena.release();
  }
}

function randomCounts(random: Random): Map<number, number> {
  const counts = new Map<number, number>();
  for (let key = 0; key < KEYS; key++) {
    const most = random.pick([0, 1, 1, 3, 20, key === 0 ? 3000 : 100]);
    if (most > 0) counts.set(key, 1 + random.below(most));
  }
  return counts;
}

describe('runs in blocks', () => {
  test('have their rows in order, at once or one by one, taken back or moved', () => {
    const used = pages.usedPages;
    const random = new Random(seed);
    const world = new World();
    for (let tick = 0; tick < times(60); tick++) {
      const counts = randomCounts(random);
      const byKernel = random.below(4) > 0;
      const label = `tick ${tick}, seed ${seed}`;
      let before = new Map<number, number>();
      if (random.below(3) === 0) {
        const kept = new Map(world.rows);
        const undo = new Undo();
        undo.start(random.below(400));
        undo.keep(world.index);
        try {
          world.append(counts, byKernel);
          undo.commit();
        } catch (error) {
          if (!(error instanceof OutOfMemory)) throw error;
          undo.takeBack();
          world.rows.clear();
          for (const [key, list] of kept) world.rows.set(key, list);
        }
        world.check(label);
      } else {
        before = world.append(counts, byKernel);
        world.check(label, 0, before);
      }
      world.end();
      if (random.below(8) === 0) {
        world.index.compact(1 + random.below(2 * KEYS));
        world.check(`${label}, compacted`);
        world.end();
      }
    }
    world.release();
    assert.equal(pages.usedPages, used);
  });

  test('stay where they are when the run grows, and have little room to spare', () => {
    const world = new World();
    const stride = world.index.entryStride;
    const random = new Random(seed);
    const empty = world.index.bytes;
    let places: number[] = [];
    for (let tick = 0; tick < 200; tick++) {
      const had = places.length;
      world.append(new Map([[0, 1 + random.below(20)]]), tick % 3 > 0);
      const now = world.entries(U32[world.slots()]);
      // From when it has blocks on.
      if (had * stride > LEAST_BLOCK) assert.deepEqual(now.slice(0, had), places, `tick ${tick}, seed ${seed}`);
      places = now;
      world.end();
    }
    const n = places.length;
    const long = Math.ceil(n / 5) * 48;
    const spare = world.index.bytes - empty - n * stride - long;
    // The newest block, and of each the head and what is less than an entry.
    const bound = furtherEntries(n, stride) * stride * 1.3 + n * stride * 0.08 + 4096;
    assert.ok(spare < bound, `${spare} bytes to spare of ${n} entries of ${stride}, bound ${bound}, seed ${seed}`);
    world.release();
  });

  test('of more rows in a tick than a page has room for take several', () => {
    const random = new Random(seed);
    for (const first of [0, 1, 1 + random.below(60)]) {
      const world = new World();
      const stride = world.index.entryStride;
      const empty = world.index.bytes;
      if (first > 0) world.append(new Map([[0, first]]), true);
      world.end();
      const most = mostEntries(stride);
      const n = most * (1 + random.below(3)) + random.pick([0, 1, random.below(most)]);
      const before = world.append(
        new Map([
          [0, n],
          [1, most + 1],
        ]),
        true,
      );
      world.check(`${first} rows and ${n}, seed ${seed}`, 0, before);
      world.end();
      const all = first + n + most + 1;
      const spare = world.index.bytes - empty - all * stride - Math.ceil(all / 5) * 48;
      assert.ok(spare < 2 * MOST_BLOCK + 4096, `${spare} bytes to spare of ${all} entries, seed ${seed}`);
      world.append(new Map([[0, 1 + random.below(3)]]), false);
      world.check(`one by one after ${n}, seed ${seed}`);
      world.end();
      world.release();
    }
  });

  test('go to the cold store from the oldest on, also when it has no room at times', () => {
    const used = pages.usedPages;
    const random = new Random(seed);
    const store = new MemoryColdStore();
    cold.store = store;
    let split = 0;
    for (let round = 0; round < 16; round++) {
      const label = `round ${round}, seed ${seed}`;
      const world = new World();
      for (let tick = 0; tick < 12; tick++) {
        world.append(randomCounts(random), random.below(4) > 0);
        world.end();
      }
      for (let step = 0; step < 6; step++) {
        store.room = step > 0 && random.below(4) === 0 ? random.below(KEYS) : Number.POSITIVE_INFINITY;
        try {
          for (let i = 1 + random.below(4); i > 0; i--) world.index.chill(1 + random.below(30_000));
        } catch (error) {
          assert.match(String(error), /no room/);
        }
        if (step === 0) split += world.split();
        world.check(`${label}, step ${step}`);
        world.end();
        if (random.below(2) === 0) world.append(randomCounts(random), random.below(4) > 0);
        world.check(`${label}, rows after step ${step}`);
        world.end();
      }
      store.room = Number.POSITIVE_INFINITY;
      while (world.index.chill(Number.POSITIVE_INFINITY) > 0);
      assert.equal(world.index.runBytes, 0);
      world.check(`${label}, all cold`);
      world.release();
      assert.equal(store.places, 0);
    }
    assert.ok(split > 0, `no key had cold rows and others, seed ${seed}`);
    cold.store = null;
    assert.equal(pages.usedPages, used);
  });

  test('go with their keys', () => {
    const dead: Retention = { input: 0, column: 0, lag: 0n, strict: false, sources: [0] };
    const used = pages.usedPages;
    const random = new Random(seed);
    for (let round = 0; round < times(20); round++) {
      const world = new World([dead]);
      for (let tick = 0; tick < 4; tick++) {
        world.append(randomCounts(random), random.below(3) > 0);
        world.end();
      }
      const watermark = random.below(KEYS + 1);
      while (!world.index.free(() => BigInt(watermark)));
      world.check(`round ${round}, seed ${seed}`, watermark);
      world.end();
      while (!world.index.free(() => 1n << 50n));
      world.end();
      assert.equal(world.index.size, 0);
      assert.ok(world.index.bytes < 10_000, `${world.index.bytes} bytes of an empty index`);
      world.release();
    }
    assert.equal(pages.usedPages, used);
  });
});
