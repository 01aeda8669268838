/** Rows sorted by the first bytes of their keys are where comparing them all puts them, whatever their types. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { batchFromRows } from '../batch/builder.ts';
import { U32 } from '../batch/memory.ts';
import { type Datum, decimal, interval } from '../datum.ts';
import { kernels } from '../kernels/index.ts';
import { RECORD_BYTES, RECORD_ROW, RECORD_SLACK } from '../kernels/sort_layout.ts';
import { Random, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { rowCompare, rowOps } from './row_ops.ts';
import { SortKeys } from './sort_keys.ts';

type Make = (chance: Random) => Datum;

const words = (chance: Random) => {
  const stem = chance.pick(['', 'a', 'item ', 'https://example.com/', 'über', 'a\u0001']);
  return stem + 'xyz '.slice(0, chance.below(5)) + (chance.below(3) === 0 ? String(chance.below(100)) : '');
};

const integer = (chance: Random, most: bigint) => {
  const sign = chance.below(2) === 0 ? 1n : -1n;
  const value = chance.pick([0n, 1n, 127n, 128n, 255n, 256n, 65535n, 65536n, most, BigInt(chance.below(1000000))]);
  return sign * (value > most ? most : value);
};

function numeric(chance: Random): Datum {
  if (chance.below(12) === 0)
    return { k: 'dec', m: 0n, s: 0, special: chance.pick(['NaN', 'Infinity', '-Infinity'] as const) };
  const sign = chance.below(2) === 0 ? 1n : -1n;
  const many = 123456789012345n;
  const size = chance.pick([
    0n,
    1n,
    5n,
    10n,
    many,
    many * 10n + 1n,
    many * 10n + 2n,
    10n ** 18n,
    2n ** 63n,
    many ** 3n,
    many ** 3n + 1n,
    10n ** 2500n,
  ]);
  return decimal(sign * (size + BigInt(chance.below(3))), chance.pick([0, 0, 1, 2, 2, 20, 3000]));
}

const MAKERS: [number, Make][] = [
  [OID.int4, (chance) => Number(integer(chance, 2147483647n))],
  [OID.int8, (chance) => integer(chance, 9223372036854775807n)],
  [OID.oid, (chance) => chance.pick([0, 1, 255, 256, 4294967295])],
  [OID.bool, (chance) => chance.below(2) === 0],
  [
    OID.float8,
    (chance) =>
      chance.pick([0, -0, 1.5, -1.5, 1e300, -1e300, Number.NaN, Infinity, -Infinity, 5e-324, chance.below(100)]),
  ],
  [OID.numeric, numeric],
  [OID.text, words],
  [OID.bpchar, words],
  [OID.bytea, (chance) => new Uint8Array(Array.from({ length: chance.below(4) }, () => chance.pick([0, 1, 255])))],
  [
    OID.uuid,
    (chance) => `${chance.pick(['00000000', 'ffffffff'])}-0000-0000-0000-0000000000${chance.pick(['00', '7f', 'ff'])}`,
  ],
  [OID.timestamptz, (chance) => 800000000000000n + BigInt(chance.below(100))],
  [OID.interval, (chance) => interval(chance.below(2), chance.below(31), BigInt(chance.below(2)))],
];

test('sorted by their first bytes, rows are in order but for those with the same', () => {
  const seed = testSeed();
  const chance = new Random(seed);
  for (let round = 0; round < times(400); round++) {
    const arena = new Arena();
    const columns = Array.from({ length: 1 + chance.below(4) }, () => chance.pick(MAKERS));
    const types = columns.map(([oid]) => colType(oid));
    const nulls = chance.below(2) * 5;
    const rows = Array.from({ length: 1 + chance.below(60) }, () =>
      columns.map(([, make]) => (nulls > 0 && chance.below(nulls) === 0 ? null : make(chance))),
    );
    const n = rows.length;
    const keys = Array.from({ length: chance.below(3) + 1 }, () => ({
      col: chance.below(types.length),
      desc: chance.below(2) === 0,
      nullsFirst: chance.below(2) === 0,
    }));
    const batch = batchFromRows(types, rows, arena);
    const ops = rowOps(types, 'identity');
    const { stride } = ops.layout;
    const stored = arena.alloc(n * stride);
    ops.bind(batch.columns);
    for (let row = 0; row < n; row++) ops.storeShallow(row, stored + row * stride);
    const compare = rowCompare(ops.layout, keys, true);
    const records = arena.alloc(n * RECORD_BYTES + RECORD_SLACK);
    const sortKeys = new SortKeys(types, keys);
    sortKeys.write(batch, 7, records, arena);
    kernels.sortRun(records, n, arena.alloc(n * RECORD_BYTES));
    const rowAt = (i: number) => stored + U32[(records + i * RECORD_BYTES + RECORD_ROW) >>> 2] * stride;
    for (let i = 0; i + 1 < n; i++) {
      const isTie = kernels.nextTie(records, i, i + 2) === i;
      const says = () => `seed ${seed}, round ${round}: ${JSON.stringify(keys)} of ${columns.map(([oid]) => oid)}`;
      if (!isTie) assert.ok(compare(rowAt(i), rowAt(i + 1)) < 0, says());
    }
    // The rows up to one of them are those that do not come after it.
    const last = records + chance.below(n) * RECORD_BYTES;
    const some = arena.alloc(n * RECORD_BYTES + RECORD_SLACK);
    assert.equal(sortKeys.writeUpTo(batch, last, some, arena), kernels.recordsUpTo(records, n, last));
    arena.release();
  }
});

test('a text and two integers fit into the bytes, with whether they are NULL', () => {
  const arena = new Arena();
  const types = [colType(OID.text), colType(OID.int4), colType(OID.int8)];
  const rows: Datum[][] = [
    ['item 1234', null, 1n],
    ['item 1234', 20000, 1n],
    ['item 1234', 20000, 1000000n],
    ['item 1234', 20000, 1000001n],
  ];
  const batch = batchFromRows(types, rows, arena);
  const records = arena.alloc(rows.length * RECORD_BYTES + RECORD_SLACK);
  new SortKeys(types, [{ col: 0, desc: false, nullsFirst: false }]).write(batch, 0, records, arena);
  assert.equal(kernels.nextTie(records, 0, rows.length), rows.length - 1);
  arena.release();
});
