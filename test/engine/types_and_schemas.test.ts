/** Types beside search paths, temporary schemas, indexes over expressions and DROP: what was made goes on meaning the same, and a type goes with all that says it or not at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { dropTemporary } from '../../src/runtime/temporary.ts';
import { drain, openEngine, Session, sql } from './harness.ts';

const names = (engine: TidemarkEngine) => engine.catalog.objects().map(({ schema, name }) => `${schema}.${name}`);
const columns = (engine: TidemarkEngine, name: string) =>
  sql(engine, `SELECT * FROM ${name} LIMIT 0`).then(() =>
    engine.catalog.relation(undefined, name)?.columns.flatMap((column) => (column.dropped ? [] : [column.name])),
  );

/** One statement of a session, and COMMIT. */
async function run(engine: TidemarkEngine, text: string, settings: Record<string, string> = {}) {
  const session = new Session(engine, settings);
  try {
    const rows = await session.run(text);
    await session.transaction.commit();
    return { rows, temporary: session.temporary };
  } finally {
    session.transaction.rollback();
  }
}

test('a view means the types that it named, whatever the search path of who reads it', async () => {
  const engine = await openEngine();
  await sql(engine, `CREATE SCHEMA s; CREATE TYPE s.m AS ENUM ('a', 'b')`);
  const inside = { search_path: 's' };
  await run(engine, `CREATE TABLE t (id int, l m)`, inside);
  await run(engine, `CREATE VIEW v AS SELECT id, l = 'a'::m AS is, ARRAY['b']::m[] AS l FROM t`, inside);
  await run(engine, `INSERT INTO t VALUES (1, 'a'), (2, 'b')`, inside);
  const rows = [
    ['1', 't', '{b}'],
    ['2', 'f', '{b}'],
  ];
  assert.deepEqual(await sql(engine, 'SELECT * FROM s.v ORDER BY id'), rows);
  await sql(engine, `CREATE TYPE m AS ENUM ('other')`);
  assert.deepEqual(await sql(engine, 'SELECT * FROM s.v ORDER BY id'), rows);
  const { temporary = '' } = await run(engine, `CREATE TYPE pg_temp.m AS ENUM ('q')`);
  assert.deepEqual((await run(engine, 'SELECT * FROM s.v ORDER BY id', { temporary: temporary as string })).rows, rows);
  await engine.close();
});

test('temporary types have the name pg_temp, and nothing that lasts has columns of them', async () => {
  const engine = await openEngine();
  await sql(engine, `CREATE TYPE m AS ENUM ('public'); CREATE TABLE lasting (id int)`);
  const made = await run(engine, `CREATE TYPE pg_temp.m AS ENUM ('own')`);
  const own = { temporary: made.temporary as string };
  for (const text of [`SELECT 'own'::m`, `SELECT 'own'::pg_temp.m`])
    assert.deepEqual((await run(engine, text, own)).rows, [['own']]);
  assert.deepEqual((await run(engine, `SELECT '{own}'::pg_temp.m[]`, own)).rows, [['{own}']]);
  await run(engine, `ALTER TYPE pg_temp.m ADD VALUE 'more'`, own);
  await run(engine, `CREATE TEMP TABLE mine (l m, k pg_temp.m DEFAULT 'more')`, own);
  await run(engine, `INSERT INTO mine (l) VALUES ('own')`, own);
  await run(engine, `CREATE VIEW over AS SELECT 'own'::m AS l`, own);
  assert.equal(engine.catalog.find('pg_temp', 'over', [own.temporary])?.schema, own.temporary);
  for (const text of [
    'CREATE TABLE t (l m)',
    'CREATE TABLE t (l m[])',
    `CREATE TABLE t AS SELECT 'own'::m AS l`,
    'CREATE TABLE t (LIKE mine)',
    'CREATE STREAM t (l m)',
    'ALTER TABLE lasting ADD l m',
    `ALTER TABLE lasting ALTER id TYPE m USING 'own'`,
    `CREATE MATERIALIZED VIEW t AS SELECT CASE WHEN id > 1 THEN 'own'::m END AS l FROM lasting`,
  ])
    await assert.rejects(run(engine, text, own), { sqlstate: '0A000' }, text);
  await run(engine, `CREATE INDEX says ON lasting ((CASE WHEN id > 1 THEN 'own'::m END))`, own);
  await assert.rejects(sql(engine, `SELECT 'own'::pg_temp.m`), { sqlstate: '42704' });
  assert.deepEqual(await sql(engine, `SELECT 'public'::m`), [['public']]);
  dropTemporary(engine, {
    ...localSession(engine, undefined, { searchPath: [own.temporary, 'public'] }),
    useTemporary: () => undefined,
  });
  assert.deepEqual(names(engine), ['public.m', 'public.lasting']);
  await engine.close();
});

