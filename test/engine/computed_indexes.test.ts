/** Indexes over expressions and over a part of the rows: the same statements as PostgreSQL runs them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../operators/errors.ts';
import { AgainstPostgres } from './against_postgres.ts';
import { openEngine, Session, seeded, sql } from './harness.ts';

const { random, seed } = seeded('unique keys of expressions');
const pick = <T>(all: T[]): T => all[random(all.length)];

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

test('a row that ON CONFLICT leaves out for one key is not asked for those that come after it', () =>
  both(`
  create table t (id int primary key, a int);
  create index on t ((10 / a));
  create unique index on t ((20 / a));
  create unique index on t (id) where 30 / a > 0;
  insert into t values (1, 1);
  insert into t values (1, 0) on conflict do nothing;
  insert into t values (1, 0), (2, 2), (2, 0), (3, 3) on conflict do nothing returning *;
  insert into t values (1, 0) on conflict (id) do update set a = t.a + 9 returning *;
  insert into t values (1, 0) on conflict (id) do update set a = excluded.a;
  insert into t values (4, 0) on conflict do nothing;
  insert into t values (4, 0) on conflict (id) do nothing;
  insert into t values (4, 0) on conflict ((20 / a)) do nothing;
  insert into t values (5, 5), (6, 0) on conflict do nothing;
  select * from t order by id;
  create table later (a int);
  create unique index on later ((10 / a));
  alter table later add column id int unique;
  insert into later values (1, 1);
  insert into later values (0, 1) on conflict do nothing;
  insert into later values (1, 2) on conflict do nothing;
  `));

test('whole rows are said by the name that the table has now', () =>
  both(`
  create table t (a int, b text);
  create unique index one on t ((t IS NULL), a);
  create index two on t ((t.* IS NOT NULL)) where (t.* IS NOT NULL);
  create index three on t ((row(t, a) IS NOT NULL)) where row(t.*) IS NOT NULL;
  alter table t add constraint c check (t IS NOT NULL and t.* IS NOT NULL);
  alter table t rename to "T 2";
  alter table "T 2" alter a type bigint;
  create schema other;
  alter table "T 2" set schema other;
  alter table other."T 2" rename to u;
  alter table other.u rename a to v;
  alter table other.u alter v type int;
  insert into other.u values (1, null);
  insert into other.u values (1, 'x');
  insert into other.u values (1, 'y');
  drop index other.three;
  alter table other.u rename v to u;
  alter table other.u alter b type varchar;
  insert into other.u values (null, 'x');
  insert into other.u values (2, 'x');
  alter table other.u rename to w;
  alter table other.w alter b type text;
  insert into other.w values (3, null);
  insert into other.w values (4, 'x');
  insert into other.w values (4, 'y');
  select pg_get_indexdef(c.oid) like '%w.* IS%' from pg_class c where relname in ('one', 'two') order by 1;
  create table s (s int, b text);
  create index on s ((s + 1)) where s.s > 0 and s.* IS NOT NULL;
  alter table s rename to s2;
  alter table s2 alter b type varchar;
  insert into s2 values (1, 'x');
  `));

test('an index is over no rows that have no type of their own', () =>
  both(`
  create table t (a int, b text);
  create index on t ((row(a, b)));
  create index on t (a, (row(a, b)), (row(b)));
  create unique index on t ((row(a, b)));
  create index on t ((array[row(a, b)]));
  create index on t ((t));
  create index on t ((t.*));
  create index on t ((row(a, b) = row(1, 'x')));
  create index on t using hash ((row(a, b)));
  `));

test('names, definitions and catalogs', () =>
  both(`
  create table t (id int, email text, "Odd name" int, doc jsonb, v int);
  create index on t (lower(email));
  create index on t (lower(email));
  create index on t ((v + 1), (v * 2), v);
  create index on t ((doc -> v));
  create index on t (COALESCE(v, 0), id) where v IS NOT NULL;
  create index on t (v) where id > 5;
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
  select pg_get_indexdef(indexrelid, 1, false), pg_get_indexdef(indexrelid, 1, true), pg_get_indexdef(indexrelid, 9, true) from pg_index where indrelid = 't'::regclass and indexrelid::regclass::text in ('t_expr_idx', 't_v_idx', 't_expr_expr1_v_idx', '"Part"') and indkey[0] <> 4 order by 1, 2;
  select substring(pg_get_indexdef(indexrelid, 0, true) from 'USING.*') from pg_index where indrelid = 't'::regclass and indexrelid::regclass::text in ('"Part"', 't_expr_expr1_v_idx') order by 1;
  select pg_get_expr(indpred, indrelid), pg_get_expr(indpred, indrelid, true) from pg_index where indexrelid = '"Part"'::regclass;
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

/** A statement about one row: what it does hangs on no order. */
function change(): string {
  const id = random(9);
  const s = () =>
    pick(["'a'", "'A'", "'b'", 'NULL', "'a text of more than twelve bytes'", "'A text of more than twelve bytes'"]);
  const n = () => pick(['0', '1', '2', 'NULL']);
  const row = () => `(${id}, ${s()}, ${n()}, ${n()})`;
  switch (random(7)) {
    case 0:
      return `INSERT INTO t VALUES ${row()}`;
    case 1:
      return `INSERT INTO t VALUES ${row()} ON CONFLICT DO NOTHING`;
    case 2:
      return `INSERT INTO t VALUES ${row()} ON CONFLICT (lower(s)) DO UPDATE SET a = excluded.a RETURNING *`;
    case 3:
      return `INSERT INTO t VALUES ${row()} ON CONFLICT (a) WHERE b > 0 DO UPDATE SET s = excluded.s WHERE t.id < 7 RETURNING *`;
    case 4:
      return `DELETE FROM t WHERE id = ${id}`;
    case 5:
      return `MERGE INTO t USING (VALUES ${row()}) AS n(id, s, a, b) ON t.id = n.id WHEN MATCHED THEN UPDATE SET s = n.s, b = n.b WHEN NOT MATCHED THEN INSERT VALUES (n.id, n.s, n.a, n.b)`;
    default:
      return `UPDATE t SET ${pick([`s = ${s()}`, `a = ${n()}`, `b = ${n()}`, `a = ${n()}, b = ${n()}`])} WHERE id = ${id}`;
  }
}

