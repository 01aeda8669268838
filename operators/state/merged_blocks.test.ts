/** Heaps whose blocks change their sizes in the course of time: what they hold stays a small multiple of what is live, and nothing is lost or overwritten. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import { Random, testSeed } from '../testing/property.ts';
import { roundUp } from './block_sizes.ts';
import { Heap } from './heap.ts';
import { Undo } from './undo.ts';
import { touchRange } from './write_marks.ts';

/** The first and the last word of a block are its number, the bytes of all of them are bounded. */
class Blocks {
  heap = new Heap();
  live: { address: number; bytes: number; number: number }[] = [];
  bytes = 0;
  #next = 1;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  add(bytes: number, most: number): void {
    while (this.bytes + bytes > most) this.remove();
    const address = this.heap.alloc(bytes);
    const number = this.#next++;
    for (const at of [address, address + ((bytes - 4) & ~3)]) {
      touchRange(at, 4);
      U32[at >>> 2] = number;
    }
    this.live.push({ address, bytes, number });
    this.bytes += bytes;
  }

  remove(): void {
    const i = this.#random.below(this.live.length);
    const gone = this.live[i];
    this.live[i] = this.live[this.live.length - 1];
    this.live.pop();
    this.heap.free(gone.address, gone.bytes);
    this.bytes -= gone.bytes;
  }

  check(): void {
    for (const { address, bytes, number } of this.live)
      for (const at of [address, address + ((bytes - 4) & ~3)]) assert.equal(U32[at >>> 2], number);
    assert.equal(
      this.heap.liveBytes,
      this.live.reduce((sum, { bytes }) => sum + roundUp(bytes), 0),
    );
  }
}

/** Sizes by how much of the time is over. */
const drifts: [string, (part: number) => number][] = [
  ['from 20 to 400', (part) => 20 + 380 * part],
  ['from 400 to 20', (part) => 400 - 380 * part],
  ['up and down', (part) => 20 * 2 ** (5 * Math.abs(((part * 6) % 2) - 1))],
];

for (const [name, size] of drifts)
  test(`blocks of sizes that change, ${name}, take a small multiple of what they have`, () => {
    const random = new Random(testSeed());
    const before = pages.usedPages;
    const blocks = new Blocks(random);
    const most = 4 << 20;
    const changes = 250_000;
    for (let i = 0; i < changes; i++) {
      blocks.add(Math.round(size(i / changes) * (0.9 + random.below(200) / 1000)), most);
      if (i % 200 === 0) blocks.heap.endTick();
      if (i % 20_000 !== 0 || blocks.bytes < most * 0.9) continue;
      blocks.check();
      const held = (pages.usedPages - before) * 65536;
      assert.ok(held < blocks.bytes * 2.5, `${held} bytes for ${blocks.bytes} after ${i} changes`);
    }
    blocks.heap.release();
    assert.equal(pages.usedPages, before);
  });

test('ticks are taken back, and heaps saved, while free blocks are merged and cut', () => {
  const random = new Random(testSeed());
  const before = pages.usedPages;
  const blocks = new Blocks(random);
  let most = 1 << 20;
  for (let round = 0; round < 400; round++) {
    const part = Math.abs(((round / 40) % 2) - 1);
    const bytes = () =>
      Math.max(16, Math.round(10 * 2 ** (part * random.pick([5, 5, 5, 11])) * (1 + random.below(100) / 100)));
    const tick = () => {
      for (let i = 0; i < 200; i++) blocks.add(bytes(), most);
    };
    const undo = new Undo();
    if (random.below(3) === 0) {
      undo.start();
      undo.keep(blocks.heap);
      const [live, sum] = [[...blocks.live], blocks.bytes];
      tick();
      undo.takeBack();
      [blocks.live, blocks.bytes] = [live, sum];
      blocks.check();
    }
    undo.start();
    undo.keep(blocks.heap);
    tick();
    undo.commit();
    blocks.heap.endTick();
    if (random.below(10) === 0) {
      const other = new Heap();
      other.load(blocks.heap.save());
      blocks.heap = other;
    }
    if (random.below(50) === 0) most = (1 << 19) << random.below(3);
    while (blocks.bytes > most) blocks.remove();
    blocks.heap.endTick();
    if (round % 10 === 0) blocks.check();
  }
  blocks.check();
  for (const { address, bytes } of blocks.live) blocks.heap.free(address, bytes);
  blocks.heap.endTick();
  assert.equal(blocks.heap.liveBytes, 0);
  blocks.heap.release();
  assert.equal(pages.usedPages, before);
});