test('an index that says a type keeps it, or goes with it', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    `CREATE TYPE m AS ENUM ('a', 'b'); CREATE TABLE t (n int); INSERT INTO t VALUES (1), (7);
     CREATE INDEX key ON t ((CASE WHEN n > 5 THEN 'a'::m ELSE 'b'::m END));
     CREATE INDEX part ON t (n) WHERE CASE WHEN n > 5 THEN 'a'::m ELSE 'b'::m END = 'a'::m;
     CREATE INDEX other ON t (n) WHERE n > 5`,
  );
  await assert.rejects(sql(engine, 'DROP TYPE m'), (error: { sqlstate?: string; fields?: { detail?: string } }) => {
    return (
      error.sqlstate === '2BP01' && error.fields?.detail === 'index key depends on type m\nindex part depends on type m'
    );
  });
  await assert.rejects(sql(engine, 'ALTER TYPE m RENAME TO k'), { sqlstate: '0A000' });
  await assert.rejects(sql(engine, `ALTER TYPE m RENAME VALUE 'b' TO 'c'`), { sqlstate: '0A000' });
  await sql(engine, 'DROP TYPE m CASCADE; ALTER TABLE t ALTER n TYPE bigint; INSERT INTO t VALUES (8)');
  assert.deepEqual(names(engine), ['public.t', 'public.other']);
  await engine.close();
});

test('a label stays what it is while an index, a CHECK or a default says it in whatever form', async () => {
  for (const made of [
    `CREATE INDEX ON t (n) WHERE l = 'it''s'`,
    `CREATE UNIQUE INDEX ON t ((coalesce(l, 'it''s')))`,
    `CREATE INDEX ON t (n) WHERE l = ANY ('{"it\\''s", b}')`,
    `ALTER TABLE t ADD CHECK (l <> $$it's$$)`,
    `ALTER TABLE t ADD CHECK (l <> E'it\\x27s')`,
    `ALTER TABLE t ADD CHECK (l <> ALL ('[2:3]={it''s,b}'::m[]))`,
    `ALTER TABLE t ALTER l SET DEFAULT $$it's$$`,
  ]) {
    const engine = await openEngine();
    await sql(engine, `CREATE TYPE m AS ENUM ('it''s', 'b', 'c'); CREATE TABLE t (n int, l m); ${made}`);
    await assert.rejects(
      sql(engine, `ALTER TYPE m RENAME VALUE 'it''s' TO 'x'`),
      { sqlstate: '0A000', message: /said elsewhere/ },
      made,
    );
    await sql(engine, `ALTER TYPE m RENAME VALUE 'c' TO 'x'; ALTER TABLE t ALTER n TYPE bigint`);
    await engine.close();
  }
});

test('DROP TYPE CASCADE does all of it or nothing', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    `CREATE TYPE m AS ENUM ('a'); CREATE TABLE a (id int, l m); CREATE TABLE b (id int, l m);
     CREATE STREAM s (l m, at timestamp, WATERMARK FOR at AS at - INTERVAL '1 second')`,
  );
  await assert.rejects(sql(engine, 'DROP TYPE m CASCADE'), { sqlstate: '42809' });
  assert.deepEqual(await columns(engine, 'a'), ['id', 'l']);
  await sql(engine, 'DROP STREAM s; CREATE SUBSCRIPTION follows FOR b');
  await assert.rejects(sql(engine, 'DROP TYPE m CASCADE'), { sqlstate: '2BP01' });
  assert.deepEqual(await columns(engine, 'a'), ['id', 'l']);
  await sql(engine, 'DROP SUBSCRIPTION follows');
  // Temporary tables of others have it no longer, either.
  const { temporary } = await run(engine, 'CREATE TEMP TABLE c (l m, id int)');
  await sql(engine, `INSERT INTO a VALUES (1, 'a')`);
  await sql(engine, 'DROP TYPE m CASCADE');
  for (const name of ['a', 'b']) assert.deepEqual(await columns(engine, name), ['id']);
  assert.deepEqual(await sql(engine, 'SELECT * FROM a'), [['1']]);
  const own = { temporary: temporary as string };
  await run(engine, 'INSERT INTO c VALUES (5)', own);
  assert.deepEqual((await run(engine, 'SELECT * FROM c', own)).rows, [['5']]);
  await engine.close();
});

