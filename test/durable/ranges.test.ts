/** Ranges over restarts: rows, indexes and views with them are those of before, and go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../engine/harness.ts';
import { overRestarts } from './over_restarts.ts';

test('rows, indexes and views of ranges are there after restarts', async () => {
  const script = `
    CREATE TABLE t (id int PRIMARY KEY, r tstzrange NOT NULL DEFAULT '[2020-01-01 00:00+00,)', n numrange, m datemultirange, a int4range[]);
    CREATE INDEX ON t (n);
    CREATE TABLE k (n numrange PRIMARY KEY);
    INSERT INTO t VALUES (1, DEFAULT, '[1,2)', '{[2020-01-01,2020-01-05],[2021-01-01,)}', '{"[1,5)",empty}'), (2, 'empty', '[1.0,2.00)', NULL, NULL);
    INSERT INTO k VALUES ('[1,2.0)'), ('empty');
    CREATE MATERIALIZED VIEW counts AS SELECT n, count(*) AS c FROM t GROUP BY n;
    CREATE MATERIALIZED VIEW together AS SELECT range_agg(n) AS r, range_intersect_agg(n) AS i FROM t;
    CREATE MATERIALIZED VIEW pairs AS SELECT a.id, b.id AS other FROM t a JOIN t b ON a.n && b.n AND a.id < b.id`;
  let id = 10;
  await overRestarts(script, async (engine, how) => {
    assert.deepEqual(
      await sql(engine, 'SELECT * FROM t WHERE id < 10 ORDER BY id'),
      [
        ['1', '["2020-01-01 00:00:00+00",)', '[1,2)', '{[2020-01-01,2020-01-06),[2021-01-01,)}', '{"[1,5)",empty}'],
        ['2', 'empty', '[1.0,2.00)', null, null],
      ],
      how,
    );
    await sql(engine, `INSERT INTO t (id, n) VALUES (${id}, numrange(${id}, ${++id}))`);
    const added = id - 10;
    assert.deepEqual(await sql(engine, "SELECT c FROM counts WHERE n = '[1.000,2)'"), [['2']]);
    assert.equal((await sql(engine, 'SELECT * FROM counts')).length, 1 + added);
    assert.deepEqual(await sql(engine, "SELECT id FROM t WHERE n = '[1.00,2)' ORDER BY id"), [['1'], ['2']]);
    assert.deepEqual(
      await sql(engine, 'SELECT r @> numrange(10, $$id$$), i FROM together'.replace('$$id$$', String(id))),
      [['t', 'empty']],
    );
    assert.deepEqual(await sql(engine, 'SELECT * FROM pairs'), [['1', '2']]);
    await assert.rejects(sql(engine, "INSERT INTO k VALUES ('[1.0,2)')"), { sqlstate: '23505' });
  });
});
