/** DROP in transactions, of several sessions at once: what one drops is there for all others, and their rows go into it, until it commits; any other end leaves it as it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type pg from 'pg';
import { overRestarts } from '../durable/over_restarts.ts';
import { Session, sql } from '../engine/harness.ts';
import { until } from './server.ts';
import { cut, refused, rows, serverOfFile, withoutSchemas } from './sessions.ts';

const options = { timeout: 300_000 };
const file = serverOfFile(withoutSchemas('s'));
const { connect } = file;

const MADE = `
  CREATE SCHEMA s;
  CREATE TYPE s.mood AS ENUM ('ok');
  CREATE DOMAIN s.few AS int CHECK (VALUE < 10);
  CREATE FUNCTION s.plus(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
  CREATE TABLE s.t (id serial PRIMARY KEY, m s.mood DEFAULT 'ok', f s.few, b text UNIQUE);
  CREATE TABLE s.child (a int REFERENCES s.t);
  CREATE INDEX by_a ON s.child (a);
  CREATE SEQUENCE s.counter;
  CREATE VIEW s.plain AS SELECT id, s.plus(id) AS next FROM s.t;
  CREATE MATERIALIZED VIEW s.kept AS SELECT count(*) AS n FROM s.t;
  CREATE SUBSCRIPTION followed FOR s.kept;
  CREATE SINK out FROM s.kept WITH (connector = 'blackhole');
  CREATE STREAM s.local (at timestamp, WATERMARK FOR at AS at - INTERVAL '1 second');
  COMMENT ON TABLE s.t IS 'said';
  INSERT INTO s.t (f, b) VALUES (1, 'x');
  INSERT INTO s.child VALUES (1)`;

async function listed(client: pg.Client): Promise<unknown[]> {
  const found = await rows(
    client,
    `SELECT 'class ' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname IN ('public', 's')
     UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname IN ('public', 's')
     UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typtype IN ('e', 'd') AND typname IN ('mood', 'few')
     UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE proname = 'plus'
     UNION ALL SELECT 'constraint ' || conname FROM pg_constraint WHERE conname IN ('t_pkey', 't_b_key', 'child_a_fkey')
     UNION ALL SELECT 'default ' || column_default FROM information_schema.columns WHERE table_schema IN ('public', 's')
     UNION ALL SELECT 'comment ' || description FROM pg_description WHERE description = 'said'
     UNION ALL SELECT 'view ' || name FROM tidemark.views
     UNION ALL SELECT 'subscription ' || name FROM tidemark.subscriptions
     UNION ALL SELECT 'sink ' || name FROM tidemark.sinks
     ORDER BY 1`,
  );
  return found.flat();
}

const DROPS = [
  'DROP SCHEMA s CASCADE',
  'DROP SINK out; DROP SUBSCRIPTION followed; DROP MATERIALIZED VIEW s.kept; DROP VIEW s.plain; DROP FUNCTION s.plus; DROP TABLE s.child, s.t; DROP STREAM s.local; DROP SEQUENCE s.counter; DROP TYPE s.mood; DROP DOMAIN s.few; DROP SCHEMA s',
  'DROP TABLE s.t CASCADE',
  'DROP INDEX s.by_a; DROP VIEW s.plain; DROP SEQUENCE s.counter; DROP SEQUENCE s.t_id_seq CASCADE',
  'DROP OWNED BY owning CASCADE',
];

test('what goes in a transaction goes with its COMMIT alone', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(a, 'CREATE ROLE owning');
  await rows(a, MADE);
  await rows(a, 'ALTER TABLE s.child OWNER TO owning');
  const before = await listed(a);
  assert.ok(before.length > 20);
  const ends: [string, (client: pg.Client) => Promise<unknown>][] = [
    ['ROLLBACK', (client) => rows(client, 'ROLLBACK')],
    ['an error', (client) => rows(client, 'SELECT 1/0').catch(() => rows(client, 'COMMIT'))],
    ['ROLLBACK TO', (client) => rows(client, 'ROLLBACK TO here; COMMIT')],
    ['a lost connection', async (client) => cut(client)],
  ];
  for (const [i, drop] of DROPS.entries()) {
    // The first in all ways, the others in one each.
    for (const [how, end] of i === 0 ? ends : [ends[i % ends.length]]) {
      const client = await connect();
      await rows(client, 'BEGIN; INSERT INTO s.t (f, b) VALUES (2, 7); SAVEPOINT here');
      await rows(client, drop);
      assert.notDeepEqual(await listed(client), before, drop);
      assert.deepEqual(await listed(b), before, drop);
      assert.deepEqual(
        client.notices.filter((text) => text.includes('at once') && !text.includes('granted')),
        [],
        drop,
      );
      await end(client);
      await file.nothingOpen();
      assert.deepEqual(await listed(b), before, `${drop}, ${how}`);
      const kept = how === 'ROLLBACK TO' ? 1 : 0;
      assert.deepEqual(await rows(b, 'SELECT n::int FROM s.kept'), [[1 + kept]], `${drop}, ${how}`);
      await rows(b, 'DELETE FROM s.t WHERE f = 2');
    }
  }
  for (const drop of DROPS) {
    await rows(a, 'BEGIN');
    await rows(a, drop);
    const within = await listed(a);
    await rows(a, 'COMMIT');
    assert.deepEqual([await listed(a), await listed(b)], [within, within], drop);
    await rows(a, 'DROP SCHEMA IF EXISTS s CASCADE');
    await rows(a, MADE);
    await rows(a, 'ALTER TABLE s.child OWNER TO owning');
  }
  await rows(a, 'DROP SCHEMA s CASCADE');
  await rows(a, 'DROP ROLE owning');
});

test('the name is free for the transaction, and everybody has one of the two', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(a, `CREATE TABLE t (id serial PRIMARY KEY, v text UNIQUE); INSERT INTO t (v) VALUES ('old')`);
  const kept = { name: 'kept', text: 'SELECT v FROM t', rowMode: 'array' };
  const read = async (client: pg.Client) => (await client.query(kept as pg.QueryArrayConfig)).rows;
  for (const client of [a, b]) assert.deepEqual(await read(client), [['old']]);
  for (const end of ['ROLLBACK', 'COMMIT']) {
    await rows(a, `BEGIN; DROP TABLE t; CREATE TABLE t (v text UNIQUE, id serial PRIMARY KEY)`);
    await rows(a, `INSERT INTO t (v) VALUES ('new'); CREATE VIEW over AS SELECT v FROM t`);
    assert.deepEqual([await read(a), await read(b)], [[['new']], [['old']]]);
    assert.deepEqual(await rows(a, `SELECT relname FROM pg_class WHERE relname LIKE 't\\_%' ORDER BY 1`), [
      ['t_id_seq'],
      ['t_pkey'],
      ['t_v_key'],
    ]);
    await rows(a, 'SAVEPOINT p; DROP TABLE t CASCADE; CREATE TABLE t (v int); INSERT INTO t VALUES (7)');
    assert.deepEqual([await rows(a, 'TABLE t'), await read(b)], [[[7]], [['old']]]);
    await rows(a, 'ROLLBACK TO p');
    assert.deepEqual([await read(a), await rows(a, 'TABLE over')], [[['new']], [['new']]]);
    await rows(a, end);
    const left = end === 'COMMIT' ? [['new']] : [['old']];
    assert.deepEqual([await read(a), await read(b)], [left, left]);
  }
  // A schema of the same name has its own owner and comment.
  await rows(a, `CREATE SCHEMA s; COMMENT ON SCHEMA s IS 'old'; CREATE TABLE s.t (a int); CREATE ROLE other`);
  const owner = `SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 's'`;
  const [[before]] = await rows(b, owner);
  await rows(a, 'BEGIN; DROP SCHEMA s CASCADE; CREATE SCHEMA s AUTHORIZATION other; CREATE TABLE s.t (b text)');
  assert.deepEqual([await rows(a, owner), await rows(b, owner)], [[['other']], [[before]]]);
  await rows(b, 'INSERT INTO s.t VALUES (1)');
  await rows(a, 'COMMIT');
  assert.deepEqual([await rows(b, owner), await rows(b, 'TABLE s.t')], [[['other']], []]);
  await rows(a, 'DROP SCHEMA s CASCADE');
  await rows(a, 'DROP ROLE other');
});

test('statements of others meanwhile', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(a, MADE);
  await rows(a, 'BEGIN; DROP SCHEMA s CASCADE');
  // What PostgreSQL's locks would make them wait for.
  for (const text of [
    'DROP TABLE s.child',
    'DROP TABLE s.t CASCADE',
    'DROP SCHEMA s CASCADE',
    'DROP TYPE s.mood CASCADE',
    'DROP FUNCTION s.plus',
    'ALTER TABLE s.t ADD COLUMN more int',
    'ALTER TABLE s.t RENAME TO other',
    'ALTER TABLE s.t OWNER TO CURRENT_USER',
    `COMMENT ON TABLE s.t IS 'x'`,
    `ALTER TYPE s.mood ADD VALUE 'sad'`,
    'CREATE INDEX ON s.t (b)',
    'CREATE VIEW over AS SELECT id FROM s.t',
    'CREATE MATERIALIZED VIEW over AS SELECT id FROM s.t',
    'CREATE TABLE copied AS SELECT id FROM s.t',
    'CREATE TABLE referencing (a int REFERENCES s.t)',
    'CREATE TABLE of_type (a s.mood)',
    'CREATE TABLE s.other (a int)',
    'CREATE TABLE s.t (a int)',
    'GRANT SELECT ON s.t TO PUBLIC',
    'CREATE SUBSCRIPTION other FOR s.kept',
    `CREATE SINK other FROM s.kept WITH (connector = 'blackhole')`,
    'CREATE OR REPLACE VIEW s.plain AS SELECT id, 1 AS next FROM s.t',
  ])
    await assert.rejects(rows(b, text), refused('55P03', /by another transaction/), text);
  for (const text of ['CREATE TABLE none.t (a int)', 'CREATE STREAM none.t (at timestamp, WATERMARK FOR at AS at)'])
    await assert.rejects(rows(b, text), refused('3F000'), text);
  // Nothing is left of what was refused.
  const { loop, localStreams, catalog } = file.server.running.engine;
  const left = [...loop.relations.keys(), ...localStreams.keys()].filter((oid) => catalog.get(oid) === undefined);
  assert.deepEqual(left, []);
  // They read and write.
  await rows(b, `INSERT INTO s.t (f, b) VALUES (2, 'y'); INSERT INTO s.child VALUES (2)`);
  await assert.rejects(rows(b, 'DELETE FROM s.t'), refused('23503'));
  await assert.rejects(rows(b, `INSERT INTO s.t (b) VALUES ('y')`), refused('23505'));
  assert.deepEqual(await rows(b, 'SELECT n::int FROM s.kept'), [[2]]);
  await rows(a, 'ROLLBACK');
  assert.deepEqual(await rows(b, 'SELECT n::int FROM s.kept'), [[2]]);
  // Rows that were not committed when it went.
  await rows(b, `BEGIN; INSERT INTO s.child VALUES (1)`);
  await rows(a, 'BEGIN; DROP TABLE s.child; DELETE FROM s.t; COMMIT');
  await assert.rejects(rows(b, 'COMMIT'), refused('42P01'));
  assert.deepEqual(await rows(b, 'SELECT n::int FROM s.kept'), [[0]]);
  // What a statement of before comes to need.
  await rows(a, 'CREATE TABLE old (a int); BEGIN; DROP TYPE s.mood CASCADE');
  await rows(a, 'ROLLBACK');
});

test('in the transaction it holds nothing: keys, references, defaults', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(
    a,
    `CREATE TABLE parent (id int PRIMARY KEY, b text); CREATE UNIQUE INDEX one ON parent (b); INSERT INTO parent VALUES (1, 'x');
     CREATE TABLE child (a int REFERENCES parent ON DELETE CASCADE, n serial); INSERT INTO child VALUES (1)`,
  );
  await rows(a, `BEGIN; DROP INDEX one; INSERT INTO parent VALUES (2, 'x')`);
  await assert.rejects(rows(b, `INSERT INTO parent VALUES (3, 'x')`), refused('23505'));
  await rows(a, 'COMMIT');
  assert.deepEqual(await rows(b, 'SELECT id FROM parent ORDER BY id'), [[1], [2]]);
  await rows(a, 'BEGIN; DROP TABLE child; DELETE FROM parent WHERE id = 1');
  await rows(b, 'INSERT INTO child VALUES (1)');
  await rows(a, 'COMMIT');
  await assert.rejects(rows(b, 'TABLE child'), refused('42P01'));
  await rows(a, 'CREATE TABLE child (a int REFERENCES parent, n serial)');
  await rows(a, 'BEGIN; DROP TABLE parent CASCADE; INSERT INTO child VALUES (9); DROP SEQUENCE child_n_seq CASCADE');
  await assert.rejects(rows(b, 'INSERT INTO child VALUES (9)'), refused('23503'));
  await rows(a, 'INSERT INTO child VALUES (10)').catch((error: pg.DatabaseError) => assert.equal(error.code, '23502'));
  await rows(a, 'ROLLBACK');
  await assert.rejects(rows(a, 'INSERT INTO child VALUES (9)'), refused('23503'));
});

test('an ALTER is done at once with what was dropped before it, and says so', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(a, 'CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT a FROM t');
  await rows(a, 'BEGIN; DROP VIEW v; ALTER TABLE t ALTER COLUMN a TYPE text; CREATE VIEW v AS SELECT a FROM t');
  assert.deepEqual(a.notices, [
    'WARNING: table "t" was there before the transaction: what is done to it is done at once',
  ]);
  await rows(a, 'COMMIT');
  assert.deepEqual(await rows(b, 'TABLE v'), [['1']]);
});

test('a swap of names is one moment for all others', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(
    a,
    `CREATE TABLE t (v text); INSERT INTO t VALUES ('old'); CREATE TABLE new (v text, n int); INSERT INTO new VALUES ('new', 1);
     CREATE TABLE child (a int); CREATE VIEW over AS SELECT v FROM t; CREATE INDEX i ON t (v); CREATE SEQUENCE q`,
  );
  // A view says the name: at once, and it says so.
  await rows(a, 'BEGIN; ALTER TABLE t RENAME TO named; ROLLBACK');
  assert.deepEqual(a.notices, [
    'WARNING: table "named" was there before the transaction: what is done to it is done at once',
  ]);
  await rows(a, 'ALTER TABLE named RENAME TO t; DROP VIEW over');
  a.notices.length = 0;
  const kept = { name: 'kept', text: 'SELECT v FROM t', rowMode: 'array' };
  const read = async (client: pg.Client) => (await client.query(kept as pg.QueryArrayConfig)).rows;
  const named = `SELECT relname FROM pg_class WHERE relname IN ('t', 'old', 'new', 'i', 'j', 'q', 'r') ORDER BY 1`;
  const before = await rows(b, named);
  for (const end of ['ROLLBACK', 'SELECT 1/0', 'COMMIT']) {
    await rows(a, 'BEGIN; ALTER TABLE t RENAME TO old; SAVEPOINT p; ALTER TABLE old RENAME TO older; ROLLBACK TO p');
    await rows(a, 'ALTER TABLE new RENAME TO t; ALTER INDEX i RENAME TO j; ALTER SEQUENCE q RENAME TO r');
    await rows(a, `INSERT INTO t VALUES ('more'); CREATE VIEW over AS SELECT v FROM old; CREATE INDEX ON old (v)`);
    assert.deepEqual([await read(a), await read(b)], [[['new'], ['more']], [['old']]]);
    assert.deepEqual(await rows(a, 'TABLE over'), [['old']]);
    assert.deepEqual(await rows(a, named), [['j'], ['old'], ['r'], ['t']]);
    assert.deepEqual(await rows(b, named), before);
    assert.deepEqual(await rows(a, `SELECT to_regclass('new')::text, 't'::regclass::text, to_regclass('old')::text`), [
      [null, 't', 'old'],
    ]);
    for (const text of [
      'CREATE TABLE old (a int)',
      'ALTER TABLE t ADD COLUMN x int',
      'DROP TABLE new',
      'CREATE VIEW other AS SELECT v FROM t',
      'ALTER TABLE t RENAME TO other',
      'CREATE SEQUENCE r',
      'ALTER TABLE child RENAME TO old',
    ])
      await assert.rejects(rows(b, text), refused('55P03', /by another transaction/), text);
    await rows(b, `INSERT INTO t VALUES ('meanwhile'); DELETE FROM t WHERE v = 'meanwhile'`);
    await rows(a, end).catch(() => rows(a, 'ROLLBACK'));
    assert.deepEqual(a.notices, []);
    if (end !== 'COMMIT')
      assert.deepEqual([await rows(a, named), await read(a), await read(b)], [before, [['old']], [['old']]]);
  }
  for (const client of [a, b]) {
    assert.deepEqual(await rows(client, named), [['j'], ['old'], ['r'], ['t']]);
    assert.deepEqual([await read(client), await rows(client, 'TABLE over')], [[['new'], ['more']], [['old']]]);
  }
  // With a table that goes, and what is done at once to a table that has a new name.
  await rows(
    a,
    'BEGIN; DROP TABLE old CASCADE; ALTER TABLE t RENAME TO old; ALTER TABLE old ADD COLUMN x int DEFAULT 7',
  );
  assert.deepEqual(a.notices, [
    'NOTICE: drop cascades to view over',
    'WARNING: table "old" was there before the transaction: what is done to it is done at once',
  ]);
  await rows(a, 'ROLLBACK');
  assert.deepEqual(await rows(b, 'SELECT v, x FROM old'), [
    ['new', 7],
    ['more', 7],
  ]);
});

test(
  'what is done at once takes with it what was dropped under its names: ROLLBACK loses nothing else',
  options,
  async () => {
    const [a, b] = [await connect(), await connect()];
    // A table of before goes into the schema that the transaction has made anew.
    await rows(a, `CREATE SCHEMA s; CREATE TABLE s.old (a int); CREATE TABLE t (a int); INSERT INTO t VALUES (1)`);
    await rows(a, 'CREATE DOMAIN few AS int; CREATE FUNCTION one() RETURNS int LANGUAGE sql IMMUTABLE RETURN 1');
    await rows(a, 'BEGIN; DROP SCHEMA s CASCADE; CREATE SCHEMA s; ALTER TABLE t SET SCHEMA s');
    await rows(a, 'ALTER DOMAIN few SET SCHEMA s; ALTER FUNCTION one() SET SCHEMA s; ROLLBACK');
    assert.deepEqual(await rows(b, 'SELECT a, s.one(), 2::s.few FROM s.t'), [[1, 1, 2]]);
    await rows(a, 'BEGIN; DROP SCHEMA s CASCADE; CREATE SCHEMA s; CREATE TABLE s.t (a int); COMMIT');
    // A view of before comes to read what is in it, and what has got the name of something dropped.
    await rows(
      a,
      'CREATE VIEW v AS SELECT 1 AS a; CREATE VIEW w AS TABLE v; CREATE TABLE t (a int); CREATE TABLE new (a int)',
    );
    await rows(
      a,
      'BEGIN; DROP SCHEMA s CASCADE; CREATE SCHEMA s; CREATE TABLE s.t (a int); CREATE VIEW s.v AS TABLE s.t',
    );
    await rows(a, 'CREATE OR REPLACE VIEW v AS TABLE s.v; ROLLBACK');
    assert.deepEqual(await rows(b, 'TABLE v'), []);
    await rows(a, 'BEGIN; DROP TABLE t; ALTER TABLE new RENAME TO t; CREATE OR REPLACE VIEW v AS TABLE t; ROLLBACK');
    const named = `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1`;
    assert.deepEqual(await rows(b, named), [['t'], ['v'], ['w']]);
    const spaces = `SELECT count(*)::int FROM pg_namespace WHERE nspname = 's'`;
    assert.deepEqual(await rows(b, spaces), [[1]]);
  },
);

test('privileges on what has a new name are there after a start', options, async () => {
  const granted = `SELECT relname || ' ' || relacl::text FROM pg_class WHERE relname IN ('t', 'old', 'more') ORDER BY 1`;
  const made = `CREATE ROLE reading; CREATE TABLE t (a int); CREATE TABLE new (a int)`;
  await overRestarts(made, async (engine, how) => {
    if (how !== 'first') {
      const found = (await sql(engine, granted)).map(([text]) => String(text).replace(/\{.*,/, ''));
      assert.deepEqual(found, ['more reading=r/tidemark}', 'old reading=ar/tidemark}', 't reading=r/tidemark}'], how);
      return;
    }
    const a = new Session(engine, {}, true);
    for (const text of ['ALTER TABLE t RENAME TO old', 'ALTER TABLE new RENAME TO t', 'GRANT INSERT ON old TO reading'])
      await a.run(text);
    await a.run('CREATE TABLE made (a int)');
    a.transaction.savepoint('p');
    await a.run('ALTER TABLE made RENAME TO more');
    await a.run('GRANT SELECT ON ALL TABLES IN SCHEMA public TO reading');
    await a.transaction.commit();
  });
});

test('a schema that is made anew has its own comment and default privileges', options, async () => {
  const [a, b] = [await connect(), await connect()];
  const made = `CREATE SCHEMA s; COMMENT ON SCHEMA s IS 'old'; ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO reading`;
  await rows(a, `CREATE ROLE reading; CREATE ROLE writing; ${made}`);
  const shown = `SELECT obj_description(n.oid, 'pg_namespace'), defaclacl::text FROM pg_namespace n
     LEFT JOIN pg_default_acl ON defaclnamespace = n.oid WHERE nspname = 's'`;
  const acl = `SELECT relacl::text FROM pg_class WHERE oid = 's.t'::regclass`;
  const [[, before]] = await rows(b, shown);
  for (const end of ['ROLLBACK', 'COMMIT']) {
    await rows(a, 'BEGIN; DROP SCHEMA s CASCADE; CREATE SCHEMA s; CREATE TABLE s.t (a int)');
    assert.deepEqual([await rows(a, shown), await rows(a, acl)], [[[null, null]], [[null]]]);
    a.notices.length = 0;
    await rows(
      a,
      `COMMENT ON SCHEMA s IS 'new'; ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT INSERT ON TABLES TO writing`,
    );
    assert.deepEqual(a.notices, []);
    assert.deepEqual(await rows(b, shown), [['old', before]]);
    const [[said, given]] = await rows(a, shown);
    assert.equal(said, 'new');
    assert.match(String(given), /^\{writing=a/);
    await rows(a, end);
    assert.deepEqual(await rows(b, shown), [end === 'COMMIT' ? [said, given] : ['old', before]]);
  }
  // A role goes at once, and what it owns or was granted with it.
  await rows(a, 'BEGIN; DROP SCHEMA s CASCADE; CREATE SCHEMA s AUTHORIZATION reading; CREATE ROLE owning');
  await rows(a, 'REASSIGN OWNED BY reading TO owning; DROP ROLE reading; DROP ROLE writing; COMMIT');
  assert.deepEqual(await rows(b, `SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 's'`), [['owning']]);
  await rows(a, 'CREATE ROLE reading; CREATE TABLE t (a int); GRANT SELECT ON t TO reading');
  await rows(a, 'BEGIN; DROP TABLE t; DROP ROLE reading; DROP SCHEMA s; DROP ROLE owning; COMMIT');
});

test('temporary tables', options, async () => {
  for (const end of ['ROLLBACK', 'COMMIT', 'DISCARD TEMP; ROLLBACK', 'cut']) {
    const client = await connect();
    await rows(client, `CREATE TABLE t (v text); INSERT INTO t VALUES ('lasting')`);
    await rows(
      client,
      `CREATE TEMP TABLE t (v text); INSERT INTO t VALUES ('temporary'); CREATE TEMP TABLE other (v text)`,
    );
    await rows(client, 'BEGIN; ALTER TABLE other RENAME TO another; DROP TABLE t');
    assert.deepEqual(await rows(client, 'TABLE t'), [['lasting']]);
    if (end === 'cut') cut(client);
    else {
      await rows(client, end);
      assert.deepEqual(await rows(client, 'TABLE t'), [[end === 'ROLLBACK' ? 'temporary' : 'lasting']]);
      await rows(client, 'DISCARD TEMP');
    }
    const { catalog } = file.server.running.engine;
    await until('its schema is gone', () => catalog.schemas.every((name) => !name.startsWith('pg_temp')));
    await rows(await connect(), 'DROP TABLE t');
  }
});
