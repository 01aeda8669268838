/** What heaps save from tick to tick: always what there is, never changed afterwards, and made anew only where something has changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PAGE_BYTES } from '../batch/memory.ts';
import { Random, testSeed } from '../testing/property.ts';
import { BLOCK_SIZES } from './block_sizes.ts';
import type { Chunk } from './heap_chunks.ts';
import { HeapSaves } from './heap_saves.ts';
import type { SavedHeap } from './saved.ts';

const scalars = { queued: [], next: 8, end: 16, chunkPages: 1, live: 24 };

test('saves of a heap that changes at random are those of a heap that saves for the first time, and stay as they are', () => {
  const seed = testSeed();
  const random = new Random(seed);
  const saves = new HeapSaves();
  const chunks: Chunk[] = [];
  const large = new Map<number, number>();
  const freeLists = new Uint32Array(BLOCK_SIZES.length);
  let closed = 0;
  let page = 1;
  const changes: (() => void)[] = [
    () => chunks.push({ address: page++ * PAGE_BYTES, pages: 1 + random.below(64), unused: 0, live: 0 }),
    () => {
      if (chunks.length > 0) chunks[random.below(chunks.length)].unused = random.below(8) * 8;
    },
    () => {
      if (closed > 0) chunks[random.below(closed)].live = random.below(8) * 8;
    },
    () => {
      closed = random.below(chunks.length + 1);
    },
    () => {
      if (chunks.length > 0) chunks.splice(random.below(chunks.length), 1);
      closed = Math.min(closed, chunks.length);
    },
    () => large.set(page++ * PAGE_BYTES, 2 + random.below(9)),
    () => {
      const [address] = large.keys();
      if (address !== undefined) large.delete(address);
    },
    () => {
      const [address] = large.keys();
      if (address !== undefined) large.set(address, 2 + random.below(9));
    },
    () => {
      freeLists[random.below(freeLists.length)] = random.below(9) * 8;
    },
    () => undefined,
  ];
  const seen: { save: SavedHeap; copy: SavedHeap }[] = [];
  for (let step = 0; step < 2000; step++) {
    changes[random.below(changes.length)]();
    const save = saves.of(chunks, closed, large, freeLists, scalars);
    const message = `seed ${seed}, step ${step}`;
    assert.deepEqual(save, new HeapSaves().of(chunks, closed, large, freeLists, scalars), message);
    const again = saves.of(chunks, closed, large, freeLists, scalars);
    for (const part of ['heapPages', 'unused', 'closed', 'largePages', 'freeLists'] as const)
      assert.equal(again[part], save[part], `${message}: ${part} was made twice`);
    seen.push({ save, copy: structuredClone(save) });
  }
  for (const { save, copy } of seen) assert.deepEqual(save, copy, `seed ${seed}`);
});
