import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { budget } from '../batch/budget.ts';
import { U8, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import { OutOfMemory } from '../errors.ts';
import { Random, testSeed } from '../testing/property.ts';
import { roundUp } from './block_sizes.ts';
import { Heap } from './heap.ts';
import { ownLong } from './key_batch.ts';
import { isLeaving } from './leaving.ts';
import { touchRange } from './write_marks.ts';

test('blocks that are freed give their pages back, and those that stay keep their bytes', () => {
  const random = new Random(testSeed());
  const before = pages.usedPages;
  const heap = new Heap();
  const live: { address: number; bytes: number; mark: number }[] = [];
  const add = () => {
    const bytes = 16 + random.below(random.pick([100, 1000, 70_000]));
    const address = heap.alloc(bytes);
    touchRange(address, 16);
    U32[address >>> 2] = live.length;
    U32[(address >>> 2) + 3] = bytes;
    live.push({ address, bytes, mark: live.length });
  };
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 3000; i++) add();
    const full = pages.usedPages - before;
    // All but a few, which lie together as what is read together mostly does.
    const kept = live.splice(0, 200);
    while (live.length > 0) {
      for (const { address, bytes } of live.splice(-500)) heap.free(address, bytes);
      heap.endTick();
    }
    live.push(...kept);
    assert.ok(pages.usedPages - before < full / 2, `${pages.usedPages - before} of ${full} pages are still held`);
    for (const { address, bytes, mark } of live) {
      assert.equal(U32[address >>> 2], mark);
      assert.equal(U32[(address >>> 2) + 3], bytes);
    }
    const other = new Heap();
    other.load(heap.save());
    live.forEach((block, i) => {
      block.mark = i;
      touchRange(block.address, 4);
      U32[block.address >>> 2] = i;
    });
  }
  heap.release();
  assert.equal(pages.usedPages, before);
});

test('pages come back after blocks came and went for long without an empty page', () => {
  const before = pages.usedPages;
  const heap = new Heap();
  const blocks = Array.from({ length: 20_000 }, () => heap.alloc(128));
  const scattered = blocks.filter((_, i) => i % 3 === 0);
  for (let i = 0; i < blocks.length; i++) if (i % 3 !== 0) heap.free(blocks[i], 128);
  heap.endTick();
  const held = pages.usedPages - before;
  for (let tick = 0; tick < 100; tick++) {
    const some = Array.from({ length: 5000 }, () => heap.alloc(128));
    for (const block of some) heap.free(block, 128);
    heap.endTick();
    assert.equal(pages.usedPages - before, held);
  }
  for (const block of scattered.splice(100)) heap.free(block, 128);
  heap.endTick();
  // The present chunk stays, which is half of all.
  assert.ok(pages.usedPages - before < held * 0.6, `${pages.usedPages - before} of ${held} pages are still held`);
  heap.release();
  assert.equal(pages.usedPages, before);
});

test('texts of a list get blocks as alloc() gives them', () => {
  const random = new Random(testSeed());
  const before = pages.usedPages;
  const arena = new Arena();
  const heap = new Heap();
  const alone = new Heap();
  let live: { text: Buffer; slot: number }[] = [];
  for (let round = 0; round < 30; round++) {
    const many = round === 20;
    const texts = Array.from({ length: many ? 600 : 1 + random.below(60) }, () =>
      Buffer.alloc(13 + random.below(many ? 150 : random.pick([4, 30, 150, 5000, 70_000])), 'a' + random.below(1000)),
    );
    const list = arena.alloc(texts.length * 4);
    const added = texts.map((text, i) => {
      const slot = alone.alloc(16);
      const from = arena.alloc(text.length);
      U8.set(text, from);
      U32[slot >>> 2] = text.length;
      U32[(slot >>> 2) + 2] = from;
      U32[(list >>> 2) + i] = slot;
      return { text, slot };
    });
    ownLong(list, texts.length, heap);
    live.push(...added);
    for (const { text, slot } of live) {
      const at = U32[(slot >>> 2) + 2];
      assert.deepEqual(Buffer.from(U8.slice(at, at + text.length)), text);
    }
    assert.equal(
      heap.liveBytes,
      live.reduce((sum, { text }) => sum + roundUp(text.length), 0),
    );
    const goes = (i: number) => (i + round) % 3 === 0;
    for (const { text, slot } of live.filter((_, i) => goes(i))) heap.free(U32[(slot >>> 2) + 2], text.length);
    live = live.filter((_, i) => !goes(i));
    heap.endTick();
    arena.reset();
  }
  for (const state of [heap, alone, arena]) state.release();
  assert.equal(pages.usedPages, before);
});

test('chunks that are emptied go back when they hold nothing, and what is saved meanwhile goes on', () => {
  const before = pages.usedPages;
  const keys = new Heap();
  let heap = new Heap(keys);
  const small = heap.alloc(100);
  assert.equal(heap.pageBytes, 0, 'a first block lies in the chunk of its neighbour');
  const blocks = Array.from({ length: 4000 }, () => heap.alloc(400));
  const free = (of: number[]) => {
    for (const address of of) heap.free(address, 400);
  };
  // Little is left of every other 256 KiB.
  const [thin, full] = [0, 1].map((half) => blocks.filter((address) => (address >>> 18) % 2 === half));
  free(thin.filter((_, i) => i % 10 > 0));
  const left = thin.filter((_, i) => i % 10 === 0);
  const bytes = heap.pageBytes;
  assert.ok(heap.empty(bytes / 8));
  // A restart ends it; the chunks stay closed.
  const saved = heap.save();
  heap = new Heap(keys);
  heap.load(saved);
  assert.equal(heap.emptying, false);
  assert.ok(heap.empty(bytes / 8));
  const goes = [...left, ...full].filter(isLeaving);
  assert.ok(goes.length > 0 && goes.length < 1500, `${goes.length} blocks`);
  assert.throws(() => heap.endEmptying(), /were to be given back/);
  free(goes);
  const young = heap.alloc(400);
  assert.ok(!isLeaving(young));
  heap.endEmptying();
  assert.ok(heap.pageBytes <= bytes * 0.9, `${heap.pageBytes} of ${bytes} bytes`);
  assert.ok(heap.empty(Number.POSITIVE_INFINITY));
  free([...left, ...full, young].filter((address) => !goes.includes(address)));
  heap.endEmptying();
  assert.equal(heap.pageBytes, 0);
  heap.free(small, 100);
  heap.endTick();
  assert.equal(heap.liveBytes, 0);
  heap.release();
  keys.release();
  assert.equal(pages.usedPages, before);
});

test('a block that could not be had is not counted as one that lives', () => {
  const heap = new Heap();
  heap.free(heap.alloc(64), 64);
  heap.endTick();
  const { limit } = budget;
  budget.limit = 0;
  try {
    assert.throws(() => {
      for (;;) heap.free(heap.alloc(4096), 4096);
    }, OutOfMemory);
  } finally {
    budget.limit = limit;
  }
  heap.endTick();
  assert.equal(heap.liveBytes, 0);
  heap.release();
});
