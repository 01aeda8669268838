/** Deadlines of rows by a text of their time: as the text alone says, whatever text was read before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { batchFromRows } from '../batch/builder.ts';
import { U32 } from '../batch/memory.ts';
import { varlenAddress } from '../batch/slots.ts';
import type { Datum } from '../datum.ts';
import '../expr/functions/index.ts';
import { readTimeText } from '../expr/datetime/time_text.ts';
import { Random, testSeed } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { Deadline } from './deadline.ts';
import { RowTable } from './row_table.ts';

const seed = testSeed();

const TEXTS: Record<string, Datum[]> = {
  'YYYY-MM-DD': ['2026-01-01', '2026-01-02', '2026-01-11', '2027-01-01', '2026-13', '', 'not a day', null],
  YYYYMM: ['202601', '202602', '20260', null],
  'YYYY-MM-DD HH24:MI': ['2026-01-01 10:00', '2026-01-01 10:01', '2026-01-01', '2026-01-01 10:01:00', null],
};

test('a text of a time is read once while rows have the same one', () => {
  const random = new Random(seed);
  const types = [OID.int4, OID.text].map((oid) => colType(oid));
  for (const [text, texts] of Object.entries(TEXTS)) {
    const table = new RowTable(types, 0, 'sql');
    const { layout } = table.ops;
    const deadline = new Deadline(layout, [{ input: 0, column: 1, sources: [0], lag: 5n, strict: false, text }]);
    const arena = new Arena();
    let last: Datum = null;
    const rows = Array.from({ length: 300 }, (_, i): Datum[] => {
      if (random.below(3) === 0) last = random.pick(texts);
      return [i, last];
    });
    table.bind(batchFromRows(types, rows, arena).columns);
    const { slots } = table.findOrInsertAll({ n: rows.length, weights: 0, skipNulls: false }, arena);
    const at = arena.alloc(rows.length * 4) >>> 2;
    for (let row = 0; row < rows.length; row++) U32[at + row] = U32[slots + row] + table.rowOffset;
    const found = deadline.ofAll(at, rows.length, arena);
    const numbers = new Float64Array(U32.buffer, found * 8, rows.length);
    rows.forEach(([, day], row) => {
      const slot = U32[at + row] + layout.offsets[1];
      const time = day === null ? Number.NaN : readTimeText(text, varlenAddress(slot), U32[slot >>> 2]);
      assert.equal(numbers[row], time + 5, `${day}`);
    });
    table.release();
    arena.release();
  }
});
