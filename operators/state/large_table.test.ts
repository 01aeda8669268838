/**
 * A table so large that kernels read ahead of where they look (kernels/assembly/keys.ts), against a map: keys that come twice within the stretch that was read ahead, that make the table grow in its midst,
 * and that lie behind others which have gone.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { batchFromRows } from '../batch/builder.ts';
import { I32, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import type { Datum } from '../datum.ts';
import '../expr/functions/index.ts';
import { Random, rowText, testSeed, times, valueText } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import type { Equality } from './row_ops.ts';
import { RowTable } from './row_table.ts';

const seed = testSeed();
/** Tables with more entries are read ahead. */
const FAR = 16384;

/** Columns of many values, of a number. */
const COLUMNS: [number, (i: number) => Datum][] = [
  [OID.int8, (i) => BigInt(i) - 5000n],
  [OID.int8, (i) => BigInt(i) * 2n ** 33n],
  [OID.int4, (i) => i - 3000],
  [OID.int2, (i) => (i % 60000) - 30000],
  [OID.date, (i) => i - 40000],
  [OID.timestamp, (i) => 1700000000000000n + BigInt(i) * 1000n],
  [OID.bool, (i) => i % 2 === 0],
  [OID.uuid, (i) => `0000000d-0000-4000-8000-${(i >> 1).toString(16).padStart(12, '0')}`],
  [OID.text, (i) => `k${i}${'x'.repeat(i % 20)}`],
  [OID.oid, (i) => 4294967295 - i],
  [OID.float8, (i) => (i % 7 === 0 ? [0, -0, Number.NaN][i % 3] : i / 3)],
];

/** Numbers of rows: some in order, some that come again and again. */
function numbers(random: Random): number[] {
  const from = random.below(20000);
  const step = random.pick([1, 1, 2, 7]);
  return Array.from({ length: random.pick([1, 2, 300, 7000, 9000]) }, (_, i) =>
    random.below(3) === 0 ? from + random.below(20) : from + i * step,
  );
}

function check(chosen: typeof COLUMNS, equality: Equality, random: Random): number {
  const types = chosen.map(([oid]) => colType(oid));
  const table = new RowTable(types, 8, equality);
  const arena = new Arena();
  const slotOf = new Map<string, number>();
  let most = 0;
  for (let tick = 0; tick < 8; tick++) {
    const rows = numbers(random).map((i) => chosen.map(([, value]) => (random.below(30) === 0 ? null : value(i))));
    const batch = batchFromRows(
      types,
      rows,
      arena,
      rows.map(() => random.below(20)),
    );
    const { n } = batch;
    const keys = { n, weights: random.below(2) === 0 ? batch.weights : 0, skipNulls: random.below(2) === 0 };
    const texts = rows.map(equality === 'sql' ? valueText : rowText);
    const isLeftOut = (row: number) =>
      (keys.weights !== 0 && I32[(keys.weights >>> 2) + row] === 0) || (keys.skipNulls && rows[row].includes(null));
    table.bind(batch.columns);
    const found = table.findAll(keys, arena);
    for (let row = 0; row < n; row++)
      assert.equal(U32[found.slots + row], isLeftOut(row) ? 0 : (slotOf.get(texts[row]) ?? 0));
    const { slots, fresh, made } = table.findOrInsertAll(keys, arena);
    let next = 0;
    for (let row = 0; row < n; row++) {
      const slot = U32[slots + row];
      assert.equal(slot === 0, isLeftOut(row));
      if (slot === 0) continue;
      if (!slotOf.has(texts[row])) {
        assert.equal(U32[fresh + next++], row);
        slotOf.set(texts[row], slot);
        assert.equal(table.ops.hashRow(slot + table.rowOffset), table.hashOf(slot));
      }
      assert.equal(slot, slotOf.get(texts[row]));
      assert.equal(table.find(row), slot);
    }
    assert.equal(made, next);
    assert.equal(table.size, slotOf.size);
    assert.equal(new Set(slotOf.values()).size, slotOf.size);
    most = Math.max(most, table.place.mask);
    const share = random.pick([3, 10]);
    for (const [text, slot] of slotOf) {
      if (random.below(share) > 0) continue;
      table.remove(slot);
      slotOf.delete(text);
    }
    table.endTick();
    arena.reset();
  }
  table.release();
  arena.release();
  return most;
}

test('keys of a large table are found and made as in a map', () => {
  const used = pages.usedPages;
  const random = new Random(seed);
  let most = 0;
  // Which columns make a table large is chance: it goes on until one was.
  for (let round = 0; round < times(16) || (most < FAR && round < times(160)); round++) {
    const chosen = Array.from({ length: 1 + random.below(4) }, () => random.pick(COLUMNS));
    most = Math.max(most, check(chosen, random.pick(['sql', 'identity']), random));
  }
  assert.ok(most >= FAR, `the largest table has ${most + 1} entries`);
  assert.equal(pages.usedPages, used);
});
