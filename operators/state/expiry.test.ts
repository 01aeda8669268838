import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { F64, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import { Random, testSeed } from '../testing/property.ts';
import { Expiry } from './expiry.ts';
import { Heap } from './heap.ts';

const seed = testSeed();
const HOUR = 3600e6;

/** Entries that wait, taken out as the watermark moves: none too early, none later than a 32nd of its life and a sixteenth of a second. */
for (const [name, span, shift] of [
  ['seconds', 60e6, 0],
  ['months', 2000 * HOUR, -500 * HOUR],
] as const) {
  test(`entries leave when the watermark has passed them, a span of ${name}`, () => {
    const random = new Random(seed);
    const used = pages.usedPages;
    const heap = new Heap();
    const expiry = new Expiry(heap);
    const waiting = new Map<number, { time: number; made: number }>();
    let watermark = Number.NEGATIVE_INFINITY;
    for (let round = 0; round < 200; round++) {
      const now = watermark === Number.NEGATIVE_INFINITY ? 0 : watermark;
      for (let i = 0; i < 50; i++) {
        const hash = round * 50 + i;
        const time = Math.floor(now + shift + (random.below(1e6) / 1e6) * span);
        expiry.add(time, hash);
        waiting.set(hash, { time, made: now });
      }
      expiry.add(Number.NaN, 0);
      watermark = now + Math.floor((random.below(1000) / 1000) * (span / 10));
      expiry.take(watermark, (hash, entries) => {
        const entry = waiting.get(hash);
        assert.ok(entry !== undefined && entries === 1);
        assert.ok(entry.time < watermark, `taken ${entry.time - watermark} too early`);
        waiting.delete(hash);
      });
      for (const { time, made } of waiting.values()) {
        const late = Math.abs(time - made) / 32 + 2 ** 16;
        // Before the first watermark the distance is that from the first time.
        if (made > 0) assert.ok(time + late >= watermark, `kept ${watermark - time}, may be late by ${late}`);
      }
      assert.equal(expiry.size, waiting.size);
      heap.endTick();
    }
    expiry.clear();
    heap.endTick();
    assert.equal(expiry.size, 0);
    assert.equal(heap.liveBytes, 0);
    heap.release();
    assert.equal(pages.usedPages, used);
  });
}

test('the slots of a batch are added as each of them is', () => {
  const random = new Random(seed);
  const heap = new Heap();
  const arena = new Arena();
  const [each, given, own] = [new Expiry(heap), new Expiry(heap), new Expiry(heap)];
  let now = 0;
  for (let round = 0; round < 20; round++) {
    const n = 1 + random.below(200);
    const slots = arena.alloc(n * 4) >>> 2;
    const times = arena.alloc(n * 8) / 8;
    for (let i = 0; i < n; i++) {
      // Near times: of far ones a batch may put more into one wide bucket, which come out later, than one by one would.
      const time = random.below(20) === 0 ? Number.NaN : now + random.below(random.pick([100, 4e6, 8e6]));
      F64[times + i] = time;
      U32[slots + i] = random.below(10) === 0 ? 0 : arena.alloc(16);
      if (U32[slots + i] === 0) continue;
      U32[U32[slots + i] >>> 2] = random.below(1e6);
      F64[U32[slots + i] / 8 + 1] = time;
      each.add(time, U32[U32[slots + i] >>> 2]);
    }
    given.addAll(times, slots, n);
    own.addSlots(slots, n, 8);
    now += random.below(3e6);
    const taken = [each, given, own].map((expiry) => {
      const hashes: [number, number][] = [];
      expiry.take(now, (hash, entries) => hashes.push([hash, entries]));
      return hashes.sort(([a], [b]) => a - b);
    });
    assert.deepEqual(taken[1], taken[0]);
    assert.deepEqual(taken[2], taken[0]);
    assert.deepEqual([given.size, own.size], [each.size, each.size]);
    heap.endTick();
  }
  heap.release();
  arena.release();
});

test('entries of one hash come together', () => {
  const heap = new Heap();
  const expiry = new Expiry(heap);
  for (const hash of [7, 9, 7, 4294967295, 7]) expiry.add(5, hash);
  const seen: [number, number][] = [];
  expiry.take(2 ** 17, (hash, entries) => seen.push([hash, entries]));
  assert.deepEqual(seen, [
    [7, 3],
    [9, 1],
    [4294967295, 1],
  ]);
  heap.release();
});

test('a call takes its share, the next ones the rest', () => {
  const heap = new Heap();
  const expiry = new Expiry(heap);
  for (let hash = 0; hash < 100000; hash++) expiry.add(1000 + (hash % 7) * 1e6, hash);
  expiry.take(0, () => assert.fail('nothing is over'));
  const seen = new Set<number>();
  let calls = 1;
  for (; !expiry.take(1e9, (hash) => seen.add(hash)); calls++) {
    // What comes in the meantime is taken too.
    if (calls < 5) expiry.add(2000, 100000 + calls);
    assert.ok(seen.size < calls * 10000);
  }
  assert.ok(calls > 10);
  assert.equal(seen.size, 100004);
  heap.endTick();
  assert.equal(heap.liveBytes, 0);
  heap.release();
});

test('100000 entries take about 4 bytes each', () => {
  const random = new Random(seed);
  const heap = new Heap();
  const expiry = new Expiry(heap);
  for (let i = 0; i < 100000; i++) expiry.add(random.below(3600) * 1e6, i);
  heap.endTick();
  assert.ok(heap.liveBytes < 800000, `${heap.liveBytes} bytes`);
  heap.release();
});