test('no table gets a column of a type while that goes', async () => {
  for (const drop of ['DROP TYPE m, n CASCADE', 'DROP SCHEMA s CASCADE']) {
    const engine = await openEngine();
    const schema = drop.includes('SCHEMA') ? 's' : 'public';
    if (schema === 's') await sql(engine, 'CREATE SCHEMA s');
    await sql(
      engine,
      `CREATE TYPE ${schema}.m AS ENUM ('a'); CREATE TYPE ${schema}.n AS ENUM ('a');
       CREATE TABLE a (id int, l ${schema}.m); CREATE TABLE b (id int, l ${schema}.n); CREATE TABLE big (n int);
       INSERT INTO big SELECT * FROM generate_series(1, 20000); CREATE TABLE big2 AS SELECT * FROM big`,
    );
    // Columns are altered one statement after the other, so DROP waits.
    let open = true;
    const alter = async (name: string) => {
      for (let i = 0; open && i < 50; i++)
        await sql(engine, `ALTER TABLE ${name} ALTER n TYPE ${i % 2 === 0 ? 'bigint' : 'int'}`);
    };
    const make = async () => {
      for (let i = 0; open && i < 200; i++) {
        await new Promise(setImmediate);
        await sql(engine, `CREATE TABLE t${i} (id int, l ${schema}.m)`).catch(() => undefined);
      }
    };
    const others = [alter('big'), alter('big2'), make()];
    await sql(engine, drop).finally(() => {
      open = false;
    });
    await Promise.all(others);
    assert.deepEqual(
      engine.catalog.objects().filter(({ kind }) => kind === 'type'),
      [],
    );
    for (const { name, kind } of engine.catalog.objects())
      if (kind === 'table' && !name.startsWith('big')) assert.deepEqual(await columns(engine, name), ['id'], name);
    await engine.close();
  }
});

test('SET SCHEMA puts no relation where a type has its name', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    `CREATE SCHEMA s; CREATE TABLE t (id serial); CREATE INDEX i ON t ((id + 1)); CREATE TYPE s.t AS ENUM ()`,
  );
  const refused = { sqlstate: '42710', message: /already exists in schema "s"/ };
  await assert.rejects(sql(engine, 'ALTER TABLE t SET SCHEMA s'), refused);
  await sql(engine, 'DROP TYPE s.t; CREATE TYPE s.t_id_seq AS ENUM ()');
  await assert.rejects(sql(engine, 'ALTER TABLE t SET SCHEMA s'), refused);
  // Rows of an index are no type.
  await sql(engine, 'DROP TYPE s.t_id_seq; CREATE TYPE s.i AS ENUM (); ALTER TABLE t SET SCHEMA s');
  assert.deepEqual(names(engine).sort(), ['s.i', 's.i', 's.t', 's.t_id_seq']);
  await engine.close();
});

test('a label is not renamed while somebody follows rows that have it, also from an earlier tick', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    `CREATE TYPE m AS ENUM ('a', 'b'); CREATE TABLE t (id int, l m); CREATE TABLE plain (l m) WITH (retention = '0');
     CREATE VIEW v AS SELECT id, l::text AS l, l IS NULL AS none FROM t; CREATE TYPE other AS ENUM ('a'); CREATE TABLE o (l other);
     INSERT INTO t VALUES (1, 'a'), (2, 'b')`,
  );
  const { tick } = engine.loop;
  const rename = `ALTER TYPE m RENAME VALUE 'a' TO 'c'`;
  for (const followed of [
    't',
    `t AS OF ${tick}`,
    'plain',
    '(SELECT l::text FROM t)',
    '(SELECT l FROM v)',
    '(SELECT max(id) FROM v WHERE none)',
    `(SELECT id, NULL::m[] AS l FROM t)`,
    `(SELECT l::text, count(*) AS n FROM t GROUP BY 1) AS OF ${tick}`,
  ]) {
    const stream = (await new Session(engine).open(`SUBSCRIBE ${followed}`)) ?? assert.fail();
    await assert.rejects(sql(engine, rename), { sqlstate: '0A000', message: /kept up to date/ }, followed);
    await sql(engine, 'DELETE FROM t WHERE id = 2');
    stream.rows.close();
    await sql(engine, `${rename}; ALTER TYPE m RENAME VALUE 'c' TO 'a'`);
  }
  // These have no value of it.
  for (const followed of [
    'o',
    '(SELECT l::text FROM o)',
    '(SELECT id FROM v)',
    `(SELECT count(*) FROM t) AS OF ${tick}`,
  ]) {
    const session = new Session(engine);
    const stream = (await session.open(`SUBSCRIBE ${followed}`)) ?? assert.fail();
    await sql(
      engine,
      `${rename}; INSERT INTO t VALUES (3, 'c'); ALTER TYPE m RENAME VALUE 'c' TO 'a'; INSERT INTO o VALUES ('a')`,
    );
    assert.notEqual((await drain(stream)).length, 0, followed);
    stream.rows.close();
  }
  await engine.close();
});

