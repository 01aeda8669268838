/** Rows in pieces: put in order in steps they are what sorting all of them at once gives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Datum } from '../datum.ts';
import { Random, testSeed } from '../testing/property.ts';
import { type ColType, colType, OID } from '../types.ts';
import { Arena } from './arena.ts';
import type { Batch } from './batch.ts';
import { batchFromRows, readRow } from './builder.ts';
import { oneBatch } from './one_batch.ts';
import { pages } from './pages.ts';
import { RowPieces } from './row_pieces.ts';
import { slices } from './slice.ts';
import { expandRows, sortedPieces, sortedRows } from './sort.ts';

const types: ColType[] = [colType(OID.int4), colType(OID.text), colType(OID.int8)];
const rowsOf = (batches: Batch[]) =>
  batches.flatMap((batch) => Array.from({ length: batch.n }, (_, i) => readRow(batch, i)));

test('sorted in steps, rows have the order that they have when sorted at once', async () => {
  const used = pages.usedPages;
  const seed = testSeed();
  const chance = new Random(seed);
  for (const n of [0, 1, 2, 2047, 2049, 9000, 20_000]) {
    const arenas = [new Arena(), new Arena(), new Arena()];
    const [input, scratch, kept] = arenas;
    const rows = Array.from({ length: n }, (): Datum[] => [
      chance.below(4) === 0 ? null : chance.below(50),
      chance.pick([null, 'a', `a text that is long ${chance.below(100)}`]),
      BigInt(chance.below(1000)),
    ]);
    const weights = rows.map(() => (chance.below(20) === 0 ? 1 + chance.below(3) : 1));
    const whole = batchFromRows(types, rows, input, weights);
    const pieces = new RowPieces(types, kept);
    for (let from = 0; from < n; ) {
      const part = rows.slice(from, from + 1 + chance.below(3000));
      pieces.append(batchFromRows(types, part, input, weights.slice(from, from + part.length)));
      from += part.length;
    }
    assert.equal(pieces.hasRetractions, false);
    const order = [
      { col: 0, desc: chance.below(2) === 0, nullsFirst: chance.below(2) === 0 },
      { col: 2, desc: chance.below(2) === 0, nullsFirst: false },
    ];
    let pauses = 0;
    const sorted = await sortedPieces(pieces.pieces(), order, 2, { scratch, kept }, async () => {
      pauses++;
    });
    const expected = expandRows(whole, sortedRows(whole, order, scratch), 2, scratch);
    assert.deepEqual(rowsOf(sorted), rowsOf([expected]), `seed ${seed}, ${n} rows`);
    assert.ok(pauses >= Math.floor(n / 8192));
    assert.deepEqual(rowsOf([oneBatch([...slices(whole, 700)], types, scratch)]), rows);
    for (const arena of arenas) arena.release();
  }
  assert.equal(pages.usedPages, used);
});
