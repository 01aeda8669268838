/** ON CONFLICT ON CONSTRAINT: the same statements as PostgreSQL runs them. */
import { test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';

test('ON CONSTRAINT names a primary key or a unique constraint, not a unique index', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create table t (id int primary key, a int unique, b int, c int, constraint bc unique (c, b));
  create unique index b_is_unique on t (b);
  insert into t values (1, 1, 1, 1), (2, 2, 2, 2);
  insert into t values (9, 1, 9, 9) on conflict on constraint t_a_key do nothing returning id;
  insert into t values (9, 2, 8, 8) on conflict on constraint t_a_key do update set b = excluded.b returning *;
  insert into t values (8, 7, 1, 1) on conflict on constraint bc do update set a = 11 returning *;
  insert into t values (1, 7, 7, 7) on conflict on constraint t_pkey do update set c = 5 returning *;
  insert into t values (1, 7, 7, 7) on conflict on constraint t_a_key do nothing;
  insert into t values (7, 7, 1, 7) on conflict on constraint b_is_unique do nothing;
  insert into t values (7, 7, 1, 7) on conflict on constraint nothing do nothing;
  alter table t drop constraint t_a_key;
  insert into t values (7, 2, 1, 7) on conflict on constraint t_a_key do nothing;
  select * from t order by id;
  `);
  await both.close();
});
