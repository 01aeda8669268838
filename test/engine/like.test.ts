/** CREATE TABLE (LIKE ...): the same statements as PostgreSQL runs them; restarts. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openData } from '../../src/durable/recovery.ts';
import { AgainstPostgres } from './against_postgres.ts';
import { openEngine, sql } from './harness.ts';

const path = mkdtempSync(join(tmpdir(), 'tidemark-like-'));
after(() => rmSync(path, { recursive: true, force: true }));

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
  let engine = await openEngine();
  await openData(engine, { path });
  await sql(engine, 'CREATE TABLE src (id int PRIMARY KEY, v int CHECK (v > 0), w int)');
  await sql(engine, 'CREATE UNIQUE INDEX ON src (w)');
  await sql(engine, 'CREATE TABLE t (LIKE src INCLUDING ALL); CREATE TABLE u (LIKE src INCLUDING ALL)');
  await sql(engine, 'DROP TABLE src; DROP INDEX u_w_idx');
  for (let restart = 0; restart < 3; restart++) {
    // The last one begins with a checkpoint of what the second had done again.
    if (restart === 1) await engine.checkpoints?.take();
    await engine.close();
    engine = await openEngine();
    await openData(engine, { path });
    await sql(engine, `INSERT INTO t VALUES (${restart}, 1, ${restart})`);
    await sql(engine, `INSERT INTO u VALUES (${restart}, 1, 7)`);
    await assert.rejects(sql(engine, `INSERT INTO t VALUES (${restart}, 1, 100)`), { sqlstate: '23505' });
    await assert.rejects(sql(engine, `INSERT INTO t VALUES (100, 1, ${restart})`), { sqlstate: '23505' });
    await assert.rejects(sql(engine, 'INSERT INTO t VALUES (101, 0, 101)'), { sqlstate: '23514' });
  }
  await engine.close();
});
