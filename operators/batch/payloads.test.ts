/** Batches that were copied stand alone: nothing in them points to where they came from. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decimal } from '../datum.ts';
import { colType, OID } from '../types.ts';
import { Arena } from './arena.ts';
import { BatchBuilder, batchFromRows, readRow } from './builder.ts';
import { detach } from './detach.ts';

const TYPES = [colType(OID.text), colType(OID.numeric), colType(OID.int4)];
/** Texts around the lengths at which their copying changes, NULLs, wide numerics. */
const ROWS = [0, 1, 12, 13, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1000, 70_000].flatMap((length, i) => [
  ['x'.repeat(length), decimal(BigInt(`9${'0'.repeat(i * 3)}1`), 2), i],
  [null, null, null],
  [String.fromCharCode(97 + i).repeat(length), decimal(BigInt(i), 0), 100 - i],
]);

for (const [name, copy] of [
  ['detach', detach],
  [
    'append',
    (batch: Parameters<typeof detach>[0], arena: Arena) => {
      const builder = new BatchBuilder(TYPES, arena, 1);
      builder.append(batch);
      builder.append(batch);
      const both = builder.build();
      assert.equal(both.n, 2 * ROWS.length);
      return { ...both, n: ROWS.length };
    },
  ],
  [
    'copyDeep',
    (batch: Parameters<typeof detach>[0], arena: Arena) => {
      const builder = new BatchBuilder(TYPES, arena, 1);
      for (let row = 0; row < batch.n; row++) {
        const to = builder.addRow(1);
        for (let c = 0; c < TYPES.length; c++) builder.copyDeep(c, to, batch.columns[c], row);
      }
      return builder.build();
    },
  ],
] as const) {
  test(`${name}: the copy is whole after the memory of the original has been used for something else`, () => {
    const original = new Arena();
    const arena = new Arena();
    const copied = copy(batchFromRows(TYPES, ROWS, original), arena);
    original.reset();
    batchFromRows(
      TYPES,
      ROWS.map(() => ['y'.repeat(500), decimal(-(10n ** 40n), 3), 7]),
      original,
    );
    assert.deepEqual(
      ROWS.map((_, row) => readRow(copied, row)),
      ROWS,
    );
    original.release();
    arena.release();
  });
}
