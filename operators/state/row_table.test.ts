/** A table filled a batch at a time against one filled row by row: the same slots are found and made, whatever the types. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { batchFromRows, readRow } from '../batch/builder.ts';
import { F64, I32, U8, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import { type Datum, decimal } from '../datum.ts';
import '../expr/functions/index.ts';
import { BatchBuilder } from '../batch/builder.ts';
import { Random, rowText, testSeed, times } from '../testing/property.ts';
import { type ColType, colType, OID } from '../types.ts';
import { RowTable } from './row_table.ts';

const seed = testSeed();

const values: [ColType, (random: Random) => Datum][] = [
  [colType(OID.int8), (random) => BigInt(random.below(40)) * 2n ** BigInt(random.below(3) * 20) - 5n],
  [colType(OID.int4), (random) => random.below(30) - 3],
  [colType(OID.bool), (random) => random.below(2) === 0],
  [colType(OID.text), (random) => 'ab'.repeat(random.below(12))],
  [colType(OID.text), (random) => `${'x'.repeat(12)}${random.below(9)}`],
  [colType(OID.uuid), (random) => `0000000d-0000-4000-8000-00000000000${random.below(9)}`],
  [colType(OID.timestamptz), (random) => BigInt(random.below(5))],
  [colType(OID.float8), (random) => random.pick([0, -0, Number.NaN, 1.5, -1.5, Number.POSITIVE_INFINITY, 5e-324])],
  [colType(OID.bpchar), (random) => 'a '.repeat(random.below(5))],
  [colType(OID.numeric), (random) => decimal(BigInt(random.below(5)) * 10n, random.below(2))],
  [
    colType(OID.numeric),
    (random) => decimal(BigInt(random.below(5)) * 10n ** BigInt(random.below(40) === 0 ? 25 : 1), 1),
  ],
];

test('slots stay where they are while the table grows, and those of rows that went are used again', () => {
  const used = pages.usedPages;
  const arena = new Arena();
  const table = new RowTable([colType(OID.int4)], 8, 'identity');
  const numbers = (from: number, n: number) =>
    batchFromRows(
      [colType(OID.int4)],
      Array.from({ length: n }, (_, i) => [from + i]),
      arena,
    );
  const slotsOf = new Map<number, number>();
  for (let from = 0; from < 6000; from += 1500) {
    const batch = numbers(from, 1500);
    table.bind(batch.columns);
    const { slots, made } = table.findOrInsertAll({ n: batch.n, weights: 0, skipNulls: false }, arena);
    assert.equal(made, 1500);
    for (let row = 0; row < batch.n; row++) slotsOf.set(from + row, U32[slots + row]);
  }
  assert.equal(new Set(slotsOf.values()).size, 6000);
  const all = numbers(0, 6000);
  table.bind(all.columns);
  for (const [number, slot] of slotsOf) assert.equal(table.find(number), slot);
  assert.deepEqual(
    [...slotsOf.values()].map((slot) => table.placeOf(slot)),
    [...slotsOf.keys()],
  );
  for (let row = 0; row < 3000; row++) table.remove(table.find(row));
  const bytes = table.bytes;
  const others = numbers(10_000, 3000);
  table.bind(others.columns);
  for (let row = 0; row < others.n; row++) assert.ok(table.placeOf(table.findOrInsert(row)) < 3000);
  assert.equal(table.bytes, bytes);
  assert.equal(table.moves, 0);
  for (let row = 0; row < others.n; row++) table.remove(table.find(row));
  table.bind(all.columns);
  for (let row = 3100; row < all.n; row++) table.remove(table.find(row));
  table.shrink();
  table.endTick();
  assert.equal(table.moves, 1, 'far fewer rows than slots: they have moved together');
  assert.ok(table.bytes < bytes / 8);
  for (let row = 0; row < all.n; row++) assert.equal(table.find(row) !== 0, row >= 3000 && row < 3100);
  table.release();
  arena.release();
  assert.equal(pages.usedPages, used);
});

test('batches are looked up as their rows are', () => {
  const used = pages.usedPages;
  for (let round = 0; round < times(60); round++) {
    const random = new Random(seed + round);
    const chosen = Array.from({ length: 1 + random.below(4) }, () =>
      random.pick(round % 3 === 0 ? values : values.slice(0, 8)),
    );
    const equality = random.below(2) === 0 ? 'sql' : 'identity';
    const types = chosen.map(([type]) => type);
    const both = [new RowTable(types, 8, equality), new RowTable(types, 8, equality)];
    const [whole, single] = both;
    const arena = new Arena();
    let number = 0;
    for (let tick = 0; tick < 12; tick++) {
      // Some are packed in several blocks, and some have columns without a NULL.
      const most = random.pick([150, 150, 150, 700]);
      const present = chosen.map(() => random.below(3) === 0);
      const rows = Array.from({ length: random.below(most) }, () =>
        chosen.map(([, value], c) => (!present[c] && random.below(8) === 0 ? null : value(random))),
      );
      const batch = batchFromRows(
        types,
        rows,
        arena,
        rows.map(() => random.below(4)),
      );
      // A NULL's slot may hold anything.
      for (const column of batch.columns)
        for (let row = 0; row < batch.n; row++)
          if (column.phys === 'i64' && column.valid !== 0 && U8[column.valid + row] === 0)
            I32[(column.data >>> 2) + row * 2] = random.below(9);
      // Not all NaN that come from outside have the same bits.
      for (const column of batch.columns)
        for (let row = 0; row < batch.n; row++)
          if (column.phys === 'f64' && Number.isNaN(F64[(column.data >>> 3) + row]))
            I32[(column.data >>> 2) + row * 2] = random.below(3);
      present.forEach((is, c) => {
        if (is) batch.columns[c].valid = 0;
      });
      for (const table of both) table.bind(batch.columns);
      const skipNulls = random.below(2) === 0;
      const weights = random.below(2) === 0 ? batch.weights : 0;
      const isLeftOut = (row: number) =>
        (weights !== 0 && I32[(weights >>> 2) + row] === 0) || (skipNulls && rows[row].includes(null));
      const keys = { n: batch.n, weights, skipNulls };
      const before = whole.findAll(keys, arena);
      for (let row = 0; row < batch.n; row++) {
        const slot = isLeftOut(row) ? 0 : single.find(row);
        assert.equal(U32[before.slots + row] === 0, slot === 0);
        if (slot !== 0) assert.equal(payload(whole, U32[before.slots + row]), payload(single, slot));
      }
      const { slots, fresh, made } = whole.findOrInsertAll(keys, arena);
      const freshRows = Array.from({ length: made }, (_, i) => U32[fresh + i]);
      for (let row = 0; row < batch.n; row++) {
        const slot = U32[slots + row];
        if (isLeftOut(row)) {
          assert.equal(slot, 0);
          continue;
        }
        const other = single.findOrInsert(row);
        assert.equal(freshRows.includes(row), single.inserted);
        assert.equal(whole.hashOf(slot), single.hashOf(other));
        if (single.inserted) {
          number++;
          I32[(slot + whole.payloadOffset) >>> 2] = number;
          I32[(other + single.payloadOffset) >>> 2] = number;
        }
        assert.equal(payload(whole, slot), payload(single, other));
      }
      for (const table of both) assert.equal(rowsOf(table, types, arena), rowsOf(single, types, arena));
      const goes = random.below(5);
      for (const table of both)
        table.forEach((slot) => {
          if (payload(table, slot) % 5 === goes) table.remove(slot);
        });
      assert.equal(whole.size, single.size);
      for (const table of both) table.endTick();
    }
    for (const table of both) table.release();
    arena.release();
  }
  assert.equal(pages.usedPages, used);
});

function payload(table: RowTable, slot: number): number {
  return I32[(slot + table.payloadOffset) >>> 2];
}

function rowsOf(table: RowTable, types: ColType[], arena: Arena): string {
  const out = new BatchBuilder(types, arena);
  table.forEach((slot) => {
    table.ops.load(slot + table.rowOffset, out.columns, out.addRow(1));
  });
  const batch = out.build();
  return Array.from({ length: batch.n }, (_, row) => rowText(readRow(batch, row)))
    .sort()
    .join('\n');
}

test('dead rows are taken out by their hashes, and the rest is still found', () => {
  const used = pages.usedPages;
  for (let round = 0; round < 30; round++) {
    const random = new Random(seed + round);
    // Long texts have to be let go one by one; numbers lie in the slot.
    const types = [colType(OID.timestamp), colType(round % 2 === 0 ? OID.int8 : OID.text)];
    const table = new RowTable(types, 0, 'sql');
    const arena = new Arena();
    const live = new Map<string, Datum[]>();
    const flag = table.rowOffset + table.ops.layout.valid;
    const time = { at: table.rowOffset + table.ops.layout.offsets[0], flag, lag: 3 };
    for (let tick = 1; tick < 12; tick++) {
      const rows = Array.from({ length: random.below(40) }, (): Datum[] => {
        const key = BigInt(random.below(1000));
        return [
          random.below(9) === 0 ? null : BigInt(tick * 5 + random.below(20)),
          round % 2 === 0 ? key : `${key}`.repeat(5),
        ];
      });
      const batch = batchFromRows(types, rows, arena);
      table.bind(batch.columns);
      table.findOrInsertAll({ n: rows.length, weights: 0, skipNulls: false }, arena);
      for (const row of rows) live.set(rowText(row), row);
      const hashes: number[] = [];
      table.forEach((slot) => {
        hashes.push(table.hashOf(slot));
      });
      const address = arena.alloc(hashes.length * 4 + 4);
      for (const [i, hash] of hashes.entries()) U32[(address >>> 2) + i] = hash;
      if (random.below(2) === 0) table.removeDead(address, hashes.length, time, tick * 6, null);
      else {
        table.sweepDead(time, tick * 6, null);
        table.settle();
      }
      for (const [text, [at]] of live) if (at !== null && Number(at) + 3 < tick * 6) live.delete(text);
      assert.equal(table.size, live.size);
      const kept = batchFromRows(types, [...live.values()], arena);
      table.bind(kept.columns);
      const { slots } = table.findAll({ n: kept.n, weights: 0, skipNulls: false }, arena);
      for (let i = 0; i < kept.n; i++) assert.notEqual(U32[slots + i], 0);
      table.endTick();
      arena.reset();
    }
    arena.release();
    table.release();
  }
  assert.equal(pages.usedPages, used);
});
