/** TABLESAMPLE, and what PostgreSQL knows of each row beside its columns. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';
import { openEngine, Session, sql } from './harness.ts';

test('all rows, none, and errors, as in PostgreSQL', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create table t (a int, b text, c int[]);
  insert into t values (1, 'x', '{1}'), (2, null, null), (3, 'z', '{}'), (3, 'z', '{}');
  create view v as select * from t;
  select a, b, c::text from t tablesample bernoulli (100) order by a;
  select a from t tablesample system (100) repeatable (3) where a > 1 order by a;
  select count(*) from t tablesample bernoulli (0);
  select count(*) from t tablesample bernoulli (0) repeatable (-0.0);
  select q.a, r.b from t as q tablesample bernoulli (50 + 50) repeatable (1.5), t r tablesample system ((select 100)) where q.a = r.a order by 1;
  select p, s.a from (values (100), (0)) v(p), lateral (select * from t tablesample bernoulli (p)) s order by 2;
  select count(*) from t tablesample bernoulli (-1);
  select count(*) from t tablesample bernoulli (100.01);
  select count(*) from t tablesample bernoulli ('nan');
  select count(*) from t tablesample bernoulli (null);
  select count(*) from t tablesample bernoulli (100) repeatable (null);
  select count(*) from t tablesample nosuch (1);
  select count(*) from t tablesample bernoulli (1, 2);
  select count(*) from t tablesample bernoulli ('x');
  select count(*) from t tablesample bernoulli (true);
  select count(*) from v tablesample bernoulli (100);
  with q as (select 1) select * from q tablesample bernoulli (100);
  create view w as select * from t tablesample bernoulli (100) repeatable (1);
  select count(*) from w;
  delete from t using t s tablesample system (100) where s.a = t.a and s.a = 3;
  select count(*) from t;
  `);
  await both.close();
});

test('a part of the rows; with REPEATABLE the same part, which a view keeps up to date', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    `CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE t (id int PRIMARY KEY, s text, j json, m mood);
     INSERT INTO t SELECT i, 'row ' || i, '{}', 'glad' FROM generate_series(1, 20000) i`,
  );
  const ids = async (sample: string) =>
    (await sql(engine, `SELECT id FROM t TABLESAMPLE ${sample} ORDER BY id`)).flat();
  const part = await ids('BERNOULLI (30) REPEATABLE (7)');
  // Seven times the deviation of such a sample.
  assert.ok(Math.abs(part.length - 6000) < 460, String(part.length));
  assert.deepEqual(await ids('SYSTEM (30) REPEATABLE (7)'), part);
  assert.notDeepEqual(await ids('BERNOULLI (30) REPEATABLE (8)'), part);
  const more = new Set(await ids('BERNOULLI (50) REPEATABLE (7)'));
  assert.ok(part.every((id) => more.has(id)));
  const some = await ids('BERNOULLI (30)');
  assert.ok(Math.abs(some.length - 6000) < 460, String(some.length));
  assert.notDeepEqual(await ids('BERNOULLI (30)'), some);
  const halves = await sql(
    engine,
    'SELECT count(*) FROM t a TABLESAMPLE BERNOULLI (50) JOIN t b TABLESAMPLE BERNOULLI (50) USING (id)',
  );
  assert.ok(Math.abs(Number(halves[0][0]) - 5000) < 460, String(halves));
  const query = 'SELECT id, s, m FROM t TABLESAMPLE BERNOULLI (10) REPEATABLE (3)';
  await sql(engine, `CREATE MATERIALIZED VIEW v AS ${query}`);
  await sql(engine, `UPDATE t SET s = 'other', m = 'sad' WHERE id % 3 = 0; DELETE FROM t WHERE id % 5 = 0`);
  const kept = await sql(engine, 'SELECT * FROM v ORDER BY id');
  assert.deepEqual(kept, await sql(engine, `${query} ORDER BY id`));
  assert.ok(kept.length > 1000);
  const refused = 'CREATE MATERIALIZED VIEW w AS SELECT * FROM t TABLESAMPLE BERNOULLI (10)';
  await assert.rejects(sql(engine, refused), { sqlstate: '0A000', message: /without REPEATABLE/ });
  await engine.close();
});

test('ctid of a table with a primary key tells its rows apart', async () => {
  const engine = await openEngine();
  try {
    await sql(
      engine,
      `CREATE TABLE t (v int, b text, a int, PRIMARY KEY (a, b));
       CREATE TABLE u (a int PRIMARY KEY, name text);
       INSERT INTO t VALUES (1, 'x', 1), (1, 'y', 1), (2, 'x', 2), (2, 'y', 2), (3, 'x', 3);
       INSERT INTO u VALUES (1, 'one'), (3, 'three');
       CREATE MATERIALIZED VIEW first AS SELECT v, min(ctid) AS row FROM t GROUP BY v;`,
    );
    await sql(
      engine,
      `UPDATE t SET v = v + 10 WHERE ctid IN (SELECT o.ctid FROM t o JOIN u ON u.a = o.a WHERE u.name = 'one');
       DELETE FROM t k WHERE k.ctid <> (SELECT min(o.ctid) FROM t o WHERE o.v = k.v);`,
    );
    assert.deepEqual(await sql(engine, 'SELECT v, b, a, ctid FROM t ORDER BY v'), [
      ['2', 'x', '2', '(2,x)'],
      ['3', 'x', '3', '(3,x)'],
      ['11', 'x', '1', '(1,x)'],
    ]);
    assert.deepEqual(await sql(engine, 'SELECT row FROM first ORDER BY v'), [['(2,x)'], ['(3,x)'], ['(1,x)']]);
    const named = 'SELECT ctid FROM t AS q (one, two, three) WHERE one = 11';
    assert.deepEqual(await sql(engine, named), [['(1,x)']]);
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM u WHERE u IN (SELECT o FROM u o WHERE a > 1)'), [['1']]);
    await sql(engine, 'ALTER TABLE u DROP COLUMN name');
    assert.deepEqual(await sql(engine, 'SELECT ctid FROM u ORDER BY a'), [['(1)'], ['(3)']]);
  } finally {
    await engine.close();
  }
});

test('system columns: tableoid is known, others are refused by name', async () => {
  const engine = await openEngine();
  await sql(engine, `CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT a FROM t`);
  const session = new Session(engine);
  assert.deepEqual(await session.run(`SELECT tableoid = 't'::regclass, t.tableoid = 't'::regclass FROM t`), [
    ['t', 't'],
  ]);
  for (const name of ['ctid', 'xmin', 'xmax', 'cmin', 'cmax']) {
    const message = new RegExp(`system column "${name}" is not supported`);
    for (const text of [
      `SELECT ${name} FROM t`,
      `SELECT t.${name} FROM t`,
      `DELETE FROM t WHERE ${name} IS NULL`,
      `INSERT INTO t VALUES (2) RETURNING ${name}`,
    ])
      await assert.rejects(sql(engine, text), { sqlstate: '0A000', message }, text);
    await assert.rejects(sql(engine, `SELECT ${name} FROM v`), { sqlstate: '42703' });
    await assert.rejects(sql(engine, `CREATE INDEX ON t (${name})`), { sqlstate: '0A000' });
    await assert.rejects(sql(engine, `CREATE TABLE u (${name} int)`), { sqlstate: '42701' });
    await assert.rejects(sql(engine, `CREATE TABLE u AS SELECT 1 AS ${name}`), { sqlstate: '42701' });
    assert.deepEqual(await sql(engine, `SELECT ${name} FROM (SELECT 1 AS ${name}) q`), [['1']]);
  }
  await assert.rejects(sql(engine, 'SELECT tableoid FROM v'), { sqlstate: '42703' });
  await engine.close();
});
