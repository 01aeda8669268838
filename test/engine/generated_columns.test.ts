/** Generated columns: the same statements as PostgreSQL runs them, COPY, views over them, and restarts. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Datum } from '../../operators/datum.ts';
import { parse } from '../../planner/parse/parse.ts';
import { openData } from '../../src/durable/recovery.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/script.ts';
import { AgainstPostgres } from './against_postgres.ts';
import { openEngine, Session, sql } from './harness.ts';

const path = mkdtempSync(join(tmpdir(), 'tidemark-generated-'));
after(() => rmSync(path, { recursive: true, force: true }));

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
  const session = localSession(engine);
  const prepared = engine.prepare(parse('COPY t FROM STDIN')[0], [], session);
  const result = await engine.execute(prepared, [], session, new AbortController().signal);
  if (result.kind !== 'copyIn') throw new Error('COPY takes no rows');
  await result.target.write(rows);
  await result.target.finish();
  await session.transaction.commit();
  return result.columns.map(({ name }) => name);
}

test('views follow them, and they stay over restarts', async () => {
  let engine = await openEngine();
  await openData(engine, { path });
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED)');
  await sql(engine, 'CREATE MATERIALIZED VIEW sums AS SELECT sum(b) AS s, max(b) AS m FROM t');
  await sql(engine, 'INSERT INTO t VALUES (1, 1), (2, 2)');
  let next = 2;
  for (let restart = 0; restart < 3; restart++) {
    // The last one begins with a checkpoint of what the second had done again.
    if (restart === 1) await engine.checkpoints?.take();
    await engine.close();
    engine = await openEngine();
    await openData(engine, { path });
    next++;
    await sql(engine, `INSERT INTO t VALUES (${next}, ${next})`);
    await sql(engine, 'UPDATE t SET a = a + 1 WHERE id = 1');
    assert.deepEqual(
      await sql(engine, 'SELECT * FROM sums'),
      await sql(engine, 'SELECT 2 * sum(a), 2 * max(a) FROM t'),
    );
    await assert.rejects(sql(engine, 'UPDATE t SET b = 1'), { sqlstate: '428C9' });
  }
  assert.deepEqual(await copyIn(engine, [[9, 7]]), ['id', 'a']);
  assert.deepEqual(await sql(engine, 'SELECT b FROM t WHERE id = 9'), [['14']]);
  const block = new Session(engine);
  await block.run('UPDATE t SET a = 50 WHERE id = 2');
  assert.deepEqual(await block.run('SELECT b FROM t WHERE id = 2'), [['100']]);
  await block.transaction.commit();
  assert.deepEqual(await sql(engine, 'SELECT m FROM sums'), [['100']]);
  await engine.close();
});
