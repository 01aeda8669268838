/** Equal rows go through a map of volatile expressions one by one; rows that are taken back do not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from './batch/arena.ts';
import { batchFromRows, readRow, weightOf } from './batch/builder.ts';
import { EachRow } from './each_row.ts';
import { MapOperator } from './map.ts';
import { colType, OID } from './types.ts';
import './expr/functions/index.ts';
import { testTick } from './testing/tick.ts';

test('each of equal rows has a value of its own', () => {
  const types = [colType(OID.int4)];
  const random = { k: 'call' as const, fn: 'random()', args: [], t: colType(OID.float8), strict: true };
  const column = { k: 'col' as const, id: 0, t: types[0] };
  const out = [types[0], random.t];
  const operator = new EachRow(new MapOperator(null, [column, random], types, out), types);
  const arena = new Arena();
  const input = batchFromRows(types, [[1], [2], [3], [2]], arena, [3, 2, 1, -1]);
  const tick = testTick(arena);
  const batch = operator.step([input], tick);
  const rows = Array.from({ length: batch.n }, (_, i) => readRow(batch, i));
  assert.deepEqual(rows.map(([x]) => x).sort(), [1, 1, 1, 2, 3]);
  assert.equal(new Set(rows.map(([, r]) => r)).size, 5);
  for (let i = 0; i < batch.n; i++) assert.equal(weightOf(batch, i), 1);
  operator.endTick();
  operator.release();
  arena.release();
});
