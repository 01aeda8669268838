import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { BatchBuilder, batchFromRows, readRow } from '../batch/builder.ts';
import { pages } from '../batch/pages.ts';
import type { Datum } from '../datum.ts';
import { Random, testSeed } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { KeyedIndex } from './keyed_index.ts';

const types = [colType(OID.int4), colType(OID.int4), colType(OID.text)];

/** Rows of few keys, many a key; long texts with equal beginnings have equal slot hashes. */
function row(random: Random): Datum[] {
  const n = random.below(400);
  return [random.below(2), n % 7 === 0 ? null : n, n % 3 === 0 ? `a text that is long, number ${n % 11}` : 'short'];
}

test('long runs under retractions hold the rows that a map of weights holds', () => {
  const random = new Random(testSeed());
  const used = pages.usedPages;
  const index = new KeyedIndex(types, [0], true);
  const arena = new Arena();
  const model = new Map<string, { row: Datum[]; weight: number }>();
  const apply = (changes: { row: Datum[]; weight: number }[]) => {
    for (const { row, weight } of changes) {
      const text = JSON.stringify(row);
      const sum = (model.get(text)?.weight ?? 0) + weight;
      if (sum === 0) model.delete(text);
      else model.set(text, { row, weight: sum });
    }
    const rows = changes.map((c) => c.row);
    index.apply(
      batchFromRows(
        types,
        rows,
        arena,
        changes.map((c) => c.weight),
      ),
    );
    index.endTick();
    arena.reset();
    const found = new Map<string, number>();
    const one = new BatchBuilder(types, arena, 1);
    one.addRow(1);
    index.forEach(arena, (slot, entry, weight) => {
      index.loadRow(slot, entry, one.columns, 0);
      const text = JSON.stringify(readRow(one.build(), 0));
      found.set(text, (found.get(text) ?? 0) + weight);
    });
    assert.deepEqual(
      [...found].sort(),
      [...model].map(([text, { weight }]): [string, number] => [text, weight]).sort(),
    );
  };
  for (let tick = 0; tick < 60; tick++) {
    const grows = tick % 20 < 12;
    const changes = Array.from({ length: 60 }, () => {
      const live = [...model.values()];
      if (live.length > 0 && random.below(grows ? 3 : 1) === 0) {
        const gone = random.pick(live);
        return { row: gone.row, weight: random.below(3) === 0 ? -gone.weight : gone.weight > 0 ? -1 : 1 };
      }
      return { row: row(random), weight: random.below(20) === 0 ? -1 : 1 };
    });
    apply(changes);
  }
  apply([...model.values()].map(({ row, weight }) => ({ row, weight: -weight })));
  assert.equal(index.size, 0);
  index.release();
  arena.release();
  assert.equal(pages.usedPages, used);
});
