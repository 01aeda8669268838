/** What CREATE INDEX says beside its columns: taken, shown again and refused as PostgreSQL does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import { AgainstPostgres } from './against_postgres.ts';
import { openEngine, Session, sql } from './harness.ts';

const TABLE =
  "create type mood as enum ('sad', 'glad');\n create table t (a int, b text, c varchar(9), j jsonb, l int[], m mood);\n";

/** As pg_indexes, \d and pg_dump read them. */
const SHOWN = `
  select indexname, indexdef from pg_indexes where tablename in ('t', 'u') order by 1;
  select i.relname, pg_get_indexdef(i.oid, 0, true), a.amname, i.relnatts, i.reloptions::text, x.indkey::text, x.indnatts, x.indnkeyatts,
    x.indoption::text, (select array_agg(o.opcname order by n)::text from unnest(x.indclass::oid[]) with ordinality c(oid, n) join pg_opclass o on o.oid = c.oid),
    (select array_agg(o.collname order by n)::text from unnest(x.indcollation::oid[]) with ordinality c(oid, n) join pg_collation o on o.oid = c.oid)
    from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class r on r.oid = x.indrelid join pg_am a on a.oid = i.relam
    where r.relname in ('t', 'u') order by 1;
  select i.relname, n, pg_get_indexdef(i.oid, n, false), p, pg_index_column_has_property(i.oid, n, p), pg_index_has_property(i.oid, p)
    from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class r on r.oid = x.indrelid, generate_series(1, 4) n,
    unnest(array['asc', 'desc', 'nulls_first', 'nulls_last', 'orderable', 'distance_orderable', 'returnable', 'search_array', 'search_nulls',
      'clusterable', 'index_scan', 'bitmap_scan', 'backward_scan', 'bogus']) p
    where r.relname in ('t', 'u') order by 1, 2, 4;
`;

test('orders, operator classes, collations, INCLUDE, WITH and hash are shown as they were written', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  ${TABLE};
  create index i1 on t (a desc);
  create index i2 on t (a nulls first, b desc nulls last, c asc nulls last, j desc nulls first);
  create index i3 on t (b text_pattern_ops, c varchar_pattern_ops desc);
  create index i4 on t (b collate "C", c collate ucs_basic);
  create index i5 on t (a) include (b, a);
  create index i6 on t using hash (a);
  create index i7 on t using hash (b text_pattern_ops);
  create index i8 on t (lower(b) collate "C" text_pattern_ops desc, a int4_ops);
  create index i9 on t (b varchar_ops, c text_ops, b pg_catalog.text_ops, c collate "default");
  create unique index i10 on t (a desc) include (b) nulls not distinct with (fillfactor = 70, deduplicate_items = off) where (a > 3);
  create index on t (a) include (b);
  create index on t (a, a);
  create index on t (a) include (a, a);
  create index on t (lower(b) desc nulls last);
  create index on t (l desc, m nulls first);
  create index on t using hash (l);
  create index on t using hash (m);
  create index on t using btree (a asc);
  ${SHOWN}
  create table u (z int, like t including indexes);
  alter table u drop column z;
  ${SHOWN}
  alter table t rename column b to "B b";
  ${SHOWN}
  `);
  await both.close();
});

test('gin, gist, brin and spgist are shown as they were written, and say what they are not', async () => {
  const both = await AgainstPostgres.open();
  await both.script(TABLE);
  for (const [name, definition] of [
    ['g1', 'gin (j)'],
    ['g2', 'gin (j jsonb_path_ops, l) with (fastupdate = off)'],
    ['g3', 'brin (a, b)'],
    ['g4', 'brin (a int4_minmax_multi_ops) with (pages_per_range = 4, autosummarize)'],
    ['g5', 'spgist (b) include (a)'],
  ]) {
    const made = `create index ${name} on t using ${definition}`;
    assert.deepEqual(await both.there(made), { notices: [] });
    const method = definition.split(' ')[0];
    const notice = `index "${name}" finds rows by equal values only, not as access method "${method}" does`;
    assert.deepEqual(await both.here(made), { notices: [notice] });
  }
  await both.script(SHOWN);
  await both.close();
});

test('what PostgreSQL does not have is refused in its words', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  ${TABLE};
  create index on t using nope (a);
  create index on t (a nope_ops);
  create index on t using hash (a nope_ops);
  create index on t (b nope.text_ops);
  create index on t (a text_ops);
  create index on t (a int8_ops);
  create index on t (b collate "nope");
  create index on t (a collate "C");
  create index on t (a) include (zz);
  create index on t (a) include (lower(b));
  create index on t (a) include (b desc);
  create index on t (a) include (b nulls first);
  create index on t (a) include (b text_ops);
  create index on t (a) include (b collate "C");
  create index on t (a) include (ctid);
  create index on t using hash (a desc);
  create index on t using hash (a nulls last);
  create index on t using hash (a, b);
  create index on t using hash (a) include (b);
  create unique index on t using hash (a);
  create unique index on t using gin (j);
  create index on t using gin (j) include (a);
  create index on t using gin (a);
  create index on t using gist (b);
  create index on t using gin (b gin_trgm_ops);
  create index on t using spgist (b, b);
  create index on t using brin (a desc);
  create index on t (a) with (nope = 70);
  create index on t using hash (a) with (deduplicate_items = off);
  select indexname from pg_indexes where tablename = 't';
  `);
  await both.close();
});

