/** Entries in blocks: each is there from its place on, and what blocks take is no more than twice of what is in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows } from '../../operators/batch/builder.ts';
import { colType, OID } from '../../operators/types.ts';
import { addEntries, type Block, closeBlock, contents, hasRoom, newBlock, openBytes } from './block.ts';
import { BufferPool } from './buffer_pool.ts';
import { type Entry, entrySize, readEntry, writeEntry } from './entry.ts';

const TYPES = [colType(OID.int8), colType(OID.text)];

test('entries of all sizes', () => {
  const arena = new Arena();
  const pool = new BufferPool();
  for (let round = 0; round < 3; round++) {
    const blocks: Block[] = [];
    const places: number[] = [];
    let end = 0;
    for (let i = 0; i < 400; i++) {
      const text = 'x'.repeat(i % 50 === 49 ? 700_000 >> (i & 3) : (i * 37) % (i % 7 === 0 ? 9_000 : 90));
      const batch = batchFromRows(TYPES, [[BigInt(i), text]], arena);
      const length = entrySize(batch);
      let block = blocks.at(-1);
      if (block === undefined || !hasRoom(block, length)) {
        block = newBlock(end, length, openBytes(blocks), pool);
        blocks.push(block);
      }
      writeEntry(
        batch,
        { oid: 7, sequence: BigInt(i), tick: BigInt(i), clock: 0n },
        block.memory,
        block.length,
        length,
      );
      block.length += length;
      places.push(end);
      end += length;
    }
    const taken = blocks.reduce((sum, { memory }) => sum + memory.length, 0);
    assert.ok(taken <= 2 * end + 512, `${taken} bytes for ${end}`);
    // Each of them in one of the rounds, which are alike.
    for (let first = round; first < places.length; first += 3) {
      const start = blocks.findLastIndex(({ at }) => at <= places[first]);
      const found: Entry[] = [];
      for (const block of blocks.slice(start)) addEntries(block, places[first], found);
      assert.deepEqual(
        found.map(({ tick }) => Number(tick)),
        places.slice(first).map((_, i) => first + i),
      );
    }
    assert.equal(openBytes(blocks), end);
    for (const block of blocks) closeBlock(block);
    assert.equal(openBytes(blocks), 0, 'what is being written does not make the next block large');
    assert.ok(!hasRoom(blocks[0], 1));
    const file = Buffer.concat(blocks.map(contents));
    places.forEach((at, i) => {
      assert.equal(readEntry(file, at, 7)?.tick, BigInt(i));
    });
    // The next round has them again.
    for (const { memory } of blocks) pool.give(memory);
  }
  arena.release();
});
