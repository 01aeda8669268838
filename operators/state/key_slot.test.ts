/** The room of runs as JavaScript and as kernels read it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { batchFromRows } from '../batch/builder.ts';
import { PAGE_BYTES, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import { Random, testSeed } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { addedTo, ROOM, roomOf, setRoom } from './key_slot.ts';
import { KeyedIndex } from './keyed_index.ts';

test('a block has room for what was asked for, a quarter or a page more at most, and what was appended stays', () => {
  const arena = new Arena();
  const random = new Random(testSeed());
  const payload = arena.allocZeroed(24) >>> 2;
  assert.equal(roomOf(payload), 0);
  U32[payload + ROOM] = 0xabcdef;
  let before = 0;
  for (let bytes = 1; bytes < 2 ** 31; bytes += 1 + random.below(Math.ceil(bytes / 8))) {
    const room = setRoom(payload, bytes);
    assert.equal(roomOf(payload), room);
    assert.equal(addedTo(payload), 0xabcdef);
    const beyond = Math.max(16, bytes / 4, room > PAGE_BYTES ? PAGE_BYTES : 0);
    assert.ok(room >= before && room >= bytes && room - bytes <= beyond, `${room} for ${bytes}`);
    if (room > PAGE_BYTES) assert.equal(room % PAGE_BYTES, 0);
    before = room;
  }
  arena.release();
});

for (const values of [1, 2, 4, 7]) {
  test(`runs of many pages grow by kernels and row by row, and give all back, with ${values} values a row`, () => {
    const used = pages.usedPages;
    const types = [colType(OID.int4), ...Array.from({ length: values }, () => colType(OID.int8))];
    const index = new KeyedIndex(types, [0], false, [], true);
    const arena = new Arena();
    let n = 0n;
    const append = (rows: number, byKernel: boolean, key = 1) => {
      const delta = batchFromRows(
        types,
        Array.from({ length: rows }, () => {
          const row = [key, ...types.slice(1).map(() => n)];
          n++;
          return row;
        }),
        arena,
      );
      index.apply(delta, byKernel ? arena : undefined);
      index.endTick();
      arena.reset();
    };
    for (const rows of [1, 3, 2000, 6000, 1, 12_000, 9000]) {
      append(rows, true);
      append(5, false);
    }
    for (let key = 2; key < 50; key++) append(1 + (key % 5), key % 2 === 0, key);
    let sum = 0n;
    let entries = 0;
    const last = index.places[values]?.offset ?? 0;
    index.forEach(arena, (_, entry, weight) => {
      sum += BigInt(U32[(entry + last) >>> 2]);
      entries += weight;
    });
    assert.equal(BigInt(entries), n);
    assert.equal(sum, (n * (n - 1n)) / 2n);
    index.release();
    arena.release();
    assert.equal(pages.usedPages, used);
  });
}

test('a small run has the smallest block that it fits into, by kernels and row by row', () => {
  for (let values = 0; values < 8; values++) {
    const types = [colType(OID.int4), ...Array.from({ length: values }, () => colType(OID.int8))];
    const arena = new Arena();
    const bytes = [true, false].map((byKernel) => {
      const index = new KeyedIndex(types, [0], false, [], true);
      const empty = index.bytes;
      for (let key = 0; key < 20; key++) {
        const row = [key, ...types.slice(1).map(() => BigInt(key))];
        index.apply(batchFromRows(types, [row], arena), byKernel ? arena : undefined);
        index.endTick();
      }
      const all = index.bytes - empty;
      index.release();
      return all;
    });
    assert.equal(bytes[0], bytes[1]);
    arena.release();
  }
});
