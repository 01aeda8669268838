import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Datum, decimal, interval, pgArray } from '../datum.ts';
import { colType, OID } from '../types.ts';
import { Arena } from './arena.ts';
import { BatchBuilder, batchFromRows, readRow, weightOf } from './builder.ts';
import { pages } from './pages.ts';

const types = [
  OID.bool,
  OID.int4,
  OID.oid,
  OID.int8,
  OID.float8,
  OID.numeric,
  OID.interval,
  OID.uuid,
  OID.text,
  OID.bytea,
  OID._text,
].map((oid) => colType(oid));

const rows: Datum[][] = [
  [
    true,
    -5,
    4294967295,
    9007199254740993n,
    1.5,
    decimal(1234n, 2),
    interval(1, -2, 3n),
    '0123abcd-0000-1111-2222-333344445555',
    'short',
    new Uint8Array([1, 2]),
    pgArray(OID.text, ['a', null]),
  ],
  [
    false,
    2147483647,
    0,
    -9223372036854775808n,
    -0,
    decimal(-(10n ** 40n), 5),
    interval(0, 0, -1n),
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    'a text that is longer than twelve bytes, with ünïcode 🎉',
    new Uint8Array(100).fill(7),
    pgArray(OID.text, []),
  ],
  [null, null, null, null, null, null, null, null, null, null, null],
  [
    true,
    0,
    1,
    0n,
    Number.NaN,
    { k: 'dec', m: 0n, s: 0, special: '-Infinity' },
    interval(0, 0, 0n),
    '00000000-0000-0000-0000-000000000000',
    '',
    new Uint8Array(0),
    { k: 'array', elem: OID.text, dims: [2, 1], lower: [0, -3], items: ['x'.repeat(50), 'y'] },
  ],
];

test('every type survives a batch', () => {
  const used = pages.usedPages;
  const arena = new Arena();
  const batch = batchFromRows(types, rows, arena, [1, -2, 3, 1]);
  assert.equal(batch.n, 4);
  rows.forEach((row, i) => {
    assert.deepEqual(readRow(batch, i), row);
  });
  assert.equal(weightOf(batch, 1), -2);
  const copy = new BatchBuilder(types, arena, 1);
  for (let i = 0; i < batch.n; i++) {
    const row = copy.addRow(weightOf(batch, i));
    for (let c = 0; c < types.length; c++) copy.copySlot(c, row, batch.columns[c], i);
  }
  rows.forEach((row, i) => {
    assert.deepEqual(readRow(copy.build(), i), row);
  });
  arena.release();
  assert.equal(pages.usedPages, used);
});