test('columns of INCLUDE take the index with them, and altered types have to fit its words', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create table t (id int primary key, a int, b text, c text, d text);
  insert into t values (1, 1, 'b', 'c', 'd'), (2, 2, 'b', 'c', 'd');
  create index kept on t (a);
  create index gone on t (a) include (c);
  create index alone on t (b) include (c);
  create index lowered on t (lower(b)) include (c);
  create unique index one on t (a desc) include (d);
  create index pattern on t (d text_pattern_ops);
  create index sorted on t (d collate "C");
  insert into t values (3, 1, 'x', 'y', 'z');
  alter table t drop column c;
  select indexname, indexdef from pg_indexes where tablename = 't' order by 1;
  select * from t where a = 1;
  select * from t where b = 'b' order by id;
  select * from t where lower(b) = 'b' order by id;
  insert into t values (4, 2, 'x', 'y');
  alter table t alter column d type int using 1;
  drop index pattern;
  alter table t alter column d type int using 1;
  drop index sorted;
  alter table t alter column d type int using 1;
  select indexname, indexdef from pg_indexes where tablename = 't' order by 1;
  alter table t drop column d;
  insert into t values (5, 1, 'again');
  select * from t where a = 1 order by id;
  select indexname, indexdef from pg_indexes where tablename = 't' order by 1;
  `);
  await both.close();
});

test('an index that is no more than words is read as any other', async () => {
  const engine = await openEngine();
  engine.system.catalogs = new PgCatalog(engine);
  await sql(engine, 'CREATE TABLE t (a int, j jsonb)');
  await sql(engine, `INSERT INTO t SELECT i, jsonb_build_object('k', i % 3) FROM generate_series(1, 3000) i`);
  await sql(engine, 'CREATE INDEX by_j ON t USING gin (j); CREATE INDEX by_a ON t (a DESC NULLS LAST) INCLUDE (j)');
  const session = new Session(engine);
  const plan = async (where: string) => (await session.run(`EXPLAIN SELECT * FROM t WHERE ${where}`)).join('\n');
  assert.match(await plan('a = 7'), /lookup \(7\)/);
  assert.doesNotMatch(await plan(`j @> '{"k": 1}'`), /lookup/);
  assert.deepEqual(await session.run('SELECT j FROM t WHERE a = 7'), [['{"k": 1}']]);
  assert.deepEqual(await session.run(`SELECT count(*) FROM t WHERE j @> '{"k": 1}'`), [['1000']]);
  await engine.close();
});
