/** Rows by their key are those of a table, however the key comes and goes and wherever the rows lie: what is read, what may be taken away, what is saved. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { budget } from '../../operators/batch/budget.ts';
import { batchFromRows, readRow, weightOf } from '../../operators/batch/builder.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { Datum } from '../../operators/datum.ts';
import { OutOfMemory } from '../../operators/errors.ts';
import '../../operators/expr/functions/index.ts';
import { cold } from '../../operators/state/cold_store.ts';
import { KeyedRows } from '../../operators/state/keyed_rows.ts';
import { pagesOf, type Saved } from '../../operators/state/saved.ts';
import { Undo } from '../../operators/state/undo.ts';
import { MemoryColdStore } from '../../operators/testing/cold_memory.ts';
import { Image } from '../../operators/testing/image.ts';
import { Bag, Random, testSeed, times } from '../../operators/testing/property.ts';
import { colType, OID } from '../../operators/types.ts';
import type { IndexShape } from '../../planner/catalog_reader.ts';
import { repeatedRow } from './repeated_keys.ts';
import { StoredRelation } from './stored_relation.ts';

const types = [OID.int4, OID.text, OID.numeric, OID.text].map((oid) => colType(oid));
const KEY = [1, 0];
/** Over upper(of the second column), of rows that have the fourth. */
const COMPUTED: IndexShape = {
  oid: 7,
  keys: [{ k: 'call', fn: 'upper(text)', args: [{ k: 'col', id: 1, t: types[1] }], t: types[1], strict: true }],
  where: { k: 'isnull', arg: { k: 'col', id: 3, t: types[3] }, negated: true, t: colType(OID.bool) },
};

test('rows of a table with a primary key that comes and goes are those of one without', () => {
  const random = new Random(testSeed());
  const used = pages.usedPages;
  const arena = new Arena();
  const image = new Image();
  const store = new MemoryColdStore();
  cold.store = store;
  let turned = 0;
  for (let round = 0; round < times(8); round++) {
    const plain = new StoredRelation(types);
    let keyed = new StoredRelation(types, [KEY, [3]], false, KEY, true);
    keyed.addComputed(COMPUTED);
    let isKey = true;
    const present: Datum[][] = [];
    const newRow = (): Datum[] => {
      const key = random.below(200);
      return [
        key,
        `key ${key}`,
        random.below(5) === 0 ? null : { k: 'dec', m: BigInt(random.below(99)), s: random.below(3) },
        random.below(4) === 0 ? null : 'a text '.repeat(random.below(6)),
      ];
    };
    const bag = (batch: Batch) => {
      const found = new Bag();
      found.addBatch(batch);
      return found.texts();
    };
    for (let tick = 0; tick < 16; tick++) {
      const rows: Datum[][] = [];
      const weights: number[] = [];
      for (let n = random.pick([2, 30, 150]); n > 0; n--) {
        const row = newRow();
        const at = present.findIndex(([key]) => key === row[0]);
        if (at >= 0 && (isKey || random.below(2) === 0)) {
          rows.push(...present.splice(at, 1));
          weights.push(-1);
        }
        if (at >= 0 && random.below(3) === 0) continue;
        rows.push(row);
        weights.push(1);
        present.push(row);
      }
      const delta = batchFromRows(types, rows, arena, weights);
      const undo = new Undo();
      if (random.below(3) === 0) {
        undo.start();
        keyed.keepIn(undo);
        keyed.apply(delta);
        undo.takeBack();
      }
      for (const relation of [plain, keyed]) {
        relation.apply(delta);
        relation.endTick();
      }
      if (random.below(2) === 0)
        for (const state of keyed.coldStates()) state.chill(random.pick([1, 4000, Number.POSITIVE_INFINITY]));
      const scan = random.below(4) === 0 ? keyed.scan([]) : null;
      const seen = new Bag();
      if (scan !== null) seen.addBatch(scan.next(20, arena) as Batch);
      if (random.below(5) === 0) {
        turned++;
        if (isKey) keyed.removeIndex(KEY)?.release();
        else if (repeatedRow(keyed, { columns: KEY }) === null) {
          keyed.addIndex(KEY);
          keyed.storeBy(KEY);
          assert.equal(keyed.key === null, scan !== null);
        }
        isKey = keyed.index(KEY) !== undefined;
      }
      assert.deepEqual(bag(keyed.snapshot(arena)), bag(plain.snapshot(arena)));
      if (scan !== null) {
        for (let piece = scan.next(50, arena); piece !== null; piece = scan.next(50, arena)) seen.addBatch(piece);
        scan.close();
        assert.deepEqual(seen.texts(), bag(plain.snapshot(arena)));
      }
      for (let i = 0; i < 20; i++) {
        const row = random.below(2) === 0 ? random.pick(present) : newRow();
        const gone = batchFromRows(types, [row], arena, [-1 - random.below(2)]);
        assert.equal(keyed.hasRetracted(gone), plain.hasRetracted(gone));
        const text = batchFromRows([types[3]], [[row[3]]], arena);
        const found = keyed.lookup([3], text, arena);
        const wanted = present.filter(([, , , other]) => other === row[3]);
        let sum = 0;
        for (let at = 0; at < found.n; at++) sum += weightOf(found, at);
        assert.equal(sum, wanted.length);
        const upper = batchFromRows([types[1]], [[String(row[1]).toUpperCase()]], arena);
        assert.deepEqual(
          bag(keyed.lookup(COMPUTED.oid, upper, arena)),
          bag(
            batchFromRows(
              types,
              present.filter(([, key, , other]) => key === row[1] && other !== null),
              arena,
            ),
          ),
        );
      }
      assert.deepEqual(repeatedRow(keyed, { columns: [0] }) === null, repeatedRow(plain, { columns: [0] }) === null);
      assert.equal(keyed.hasNull(3), plain.hasNull(3));
      if (random.below(4) === 0) {
        const saved = keyed.save();
        const stored = store.save();
        image.over(pagesOf(saved as unknown as Saved), () => keyed.release());
        store.load(stored);
        const key = saved.store === null ? saved.indexes[0].columns : null;
        keyed = new StoredRelation(types, [], false, key, true);
        keyed.load(saved, () => COMPUTED);
        assert.equal(keyed.key === null, saved.store !== null);
        assert.deepEqual(bag(keyed.snapshot(arena)), bag(plain.snapshot(arena)));
      }
      arena.reset();
    }
    keyed.release();
    plain.release();
  }
  assert.ok(turned > 0 && store.reads > 0);
  assert.equal(store.places, 0);
  cold.store = null;
  arena.release();
  assert.equal(pages.usedPages, used);
});

