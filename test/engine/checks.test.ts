/** CHECK constraints: the same statements as PostgreSQL runs them, transactions that wrote before one was added, and restarts. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openData } from '../../src/durable/recovery.ts';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import { AgainstPostgres } from './against_postgres.ts';
import { openEngine, Session, sql } from './harness.ts';

const path = mkdtempSync(join(tmpdir(), 'tidemark-checks-'));
after(() => rmSync(path, { recursive: true, force: true }));

test('CHECK as PostgreSQL has it', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create table c (a int check (a>0), b int, constraint big check (b > a), check (a < 100 and b < 100), check (b is not null or a > 5), d bool check (d), e text check (length(e) < 3) check (e <> 'x'));
  select relchecks from pg_class where relname='c';
  insert into c values (0, 5, true, 'a');
  insert into c values (5, 4, true, 'a');
  insert into c values (5, 400, true, 'a');
  insert into c values (5, 6, false, 'a');
  insert into c values (5, 6, null, 'abcdef');
  insert into c values (5, 6, null, 'x');
  insert into c values (5, 6, null, 'a');
  insert into c values (null, null, null, null);
  update c set a = -1 where a = 5;
  update c set b = 1;
  select constraint_name, constraint_type from information_schema.table_constraints where table_name='c' order by 1;
  select column_name, constraint_name from information_schema.constraint_column_usage where table_name='c' order by 1,2;
  select column_name, constraint_name from information_schema.key_column_usage where table_name='c' order by 1,2;
  select * from information_schema.constraint_table_usage where table_name='c' order by constraint_name;
  alter table c add constraint big check (a > 0);
  alter table c add check (a > 50);
  alter table c add check (a > 50) not valid;
  insert into c values (7, 8);
  alter table c validate constraint c_a_check1;
  alter table c drop constraint nope;
  alter table c drop constraint if exists nope;
  alter table c drop constraint big, drop constraint c_a_check1;
  alter table c add constraint later check (a + b > 0), add constraint later2 check (a < 0);
  insert into c values (7, 3);
  select conname from pg_constraint where conrelid='c'::regclass order by conname;
  create table c2 (a int check (a > (select 1)));
  create table c2 (a int check (sum(a) > 1));
  create table c2 (a int check (z > 1));
  create table c2 (a int check (a));
  create table c2 (a int check (row_number() over () > 1));
  create table c2 (a int check (generate_series(1,a) > 1));
  create table c2 (a int check (c2.a > 1), constraint x check (a>1), constraint x check (a>2));
  create table c2 (a int constraint x check (c2.a > 1), b int check (b > 1) no inherit, c int check (true), unique(a));
  insert into c2 values (0, 2, 3) on conflict do nothing;
  insert into c2 values (3, 2, 3) on conflict (a) do update set b = 0;
  insert into c2 values (3, 2, 3) on conflict (a) do update set b = 0;
  insert into c2 values (0, 2, 3) on conflict (a) do update set b = 10;
  insert into c2 select x, x, x from generate_series(1,3) x;
  select * from c2 order by a;
  select d.classid::regclass, d.refclassid::regclass, d.refobjid::regclass, d.refobjsubid, d.deptype, c.conname from pg_depend d join pg_constraint c on c.oid=d.objid where d.classid='pg_constraint'::regclass and conrelid='c2'::regclass and contype='c' order by conname, refobjsubid;
  create table c3 (a int check (a > 0) not valid);
  create table c3 (a int, check (a > 0) not valid);
  select convalidated from pg_constraint where conrelid='c3'::regclass;
  create table c4 (id int, price numeric check (price > 0), d date check (d > '2020-01-01'), s text check (s in ('a','b')), t text check (t ~ '^x'));
  insert into c4 values (1, 0, null, null, null);
  insert into c4 values (1, 1.50, '2019-01-01', null, null);
  insert into c4 values (1, 1.50, '2021-01-01', 'c', null);
  insert into c4 values (1, 1.50, '2021-01-01', 'a', 'y');
  insert into c4 values (1, 1.50, '2021-01-01', 'a', 'xy');
  begin;
  insert into c4 values (2, 1.50, '2021-01-01', 'a', 'xy');
  update c4 set price = -1;
  rollback;
  alter table c4 add constraint c4_price_check check (price > 1);
  alter table c4 rename to c5;
  insert into c5 values (1, 0, null, null, null);
  create table written (a int, constraint "The one" check ((a > 0) and (a < 10)), check ((((a <> 5)))), check (((a) > -3)), b text check (b in ('x', 'y')) not null);
  select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'written'::regclass and conname = 'written_a_check';
`);
  await both.close();
});

test('a transaction that wrote before the constraint was there is checked at COMMIT', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (a int)');
  const [wrong, right] = [new Session(engine), new Session(engine)];
  await wrong.run('INSERT INTO t VALUES (-1)');
  await right.run('INSERT INTO t VALUES (1)');
  await sql(engine, 'ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0)');
  await right.transaction.commit();
  await assert.rejects(wrong.transaction.commit(), { sqlstate: '23514' });
  assert.deepEqual(await sql(engine, 'SELECT * FROM t'), [['1']]);
  await engine.close();
});

test('constraints stay over restarts, bound as they were', async () => {
  let engine = await openEngine();
  engine.system.catalogs = new PgCatalog(engine);
  await openData(engine, { path });
  const tokyo = new Session(engine, { TimeZone: 'Asia/Tokyo' });
  await tokyo.run("CREATE TABLE t (a int CHECK (a > 0), at timestamptz CHECK (at >= '2026-01-01 00:00'), c int)");
  await sql(engine, "INSERT INTO t VALUES (1, '2026-01-01 00:00+09', 50)");
  await sql(engine, 'ALTER TABLE t ADD CONSTRAINT low CHECK (c < 100), ADD CHECK (c > 90) NOT VALID');
  await sql(engine, 'ALTER TABLE t DROP CONSTRAINT low');
  await sql(engine, 'ALTER TABLE t RENAME TO u');
  for (let restart = 0; restart < 3; restart++) {
    // The last one begins with a checkpoint of what the second had done again.
    if (restart === 1) await engine.checkpoints?.take();
    await engine.close();
    engine = await openEngine();
    engine.system.catalogs = new PgCatalog(engine);
    await openData(engine, { path });
    for (const [row, name] of [
      ["(0, '2026-01-01 00:00+09', 95)", 't_a_check'],
      ["(1, '2025-12-31 23:59+09', 95)", 't_at_check'],
      ["(1, '2026-01-01 00:00+09', 5)", 't_c_check'],
    ]) {
      await assert.rejects(sql(engine, `INSERT INTO u VALUES ${row}`), {
        sqlstate: '23514',
        message: new RegExp(`"${name}"$`),
      });
    }
    await sql(engine, "INSERT INTO u VALUES (1, '2026-01-01 00:00+09', 200)");
    assert.deepEqual(
      await sql(engine, "SELECT conname, convalidated FROM pg_constraint WHERE contype = 'c' ORDER BY 1"),
      [
        ['t_a_check', 't'],
        ['t_at_check', 't'],
        ['t_c_check', 'f'],
      ],
    );
  }
  await engine.close();
});
