/** What an entry of an index has of its row, and that whole rows are read all the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { batchFromRows } from '../batch/builder.ts';
import { type Datum, decimal } from '../datum.ts';
import type { Retention } from '../plan.ts';
import { foundRows } from '../testing/found_rows.ts';
import { colType, OID } from '../types.ts';
import { KeyedIndex } from './keyed_index.ts';

const types = [OID.int8, OID.text, OID.numeric, OID.float8, OID.timestamp, OID.int4].map((oid) => colType(oid));
const all = types.map((_, c) => c);

function kept(keys: number[], appendOnly: boolean, frees: Retention[] = []): number[] {
  const index = new KeyedIndex(types, keys, true, frees, appendOnly);
  const columns = index.columns.kept;
  index.release();
  return columns;
}

test('where rows only come, columns of the key lie in its slot if their equals are the same bytes', () => {
  assert.deepEqual(kept([0, 1], true), [2, 3, 4, 5]);
  assert.deepEqual(kept(all, true), [2, 3]);
  assert.deepEqual(kept(all, false), all);
});

test('a time by which rows die one by one lies in the entry', () => {
  const dies = (column: number): Retention => ({ input: 0, column, sources: [0], lag: 0n, strict: false });
  assert.deepEqual(kept([0, 4], true, [dies(4)]), [1, 2, 3, 5]);
  const times = [...types, colType(OID.timestamp)];
  const index = new KeyedIndex(times, [0, 4], true, [dies(4), dies(6)], true);
  assert.deepEqual(index.columns.kept, [1, 2, 3, 4, 5, 6]);
  index.release();
});

test('values that are equal and look different stay as they were', () => {
  const arena = new Arena();
  const row = (n: bigint, text: string | null, scale: number, float: number): Datum[] => [
    n,
    text,
    decimal(10n ** BigInt(scale), scale),
    float,
    5n,
    null,
  ];
  const rows = [
    row(1n, 'a text longer than twelve bytes', 0, 0),
    row(1n, 'a text longer than twelve bytes', 2, -0),
    row(1n, null, 1, 0),
  ];
  const index = new KeyedIndex(types, [0, 1, 2, 3, 5], true, [], true);
  index.apply(batchFromRows(types, rows, arena), arena);
  const [first, second, third] = foundRows(index, rows, arena);
  assert.equal(first.length, 2);
  assert.deepEqual(second, first);
  assert.equal(third.length, 1);
  index.endTick();
  index.release();
  arena.release();
});
