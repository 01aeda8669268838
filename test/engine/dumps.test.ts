/** What pg_dump asks, with an empty search path: texts that restore, and nothing of the server's own among them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, Session, sql } from './harness.ts';

let engine: TidemarkEngine;
/** Functions of the catalogs are asked with the path `public` here, which finds no relation of these. */
let dump: Session;

before(async () => {
  engine = await openEngine();
  engine.system.catalogs = new PgCatalog(engine);
  await sql(engine, 'CREATE SCHEMA s; CREATE SCHEMA r');
  const user = new Session(engine, { search_path: 's, r' });
  for (const statement of [
    'CREATE TABLE t (id serial, a int, b int GENERATED ALWAYS AS (a + 1) STORED)',
    'CREATE TABLE r.p (a int PRIMARY KEY)',
    'CREATE VIEW v AS WITH t2 AS (SELECT * FROM t) SELECT t.a, x.a AS c FROM t JOIN p AS x ON t.a = x.a, t2, s.t AS named',
    'CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM v',
    "CREATE TYPE mood AS ENUM ('sad', 'glad')",
    "CREATE VIEW moods AS SELECT '{sad}'::_mood AS l, NULL::mood[] AS k, 'glad'::mood, '{}'::_int4 AS i",
    "CREATE TABLE felt (a int CHECK (a < cardinality('{sad}'::_mood)), l text DEFAULT '{glad}'::_mood::text)",
  ])
    await user.run(statement);
  dump = new Session(engine, { search_path: 'nowhere' });
});
after(() => engine.close());

test('names in texts of views have their schema where the search path does not find them', async () => {
  const text = async (name: string, session: Session) => {
    return (await session.run(`SELECT pg_get_viewdef('${name}'::regclass)`))[0][0];
  };
  assert.equal(
    await text('s.v', dump),
    ' WITH t2 AS (SELECT * FROM s.t) SELECT t.a, x.a AS c FROM s.t JOIN r.p AS x ON t.a = x.a, t2, s.t AS named;',
  );
  assert.equal(await text('s.m', dump), ' SELECT count(*) AS n FROM s.v;');
});

test('types have theirs, and arrays of them by the name that they were written with', async () => {
  const view = " SELECT '{sad}'::s._mood AS l, NULL::s.mood[] AS k, 'glad'::s.mood, '{}'::_int4 AS i;";
  assert.deepEqual(await dump.run("SELECT pg_get_viewdef('s.moods'::regclass)"), [[view]]);
  await sql(engine, `CREATE VIEW public.moods AS ${view}`);
  for (const name of ['s.moods', 'public.moods'])
    assert.deepEqual(await dump.run(`SELECT l, i FROM ${name}`), [['{sad}', '{}']]);
  assert.deepEqual(
    await dump.run("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'felt_a_check'"),
    [["CHECK ((a < cardinality('{sad}'::s._mood)))"]],
  );
  await dump.run('INSERT INTO s.felt VALUES (0)');
  assert.deepEqual(await dump.run('SELECT * FROM s.felt'), [['0', '{glad}']]);
  dump.transaction.rollback();
  await assert.rejects(sql(engine, 'DROP TYPE s.mood'), { sqlstate: '2BP01' });
  await sql(engine, 'DROP TYPE s.mood CASCADE');
  await assert.rejects(sql(engine, 'SELECT * FROM s.moods'), { sqlstate: '42P01' });
  await sql(engine, 'INSERT INTO s.felt VALUES (9)');
});

test('sequences of defaults have their schema, and expressions no brackets around them, where that is asked', async () => {
  const query = 'SELECT pg_get_expr(adbin, adrelid), pg_get_expr(adbin, adrelid, true) FROM pg_attrdef ORDER BY adnum';
  const named = "nextval('s.t_id_seq'::regclass)";
  assert.deepEqual(await dump.run(query), [
    [named, named],
    ['(a + 1)', 'a + 1'],
  ]);
  const [[found]] = await new Session(engine, { search_path: 's' }).run(query);
  assert.equal(found, "nextval('t_id_seq'::regclass)");
});

test('relations of the server belong to an extension with an OID below those of users', async () => {
  const members = await dump.run(`
    SELECT d.classid::regclass::text, x.extname, x.oid < 16384, count(*) > 0 FROM pg_depend d
    JOIN pg_extension x ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = x.oid AND d.deptype = 'e' GROUP BY 1, 2, 3 ORDER BY 1`);
  assert.deepEqual(members, [
    ['pg_class', 'tidemark', 't', 't'],
    ['pg_namespace', 'tidemark', 't', 't'],
  ]);
  const left = await dump.run(`
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'tidemark'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`);
  assert.deepEqual(left, []);
});

test('what is said of owners and of the disk changes nothing', async () => {
  await sql(engine, 'CREATE ROLE somebody; ALTER SCHEMA s OWNER TO somebody');
  await sql(engine, 'ALTER TABLE s.t OWNER TO somebody, ALTER a SET STATISTICS 100, ALTER a SET STORAGE PLAIN');
});
