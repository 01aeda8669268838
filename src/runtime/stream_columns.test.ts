/** The rows of a tick lie in the same columns in each: what one tick knows of them must not be left over for the next. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../operators/batch/arena.ts';
import { readDatum, weightOf } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { colType, OID } from '../../operators/types.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { ConnectorSpec } from '../catalog/objects.ts';
import { StreamColumns } from './stream_columns.ts';

const seed = testSeed();
const types = [OID.int8, OID.text, OID.bool, OID.numeric, OID.int4].map((oid) => colType(oid));
const names = ['a', 'b', 'c', 'd', 'e'];

function streamColumns(needed: number[]): StreamColumns {
  const columns = names.map((name, i) => ({
    name,
    type: types[i],
    notNull: false,
    origin: { k: 'field' as const, name },
  }));
  const spec = { envelope: 'append', format: 'json', options: {}, decoder: { columns } };
  const made = new StreamColumns({ columns } as unknown as Relation, spec as unknown as ConnectorSpec);
  made.need(needed);
  return made;
}

function randomValue(column: number, random: Random): Datum {
  if (column === 0) return BigInt(random.below(1000));
  if (column === 1) return 'text '.repeat(random.below(6));
  if (column === 2) return random.below(2) === 0;
  return random.below(1000);
}

test('columns at their places have the rows of their tick, with and without NULLs, in small and in growing ticks', () => {
  const random = new Random(seed);
  const needed = [4, 0, 2, 1];
  const list = [...needed].sort();
  const columns = streamColumns(needed);
  const arena = new Arena();
  for (let tick = 0; tick < 200; tick++) {
    const rows = random.below(random.below(10) === 0 ? 300 : 6) + 1;
    const nulls = list.map(() => random.below(3) === 0);
    // A part of the rows is foreseen; the columns grow for the others.
    const builder = columns.tickBuilder(arena, random.below(2) === 0 ? rows : 1);
    const expected = Array.from({ length: rows }, () =>
      list.map((c, i) => (nulls[i] && random.below(4) === 0 ? null : randomValue(c, random))),
    );
    for (const row of expected) builder.pushDatums(row, 1);
    const anyNull = expected.some((row) => row.includes(null));
    const batch = columns.placed(builder.build(), anyNull || random.below(2) === 0);
    const label = `tick ${tick}, seed ${seed}`;
    assert.equal(batch.n, rows, label);
    for (let row = 0; row < rows; row++) {
      assert.equal(weightOf(batch, row), 1, label);
      assert.deepEqual(
        list.map((c) => readDatum(batch.columns[c], row)),
        expected[row],
        label,
      );
    }
    for (let i = 0; i < list.length; i++) {
      const has = expected.some((row) => row[i] === null);
      assert.equal(batch.columns[list[i]].valid !== 0, has, label);
    }
    assert.equal(batch.columns[3], undefined);
    arena.reset();
  }
  columns.release();
  arena.release();
});

test('rows of a replay do not lie in the columns of the tick', () => {
  const columns = streamColumns([0, 1]);
  const arena = new Arena();
  const tick = columns.tickBuilder(arena, 1);
  tick.pushDatums([1n, 'tick'], 1);
  const replay = columns.builder(arena, 1);
  replay.pushDatums([2n, 'replay'], 1);
  const replayed = columns.placed(replay.build(), true);
  const rows = columns.placed(tick.build(), false);
  assert.deepEqual([readDatum(replayed.columns[0], 0), readDatum(replayed.columns[1], 0)], [2n, 'replay']);
  assert.deepEqual([readDatum(rows.columns[0], 0), readDatum(rows.columns[1], 0)], [1n, 'tick']);
  columns.release();
  arena.release();
});
