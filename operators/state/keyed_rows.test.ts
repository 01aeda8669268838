/** Rows that lie in the index of their key are those that a table holds, some of them on disk or all; a tick that is taken back, and a restart, leave them as they were. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { BatchBuilder, batchFromRows } from '../batch/builder.ts';
import { I32, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import type { Datum } from '../datum.ts';
import { MemoryColdStore } from '../testing/cold_memory.ts';
import { Image } from '../testing/image.ts';
import { Bag, Random, testSeed, times } from '../testing/property.ts';
import { type ColType, colType, OID } from '../types.ts';
import { bringBack } from './cold_reads.ts';
import { cold } from './cold_store.ts';
import { KeyedIndex } from './keyed_index.ts';
import { KeyedRows } from './keyed_rows.ts';
import { RelationStore, type RowStore } from './relation_store.ts';
import { pagesOf, type Saved } from './saved.ts';
import { Undo } from './undo.ts';

const plain = [OID.int4, OID.text, OID.text, OID.numeric, OID.int8].map((oid) => colType(oid));
/** With an interval rows go one by one. */
const withInterval = [...plain, colType(OID.interval)];

const keyedRows = (types: ColType[]) => new KeyedRows(new KeyedIndex(types, [0, 1], true, [], false, true));

function randomRow(random: Random, types: ColType[], keys: number): Datum[] {
  const maybe = (value: Datum): Datum => (random.below(5) === 0 ? null : value);
  const key = random.below(keys);
  return [
    key % 7 === 0 ? null : key,
    `key ${key}${key % 3 === 0 ? ' with a long text of its own' : ''}`,
    maybe('x'.repeat(random.below(40))),
    maybe({ k: 'dec', m: random.below(9) === 0 ? 10n ** 30n : BigInt(random.below(1000)), s: 2 }),
    maybe(BigInt(random.below(9))),
    ...(types === withInterval
      ? [maybe({ k: 'interval', months: random.below(2), days: 0, micros: BigInt(random.below(9)) })]
      : []),
  ];
}

function bag(store: RowStore, types: ColType[], arena: Arena): unknown {
  const found = new Bag();
  const out = new BatchBuilder(types, arena, Math.max(1, store.size));
  for (let at = 0; at >= 0; )
    at = store.visitFrom(at, Number.POSITIVE_INFINITY, store.end, arena, (address, weight) => {
      store.ops.load(address, out.columns, out.addRow(weight));
    });
  found.addBatch(out.build());
  return found.texts();
}

/** The same by pieces. */
function bagOfPieces(store: RowStore, types: ColType[], arena: Arena): unknown {
  const found = new Bag();
  const out = new BatchBuilder(types, arena, Math.max(1, store.size));
  for (let at = 0; at >= 0; ) {
    const { n, rows, words, next } = store.rowsFrom(at, 7, store.end, arena);
    for (let i = 0; i < n; i++) store.ops.load(U32[rows + i], out.columns, out.addRow(I32[words + i]));
    at = next;
  }
  found.addBatch(out.build());
  return found.texts();
}

for (const types of [plain, withInterval]) {
  test(`rows by their key are those of a table, ${types === plain ? 'all at once' : 'row by row'}`, () => {
    const random = new Random(testSeed());
    const used = pages.usedPages;
    const arena = new Arena();
    const image = new Image();
    const store = new MemoryColdStore();
    cold.store = store;
    let told = 0;
    let read = 0;
    for (let round = 0; round < times(8); round++) {
      let keyed = keyedRows(types);
      const table = new RelationStore(types);
      let present = new Map<string, Datum[]>();
      for (let tick = 0; tick < 12; tick++) {
        const now = new Map(present);
        const rows: Datum[][] = [];
        const weights: number[] = [];
        const change = (row: Datum[], weight: number) => {
          rows.push(row);
          weights.push(weight);
        };
        const keys = random.pick([40, 400]);
        for (let n = random.pick([3, 20, 200]); n > 0; n--) {
          const row = randomRow(random, types, keys);
          const name = String(row[1]);
          const before = now.get(name);
          // Replaced, mostly with the old row first; or it goes; or a key has several rows for a while.
          const first = random.below(4) > 0;
          if (before !== undefined && first) change(before, -1);
          if (before === undefined || random.below(4) > 0) {
            change(row, 1);
            now.set(name, row);
          } else now.delete(name);
          if (before !== undefined && !first) change(before, -1);
        }
        const owed = random.below(6) === 0 ? randomRow(random, types, keys) : null;
        if (owed !== null) change(owed, -1);
        const deltas = [batchFromRows(types, rows, arena, weights)];
        if (owed !== null) deltas.push(batchFromRows(types, [owed], arena));
        const isTakenBack = random.below(3) === 0;
        const undo = new Undo();
        undo.start();
        undo.keep({ save: () => keyed.index.save(), load: (saved) => keyed.index.load(saved) });
        for (const delta of deltas) {
          if (random.below(4) === 0) keyed.applyEach(delta, () => told++);
          else keyed.apply(delta);
        }
        if (isTakenBack) undo.takeBack();
        else {
          undo.commit();
          present = now;
          for (const delta of deltas) table.apply(delta);
        }
        keyed.endTick();
        table.endTick();
        // Most of the rounds with some or all of it on disk.
        if (random.below(4 - (round % 4)) > 0) keyed.chill(random.pick([1, 5000, Number.POSITIVE_INFINITY]));
        if (random.below(4) === 0) bringBack(2000);
        if (random.below(6) === 0) keyed.index.compact(random.pick([20, Number.POSITIVE_INFINITY]));
        const { coldBytes } = keyed;
        read += coldBytes;
        assert.deepEqual(bag(keyed, types, arena), bag(table, types, arena));
        assert.deepEqual(bagOfPieces(keyed, types, arena), bagOfPieces(table, types, arena));
        assert.equal(keyed.coldBytes, coldBytes, 'who reads leaves the rows where they are');
        assert.equal(keyed.negative, table.negative);
        assert.equal(keyed.size, present.size);
        if (random.below(4) === 0) {
          const saved = keyed.index.save();
          const stored = store.save();
          image.over(pagesOf(saved as unknown as Saved), () => keyed.release());
          store.load(stored);
          keyed = keyedRows(types);
          keyed.index.load(saved);
          assert.deepEqual(bag(keyed, types, arena), bag(table, types, arena));
        }
        arena.reset();
      }
      keyed.release();
      table.release();
    }
    assert.ok(told > 0);
    assert.ok(read > 0);
    arena.release();
    cold.store = null;
    assert.equal(store.places, 0);
    assert.equal(pages.usedPages, used);
  });
}