test('a view that is kept goes on reading its tables beside temporary ones of their names', async () => {
  const engine = await openEngine();
  const { temporary } = await run(engine, 'CREATE TEMP TABLE other (a int)');
  const own = { temporary: temporary as string };
  await sql(engine, 'CREATE TABLE u (a int, b int); CREATE TABLE w (a int, b int)');
  await run(engine, 'CREATE MATERIALIZED VIEW v AS SELECT a FROM u', own);
  await run(engine, 'CREATE MATERIALIZED VIEW x AS SELECT a FROM w', own);
  await run(engine, 'CREATE TEMP TABLE u (a int)', own);
  await run(engine, 'CREATE TEMP TABLE w (z int)', own);
  await sql(engine, 'ALTER TABLE u RENAME TO u2; ALTER TABLE w RENAME TO w2; ALTER TABLE u2 DROP COLUMN b');
  assert.match(engine.catalog.find('public', 'v')?.sql ?? '', /FROM u2 AS u/);
  await assert.rejects(sql(engine, 'ALTER TABLE u2 DROP COLUMN a'), { sqlstate: '2BP01' });
  await sql(engine, 'INSERT INTO u2 VALUES (7); ALTER TABLE u2 RENAME COLUMN a TO c');
  assert.deepEqual(await sql(engine, 'SELECT * FROM v'), [['7']]);
  await engine.close();
});

test('CREATE TABLE AS whose name is taken meanwhile leaves nothing', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (a int)');
  const sessions = [new Session(engine), new Session(engine)];
  for (const session of sessions) await session.run('SELECT * FROM t');
  const made = sessions.map((session) => session.run('CREATE TABLE made AS SELECT * FROM generate_series(1, 5000)'));
  const settled = await Promise.allSettled(made);
  assert.deepEqual(settled.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  for (const oid of engine.loop.relations.keys()) assert.notEqual(engine.catalog.get(oid), undefined);
  await engine.close();
});

test('a CHECK and an index mean the types that they named when a column gets another type', async () => {
  const engine = await openEngine();
  await sql(engine, `CREATE SCHEMA s; CREATE TYPE s.m AS ENUM ('a', 'b'); CREATE TYPE m AS ENUM ('b', 'a')`);
  const inside = { search_path: 's' };
  await run(engine, `CREATE TABLE t (n int CHECK (CASE WHEN n > 5 THEN 'b'::m ELSE 'a'::m END > 'a'::m))`, inside);
  await run(engine, `CREATE INDEX i ON t ((CASE WHEN n > 5 THEN 'b'::m ELSE 'a'::m END))`, inside);
  await sql(engine, 'INSERT INTO s.t VALUES (6); ALTER TABLE s.t ALTER n TYPE bigint; INSERT INTO s.t VALUES (7)');
  await assert.rejects(sql(engine, 'INSERT INTO s.t VALUES (1)'), { sqlstate: '23514' });
  await sql(engine, 'DROP TYPE m');
  await assert.rejects(sql(engine, 'DROP TYPE s.m'), { sqlstate: '2BP01' });
  await sql(engine, 'ALTER TABLE s.t ALTER n TYPE int');
  assert.deepEqual(await sql(engine, 'SELECT n FROM s.t ORDER BY 1'), [['6'], ['7']]);
  await engine.close();
});
