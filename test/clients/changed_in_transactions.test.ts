/** COMMENT ON, GRANT, REVOKE and OWNER TO in transactions, of several sessions at once: only the session that does it sees what it has done, until it commits; any other end leaves all as it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type pg from 'pg';
import { overRestarts } from '../durable/over_restarts.ts';
import { Session, sql } from '../engine/harness.ts';
import { refused, rows, serverOfFile, withoutSchemas } from './sessions.ts';

const options = { timeout: 300_000 };
const { connect, endBy } = serverOfFile(withoutSchemas('s'));

test('comments, owners and privileges are of the transaction alone until COMMIT', options, async () => {
  const [a, b, asReader] = [await connect(), await connect(), await connect()];
  await rows(
    a,
    `CREATE ROLE reading; CREATE ROLE owning; CREATE SCHEMA s; CREATE TABLE s.t (a int); INSERT INTO s.t VALUES (1); CREATE VIEW s.v AS SELECT a FROM s.t;
     CREATE TYPE s.mood AS ENUM ('ok'); CREATE SEQUENCE s.q; CREATE FUNCTION s.plus(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1';
     COMMENT ON TABLE s.t IS 'old'; GRANT INSERT ON s.t TO reading; CREATE INDEX i ON s.t (a)`,
  );
  await rows(asReader, 'SET ROLE reading');
  a.notices.length = 0;
  const shown = `SELECT obj_description('s.t'::regclass), col_description('s.t'::regclass, 1), obj_description('s'::regnamespace, 'pg_namespace'),
    obj_description('s.i'::regclass), relacl::text, relowner::regrole::text,
    (SELECT nspacl::text FROM pg_namespace WHERE nspname = 's'), (SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 's'),
    (SELECT typowner::regrole::text FROM pg_type WHERE typname = 'mood'), (SELECT proowner::regrole::text FROM pg_proc WHERE proname = 'plus'),
    (SELECT datacl::text FROM pg_database), has_table_privilege('reading', 's.t', 'SELECT'), has_schema_privilege('reading', 's', 'USAGE'),
    has_database_privilege('reading', current_database(), 'CREATE'), has_sequence_privilege('reading', 's.q', 'USAGE'),
    (SELECT count(*)::int FROM information_schema.table_privileges WHERE grantee = 'reading'), (SELECT tableowner FROM pg_tables WHERE tablename = 't')
    FROM pg_class WHERE oid = 's.t'::regclass`;
  const old = await rows(b, shown);
  const changes = [
    `COMMENT ON TABLE s.t IS 'new'; COMMENT ON COLUMN s.t.a IS 'column'; COMMENT ON SCHEMA s IS 'schema'; COMMENT ON INDEX s.i IS 'index'`,
    'GRANT USAGE ON SCHEMA s TO reading; GRANT SELECT ON ALL TABLES IN SCHEMA s TO reading; REVOKE INSERT ON s.t FROM reading; GRANT USAGE ON SEQUENCE s.q TO reading',
    'GRANT CREATE ON DATABASE db TO reading; ALTER TYPE s.mood OWNER TO owning; ALTER FUNCTION s.plus(int) OWNER TO owning; ALTER TABLE s.t OWNER TO owning',
    'ALTER SCHEMA s OWNER TO owning',
  ];
  const read = (client: pg.Client) => rows(client, 'SELECT a FROM s.v');
  for (const end of ['ROLLBACK', 'ROLLBACK TO p; COMMIT', 'SELECT 1/0', 'DROP TABLE s.t; ROLLBACK', 'cut', 'COMMIT']) {
    const client = end === 'cut' ? await connect() : a;
    await rows(client, 'BEGIN; SAVEPOINT p');
    for (const text of changes) await rows(client, text);
    assert.notDeepEqual(await rows(client, shown), old);
    assert.deepEqual(await rows(b, shown), old);
    // What one role may do, this session knows and no other.
    await rows(client, 'SET LOCAL ROLE reading');
    assert.deepEqual(await rows(client, 'SELECT a FROM s.t'), [[1]]);
    await rows(client, 'SAVEPOINT q');
    await assert.rejects(rows(client, 'INSERT INTO s.t VALUES (2)'), refused('42501'));
    await rows(client, 'ROLLBACK TO q; RESET ROLE');
    await assert.rejects(rows(asReader, 'SELECT a FROM s.t'), refused('42501'));
    for (const text of [
      `COMMENT ON TABLE s.t IS 'other'`,
      'GRANT SELECT ON s.t TO owning',
      'ALTER TABLE s.t ADD COLUMN b int',
      'ALTER TABLE s.t OWNER TO CURRENT_USER',
      'DROP TABLE s.t CASCADE',
      'DROP SCHEMA s CASCADE',
      `COMMENT ON SCHEMA s IS 'other'`,
      'GRANT USAGE ON SCHEMA s TO owning',
      'GRANT CREATE ON DATABASE db TO owning',
      `ALTER TYPE s.mood ADD VALUE 'x'`,
      'CREATE TABLE alike (LIKE s.t INCLUDING COMMENTS)',
      'REASSIGN OWNED BY owning TO reading',
      'DROP OWNED BY reading',
      'DROP ROLE owning',
    ])
      await assert.rejects(rows(b, text), refused('55P03', /by another transaction/), text);
    // Nothing of it is in the way of what does not change it.
    await rows(
      b,
      'CREATE TABLE IF NOT EXISTS s.t (a int); CREATE TABLE s.other (a int); CREATE VIEW s.over AS TABLE s.t',
    );
    await rows(b, 'DROP VIEW s.over; DROP TABLE s.other; INSERT INTO s.t VALUES (2); DELETE FROM s.t WHERE a = 2');
    const seen = await rows(client, shown);
    await endBy(end, client);
    for (const other of [a, b]) assert.deepEqual(await rows(other, shown), end === 'COMMIT' ? seen : old, end);
  }
  assert.deepEqual(a.notices, []);
  assert.deepEqual(await read(asReader), [[1]]);
  await rows(asReader, 'RESET ROLE');
  await rows(a, 'DROP SCHEMA s CASCADE; DROP OWNED BY reading; DROP ROLE reading; DROP ROLE owning');
});

test('GRANT on several is done on all of them or on none', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(a, 'CREATE ROLE reading; CREATE ROLE giving; CREATE TABLE t (a int); CREATE TABLE u (a int)');
  await rows(a, 'GRANT USAGE ON SCHEMA public TO PUBLIC; GRANT SELECT ON t TO giving WITH GRANT OPTION');
  const read = `SELECT has_table_privilege('reading', 't', 'SELECT'), has_table_privilege('reading', 'u', 'SELECT')`;
  await rows(b, `BEGIN; COMMENT ON TABLE u IS 'x'`);
  for (const on of ['t, u', 'ALL TABLES IN SCHEMA public'])
    await assert.rejects(rows(a, `GRANT SELECT ON ${on} TO reading`), refused('55P03'));
  await rows(b, 'COMMIT');
  await rows(a, 'SET ROLE giving');
  await assert.rejects(rows(a, 'GRANT SELECT ON t, u TO reading'), refused('42501'));
  await rows(a, 'RESET ROLE');
  assert.deepEqual(await rows(a, read), [[false, false]]);
  await rows(a, 'GRANT SELECT ON t, u, t TO reading');
  assert.deepEqual(await rows(a, read), [[true, true]]);
  await rows(a, 'DROP TABLE t, u; DROP ROLE reading; DROP ROLE giving');
});

test('what is said of a constraint goes with it', options, async () => {
  const a = await connect();
  await rows(
    a,
    `CREATE TABLE k (a int PRIMARY KEY); CREATE TABLE t (a int NOT NULL CONSTRAINT c CHECK (a > 0), CONSTRAINT f FOREIGN KEY (a) REFERENCES k);
     CREATE TABLE u (a int PRIMARY KEY); CREATE DOMAIN d AS int CONSTRAINT c CHECK (VALUE > 0)`,
  );
  const said = 'SELECT conname, description FROM pg_description JOIN pg_constraint c ON c.oid = objoid ORDER BY 1';
  const comments = `COMMENT ON CONSTRAINT c ON t IS 'check'; COMMENT ON CONSTRAINT f ON t IS 'key'; COMMENT ON CONSTRAINT t_a_not_null ON t IS 'null';
    COMMENT ON CONSTRAINT u_pkey ON u IS 'primary'; COMMENT ON CONSTRAINT c ON DOMAIN d IS 'domain'; COMMENT ON TABLE t IS 'table'`;
  const altered = `ALTER TABLE t DROP CONSTRAINT c, DROP CONSTRAINT f, ALTER a DROP NOT NULL; ALTER TABLE u DROP CONSTRAINT u_pkey; ALTER DOMAIN d DROP CONSTRAINT c;
    ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0), ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES k, ALTER a SET NOT NULL;
    ALTER TABLE u ADD PRIMARY KEY (a); ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0)`;
  for (const inside of [false, true]) {
    const [begin, commit] = inside ? ['BEGIN;', '; COMMIT'] : ['', ''];
    for (const text of `${begin}${comments};${altered}${commit}`.split(';')) await rows(a, text);
    assert.deepEqual(await rows(a, said), [], inside ? 'in a transaction' : 'each alone');
    assert.deepEqual(await rows(a, `SELECT obj_description('t'::regclass)`), [['table']]);
  }
  // A key that goes with what it references.
  await rows(a, `BEGIN; COMMENT ON CONSTRAINT f ON t IS 'key'; DROP TABLE k CASCADE; COMMIT`);
  await rows(a, 'ALTER TABLE t ADD CONSTRAINT other CHECK (a < 9)');
  assert.deepEqual(await rows(a, said), []);
  await rows(a, 'DROP DOMAIN d');
});

test('roles that go in the transaction take with them what it has changed of theirs', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(
    a,
    'CREATE ROLE reading; CREATE ROLE owning; CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE TABLE w (a int)',
  );
  await rows(a, 'GRANT SELECT ON t TO reading; ALTER TABLE u OWNER TO reading');
  const owner = (table: string) => `SELECT relowner::regrole::text FROM pg_class WHERE relname = '${table}'`;
  await rows(a, 'BEGIN; DROP TABLE t; GRANT SELECT ON w TO reading');
  await assert.rejects(rows(a, 'DROP ROLE reading'), refused('2BP01'));
  await rows(a, 'ROLLBACK');
  assert.deepEqual(await rows(b, `SELECT relacl FROM pg_class WHERE relname = 'w'`), [[null]]);
  // As it is done at once, so is what it needs; no more than that.
  await rows(
    a,
    `BEGIN; COMMENT ON TABLE w IS 'x'; REVOKE SELECT ON t FROM reading; ALTER TABLE u OWNER TO owning; DROP ROLE reading; ROLLBACK`,
  );
  assert.deepEqual(await rows(b, owner('u')), [['owning']]);
  assert.deepEqual(await rows(b, `SELECT obj_description('w'::regclass)`), [[null]]);
  await rows(
    a,
    'BEGIN; ALTER TABLE u RENAME TO x; ALTER TABLE w OWNER TO owning; REASSIGN OWNED BY owning TO CURRENT_USER; COMMIT',
  );
  assert.deepEqual(
    [await rows(b, owner('x')), await rows(b, owner('w'))],
    [await rows(b, owner('t')), await rows(b, owner('t'))],
  );
  // A column that an ALTER makes at once is of the owner of by then.
  await rows(a, 'BEGIN; ALTER TABLE w OWNER TO owning; ALTER TABLE w ADD COLUMN n serial; ROLLBACK');
  assert.deepEqual([await rows(b, owner('w')), await rows(b, owner('w_n_seq'))], [[['owning']], [['owning']]]);
  await rows(a, 'DROP TABLE w; DROP ROLE owning');
});

test(
  'a view or a function that is replaced in a transaction is the old one for all others until COMMIT',
  options,
  async () => {
    const [a, b] = [await connect(), await connect()];
    const made = `CREATE ROLE reading; CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE TABLE u (a int); INSERT INTO u VALUES (2);
     CREATE VIEW v AS SELECT a FROM t; CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x + 1';
     GRANT SELECT ON v TO reading; COMMENT ON VIEW v IS 'said'; COMMENT ON FUNCTION f(int) IS 'said'`;
    await rows(a, made);
    a.notices.length = 0;
    const shown = `SELECT (SELECT a FROM v), f(1), relacl::text, obj_description(oid), pg_get_viewdef(oid), (SELECT count(*)::int FROM pg_class WHERE relname = 'v'),
    (SELECT count(*)::int FROM pg_proc WHERE proname = 'f'), obj_description('f(int)'::regprocedure) FROM pg_class WHERE oid = 'v'::regclass`;
    const [old] = await rows(b, shown);
    assert.deepEqual(old.slice(0, 2), [1, 2]);
    const replace = [
      'CREATE OR REPLACE VIEW v AS SELECT a FROM u',
      `CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x + 10'`,
      'SAVEPOINT p',
      'CREATE OR REPLACE VIEW v AS SELECT a + 1 AS a FROM u',
      `COMMENT ON VIEW v IS 'more'`,
      'ROLLBACK TO p',
      'DROP TABLE t',
    ];
    for (const end of ['ROLLBACK', 'SELECT 1/0', 'cut', 'COMMIT']) {
      const client = end === 'cut' ? await connect() : a;
      await rows(client, 'BEGIN');
      for (const text of replace) await rows(client, text);
      const [seen] = await rows(client, shown);
      assert.deepEqual([seen.slice(0, 2), seen.slice(2, 4), seen.slice(5)], [[2, 11], old.slice(2, 4), old.slice(5)]);
      assert.deepEqual(await rows(b, shown), [old]);
      for (const text of [
        'CREATE OR REPLACE VIEW v AS SELECT 7 AS a',
        'CREATE VIEW w AS TABLE v',
        'DROP TABLE u CASCADE',
        'DROP VIEW v',
      ])
        await assert.rejects(rows(b, text), refused('55P03', /by another transaction/), text);
      await endBy(end, client);
      for (const other of [a, b]) assert.deepEqual(await rows(other, shown), end === 'COMMIT' ? [seen] : [old], end);
    }
    assert.deepEqual(a.notices, []);
    // An ALTER is done at once: with what it needs, all have the new view, and at no time none.
    await rows(
      a,
      'BEGIN; CREATE OR REPLACE VIEW v AS SELECT 3 AS a; SAVEPOINT p; CREATE OR REPLACE VIEW v AS SELECT 4 AS a; ALTER TABLE u ADD COLUMN b int',
    );
    assert.deepEqual(await rows(b, 'TABLE v'), [[4]]);
    await rows(a, 'ROLLBACK');
    assert.deepEqual(await rows(b, 'TABLE v'), [[4]]);
    await rows(
      a,
      `CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE feels (m mood, n int); CREATE OR REPLACE VIEW v AS SELECT n AS a FROM feels WHERE m = 'ok'`,
    );
    await rows(a, 'BEGIN; CREATE OR REPLACE VIEW v AS SELECT 5 AS a; DROP TYPE mood CASCADE; ROLLBACK');
    assert.deepEqual(await rows(b, 'TABLE v'), [[5]]);
    // What is read is replaced at once.
    a.notices.length = 0;
    await rows(a, 'CREATE VIEW w AS TABLE v');
    await rows(a, 'BEGIN; CREATE OR REPLACE VIEW v AS SELECT 6 AS a; ROLLBACK');
    assert.deepEqual(a.notices, [
      'WARNING: view "v" was there before the transaction: what is done to it is done at once',
    ]);
    assert.deepEqual(await rows(b, 'TABLE w'), [[6]]);
    await rows(a, 'DROP VIEW v CASCADE; DROP ROLE reading');
  },
);

test('what was replaced in transactions is there after every start, if it was committed', options, async () => {
  const shown = `SELECT (SELECT a FROM v), f(1), relacl::text, obj_description(oid) FROM pg_class WHERE relname = 'v'`;
  const made = `CREATE ROLE reading; CREATE VIEW v AS SELECT 1 AS a; GRANT SELECT ON v TO reading; COMMENT ON VIEW v IS 'said';
    CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x + 1'`;
  let round = 0;
  const engine = await overRestarts(made, async (engine, how) => {
    const a = round === 0 ? '1' : String(10 + round);
    assert.deepEqual(
      await sql(engine, shown),
      [[a, a === '1' ? '2' : String(11 + round), '{tidemark=arwdDxt/tidemark,reading=r/tidemark}', 'said']],
      how,
    );
    for (const ends of [false, true]) {
      if (ends) round++;
      const session = new Session(engine, {}, true);
      const n = ends ? 10 + round : 99;
      await session.run(`CREATE OR REPLACE VIEW v AS SELECT 98 AS a`);
      session.transaction.savepoint('p');
      await session.run(`CREATE OR REPLACE VIEW v AS SELECT ${n} AS a`);
      await session.run(`CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x + ${n}'`);
      if (ends) await session.transaction.commit();
      else session.transaction.rollback();
    }
    const left = new Session(engine, {}, true);
    await left.run('CREATE OR REPLACE VIEW v AS SELECT 97 AS a');
  });
  await engine.close();
});

test('what is changed in transactions is there after every start, if it was committed', options, async () => {
  const shown = `SELECT relname || ' ' || relowner::regrole || ' ' || coalesce(relacl::text, '') || ' ' || coalesce(obj_description(oid), '') FROM pg_class
     WHERE relname IN ('t', 'old', 'made', 'w') UNION ALL SELECT 'schema ' || nspowner::regrole || ' ' || obj_description(oid, 'pg_namespace') || coalesce(nspacl::text, '') FROM pg_namespace WHERE nspname = 's'
     UNION ALL SELECT 'database ' || datacl::text FROM pg_database ORDER BY 1`;
  const made =
    'CREATE ROLE reading; CREATE ROLE owning; CREATE ROLE going; CREATE SCHEMA s; CREATE TABLE t (a int); CREATE TABLE w (a int); GRANT SELECT ON t TO going';
  let known: unknown = null;
  const engine = await overRestarts(made, async (engine, how) => {
    if (known !== null) assert.deepEqual(await sql(engine, shown), known, how);
    assert.equal(engine.catalog.hasOpen, false);
    const run = async (session: Session, texts: string[]) => {
      for (const text of texts) await session.run(text);
    };
    if (how === 'first') {
      const a = new Session(engine, {}, true);
      await run(a, [
        'ALTER TABLE t RENAME TO old',
        'GRANT SELECT, INSERT ON old TO reading',
        'CREATE TABLE made (a int)',
      ]);
      await run(a, [`COMMENT ON TABLE old IS 'x'`, `COMMENT ON SCHEMA s IS 'y'`, 'ALTER SCHEMA s OWNER TO owning']);
      a.transaction.savepoint('p');
      await run(a, [
        'REVOKE ALL ON old FROM reading',
        `COMMENT ON TABLE old IS NULL`,
        'ALTER TABLE made OWNER TO reading',
      ]);
      a.transaction.rollbackTo('p');
      await run(a, [
        'ALTER TABLE made OWNER TO owning',
        `COMMENT ON TABLE made IS 'z'`,
        'REVOKE SELECT ON old FROM going',
      ]);
      a.transaction.release('p');
      await run(a, ['GRANT SELECT ON made TO reading', 'GRANT CREATE ON DATABASE tidemark TO reading']);
      await a.transaction.commit();
      await sql(engine, 'DROP ROLE going');
      known = await sql(engine, shown);
      assert.deepEqual(known, [
        ['database {=Tc/tidemark,tidemark=CTc/tidemark,reading=C/tidemark}'],
        ['made owning {owning=arwdDxt/owning,reading=r/owning} z'],
        ['old tidemark {tidemark=arwdDxt/tidemark,reading=ar/tidemark} x'],
        ['schema owning y'],
        ['w tidemark  '],
      ]);
    }
    // What never ends.
    const left = new Session(engine, {}, true);
    await run(left, [
      `COMMENT ON TABLE w IS 'lost'`,
      'GRANT SELECT ON w TO reading',
      'ALTER TABLE old OWNER TO reading',
    ]);
  });
  await engine.close();
});
