/** Entries read back as they were written; a flipped bit anywhere, a cut, or another relation's entry is found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows, readRow, weightOf } from '../../operators/batch/builder.ts';
import { colType, OID } from '../../operators/types.ts';
import {
  batchOf,
  encodeSegmentHeader,
  entrySize,
  readEntry,
  readSegmentHeader,
  SEGMENT_HEADER,
  seal,
  writeEntry,
} from './entry.ts';

const TYPES = [colType(OID.int4), colType(OID.text)];
const ROWS = [
  [1, 'one'],
  [2, null],
  [3, 'a text that is longer than a slot'],
];

function encoded(arena: Arena): Buffer {
  const batch = batchFromRows(TYPES, ROWS, arena, [1, -1, 2]);
  const length = entrySize(batch);
  const bytes = Buffer.alloc(length + 8, 0xff);
  writeEntry(batch, { oid: 7, sequence: 5n, tick: 40n, clock: -3n }, bytes, 5, length);
  const entry = bytes.subarray(5, 5 + length);
  seal(entry);
  return entry;
}

test('an entry comes back', () => {
  const arena = new Arena();
  const bytes = Buffer.concat([Buffer.alloc(3), encoded(arena), Buffer.alloc(2)]);
  const entry = readEntry(bytes, 3, 7);
  assert.ok(entry !== null);
  assert.deepEqual([entry.sequence, entry.tick, entry.clock, entry.bytes.length], [5n, 40n, -3n, bytes.length - 5]);
  const batch = batchOf(entry, arena);
  assert.deepEqual(
    Array.from({ length: batch.n }, (_, i) => [readRow(batch, i), weightOf(batch, i)]),
    ROWS.map((row, i) => [row, [1, -1, 2][i]]),
  );
  assert.equal(readEntry(bytes, 3, 8), null, 'of another relation');
  arena.release();
});

test('damage is found', () => {
  const arena = new Arena();
  const whole = encoded(arena);
  arena.release();
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const bytes = Buffer.from(whole);
    bytes[bit >> 3] ^= 1 << (bit & 7);
    assert.equal(readEntry(bytes, 0, 7), null, `bit ${bit}`);
  }
  for (let length = 0; length < whole.length; length++) assert.equal(readEntry(whole.subarray(0, length), 0, 7), null);
});

test('a segment belongs to one relation and one directory', () => {
  const header = encodeSegmentHeader(99n, { oid: 7, sequence: 4n, tick: 39n, clock: -4n });
  seal(header);
  assert.equal(header.length, SEGMENT_HEADER);
  assert.deepEqual(readSegmentHeader(header, 7, 99n)?.sequence, 4n);
  assert.equal(readSegmentHeader(header, 8, 99n), null);
  assert.equal(readSegmentHeader(header, 7, 98n), null);
  assert.equal(readEntry(header, 0, 7), null, 'it is no entry');
});
