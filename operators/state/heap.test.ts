import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { U8, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import { Random, testSeed } from '../testing/property.ts';
import { Heap } from './heap.ts';
import { ownLong } from './key_batch.ts';
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

test('texts of a list get blocks as alloc() gives them', () => {
  const random = new Random(testSeed());
  const before = pages.usedPages;
  const arena = new Arena();
  const heap = new Heap();
  const alone = new Heap();
  let live: { text: Buffer; slot: number }[] = [];
  for (let round = 0; round < 30; round++) {
    const texts = Array.from({ length: 1 + random.below(60) }, () =>
      Buffer.alloc(13 + random.below(random.pick([4, 30, 150, 5000, 70_000])), 'a' + random.below(1000)),
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
    ownLong(list, texts.length, heap, arena);
    live.push(...added);
    for (const { text, slot } of live) {
      const at = U32[(slot >>> 2) + 2];
      assert.deepEqual(Buffer.from(U8.slice(at, at + text.length)), text);
    }
    assert.equal(
      heap.liveBytes,
      live.reduce((sum, { text }) => sum + Heap.roundUp(text.length), 0),
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
