/** ALTER TABLE ... RENAME CONSTRAINT: the same statements as PostgreSQL runs them; restarts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overRestarts } from '../durable/over_restarts.ts';
import { AgainstPostgres } from './against_postgres.ts';
import { sql } from './harness.ts';

const NAMES =
  "select conname, contype from pg_constraint where conrelid = 't'::regclass and contype <> 'n' order by 1;";

test('RENAME CONSTRAINT as PostgreSQL has it', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create table t (id int primary key, a int, b int unique, c int references t (id), constraint positive check (a > 0), constraint small check (a < 100));
  create view v as select id from t;
  alter table t rename constraint positive to zz;
  insert into t values (1, 0, 1, null);
  insert into t values (1, 500, 1, null);
  alter table t rename constraint small to above;
  insert into t values (1, 500, 1, null);
  alter table t rename constraint t_b_key to one_of_each;
  insert into t values (1, 1, 1, null), (2, 1, 1, null);
  insert into t values (1, 1, 1, null) on conflict on constraint one_of_each do nothing;
  alter table t rename constraint t_c_fkey to there;
  insert into t values (3, 1, 3, 77);
  ${NAMES}
  select relname from pg_class where relname in ('one_of_each', 't_b_key');
  alter table t rename constraint zz to there;
  alter table t rename constraint zz to t_pkey;
  alter table t rename constraint nope to x;
  alter table t rename constraint one_of_each to v;
  alter table nope rename constraint zz to x;
  alter table if exists nope rename constraint zz to x;
  alter table t drop constraint zz;
  alter table t drop constraint positive;
  alter table t rename constraint above to zz;
  insert into t values (2, 500, 2, null);
  ${NAMES}
`);
  await both.close();
});

test('a renamed constraint has its name after restarts', async () => {
  const script = `
  CREATE TABLE t (a int, b int UNIQUE, CONSTRAINT positive CHECK (a > 0));
  ALTER TABLE t RENAME CONSTRAINT positive TO above; ALTER TABLE t RENAME CONSTRAINT t_b_key TO once; INSERT INTO t VALUES (1, 1)`;
  const engine = await overRestarts(script, async (engine, how) => {
    await assert.rejects(sql(engine, 'INSERT INTO t VALUES (0, 2)'), { message: /"above"/ }, how);
    await assert.rejects(sql(engine, 'INSERT INTO t VALUES (2, 1)'), { message: /"once"/ }, how);
  });
  await engine.close();
});