test('random changes of single rows, also in transactions', async () => {
  const both = await AgainstPostgres.open();
  try {
    await both.script(`
    create table t (id int primary key, s text, a int, b int);
    create unique index mail on t (lower(s));
    create unique index live on t (a) nulls not distinct where b > 0;
    create unique index sum on t ((a + b), (a is null)) where s is not null;
    `);
    for (let i = 0; i < 400; i++) {
      const inBlock = random(8) === 0;
      const statements = inBlock
        ? ['BEGIN', ...Array.from({ length: 4 }, () => `${change()}`), pick(['COMMIT', 'ROLLBACK'])]
        : [change()];
      let failed = false;
      for (const statement of statements) {
        // A statement that fails ends the block there.
        if (failed && statement !== statements.at(-1)) continue;
        const text: string = failed ? 'ROLLBACK' : statement;
        const [here, there] = [await both.here(text), await both.there(text)];
        // Which of two keys is named hangs on the order of their indexes.
        if (here.error !== undefined && there.error !== undefined) {
          assert.equal(here.error.code, there.error.code, `seed ${seed}: ${text}`);
          failed = inBlock;
        } else assert.deepEqual(here, there, `seed ${seed}: ${text}`);
      }
      if (i % 20 === 0) await both.statement('SELECT * FROM t ORDER BY id');
    }
    await both.statement('SELECT * FROM t ORDER BY id');
  } finally {
    await both.close();
  }
});

async function refused(what: Promise<unknown>, code: string, detail = ''): Promise<void> {
  await assert.rejects(what, (error) => {
    assert.ok(error instanceof SqlError);
    assert.deepEqual([error.sqlstate, error.fields.detail ?? ''], [code, detail]);
    return true;
  });
}

