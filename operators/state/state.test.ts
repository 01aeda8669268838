import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { BatchBuilder, batchFromRows, readRow, weightOf } from '../batch/builder.ts';
import { PAGE_BYTES, TOTAL_PAGES } from '../batch/memory.ts';
import { PageAllocator, pages } from '../batch/pages.ts';
import { type Datum, decimal } from '../datum.ts';
import '../expr/functions/index.ts';
import { Image } from '../testing/image.ts';
import { Random, rowText, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { consolidator } from './consolidate.ts';
import { KeyedIndex } from './keyed_index.ts';
import { OrderedIndex } from './ordered_index.ts';
import { RelationStore } from './relation_store.ts';
import { pagesOf } from './saved.ts';

const random = new Random(testSeed());

const types = [colType(OID.int4), colType(OID.text), colType(OID.numeric), colType(OID.float8)];

function randomRow(): Datum[] {
  return [
    random.below(5) === 0 ? null : random.below(4),
    random.below(4) === 0 ? null : 'k'.repeat(random.below(20)),
    random.below(4) === 0 ? null : decimal(BigInt(random.below(3)) * 10n ** 20n, random.below(2)),
    [null, 0, -0, Number.NaN, 1.5][random.below(5)],
  ];
}

// -0 and 0 look different, so they are two rows.
const keyOf = rowText;

function bump(model: Map<string, number>, key: string, weight: number): void {
  const sum = (model.get(key) ?? 0) + weight;
  if (sum === 0) model.delete(key);
  else model.set(key, sum);
}

test('relation store, keyed index and consolidation equal a map of weights', () => {
  const used = pages.usedPages;
  const store = new RelationStore(types);
  const index = new KeyedIndex(types, [0], true);
  const model = new Map<string, number>();
  const arena = new Arena();
  const consolidate = consolidator(types);
  for (let tick = 0; tick < times(200); tick++) {
    const n = random.below(30);
    const rows: Datum[][] = [];
    const weights: number[] = [];
    for (let i = 0; i < n; i++) {
      rows.push(randomRow());
      weights.push(random.below(2) === 0 ? 1 : -1);
      bump(model, keyOf(rows[i]), weights[i]);
    }
    const delta = batchFromRows(types, rows, arena, weights);
    store.apply(delta);
    const net = consolidate(delta, arena);
    index.apply(net);
    const out = new BatchBuilder(types, arena);
    store.forEach((address, weight) => {
      const row = out.addRow(weight);
      store.table.ops.load(address, out.columns, row);
    });
    const seen = new Map<string, number>();
    for (let i = 0; i < out.n; i++) bump(seen, keyOf(readRow(out.build(), i)), weightOf(out.build(), i));
    assert.deepEqual(new Map([...seen].sort()), new Map([...model].sort()), `tick ${tick}`);
    const fromIndex = new Map<string, number>();
    const out2 = new BatchBuilder(types, arena);
    index.forEach(arena, (slot, entry, weight) => index.loadRow(slot, entry, out2.columns, out2.addRow(weight)));
    for (let i = 0; i < out2.n; i++) bump(fromIndex, keyOf(readRow(out2.build(), i)), weightOf(out2.build(), i));
    assert.deepEqual(new Map([...fromIndex].sort()), new Map([...model].sort()), `index at tick ${tick}`);
    store.endTick();
    index.endTick();
    arena.reset();
  }
  store.release();
  index.release();
  arena.release();
  assert.equal(pages.usedPages, used);
});

test('ordered index keeps partitions in order and empties', () => {
  const used = pages.usedPages;
  const order = [{ col: 2, desc: true, nullsFirst: true }];
  const ordered = new OrderedIndex(types, [0], order);
  const arena = new Arena();
  const live: Datum[][] = [];
  for (let tick = 0; tick < 100; tick++) {
    const rows: Datum[][] = [];
    const weights: number[] = [];
    for (let i = 0; i < 10; i++) {
      if (live.length > 0 && random.below(3) === 0) {
        rows.push(live.splice(random.below(live.length), 1)[0]);
        weights.push(-1);
      } else {
        const row = randomRow();
        live.push(row);
        rows.push(row);
        weights.push(1);
      }
    }
    const delta = batchFromRows(types, rows, arena, weights);
    ordered.begin(delta);
    for (let i = 0; i < delta.n; i++) {
      const slot = ordered.partitionOf(i);
      ordered.add(slot, i, weightOf(delta, i));
      ordered.dropIfEmpty(slot);
    }
    let total = 0;
    ordered.partitions.forEach((slot) => {
      let previous = 0;
      for (let i = 0; i < ordered.runs.count(ordered.head(slot)); i++) {
        const entry = ordered.runs.entry(ordered.head(slot), i);
        total += ordered.runs.weight(entry);
        if (i > 0) assert.ok(ordered.runs.compare(previous + 8, entry + 8) < 0);
        previous = entry;
      }
    });
    assert.equal(total, live.length);
    ordered.endTick();
    arena.reset();
  }
  const all = batchFromRows(
    types,
    live,
    arena,
    live.map(() => -1),
  );
  ordered.begin(all);
  for (let i = 0; i < all.n; i++) {
    const slot = ordered.partitionOf(i);
    ordered.add(slot, i, -1);
    ordered.dropIfEmpty(slot);
  }
  assert.equal(ordered.size, 0);
  assert.equal(ordered.partitions.size, 0);
  ordered.release();
  arena.release();
  assert.equal(pages.usedPages, used);
});

test('saved state goes on where it was: relation store and index with rows that are owed', () => {
  const used = pages.usedPages;
  const arena = new Arena();
  const image = new Image();
  let store = new RelationStore(types);
  let index = new KeyedIndex(types, [0], true);
  const known = [1, 'k'.repeat(100), null, 0];
  const apply = (rows: Datum[][], weights: number[]) => {
    const delta = batchFromRows(types, rows, arena, weights);
    store.apply(delta);
    index.apply(delta);
    store.endTick();
    index.endTick();
    arena.reset();
  };
  apply([known, [2, 'x', null, 1]], [-2, 1]);
  const saved = { store: store.save(), index: index.save() };
  image.start(pagesOf(saved));
  apply([known, randomRow(), randomRow()], [5, 1, 1]);
  image.finish();
  store.release();
  index.release();
  image.load();
  store = new RelationStore(types);
  index = new KeyedIndex(types, [0], true);
  store.load(saved.store);
  index.load(saved.index);
  assert.equal(store.negative, 1);
  // An index knows that it owes rows: the two that come are cancelled, not stored beside them.
  apply([known, [2, 'x', null, 1]], [2, -1]);
  assert.equal(store.size, 0);
  assert.equal(index.size, 0);
  store.release();
  index.release();
  arena.release();
  assert.equal(pages.usedPages, used);
});

test('the last page is given to nobody', () => {
  assert.equal(pages.reserve((TOTAL_PAGES - 1) * PAGE_BYTES, 1), false);
  assert.equal(pages.reserve((TOTAL_PAGES - 2) * PAGE_BYTES, 1), true);
  pages.release((TOTAL_PAGES - 2) * PAGE_BYTES, 1);
});

test('exact pages can be reserved, but not twice', () => {
  const own = new PageAllocator(10, 20);
  assert.equal(own.reserve(12 * PAGE_BYTES, 3), true);
  assert.equal(own.reserve(14 * PAGE_BYTES, 2), false);
  assert.equal(own.reserve(18 * PAGE_BYTES, 3), false);
  assert.equal(own.reserve(10 * PAGE_BYTES, 2), true);
  assert.equal(own.usedPages, 5);
  assert.equal(own.allocate(5), 15 * PAGE_BYTES);
  own.release(12 * PAGE_BYTES, 3);
  assert.equal(own.allocate(3), 12 * PAGE_BYTES);
});
