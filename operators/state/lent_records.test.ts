/** Records of all sizes lie apart from each other, those larger than a page too, and their pages come back with the last of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { batchFromRows } from '../batch/builder.ts';
import { U8 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import { colType, OID } from '../types.ts';
import { KeyedIndex } from './keyed_index.ts';
import { giveRecord, takeRecord } from './lent_records.ts';

test('records of many sizes', () => {
  const before = pages.usedBytes;
  const sizes = [1, 64, 65, 1000, 60_000, 65_536, 65_537, 200_000];
  const taken = [...sizes, ...sizes].map((bytes) => ({ bytes, at: takeRecord(bytes) }));
  taken.forEach(({ bytes, at }, i) => {
    assert.ok(at > 0, `a record of ${bytes} bytes`);
    U8.fill(i + 1, at, at + bytes);
  });
  taken.forEach(({ bytes, at }, i) => {
    assert.ok(
      U8.subarray(at, at + bytes).every((byte) => byte === i + 1),
      `a record of ${bytes} bytes is its own`,
    );
  });
  for (const { bytes, at } of taken) giveRecord(at, bytes);
  assert.equal(pages.usedBytes, before);
});

test('an index whose rows have more columns than a page has room for', () => {
  const used = pages.usedPages;
  const types = [colType(OID.int4), ...Array.from({ length: 900 }, () => colType(OID.text))];
  const arena = new Arena();
  const index = new KeyedIndex(types, [0], true, [], true);
  for (const n of [3, 16, 40]) {
    const rows = Array.from({ length: n }, (_, i) => [i, ...Array.from({ length: 900 }, (_, c) => `text ${i} ${c}`)]);
    index.apply(batchFromRows(types, rows, arena), arena);
    index.endTick();
  }
  assert.equal(index.size, 59);
  index.release();
  arena.release();
  assert.equal(pages.usedPages, used);
});
