/** Indexes over expressions and over a part of the rows: the same statements as PostgreSQL runs them. */
import { test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';

async function both(script: string): Promise<void> {
  const servers = await AgainstPostgres.open();
  try {
    await servers.script(script);
  } finally {
    await servers.close();
  }
}

test('unique indexes over expressions and over a part of the rows refuse what is there', () =>
  both(`
  create table users (id int primary key, email text, owner int, deleted_at date);
  create unique index on users (lower(email));
  create unique index live_owner on users (owner) where deleted_at is null;
  insert into users values (1, 'Ann@x.org', 1, null), (2, 'bo@x.org', 1, '2026-01-01');
  insert into users values (3, 'ANN@x.org', 3, null);
  insert into users values (3, 'c', 3, null), (4, 'C', 4, null);
  insert into users values (3, null, 3, null), (4, null, 4, null);
  insert into users values (5, 'e', 1, null);
  insert into users values (5, 'e', 1, '2026-02-02');
  update users set deleted_at = null where id = 5;
  update users set email = upper(email);
  update users set email = 'bo@X.ORG' where id = 1;
  update users set owner = 7 where id = 4;
  update users set deleted_at = '2026-03-03' where id = 1;
  update users set deleted_at = null where id = 5;
  update users set id = id + 10;
  merge into users u using (values (11, 'x'), (99, 'E')) as n(id, email) on u.id = n.id
    when matched then update set email = n.email when not matched then insert (id, email) values (n.id, n.email);
  merge into users u using (values (11, 'x'), (99, 'f')) as n(id, email) on u.id = n.id
    when matched then update set email = n.email when not matched then insert (id, email) values (n.id, n.email);
  delete from users where lower(email) = 'x';
  insert into users values (1, 'X', 8, null);
  select * from users order by id;
  `));

test('ON CONFLICT finds its index by expression and condition', () =>
  both(`
  create table users (id int primary key, email text, owner int, deleted_at date, kind text, n int default 0);
  create unique index on users (lower(email));
  create unique index live_owner on users (owner) where deleted_at is null;
  create unique index on users (kind, (n + 1)) where n > 5 and kind is not null;
  insert into users values (1, 'Ann', 1, null), (2, 'Bo', 2, null) on conflict (lower(email)) do nothing returning id;
  insert into users values (3, 'ANN', 3, null) on conflict (lower(email)) do update set email = excluded.email returning *;
  insert into users values (3, 'ANN', 3, null) on conflict (lower(users.email)) do nothing;
  insert into users values (3, 'ANN', 3, null) on conflict (upper(email)) do nothing;
  insert into users values (3, 'ANN', 3, null) on conflict (email) do nothing;
  insert into users values (4, 'c', 1, null) on conflict (owner) do nothing;
  insert into users values (4, 'c', 1, null) on conflict (owner) where deleted_at is null do update set n = users.n + 1 returning id, n;
  insert into users values (4, 'c', 1, null) on conflict (owner) where deleted_at is null and id > 3 do update set n = users.n + 1 returning id, n;
  insert into users values (4, 'c', 1, '2026-01-01') on conflict (owner) where deleted_at is null do update set n = users.n + 1 returning id, n;
  insert into users values (5, 'd', 1, null) on conflict (owner) where deleted_at is not null do nothing;
  insert into users values (6, 'e', 6, null, 'k', 9), (7, 'f', 7, null, 'k', 9) on conflict ((n + 1), kind) where kind is not null and n > 10 do nothing returning id;
  insert into users values (6, 'e', 6, null, 'k', 9), (7, 'f', 7, null, 'k', 9) on conflict ((n + 1), kind) where kind = 'k' and n > 5 do update set n = 10 returning id;
  insert into users values (6, 'e', 6, null, 'k', 9) on conflict ((n + 1), kind) where kind = 'k' and n > 5 do update set n = 10 returning id, n;
  insert into users values (8, 'E', 8, null, 'k', 9) on conflict (id) do nothing;
  insert into users values (8, 'E', 8, null, 'k', 9) on conflict do nothing returning id;
  insert into users values (8, 'g', 8, null), (9, 'G', 9, null) on conflict (lower(email)) do update set n = 20;
  insert into users values (10, 'h', 10, null) on conflict (id) where id > 5 do nothing returning id;
  select * from users order by id;
  `));

test('NULLS NOT DISTINCT', () =>
  both(`
  create table t (a int, b text, c int, unique nulls not distinct (c));
  create unique index on t (a) nulls not distinct;
  create unique index on t (lower(b)) nulls not distinct where a > 0;
  insert into t values (null, 'a', 1);
  insert into t values (null, 'b', 2);
  insert into t values (1, null, 3), (2, 'x', 4);
  insert into t values (3, null, 5);
  insert into t values (-1, null, 5), (-2, null, null);
  insert into t values (9, 'q', null);
  insert into t values (9, 'q', null) on conflict (c) do update set c = 12 returning *;
  insert into t values (null, 'q', null) on conflict (a) do update set b = 'again' returning *;
  update t set a = null where a = 1;
  alter table t add constraint u unique nulls not distinct (b);
  update t set b = null;
  select * from t order by a, b, c;
  create unique index on t ((a IS NULL)) nulls not distinct;
  select indexdef from pg_indexes where tablename = 't' order by 1;
  select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 't'::regclass and contype = 'u' order by 1;
  select indexrelid::regclass::text, indnullsnotdistinct from pg_index where indrelid = 't'::regclass order by 1;
  `));

test('errors of expressions, and what may not be one', () =>
  both(`
  create table t (id int, a int, b json, t timestamptz);
  create index on t ((10 / a));
  insert into t values (1, 0);
  insert into t values (1, 5), (2, 0);
  insert into t values (1, 5), (2, 2);
  update t set a = 0 where id = 2;
  update t set a = 0;
  select id from t where 10 / a = 2;
  create table u (a int);
  insert into u values (0), (1);
  create index on u ((1 / a));
  create unique index on u ((a * 0));
  create index part on u ((1 / a)) where a <> 0;
  insert into u values (0);
  create index on u (a) where 1 / a > 0;
  create index on t (random());
  create index on t (lower(t::text));
  create index on t (a) where t > now();
  create index on t ((sum(a)));
  create index on t (a) where count(*) > 1;
  create index on t ((row_number() over ()));
  create index on t ((select 1));
  create index on t (a) where exists (select 1);
  create index on t (generate_series(1, a));
  create index on t (a) where a;
  create index on t ((b -> 'x'));
  create index on t (nothing);
  create index on t ((nothing + 1));
  create index on t (a) where nothing > 1;
  create index on t (lower(a));
  `));

test('names, definitions and catalogs', () =>
  both(`
  create table t (id int, email text, "Odd name" int, doc jsonb, v int);
  create index on t (lower(email));
  create index on t (lower(email));
  create index on t ((v + 1), (v * 2), v);
  create index on t ((doc ->> 'customer'));
  create index on t (COALESCE(v, 0), id) where v IS NOT NULL;
  create index on t (v) where email = 'x''y' and id > 5;
  create index "Part" on t ("Odd name") where "Odd name" > 0;
  create unique index on t ((id));
  create index on t (upper(email) desc, abs(v));
  create index on t ((case when v > 0 then v end));
  select indexname from pg_indexes where tablename = 't' order by 1;
  select indexrelid::regclass::text, indnatts, indkey, indexprs is null, indpred is null, indisunique from pg_index where indrelid = 't'::regclass order by 1;
  select c.relname, a.attname, a.attnum, a.atttypid::regtype from pg_attribute a join pg_class c on c.oid = attrelid join pg_index i on i.indexrelid = c.oid
    where indrelid = 't'::regclass order by 1, 3;
  select indexdef from pg_indexes where indexname in ('t_lower_idx', 'Part', 't_id_idx', 't_coalesce_id_idx', 't_expr_expr1_v_idx') order by 1;
  select pg_get_indexdef('t_expr_expr1_v_idx'::regclass, 1, false), pg_get_indexdef('t_expr_expr1_v_idx'::regclass, 3, true), pg_get_indexdef('t_lower_idx'::regclass, 1, true);
  select pg_get_expr(indpred, indrelid) from pg_index where indexrelid = '"Part"'::regclass;
  comment on index t_lower_idx is 'by mail';
  select obj_description('t_lower_idx'::regclass);
  alter index t_lower_idx rename to by_mail;
  drop index by_mail;
  create index if not exists t_lower_idx1 on t (lower(email));
  select count(*) from pg_indexes where tablename = 't';
  `));

test('columns that indexes read are renamed, dropped and get other types', () =>
  both(`
  create table t (id int, email text, v int, w int);
  create unique index on t (lower(email));
  create index part on t (id) where v > 3;
  create unique index sum on t ((v + w));
  insert into t values (1, 'A', 1, 2), (2, 'B', 4, 4);
  alter table t rename column email to "Mail";
  alter table t rename v to vv;
  select indexdef from pg_indexes where indexname in ('part', 'sum') order by 1;
  insert into t values (3, 'a', 9, 9);
  alter table t alter column vv type bigint;
  insert into t values (3, 'c', 2, 1);
  alter table t alter column w type text;
  alter table t alter w type numeric using w * 0, alter vv type numeric using vv * 0;
  alter table t add column more int default 5;
  insert into t values (3, 'B', 100, 9);
  alter table t drop column vv;
  select indexname from pg_indexes where tablename = 't';
  insert into t values (3, 'B', 100);
  alter table t alter "Mail" type int using length("Mail");
  alter table t alter "Mail" type text;
  insert into t values (3, 'b', 100);
  create table alike (like t including all);
  select indexname from pg_indexes where tablename = 'alike';
  insert into alike values (3, 'b', 100);
  insert into alike values (3, 'B', 100);
  `));
