/** COMMENT ON, GRANT, REVOKE and OWNER TO in transactions, of several sessions at once: only the session that does it sees what it has done, until it commits; any other end leaves all as it was. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type pg from 'pg';
import { overRestarts } from '../durable/over_restarts.ts';
import { Session, sql } from '../engine/harness.ts';
import { type ClientServer, startServer, until } from './server.ts';
import { cut, OpenClients, refused, rows } from './sessions.ts';

const options = { timeout: 300_000 };
let server: ClientServer;
const clients = new OpenClients(() => server.config);
const { connect } = clients;

before(async () => {
  server = await startServer();
});
after(() => server.close());
afterEach(async () => {
  await clients.end();
  await until('nothing is open', () => !server.running.engine.catalog.hasOpen);
  const admin = await connect();
  await rows(admin, 'DROP SCHEMA IF EXISTS s CASCADE');
  await rows(admin, 'DROP SCHEMA public CASCADE');
  await rows(admin, 'CREATE SCHEMA public');
  await clients.end();
});

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
    if (end === 'cut') {
      cut(client);
      await until('nothing is open', () => !server.running.engine.catalog.hasOpen);
    } else await rows(client, end).catch(() => rows(client, 'ROLLBACK'));
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

test('what is changed in transactions is there after every start, if it was committed', options, async () => {
  const shown = `SELECT relname || ' ' || relowner::regrole || ' ' || coalesce(relacl::text, '') || ' ' || coalesce(obj_description(oid), '') FROM pg_class
     WHERE relname IN ('t', 'old', 'made', 'w') UNION ALL SELECT 'schema ' || nspowner::regrole || ' ' || obj_description(oid, 'pg_namespace') || coalesce(nspacl::text, '') FROM pg_namespace WHERE nspname = 's'
     UNION ALL SELECT 'database ' || datacl::text FROM pg_database ORDER BY 1`;
  const made =
    'CREATE ROLE reading; CREATE ROLE owning; CREATE ROLE going; CREATE SCHEMA s; CREATE TABLE t (a int); CREATE TABLE w (a int); GRANT SELECT ON t TO going';
  let known: unknown = null;
  await overRestarts(made, async (engine, how) => {
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
});
