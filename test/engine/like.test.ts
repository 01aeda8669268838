/** CREATE TABLE (LIKE ...): the same statements as PostgreSQL runs them; restarts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overRestarts } from '../durable/over_restarts.ts';
import { AgainstPostgres } from './against_postgres.ts';
import { sql } from './harness.ts';

const shown = (table: string) => `
  select column_name, data_type, column_default, is_nullable, is_identity, is_generated from information_schema.columns where table_name = '${table}' order by ordinal_position;
  select conname, contype, conkey::text from pg_constraint where conrelid = '${table}'::regclass and contype <> 'n' order by 1;
  select relname from pg_class where oid in (select indexrelid from pg_index where indrelid = '${table}'::regclass) order by 1;
`;

test('LIKE as PostgreSQL has it', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create table src (id int generated always as identity (start 5) primary key, gone int, name varchar(10) not null default 'x', n numeric(8,2), tags text[], g int generated always as (id + 1) stored, u int unique, constraint positive check (n > 0), s serial);
  alter table src drop column gone;
  create index on src (name, n);
  create unique index on src (n);
  create table plain (before int, like src, after int);
  ${shown('plain')}
  create table defaults (like src including defaults including constraints);
  ${shown('defaults')}
  insert into defaults (id, n) values (1, -1);
  insert into defaults (id, n) values (1, 1) returning name, g, s;
  create table whole (like src including all);
  ${shown('whole')}
  insert into whole (n, u) values (1, 1) returning id, g;
  insert into whole (n, u) values (1, 2);
  insert into whole (n, u) values (2, 1);
  insert into whole (n) values (-2);
  insert into src (n) values (1) returning id;
  create table rest (like src including all excluding identity excluding indexes);
  ${shown('rest')}
  create table two (like src including all, other int primary key);
  create table two (like src, name text);
  create table two (like nope);
  create view v as select id, name from src;
  create table of_view (like v, primary key (id));
  ${shown('of_view')}
  alter table src drop column n cascade;
  insert into whole (n, u) values (3, 3);
`);
  await both.close();
});

test('a table that is like another stays so without it', async () => {
  const script = `
  CREATE TABLE src (id int PRIMARY KEY, v int CHECK (v > 0), w int);
  CREATE UNIQUE INDEX ON src (w);
  CREATE TABLE t (LIKE src INCLUDING ALL); CREATE TABLE u (LIKE src INCLUDING ALL);
  DROP TABLE src; DROP INDEX u_w_idx`;
  let id = 0;
  const engine = await overRestarts(script, async (engine, how) => {
    id++;
    await sql(engine, `INSERT INTO t VALUES (${id}, 1, ${id})`);
    await sql(engine, `INSERT INTO u VALUES (${id}, 1, 7)`);
    await assert.rejects(sql(engine, `INSERT INTO t VALUES (${id}, 1, 100)`), { sqlstate: '23505' }, how);
    await assert.rejects(sql(engine, `INSERT INTO t VALUES (100, 1, ${id})`), { sqlstate: '23505' }, how);
    await assert.rejects(sql(engine, 'INSERT INTO t VALUES (101, 0, 101)'), { sqlstate: '23514' }, how);
  });
  await engine.close();
});
