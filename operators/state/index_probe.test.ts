/** Few rows that a kernel looks up in an index, against what is found of each alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { batchFromRows, weightOf } from '../batch/builder.ts';
import { I32, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import type { Datum } from '../datum.ts';
import { KEYS_BYTES } from '../kernels/key_layout.ts';
import { PROBE_OLDER } from '../kernels/probe_layout.ts';
import { Random, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { MOST_ROWS, type PairRows, type Pairs } from './index_probe.ts';
import { addedTo } from './key_slot.ts';
import { KeyedIndex } from './keyed_index.ts';
import { ProjectedIndex } from './row_index.ts';
import { RunCursor } from './run_blocks.ts';

const seed = testSeed();
const types = [OID.int8, OID.text, OID.float8, OID.int4, OID.bool].map((oid) => colType(oid));

function randomRow(random: Random): Datum[] {
  return [
    random.below(10) === 0 ? null : BigInt(random.below(2) === 0 ? 7 : random.below(60)),
    random.below(10) === 0 ? null : 'key'.repeat(random.pick([1, 4, 5, 40])) + random.below(10),
    random.below(10) === 0 ? null : random.pick([0, -0, Number.NaN, 1.5]),
    random.below(10) === 0 ? null : random.below(30),
    random.below(2) === 0,
  ];
}

const noPairs = (): Pairs => ({ n: 0, rows: 0, others: 0, weights: 0 });

const listed = ({ n, rows, others, weights }: Pairs): string[] =>
  Array.from({ length: n }, (_, i) =>
    [U32[(rows >>> 2) + i], U32[(others >>> 2) + i], I32[(weights >>> 2) + i].toString()].join(' '),
  ).sort();

/** The same row by row. */
function found(
  index: KeyedIndex,
  delta: Batch,
  keys: number[],
  { skipNulls, older }: PairRows,
  arena: Arena,
): string[] {
  const columns = keys.map((c) => delta.columns[c]);
  index.bindKeys(columns, arena);
  const cursor = new RunCursor();
  const out: string[] = [];
  for (let row = 0; row < delta.n; row++) {
    if (weightOf(delta, row) === 0 || (skipNulls && index.keys.hasNull(row))) continue;
    const slot = index.seek(row);
    const newer = older && slot !== 0 ? addedTo((slot + index.payloadOffset) >>> 2) : 0;
    for (let at = cursor.begin(index, slot, newer); at !== 0; at = cursor.next())
      out.push([row, at, weightOf(delta, row) * I32[(at + index.weightOffset) >>> 2]].join(' '));
  }
  return out.sort();
}

const shapes: { name: string; keys: number[]; nullKeys: boolean; appendOnly: boolean }[] = [
  { name: 'an integer', keys: [0], nullKeys: false, appendOnly: true },
  { name: 'a text', keys: [1], nullKeys: true, appendOnly: false },
  { name: 'a float and a boolean', keys: [2, 4], nullKeys: true, appendOnly: true },
  { name: 'four columns in another order', keys: [3, 1, 0, 4], nullKeys: false, appendOnly: false },
];

for (const { name, keys, nullKeys, appendOnly } of shapes) {
  test(`pairs of few rows are those that are found row by row, key: ${name}`, () => {
    const used = pages.usedPages;
    const random = new Random(seed);
    const index = new KeyedIndex(types, keys, nullKeys, [], appendOnly);
    const reversed = keys.map((_, i) => keys.length - 1 - i);
    const projected = new ProjectedIndex(index, [0, 1], reversed);
    const [arena, other] = [new Arena(), new Arena()];
    for (let round = 0; round < times(40); round++) {
      const rows = Array.from({ length: random.pick([0, 1, 3, 60]) }, () => randomRow(random));
      const weight = () => (appendOnly || random.below(4) > 0 ? 1 + random.below(2) : -1);
      index.apply(batchFromRows(types, rows, arena, rows.map(weight)), arena);
      const probes = Array.from({ length: 1 + random.below(MOST_ROWS) }, () => randomRow(random));
      const delta = batchFromRows(
        types,
        probes,
        other,
        probes.map(() => random.pick([1, 1, 2, -1, 0])),
      );
      const wanted = { skipNulls: random.below(2) === 0, older: appendOnly && random.below(2) === 0 };
      const expected = found(index, delta, keys, wanted, arena);
      const pairs = noPairs();
      assert.equal(index.pairsOfFew(delta, keys, wanted, pairs, arena), true);
      assert.deepEqual(listed(pairs), expected, `round ${round}`);
      const through = noPairs();
      assert.equal(projected.pairsOfFew(delta, keys.toReversed(), wanted, through, arena), true);
      assert.deepEqual(listed(through), expected);
      index.endTick();
      arena.reset();
      other.reset();
    }
    index.release();
    arena.release();
    other.release();
    assert.equal(pages.usedPages, used);
  });
}

test('a product of weights beyond 32 bits is said, of few pairs and of many', () => {
  for (const rows of [1, 100]) {
    const index = new KeyedIndex(types, [3], false);
    const arena = new Arena();
    const row: Datum[] = [null, null, null, 1, true];
    const weights = Array.from({ length: rows }, (_, i) => (i === rows - 1 ? 2 ** 20 : 1));
    index.apply(
      batchFromRows(
        types,
        weights.map(() => row),
        arena,
        weights,
      ),
      arena,
    );
    const wanted = { skipNulls: true, older: false };
    const ask = (weight: number) =>
      index.pairsOfFew(batchFromRows(types, [row], arena, [weight]), [3], wanted, noPairs(), arena);
    assert.equal(ask(2 ** 10), true);
    assert.equal(ask(2 ** 11), false);
    index.release();
    arena.release();
  }
});

test('many rows, and keys that kernels do not know, are looked up otherwise', () => {
  const wide = colType(OID.interval);
  const arena = new Arena();
  const wanted = { skipNulls: true, older: false };
  const index = new KeyedIndex([wide], [0], false);
  assert.equal(index.pairsOfFew(batchFromRows([wide], [[null]], arena), [0], wanted, noPairs(), arena), null);
  index.release();
  const integers = new KeyedIndex(types, [0], false);
  const many = batchFromRows(
    types,
    Array.from({ length: MOST_ROWS + 1 }, () => [1n, null, null, null, null]),
    arena,
  );
  assert.equal(integers.pairsOfFew(many, [0], wanted, noPairs(), arena), null);
  integers.release();
  arena.release();
});

test('pairs that may be too many to be listed are looked up otherwise', () => {
  const arena = new Arena();
  const index = new KeyedIndex([colType(OID.int4)], [0], false);
  const rows = (n: number) =>
    batchFromRows(
      [colType(OID.int4)],
      Array.from({ length: n }, () => [1]),
      arena,
    );
  index.apply(rows(2 ** 16), arena);
  const wanted = { skipNulls: true, older: false };
  const pairs = noPairs();
  assert.equal(index.pairsOfFew(rows(MOST_ROWS), [0], wanted, pairs, arena), true);
  assert.equal(pairs.n, 2 ** 20);
  index.apply(rows(1), arena);
  assert.equal(index.pairsOfFew(rows(MOST_ROWS), [0], wanted, noPairs(), arena), null);
  index.release();
  arena.release();
});

test('the record of a look-up begins with that of its keys', () => {
  assert.equal(PROBE_OLDER, KEYS_BYTES);
});