test('what others have taken is found at COMMIT', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    'CREATE TABLE t (id int, s text, gone bool, n int); CREATE UNIQUE INDEX ON t (lower(s)); CREATE UNIQUE INDEX ON t (n) WHERE NOT gone',
  );
  const [a, b, c, d, e] = Array.from({ length: 5 }, () => new Session(engine));
  for (const session of [a, b, c, d, e]) await session.run('SELECT * FROM t');
  await a.run("INSERT INTO t VALUES (1, 'X', false, 1)");
  await b.run("INSERT INTO t VALUES (2, 'x', false, 2)");
  await c.run("INSERT INTO t VALUES (3, 'z', false, 1)");
  await d.run("INSERT INTO t VALUES (4, 'q', true, 1)");
  await e.run("INSERT INTO t VALUES (5, 'e', true, 0)");
  await a.transaction.commit();
  await refused(b.transaction.commit(), '23505', 'Key (lower(s))=(x) already exists.');
  await refused(c.transaction.commit(), '23505', 'Key (n)=(1) already exists.');
  await d.transaction.commit();
  // The index has come since the row was written.
  await sql(engine, 'CREATE INDEX ON t ((10 / n))');
  await refused(e.transaction.commit(), '22012');
  assert.deepEqual(await sql(engine, 'SELECT id FROM t ORDER BY id'), [['1'], ['4']]);
  await engine.close();
});

test('rows of a view for which an expression fails are not in its index', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    'CREATE TABLE t (id int, n int); CREATE MATERIALIZED VIEW v AS SELECT id, n FROM t; INSERT INTO t VALUES (1, 5)',
  );
  await sql(engine, 'CREATE INDEX q ON v ((10 / n)); INSERT INTO t VALUES (2, 0), (3, 5)');
  const looked = 'SELECT id FROM v WHERE 10 / n = 2 ORDER BY id';
  assert.deepEqual(await sql(engine, looked), [['1'], ['3']]);
  await sql(engine, 'DELETE FROM t WHERE n = 0; DELETE FROM t WHERE id = 1');
  assert.deepEqual(await sql(engine, looked), [['3']]);
  await sql(engine, 'INSERT INTO t VALUES (4, 0)');
  await refused(sql(engine, 'CREATE INDEX ON v ((20 / n))'), '22012');
  await sql(engine, 'DROP INDEX q');
  await refused(sql(engine, looked), '22012');
  await engine.close();
});

test('what pg_get_indexdef gives makes the same index again', async () => {
  const engine = await openEngine();
  const { PgCatalog } = await import('../../src/postgres/catalog/pg_catalog.ts');
  engine.system.catalogs = new PgCatalog(engine);
  await sql(
    engine,
    `CREATE TABLE "T" (id int, s text, "Odd ""name" int, j jsonb);
     CREATE UNIQUE INDEX ON "T" (lower("T".s), ("Odd ""name" + 1)) NULLS NOT DISTINCT WHERE s <> 'a)(' AND "Odd ""name" IS NOT NULL;
     CREATE INDEX ON "T" ((j -> 'a' ->> 'b''(,') , coalesce(id, 1), ((id)), (s || 'x') DESC NULLS LAST) WITH (fillfactor = 70) WHERE (id > 3);
     CREATE INDEX ON "T" (upper(s) COLLATE "C", (CASE WHEN id > 1 THEN (ARRAY[1, 2])[id] END))`,
  );
  const definitions = () => sql(engine, "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'T' ORDER BY 1");
  const made = await definitions();
  assert.equal(made.length, 3);
  for (const [name, definition] of made) await sql(engine, `DROP INDEX "${name}"; ${definition}`);
  assert.deepEqual(await definitions(), made);
  assert.match(
    made.map(([, definition]) => definition).join('\n'),
    /\(\(j -> 'a' ->> 'b''\(,'\)\), coalesce\(id, 1\), id, \(\(s \|\| 'x'\)\) DESC NULLS LAST\) WITH \(fillfactor='70'\) WHERE \(id > 3\)/,
  );
  await engine.close();
});
