/** COMMENT ON: the same statements as PostgreSQL runs them; restarts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import { openOn, overRestarts } from '../durable/over_restarts.ts';
import { AgainstPostgres } from './against_postgres.ts';
import { sql } from './harness.ts';

/** Every comment, with what it is on: OIDs differ. */
const COMMENTS = `
  select 'relation', c.relname, d.objsubid, d.description from pg_description d join pg_class c on c.oid = d.objoid
    where d.classoid = 'pg_class'::regclass and c.oid >= 16384
  union all select 'constraint', c.conname, d.objsubid, d.description from pg_description d join pg_constraint c on c.oid = d.objoid
    where d.classoid = 'pg_constraint'::regclass and c.oid >= 16384
  union all select 'schema', n.nspname, d.objsubid, d.description from pg_description d join pg_namespace n on n.oid = d.objoid
    where d.classoid = 'pg_namespace'::regclass and n.oid >= 16384
  order by 1, 2, 3;
`;

test('COMMENT as PostgreSQL has it', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create schema s;
  create table t (id int primary key, gone int, a int not null, b int unique, c int references t (id), constraint positive check (a > 0));
  create table s.u (x int);
  create view v as select id, a from t;
  create materialized view m as select a, count(*) as n from t group by a;
  create index t_a on t (a);
  create sequence q;
  comment on table t is 'one''s table';
  comment on table s.u is 'other';
  comment on column t.a is 'the a';
  comment on column public.t.gone is 'soon';
  comment on column s.u.x is 'x';
  comment on column v.a is 'seen';
  comment on view v is 'a view';
  comment on materialized view m is 'counts';
  comment on column m.n is 'how many';
  comment on index t_a is 'an index';
  comment on index t_pkey is 'of the key';
  comment on sequence q is 'numbers';
  comment on constraint positive on t is 'no zero';
  comment on constraint t_pkey on t is 'the key';
  comment on constraint t_b_key on t is 'one of each';
  comment on constraint t_c_fkey on t is 'there';
  comment on schema s is 'a schema';
  ${COMMENTS}
  select obj_description('t'::regclass), obj_description('t'::regclass, 'pg_class'), obj_description('t'::regclass, 'pg_constraint'), obj_description('t'::regclass, 'nope');
  select col_description('t'::regclass, 3), col_description('t'::regclass, 1), col_description('v'::regclass, 2), col_description(null, 1);
  select obj_description(oid, 'pg_constraint') from pg_constraint where conname = 'positive';
  comment on table t is 'again';
  comment on column t.a is null;
  comment on view v is '';
  alter table t drop column gone;
  alter table t rename column b to bb;
  alter table s.u rename to uu;
  comment on column t.bb is 'renamed';
  alter table t add column d int;
  create or replace view v as select id, a, bb from t;
  create table alike (like t including comments);
  create table unlike (like t);
  alter table alike drop column a;
  create table alike_too (like alike including all);
  ${COMMENTS}
  comment on table nope is 'x';
  comment on table v is 'x';
  comment on view t is 'x';
  comment on index t is 'x';
  comment on index nope_pkey is 'x';
  comment on column t.nope is 'x';
  comment on column t_a.a is 'x';
  comment on constraint nope on t is 'x';
  comment on constraint positive on nope is 'x';
  comment on schema nope is 'x';
  alter table t drop constraint positive;
  alter table t add constraint positive check (a > 1);
  drop index t_a;
  create index t_a on t (a);
  drop table s.uu;
  drop schema s;
  create schema s;
  drop view v;
  drop materialized view m;
  ${COMMENTS}
`);
  await both.close();
});

test('comments stay over restarts, and go with what they are on', async () => {
  const script = `
  CREATE SCHEMA s; CREATE TABLE s.t (id int PRIMARY KEY, v int UNIQUE, old int); CREATE TABLE u (x int);
  COMMENT ON SCHEMA s IS 'schema'; COMMENT ON TABLE s.t IS 'table'; COMMENT ON COLUMN s.t.v IS 'column'; COMMENT ON COLUMN s.t.old IS 'old';
  COMMENT ON CONSTRAINT t_pkey ON s.t IS 'key'; COMMENT ON CONSTRAINT t_v_key ON s.t IS 'unique'; COMMENT ON TABLE u IS 'gone';
  ALTER TABLE s.t DROP COLUMN old; DROP TABLE u`;
  const engine = await overRestarts(script, async (engine, how) => {
    const found = await sql(
      engine,
      'SELECT description FROM pg_description WHERE objoid >= 16384 OR classoid = 2606 ORDER BY 1',
    );
    assert.deepEqual(found, [['column'], ['key'], ['schema'], ['table'], ['unique']], how);
    await sql(engine, "COMMENT ON TABLE s.t IS 'other'; COMMENT ON TABLE s.t IS 'table'");
  });
  await engine.close();
});

test('a primary key that is made again has no comment', async () => {
  const engine = await openOn(new MemoryDisk());
  await sql(
    engine,
    `CREATE TABLE t (id int PRIMARY KEY); COMMENT ON CONSTRAINT t_pkey ON t IS 'a'; COMMENT ON INDEX t_pkey IS 'b';
    ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (id)`,
  );
  assert.deepEqual(await sql(engine, 'SELECT description FROM pg_description'), []);
  await engine.close();
});
