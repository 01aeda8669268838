/** Sizes that 32 bits do not hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutOfMemory } from '../errors.ts';
import { colType, OID } from '../types.ts';
import { Arena } from './arena.ts';
import { BatchBuilder, batchFromRows } from './builder.ts';
import { pages } from './pages.ts';

test('more than there is of memory is refused, also where the size modulo 4 GiB is small', () => {
  const arena = new Arena();
  for (const bytes of [2 ** 32 - 1, 2 ** 32, 2 ** 32 + 100, 3 * 2 ** 32, 2 ** 40 + 16]) {
    assert.throws(() => arena.alloc(bytes), OutOfMemory, `${bytes} bytes`);
  }
  assert.equal(arena.bytes, 0);
});

test('long texts that many rows share do not get too little room for a copy of each', () => {
  const types = [colType(OID.text)];
  const used = pages.usedPages;
  const arena = new Arena();
  const one = batchFromRows(types, [['x'.repeat(2 ** 20)]], arena);
  const many = new BatchBuilder(types, arena);
  for (let row = 0; row < 4097; row++) many.copySlot(0, many.addRow(1), one.columns[0], 0);
  const batch = many.build();
  assert.throws(() => new BatchBuilder(types, arena).append(batch), OutOfMemory);
  arena.release();
  assert.equal(pages.usedPages, used);
});
