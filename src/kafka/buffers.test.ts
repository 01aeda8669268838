import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory, PAGE_BYTES } from '../../operators/batch/memory.ts';
import { PageAllocator, pages } from '../../operators/batch/pages.ts';
import { OutOfMemory } from '../../operators/errors.ts';
import { Random, testSeed, times } from '../../operators/testing/property.ts';
import { Buffers, type Room } from './buffers.ts';

/** Pages that are the test's own. */
function ownPages(count: number): { own: PageAllocator; end: () => void } {
  const address = pages.allocate(count);
  const first = address / PAGE_BYTES;
  const own = new PageAllocator(first, first + count);
  return { own, end: () => pages.release(address, count) };
}

const giveBack = (pool: Buffers, { address, buffer }: Room) => pool.give(address ?? (buffer as SharedArrayBuffer));

test('with room in holes only that are too small each, room is a buffer; when a hole grows, it is pages again', () => {
  const { own, end } = ownPages(6);
  const pool = new Buffers();
  pool.usePages(own);
  const single = Array.from({ length: 6 }, () => pool.take(PAGE_BYTES));
  assert.ok(single.every(({ address }) => address !== undefined));
  for (const i of [0, 2, 4]) giveBack(pool, single[i]);
  assert.equal(own.usedPages, 3);
  const buffer = pool.take(2 * PAGE_BYTES);
  assert.deepEqual([buffer.address, own.usedPages], [undefined, 3]);
  assert.ok(buffer.buffer instanceof SharedArrayBuffer && buffer.buffer.byteLength >= 2 * PAGE_BYTES);
  giveBack(pool, single[3]);
  const grown = pool.take(3 * PAGE_BYTES);
  assert.equal(grown.address, single[2].address);
  for (const room of [buffer, grown, single[1], single[5]]) giveBack(pool, room);
  assert.equal(own.usedPages, 0);
  end();
});

test('whatever is taken and given back in any order, there is room, no two share a page, and all pages come back', () => {
  const random = new Random(testSeed());
  const { own, end } = ownPages(20);
  const pool = new Buffers();
  pool.usePages(own);
  const held: { room: Room; count: number }[] = [];
  for (let step = 0; step < times(1000); step++) {
    if (held.length > 0 && random.below(5) < 2) {
      const [{ room }] = held.splice(random.below(held.length), 1);
      giveBack(pool, room);
      continue;
    }
    const count = 1 + random.below(5);
    const room = pool.take(count * PAGE_BYTES - random.below(PAGE_BYTES - 1) * (count > 1 ? 1 : 0));
    held.push({ room, count });
    if (held.length > 12) giveBack(pool, held.splice(random.below(held.length), 1)[0].room);
    const placed = held.filter((one) => one.room.address !== undefined);
    assert.ok(placed.every((one) => one.room.buffer === memory.buffer));
    const taken = placed.flatMap((one) =>
      Array.from({ length: one.count }, (_, i) => (one.room.address as number) + i * PAGE_BYTES),
    );
    assert.deepEqual([new Set(taken).size, own.usedPages], [taken.length, taken.length], `step ${step}`);
  }
  for (const { room } of held) giveBack(pool, room);
  assert.equal(own.usedPages, 0);
  end();
});

test('what the system has no memory for is told as such', () => {
  assert.throws(() => new Buffers().take(2 ** 50), OutOfMemory);
});
