/** A scan gives the rows of its tick, whatever happens to the relation while it is taken piece by piece, and wherever its rows lie. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { batchFromRows, readRow, weightOf } from '../../operators/batch/builder.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { Datum } from '../../operators/datum.ts';
import { cold } from '../../operators/state/cold_store.ts';
import { RelationStore } from '../../operators/state/relation_store.ts';
import { RowLog } from '../../operators/state/row_log.ts';
import { MemoryColdStore } from '../../operators/testing/cold_memory.ts';
import { Random, rowText, testSeed } from '../../operators/testing/property.ts';
import { colType, OID } from '../../operators/types.ts';
import { StoredRelation } from './stored_relation.ts';

const types = [colType(OID.int4), colType(OID.text)];

function add(bag: Map<string, number>, batch: Batch, sign = 1): void {
  for (let row = 0; row < batch.n; row++) {
    const key = rowText(readRow(batch, row));
    const weight = (bag.get(key) ?? 0) + sign * weightOf(batch, row);
    if (weight === 0) bag.delete(key);
    else bag.set(key, weight);
  }
}

const sorted = (bag: Map<string, number>) => [...bag].sort(([a], [b]) => (a < b ? -1 : 1));

for (const key of [null, [0]])
  test(`scans equal the relation at their start under random changes, growth and release${key === null ? '' : ', rows by their key'}`, () => {
    const random = new Random(testSeed());
    const used = pages.usedPages;
    const arena = new Arena();
    const store = new MemoryColdStore();
    cold.store = store;
    for (let round = 0; round < 20; round++) {
      const relation = new StoredRelation(types, [], false, key);
      const live = new Map<string, { row: Datum[]; weight: number }>();
      const change = (n: number) => {
        const rows: Datum[][] = [];
        const weights: number[] = [];
        for (let i = 0; i < n; i++) {
          const known = [...live.values()];
          const remove = known.length > 0 && random.below(2) === 0;
          const row: Datum[] = remove
            ? random.pick(known).row
            : [random.below(300), random.below(3) === 0 ? null : `a long enough text ${random.below(2)}`];
          const key = rowText(row);
          const entry = live.get(key) ?? { row, weight: 0 };
          entry.weight += remove ? -1 : 1;
          if (entry.weight === 0) live.delete(key);
          else live.set(key, entry);
          rows.push(row);
          weights.push(remove ? -1 : 1);
        }
        return batchFromRows(types, rows, arena, weights);
      };
      relation.apply(change(random.below(400)));
      relation.endTick();
      const scans: {
        scan: ReturnType<StoredRelation['scan']>;
        expected: Map<string, number>;
        seen: Map<string, number>;
      }[] = [];
      let released = false;
      for (let step = 0; step < 40; step++) {
        if (!released && random.below(3) === 0) {
          const correction = batchFromRows(types, [[random.below(300), null]], arena);
          const sign = random.below(2) === 0 ? 1 : -1;
          const expected = new Map<string, number>();
          add(expected, relation.snapshot(arena));
          add(expected, correction, sign);
          scans.push({ scan: relation.scan([{ batch: correction, sign }]), expected, seen: new Map() });
        }
        for (const one of scans) {
          const piece = one.scan.next(1 + random.below(20), arena);
          if (piece !== null) add(one.seen, piece);
        }
        if (released) continue;
        relation.apply(change(random.below(10) === 0 ? 200 : random.below(8)));
        relation.endTick();
        if (random.below(round % 3) > 0)
          for (const state of relation.coldStates()) state.chill(random.pick([1, 3000, Number.POSITIVE_INFINITY]));
        if (step > 30 && random.below(10) === 0) {
          relation.release();
          released = true;
        }
      }
      for (const { scan, expected, seen } of scans) {
        for (let piece = scan.next(50, arena); piece !== null; piece = scan.next(50, arena)) add(seen, piece);
        assert.deepEqual(sorted(seen), sorted(expected), `round ${round}`);
        scan.close();
      }
      if (!released) relation.release();
      arena.reset();
    }
    arena.release();
    assert.equal(store.reads > 0, key !== null);
    assert.equal(store.places, 0);
    cold.store = null;
    assert.equal(pages.usedPages, used);
  });

test('rows of an append-only relation go to a log when there are many that differ; its scans see their tick, equal rows among them', () => {
  const random = new Random(testSeed());
  const used = pages.usedPages;
  const arena = new Arena();
  const store = new MemoryColdStore();
  cold.store = store;
  const relation = new StoredRelation(types, [], true);
  const rows = (n: number, of: number) =>
    batchFromRows(
      types,
      Array.from({ length: n }, (): Datum[] => [random.below(of), random.below(3) === 0 ? null : 'a long enough text']),
      arena,
    );
  const many = (from: number) =>
    batchFromRows(
      types,
      Array.from({ length: 17_000 }, (_, i): Datum[] => [from + i, 'a long enough text']),
      arena,
    );
  relation.apply(many(0));
  assert.ok(relation.store instanceof RelationStore);
  relation.endTick();
  assert.ok(relation.store instanceof RowLog);
  const scans = [];
  for (let step = 0; step < 5; step++) {
    relation.apply(rows(200, 40));
    relation.endTick();
    // What a reader of an earlier tick has to leave out: rows of which there are several.
    const later = rows(20, 40);
    relation.apply(later);
    relation.endTick();
    for (const state of relation.coldStates()) state.chill(random.pick([100_000, Number.POSITIVE_INFINITY]));
    const seen = new Map<string, number>();
    const expected = new Map<string, number>();
    add(expected, relation.snapshot(arena));
    add(expected, later, -1);
    scans.push({ scan: relation.scan([{ batch: later, sign: -1 }]), expected, seen });
    for (const { scan, seen: to } of scans) add(to, scan.next(2500, arena) ?? rows(0, 1));
  }
  relation.release();
  for (const { scan, expected, seen } of scans) {
    for (let piece = scan.next(5000, arena); piece !== null; piece = scan.next(5000, arena)) {
      for (let row = 0; row < piece.n; row++) assert.ok(weightOf(piece, row) > 0);
      add(seen, piece);
    }
    assert.deepEqual(sorted(seen), sorted(expected));
    scan.close();
  }
  arena.release();
  assert.ok(store.reads > 0);
  assert.equal(store.places, 0);
  cold.store = null;
  assert.equal(pages.usedPages, used);
});

test('rows of an append-only relation of which few differ stay in a table', () => {
  const arena = new Arena();
  const relation = new StoredRelation(types, [], true);
  const numbers = Array.from({ length: 40_000 }, (_, i): Datum[] => [i % 17_000, null]);
  relation.apply(batchFromRows(types, numbers, arena));
  relation.endTick();
  assert.ok(relation.store instanceof RelationStore);
  assert.equal(relation.rows, 17_000);
  relation.release();
  arena.release();
});

test('rows by their key that are left in sparse chunks move together; nothing is lost', () => {
  const used = pages.usedPages;
  const arena = new Arena();
  const relation = new StoredRelation(types, [[1]], false, [0]);
  const row = (i: number): Datum[] => [
    i,
    `a text of the row with the number ${i}, which is longer than its slot ${'.'.repeat(i % 50)}`,
  ];
  const many = Array.from({ length: 20_000 }, (_, i) => row(i));
  relation.apply(batchFromRows(types, many, arena));
  relation.endTick();
  const gone = many.filter((_, i) => i % 16 !== 0);
  relation.apply(
    batchFromRows(
      types,
      gone,
      arena,
      gone.map(() => -1),
    ),
  );
  relation.endTick();
  const expected = new Map<string, number>();
  add(expected, relation.snapshot(arena));
  const scan = relation.scan([]);
  const seen = new Map<string, number>();
  add(seen, scan.next(100, arena) as Batch);
  assert.equal(relation.sparse, false, 'a scan knows the rows by their places');
  for (let piece = scan.next(500, arena); piece !== null; piece = scan.next(500, arena)) add(seen, piece);
  scan.close();
  assert.deepEqual(sorted(seen), sorted(expected));
  const before = pages.usedPages;
  arena.reset();
  assert.ok(relation.sparse);
  while (relation.sparse) relation.compact(1000);
  assert.ok(pages.usedPages < before);
  const now = new Map<string, number>();
  add(now, relation.snapshot(arena));
  assert.deepEqual(sorted(now), sorted(expected));
  assert.equal(relation.rows, many.length - gone.length);
  assert.equal(relation.removeIndex([0]), undefined);
  relation.release();
  arena.release();
  assert.equal(pages.usedPages, used);
});
