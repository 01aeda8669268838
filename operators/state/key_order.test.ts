/** The keys of an index in order, beside a sorted list: while rows come and go, slots move, and a tick is taken back. Replay with SEED. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, testSeed } from '../testing/property.ts';
import '../expr/functions/index.ts';
import { Arena, withScratch } from '../batch/arena.ts';
import { batchFromRows, readRow } from '../batch/builder.ts';
import type { Datum } from '../datum.ts';
import { compareDatum } from '../expr/compare.ts';
import { turn } from '../turn.ts';
import { colType, OID } from '../types.ts';
import { KeyOrder } from './key_order.ts';
import { KeyedIndex } from './keyed_index.ts';
import { Undo } from './undo.ts';

const seed = testSeed();
const random = new Random(seed);

const TYPES = [OID.float8, OID.text, OID.int8].map((oid) => colType(oid));
const KEY = [0, 1];

function value(column: number): Datum {
  if (random.below(8) === 0) return null;
  if (column === 0)
    return [Number.NaN, -0, 0, Number.POSITIVE_INFINITY, random.below(9), -random.below(9)][random.below(6)];
  return column === 1
    ? `${'a long text of more than twelve bytes '.slice(random.below(2) * 38)}${random.below(9)}`
    : BigInt(random.below(100));
}

/** As the order has it: NULLs last, and equal values equal. */
function compare(a: Datum[], b: Datum[], columns = KEY.length): number {
  for (const c of KEY.slice(0, columns)) {
    const [x, y] = [a[c], b[c]];
    const order = x === null || y === null ? Number(x === null) - Number(y === null) : compareDatum(x, y, TYPES[c].oid);
    if (order !== 0) return order;
  }
  return 0;
}

function distinct(rows: Datum[][]): Datum[][] {
  const sorted = [...rows].sort(compare);
  return sorted.filter((row, i) => i === 0 || compare(sorted[i - 1], row) !== 0);
}

test('an order has the keys of its index, and knows how many stand before any', () => {
  const index = new KeyedIndex(TYPES, KEY, true);
  const order = new KeyOrder(index);
  let rows: Datum[][] = [];
  const change = (delta: { row: Datum[]; weight: number }[]) => {
    withScratch((arena) => {
      const batch = batchFromRows(
        TYPES,
        delta.map(({ row }) => row),
        arena,
        delta.map(({ weight }) => weight),
      );
      order.note(batch, arena);
      index.apply(batch, arena);
    });
  };
  for (let step = 0; step < 150; step++) {
    const label = `(seed ${seed}, step ${step})`;
    const going = rows.filter(() => random.below(step % 10 === 9 ? 2 : 8) === 0);
    const coming = Array.from({ length: random.below(40) }, () => TYPES.map((_, c) => value(c)));
    const delta = [...going.map((row) => ({ row, weight: -1 })), ...coming.map((row) => ({ row, weight: 1 }))];
    if (random.below(5) === 0) {
      const undo = new Undo();
      undo.start();
      undo.keep(index);
      change(delta);
      undo.takeBack();
    } else {
      change(delta);
      rows = [...rows.filter((row) => !going.includes(row)), ...coming];
    }
    index.endTick();
    if (random.below(3) === 0) order.build();
    if (random.below(3) > 0) continue;
    while (!order.isNearlyReady) order.build();
    order.settle();
    check(order, index, rows, label);
  }
  order.release();
  index.release();
});

/** A table of whole numbers below n, each a key. */
function numbers(n: number): KeyedIndex {
  const index = new KeyedIndex(NUMBERS, [0], true);
  withScratch((arena) => {
    const rows = Array.from({ length: n }, (_, i) => [i, 0]);
    index.apply(batchFromRows(NUMBERS, rows, arena), arena);
  });
  index.endTick();
  return index;
}

const NUMBERS = [OID.int4, OID.int4].map((oid) => colType(oid));

test('keys that go and come back in one tick while an order is made may have other slots, behind what was seen', () => {
  const index = numbers(100);
  const order = new KeyOrder(index);
  order.build();
  order.build();
  const changed = [15, 31, 67, 95];
  withScratch((arena) => {
    const rows = [...changed.map((i) => [i, 0]), ...changed.map((i) => [i, 1])];
    const batch = batchFromRows(NUMBERS, rows, arena, [-1, -1, -1, -1, 1, 1, 1, 1]);
    order.note(batch, arena);
    index.apply(batch, arena);
  });
  index.endTick();
  while (!order.isNearlyReady) order.build();
  order.settle();
  assert.equal(order.count, 100);
  order.release();
  index.release();
});

test('a statement that is ended does not leave half of an insertion', () => {
  const index = new KeyedIndex(NUMBERS, [0], true);
  const order = new KeyOrder(index);
  const { hear, lookMs } = turn;
  const ended = new AbortController();
  turn.lookMs = 0;
  turn.hear = () => ended.abort();
  try {
    withScratch((arena) => {
      const rows = Array.from({ length: 5000 }, (_, i) => [(i * 7919) % 5000, 0]);
      const batch = batchFromRows(NUMBERS, rows, arena);
      order.note(batch, arena);
      index.apply(batch, arena);
    });
    index.endTick();
    turn.of(ended.signal, () => order.settle());
  } finally {
    Object.assign(turn, { hear, lookMs });
  }
  withScratch((arena) => {
    const keys = order.keys(0, order.count, arena);
    assert.deepEqual(
      Array.from({ length: keys.n }, (_, i) => readRow(keys, i)),
      Array.from({ length: 5000 }, (_, i) => [i]),
    );
  });
  order.release();
  index.release();
});

function check(order: KeyOrder, index: KeyedIndex, rows: Datum[][], label: string): void {
  const arena = new Arena();
  const all = order.keys(0, order.count, arena);
  const keys = Array.from({ length: all.n }, (_, i) => readRow(all, i));
  assert.deepEqual(distinct(keys), keys, `in order, each once ${label}`);
  // Those that have gone are found out by who looks them up.
  index.bindKeys(all.columns, arena);
  const gone = keys.flatMap((_, i) => (index.seek(i) === 0 ? [i] : []));
  const there = keys.filter((_, i) => !gone.includes(i));
  const expected = distinct(rows);
  assert.equal(there.length, expected.length, label);
  for (const [i, key] of there.entries()) assert.equal(compare(key, expected[i]), 0, label);
  if (random.below(2) === 0) {
    order.forget(gone);
    assert.equal(order.count, expected.length, label);
  }
  const left = order.keys(0, order.count, arena);
  const listed = Array.from({ length: left.n }, (_, i) => readRow(left, i));
  for (let i = 0; i < 10; i++) {
    const columns = 1 + random.below(KEY.length);
    const bound = KEY.map((c) => value(c)).slice(0, columns);
    for (const through of [false, true]) {
      const count = listed.filter((key) => compare(key, bound, columns) < (through ? 1 : 0)).length;
      assert.equal(order.before(bound, through), count, `${bound} ${through} ${label}`);
    }
    if (listed.length === 0) continue;
    const at = random.below(listed.length);
    const [first, last] = [0, 1].map((side) => listed.filter((key) => compare(key, listed[at], columns) < side).length);
    assert.equal(order.endOfGroup(at, columns, true), first, label);
    assert.equal(order.endOfGroup(at, columns, false), last, label);
  }
  arena.release();
}
