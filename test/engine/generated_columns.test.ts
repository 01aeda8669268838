/** Generated columns: the same statements as PostgreSQL runs them, COPY, views over them, and restarts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Datum } from '../../operators/datum.ts';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { overRestarts } from '../durable/over_restarts.ts';
import { AgainstPostgres } from './against_postgres.ts';
import { openEngine, Session, sql } from './harness.ts';

test('generated columns as PostgreSQL has them', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create table g (a int, b int generated always as (a * 2) stored, c text default 'x', d text generated always as (c || a) stored);
  insert into g(a) values (1), (2) returning *;
  insert into g values (3, default, 'y', default) returning b, d;
  insert into g values (3, 4);
  insert into g(b) values (4);
  insert into g(a, b) values (5, default) returning *;
  insert into g overriding system value values (3, 4);
  insert into g overriding user value values (3, 4) returning *;
  insert into g select 3, 4;
  insert into g(a, c) select 7, 'seven' returning *;
  insert into g(a, c) values (1, 'no');
  insert into g(a, c) values (1, null);
  update g set a = a + 10 where a = 1 returning *;
  update g set b = 5;
  update g set b = default, c = 'changed' where a = 2 returning *;
  select * from g order by a, b, c;
  alter table g alter b set default 5;
  alter table g alter b drop default;
  alter table g add unique (b);
  create table g1 (a int, b int generated always as (a) stored, c int generated always as (b) stored);
  create table g1 (a int, b int generated always as (random()) stored);
  create table g1 (a int, b timestamptz generated always as (now()) stored);
  create table g1 (a int, b int generated always as (b + 1) stored);
  create table g1 (a int, b int generated always as (a) stored default 5);
  create table g1 (a int, b int generated always as (a) stored generated always as identity);
  create table g1 (a int, b int generated always as (sum(a)) stored);
  create table g1 (a int, b int generated always as ((select 1)) stored);
  create table g1 (a int, b int generated always as (z) stored);
  create table g1 (a serial generated always as (1) stored);
  create table g2 (k int primary key, v int, w int generated always as (v + k) stored unique);
  insert into g2 values (1, 10), (2, 20);
  insert into g2 values (1, 11) on conflict (k) do update set v = excluded.v returning *;
  insert into g2 values (1, 11) on conflict (k) do update set v = excluded.w + g2.w returning *;
  insert into g2 values (3, 19) on conflict do nothing returning *;
  insert into g2 values (3, 19);
  insert into g2 values (1, 1) on conflict (k) do update set w = 4;
  delete from g2 where w = 22 returning *;
  select attname, attgenerated, atthasdef, attidentity from pg_attribute where attrelid = 'g'::regclass and attnum > 0 order by attnum;
  select column_name, column_default, is_generated, generation_expression, is_updatable from information_schema.columns where table_name = 'g' order by ordinal_position;
  select adnum, pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 'g'::regclass order by adnum;
  create table g3 (c text, d text generated always as (upper(c)) stored check (d <> 'NO') not null);
  insert into g3(c) values ('yes');
  insert into g3(c) values ('no');
  insert into g3(c) values (null);
  update g3 set c = 'no';
  copy g3 (c, d) to stdout;
  create table g4 (a timestamptz, b text generated always as ('at ' || a) stored);
`);
  await both.close();
});

/** COPY t FROM STDIN; gives the columns that it takes. */
async function copyIn(engine: TidemarkEngine, rows: Datum[][]): Promise<string[]> {
  const session = new Session(engine);
  const { target, columns } = await session.copyIn('COPY t FROM STDIN');
  await target.write(rows);
  await target.finish();
  await session.transaction.commit();
  return columns.map(({ name }) => name);
}

test('views follow them, and they stay over restarts', async () => {
  const script = `
  CREATE TABLE t (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED);
  CREATE MATERIALIZED VIEW sums AS SELECT sum(b) AS s, max(b) AS m FROM t;
  INSERT INTO t VALUES (1, 1), (2, 2)`;
  let id = 2;
  const engine = await overRestarts(script, async (engine, how) => {
    id++;
    await sql(engine, `INSERT INTO t VALUES (${id}, ${id})`);
    await sql(engine, 'UPDATE t SET a = a + 1 WHERE id = 1');
    assert.deepEqual(
      await sql(engine, 'SELECT * FROM sums'),
      await sql(engine, 'SELECT 2 * sum(a), 2 * max(a) FROM t'),
      how,
    );
    await assert.rejects(sql(engine, 'UPDATE t SET b = 1'), { sqlstate: '428C9' }, how);
  });
  assert.deepEqual(await copyIn(engine, [[19, 7]]), ['id', 'a']);
  assert.deepEqual(await sql(engine, 'SELECT b FROM t WHERE id = 19'), [['14']]);
  const block = new Session(engine);
  await block.run('UPDATE t SET a = 50 WHERE id = 2');
  assert.deepEqual(await block.run('SELECT b FROM t WHERE id = 2'), [['100']]);
  await block.transaction.commit();
  assert.deepEqual(await sql(engine, 'SELECT m FROM sums'), [['100']]);
  await engine.close();
});

test('a VIRTUAL one, which is what there is when nothing is said, is shown as such', async () => {
  const engine = await openEngine();
  engine.system.catalogs = new PgCatalog(engine);
  try {
    await sql(
      engine,
      `CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2), c int GENERATED ALWAYS AS (a + 1) STORED);
       CREATE TABLE copied (LIKE t INCLUDING ALL);
       ALTER TABLE t ADD COLUMN d text GENERATED ALWAYS AS (a || '!') VIRTUAL;
       INSERT INTO t VALUES (1), (2);
       UPDATE t SET a = 5 WHERE a = 2;`,
    );
    assert.deepEqual(await sql(engine, 'SELECT * FROM t ORDER BY a'), [
      ['1', '2', '2', '1!'],
      ['5', '10', '6', '5!'],
    ]);
    const kinds = (table: string) =>
      sql(
        engine,
        `SELECT string_agg(attname || ' ' || attgenerated::text, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attgenerated <> ''`,
      );
    assert.deepEqual(await kinds('t'), [['b v, c s, d v']]);
    assert.deepEqual(await kinds('copied'), [['b v, c s']]);
  } finally {
    await engine.close();
  }
});