test('a key that lasts cannot be given up; one that ends leaves a table', () => {
  const lasting = new StoredRelation(types, [], false, KEY);
  const ending = new StoredRelation(types, [], false, KEY, true);
  const arena = new Arena();
  const rows = batchFromRows(types, [[1, 'one', null, null]], arena);
  for (const relation of [lasting, ending]) relation.apply(rows);
  assert.equal(lasting.removeIndex(KEY), undefined);
  assert.deepEqual(lasting.key, KEY);
  ending.removeIndex(KEY)?.release();
  assert.equal(ending.key, null);
  assert.ok(!(ending.store instanceof KeyedRows));
  const batch = ending.snapshot(arena);
  assert.equal(batch.n, 1);
  assert.equal(weightOf(batch, 0), 1);
  assert.equal(readRow(batch, 0)[1], 'one');
  for (const relation of [lasting, ending]) relation.release();
  arena.release();
});

test('rows on disk that memory has no room for: a relation goes all the same, and its key ends with the rows where they are', () => {
  const [used, arena] = [pages.usedPages, new Arena()];
  const store = new MemoryColdStore();
  cold.store = store;
  const relation = new StoredRelation(types, [], false, KEY, true);
  for (let i = 0; i < 20_000; i += 500) {
    const rows = Array.from({ length: 500 }, (_, j): Datum[] => [i + j, 'key', null, 'a text '.repeat(200)]);
    relation.apply(batchFromRows(types, rows, arena));
    relation.endTick();
    for (const state of relation.coldStates()) state.chill(Number.POSITIVE_INFINITY);
    arena.reset();
  }
  assert.ok(relation.coldBytes > 24 << 20);
  budget.limit = pages.usedBytes + (20 << 20);
  assert.equal(relation.removeIndex(KEY), undefined);
  assert.ok(relation.store instanceof KeyedRows);
  const scan = relation.scan([]);
  const first = scan.next(10, arena) as Batch;
  assert.ok(first.n >= 10);
  relation.release();
  assert.equal(store.places, 0);
  assert.throws(() => scan.next(10, arena), OutOfMemory);
  scan.close();
  budget.limit = Number.POSITIVE_INFINITY;
  cold.store = null;
  arena.release();
  assert.equal(pages.usedPages, used);
});
