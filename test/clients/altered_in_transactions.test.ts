/** ALTER TABLE in transactions, of tables that were there before, of several sessions at once: only the session that alters sees it, until it commits; any other end leaves the tables as they were. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overRestarts } from '../durable/over_restarts.ts';
import { openEngine, Session, sql } from '../engine/harness.ts';
import { refused, rows, serverOfFile, withoutSchemas } from './sessions.ts';

const options = { timeout: 300_000 };
const { connect, endBy } = serverOfFile(withoutSchemas('s'));

const shown = `SELECT (SELECT array_agg(attname || ' ' || attnotnull || ' ' || coalesce(pg_get_expr(adbin, adrelid), '') ORDER BY attnum)::text
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 't'::regclass AND attnum > 0),
  (SELECT array_agg(conname || ' ' || pg_get_constraintdef(c.oid) || coalesce(obj_description(c.oid, 'pg_constraint'), '') ORDER BY conname)::text
    FROM pg_constraint c WHERE conrelid = 't'::regclass),
  (SELECT string_agg(is_nullable || coalesce(column_default, ''), ',' ORDER BY ordinal_position) FROM information_schema.columns WHERE table_name = 't')`;

test('defaults, NOT NULL and CHECKs are of the transaction alone until COMMIT', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(
    a,
    `CREATE TABLE k (a int PRIMARY KEY); INSERT INTO k VALUES (1), (2); CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT 1 CONSTRAINT f REFERENCES k, b int NOT NULL DEFAULT 2, c int CONSTRAINT small CHECK (c < 10));
     COMMENT ON CONSTRAINT small ON t IS 'said'`,
  );
  a.notices.length = 0;
  const old = await rows(b, shown);
  const changes = [
    'ALTER TABLE t ALTER a SET DEFAULT 5, ALTER b DROP NOT NULL, ALTER b DROP DEFAULT',
    'ALTER TABLE t DROP CONSTRAINT small, DROP CONSTRAINT f',
    'SAVEPOINT p; ALTER TABLE t ALTER a SET DEFAULT 7, ADD CHECK (a > 100); ROLLBACK TO p',
    'ALTER TABLE t ADD CONSTRAINT large CHECK (c > 10), ALTER c SET NOT NULL',
    `COMMENT ON CONSTRAINT large ON t IS 'also said'`,
  ];
  for (const end of ['ROLLBACK', 'SELECT 1/0', 'SAVEPOINT q; DROP TABLE t; ROLLBACK TO q; ROLLBACK', 'cut', 'COMMIT']) {
    const client = end === 'cut' ? await connect() : a;
    await rows(client, 'BEGIN');
    for (const text of changes) await rows(client, text);
    const seen = await rows(client, shown);
    assert.notDeepEqual(seen, old);
    assert.deepEqual(await rows(b, shown), old);
    // It writes as it has altered the table, others as that was.
    await rows(client, 'INSERT INTO t (id, c) VALUES (1, 11)');
    await rows(client, 'SAVEPOINT r');
    for (const [text, state] of [
      ['INSERT INTO t (id, c) VALUES (2, 3)', '23514'],
      ['INSERT INTO t (id) VALUES (2)', '23502'],
      ['INSERT INTO t (id, c) SELECT g, NULL FROM generate_series(2, 9) g', '23502'],
      ['UPDATE t SET c = NULL', '23502'],
    ]) {
      await assert.rejects(rows(client, text), refused(state), text);
      await rows(client, 'ROLLBACK TO r');
    }
    assert.deepEqual(await rows(client, 'SELECT * FROM t'), [[1, 5, null, 11]]);
    assert.deepEqual(await rows(client, 'SELECT id FROM t WHERE b IS NULL'), [[1]]);
    await rows(b, 'INSERT INTO t (id, c) VALUES (9, 3)');
    assert.deepEqual(await rows(b, 'DELETE FROM t RETURNING *'), [[9, 1, 2, 3]]);
    await assert.rejects(rows(b, 'INSERT INTO t (id, c) VALUES (9, 11)'), refused('23514'));
    await assert.rejects(rows(b, 'INSERT INTO t (id, a) VALUES (9, 7)'), refused('23503'));
    await assert.rejects(rows(b, 'INSERT INTO t (id, b) VALUES (9, NULL)'), refused('23502'));
    for (const text of [
      'ALTER TABLE t ALTER a DROP DEFAULT',
      'ALTER TABLE t ADD COLUMN x int',
      'DROP TABLE t',
      'DROP TABLE k CASCADE',
      'CREATE VIEW v AS SELECT b FROM t',
      'CREATE INDEX ON t (b)',
      'CREATE TABLE alike (LIKE t)',
      `COMMENT ON CONSTRAINT small ON t IS 'other'`,
    ])
      await assert.rejects(rows(b, text), refused('55P03', /by another transaction/), text);
    await endBy(end, client);
    for (const other of [a, b]) assert.deepEqual(await rows(other, shown), end === 'COMMIT' ? seen : old, end);
  }
  assert.deepEqual(a.notices, []);
  assert.deepEqual(await rows(b, 'TABLE t'), [[1, 5, null, 11]]);
  await assert.rejects(rows(b, 'INSERT INTO t VALUES (2, 1, 1, 3)'), refused('23514'));
  await rows(b, 'INSERT INTO t VALUES (2, 7, NULL, 12)');
  await rows(a, 'DROP TABLE t, k');
});

test('rows are looked at with those of the transaction, and again at COMMIT', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(a, 'CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, NULL), (2, 2)');
  a.notices.length = 0;
  await rows(a, 'BEGIN');
  await assert.rejects(rows(a, 'ALTER TABLE t ALTER a SET NOT NULL'), refused('23502'));
  await rows(a, 'ROLLBACK; BEGIN; INSERT INTO t VALUES (3, -3)');
  await assert.rejects(rows(a, 'ALTER TABLE t ADD CHECK (a > 0)'), refused('23514'));
  // As migrations fill what was NULL.
  const fill = 'BEGIN; UPDATE t SET a = 1 WHERE a IS NULL; ALTER TABLE t ALTER a SET NOT NULL, ADD CHECK (a > 0)';
  await rows(a, `ROLLBACK; ${fill}; ROLLBACK`);
  assert.deepEqual(await rows(b, 'SELECT a FROM t ORDER BY id'), [[null], [2]]);
  for (const [text, state] of [
    ['INSERT INTO t VALUES (4, NULL)', '23502'],
    ['INSERT INTO t VALUES (4, -4)', '23514'],
    ['UPDATE t SET a = -1 WHERE id = 2', '23514'],
    ['UPDATE t SET a = 7 WHERE id = 1', '40001'],
  ]) {
    await rows(a, fill);
    await rows(b, `BEGIN; ${text}; COMMIT`);
    await assert.rejects(rows(a, 'COMMIT'), refused(state), text);
    await rows(b, 'DELETE FROM t; INSERT INTO t VALUES (1, NULL), (2, 2)');
  }
  // Who writes while it is committed looks at what is new.
  await rows(b, 'BEGIN; INSERT INTO t VALUES (4, NULL)');
  await rows(a, `${fill}; INSERT INTO t VALUES (5, 5); COMMIT`);
  await assert.rejects(rows(b, 'COMMIT'), refused('23502'));
  assert.deepEqual(await rows(b, 'SELECT * FROM t ORDER BY id'), [
    [1, 1],
    [2, 2],
    [5, 5],
  ]);
  // A view that the transaction makes over it is right for all rows that others may write meanwhile.
  await rows(
    a,
    'BEGIN; ALTER TABLE t ALTER a DROP NOT NULL; CREATE MATERIALIZED VIEW v AS SELECT count(*)::int AS n FROM t WHERE a IS NULL',
  );
  await rows(a, 'INSERT INTO t VALUES (6, NULL); COMMIT');
  assert.deepEqual(await rows(b, 'TABLE v'), [[1]]);
  await rows(
    a,
    'BEGIN; DELETE FROM t WHERE a IS NULL; ALTER TABLE t ALTER a SET NOT NULL; CREATE MATERIALIZED VIEW w AS SELECT count(*)::int AS n FROM t WHERE a IS NULL',
  );
  await rows(b, 'DELETE FROM t WHERE id = 6');
  await rows(b, 'INSERT INTO t VALUES (6, NULL)');
  await rows(a, 'ROLLBACK');
  await rows(a, 'BEGIN; DELETE FROM t WHERE a IS NULL; SAVEPOINT p; ALTER TABLE t ALTER a SET NOT NULL');
  await rows(
    a,
    'CREATE MATERIALIZED VIEW w AS SELECT count(*)::int AS n FROM t WHERE a IS NULL; ALTER TABLE t ALTER a DROP DEFAULT',
  );
  await rows(a, 'COMMIT');
  assert.deepEqual([await rows(b, 'TABLE v'), await rows(b, 'TABLE w')], [[[0]], [[0]]]);
  assert.deepEqual(a.notices, []);
  await rows(a, 'DROP TABLE t CASCADE');
});

test('with what is done at once it counts at once, unless rows fit only at COMMIT', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(
    a,
    `CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE t (id int PRIMARY KEY, a int, m mood); INSERT INTO t VALUES (1, NULL)`,
  );
  await rows(a, 'CREATE VIEW over AS SELECT id FROM t');
  a.notices.length = 0;
  const warning = 'WARNING: table "t" was there before the transaction: what is done to it is done at once';
  await rows(a, 'BEGIN; ALTER TABLE t ALTER a SET DEFAULT 4; ALTER TABLE t ADD COLUMN x int DEFAULT 5; ROLLBACK');
  assert.deepEqual(a.notices.splice(0), [warning]);
  assert.deepEqual(await rows(b, 'INSERT INTO t (id) VALUES (2) RETURNING a, x'), [[4, 5]]);
  await rows(a, 'BEGIN; UPDATE t SET a = 1; ALTER TABLE t ALTER a SET NOT NULL; SAVEPOINT p');
  await assert.rejects(rows(a, 'ALTER TABLE t DROP COLUMN x'), refused('0A000', /contains null values, but/));
  await rows(a, 'ROLLBACK TO p; COMMIT; ALTER TABLE t DROP COLUMN x');
  await assert.rejects(rows(b, 'INSERT INTO t VALUES (3, NULL)'), refused('23502'));
  a.notices.length = 0;
  // What needs types, sequences or functions of users is done at once, and what takes such away.
  await rows(a, `BEGIN; ALTER TABLE t ALTER m SET DEFAULT 'ok'; ROLLBACK`);
  assert.deepEqual(a.notices.splice(0), [warning]);
  assert.deepEqual(await rows(b, 'INSERT INTO t (id) VALUES (3) RETURNING m'), [['ok']]);
  // A column that goes, with its type, takes with it what was altered of it.
  await rows(a, `UPDATE t SET m = 'ok'; BEGIN; ALTER TABLE t ALTER m SET NOT NULL; DROP TYPE mood CASCADE; COMMIT`);
  await rows(b, 'INSERT INTO t (id) VALUES (4)');
  await rows(a, 'DROP TABLE t CASCADE');
});

test('a statement that fails says that what it took with it counts at once', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(a, 'CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1)');
  a.notices.length = 0;
  const warning =
    'WARNING: the statement failed, but what it needed of what the transaction did before is done at once';
  for (const [i, [text, state]] of [
    ['ADD COLUMN a int', '42701'],
    ['ADD COLUMN x int NOT NULL', '23502'],
    ['RENAME COLUMN none TO x', '42703'],
    ['ADD PRIMARY KEY (a)', '42P16'],
  ].entries()) {
    await rows(a, `BEGIN; ALTER TABLE t ALTER a SET DEFAULT ${i}`);
    await assert.rejects(rows(a, `ALTER TABLE t ${text}`), refused(state), text);
    await rows(a, 'ROLLBACK');
    assert.deepEqual(a.notices.splice(0), [warning], text);
    assert.deepEqual(await rows(b, `INSERT INTO t (id) VALUES (${10 + i}) RETURNING a`), [[i]]);
  }
  // Where nothing was taken with it, nothing is said.
  await rows(a, 'BEGIN');
  await assert.rejects(rows(a, 'ALTER TABLE t ADD COLUMN a int'), refused('42701'));
  await rows(a, 'ROLLBACK');
  assert.deepEqual(a.notices, []);
  await rows(a, 'DROP TABLE t');
});

test('what is altered behind a savepoint of what the transaction has made goes with ROLLBACK TO', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(
    a,
    'BEGIN; CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT 1); SAVEPOINT p; ALTER TABLE t ALTER a SET DEFAULT 2, ADD CHECK (a < 3)',
  );
  await rows(a, 'INSERT INTO t VALUES (1); SAVEPOINT q');
  await assert.rejects(rows(a, 'INSERT INTO t VALUES (2, 3)'), refused('23514'));
  await rows(
    a,
    'ROLLBACK TO p; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2, 3); ALTER TABLE t ALTER a SET DEFAULT 5; RELEASE p',
  );
  await rows(a, 'ALTER TABLE t ADD COLUMN x int; INSERT INTO t VALUES (3); ALTER TABLE t ALTER a SET NOT NULL; COMMIT');
  assert.deepEqual(await rows(b, 'INSERT INTO t VALUES (4); SELECT a FROM t ORDER BY id'), [[1], [3], [5], [5]]);
  await assert.rejects(rows(b, 'INSERT INTO t VALUES (5, NULL)'), refused('23502'));
  await rows(a, 'DROP TABLE t');
});

test('rows do not get another form under what another transaction has altered meanwhile', async () => {
  const engine = await openEngine();
  for (const [text, name] of [
    ['ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)', 't'],
    ['ALTER TABLE t ALTER a SET DEFAULT 5', 't'],
    ['ALTER TABLE t RENAME TO u', 'u'],
  ]) {
    await sql(engine, 'CREATE TABLE t (id int, a int); INSERT INTO t SELECT n, n FROM generate_series(1, 300000) n');
    const b = new Session(engine, {}, true);
    await b.run('CREATE TABLE own (a int)');
    const slow = assert.rejects(
      sql(engine, 'ALTER TABLE t ALTER a TYPE text USING a::text'),
      { sqlstate: '55P03' },
      text,
    );
    await new Promise(setImmediate);
    await b.run(text);
    await slow;
    await b.transaction.commit();
    assert.deepEqual(await sql(engine, `SELECT a + 1 FROM ${name} WHERE id = 1`), [['2']]);
    await sql(engine, `DROP TABLE ${name}, own`);
  }
  await engine.close();
});

test('what was altered in transactions is there after every start, if it was committed', options, async () => {
  const made = `CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT 1, b int NOT NULL DEFAULT 2, c int CONSTRAINT small CHECK (c < 10)); INSERT INTO t VALUES (1, 1, 1, 1);
    CREATE TABLE alike (LIKE t INCLUDING ALL)`;
  let known: unknown = null;
  const engine = await overRestarts(made, async (engine, how) => {
    if (known !== null) assert.deepEqual(await sql(engine, shown), known, how);
    assert.equal(engine.catalog.hasOpen, false);
    const run = async (session: Session, texts: string[]) => {
      for (const text of texts) await session.run(text);
    };
    if (how === 'first') {
      const a = new Session(engine, {}, true);
      await run(a, ['ALTER TABLE t RENAME TO old', 'ALTER TABLE old ALTER a SET DEFAULT 5, ALTER b DROP NOT NULL']);
      a.transaction.savepoint('p');
      await run(a, ['ALTER TABLE old DROP CONSTRAINT small, ALTER b DROP DEFAULT']);
      a.transaction.rollbackTo('p');
      await run(a, ['ALTER TABLE old ADD CONSTRAINT more CHECK (c > 0), ALTER c SET NOT NULL, ALTER a SET DEFAULT 6']);
      await run(a, ['CREATE TABLE liked (LIKE old INCLUDING ALL)', 'ALTER TABLE old RENAME TO t']);
      await run(a, ['INSERT INTO t VALUES (2, 2, NULL, 2)', 'ALTER TABLE alike ALTER a DROP DEFAULT']);
      await a.transaction.commit();
      known = await sql(engine, shown);
    }
    const left = new Session(engine, {}, true);
    await run(left, [
      'ALTER TABLE t ALTER a SET DEFAULT 9, DROP CONSTRAINT more',
      'ALTER TABLE alike ALTER b DROP NOT NULL',
    ]);
    const id = 10 + Number((await sql(engine, 'SELECT count(*) FROM t'))[0][0]);
    assert.deepEqual(await sql(engine, `INSERT INTO t (id, c) VALUES (${id}, 3) RETURNING a, b`), [['6', '2']], how);
    assert.deepEqual(
      await sql(engine, `INSERT INTO liked (id, c) VALUES (${id}, 3) RETURNING a, b`),
      [['6', '2']],
      how,
    );
    assert.deepEqual(await sql(engine, `INSERT INTO alike (id) VALUES (${id}) RETURNING a, b`), [[null, '2']], how);
    for (const text of [
      'INSERT INTO t (id, c) VALUES (5, 0)',
      'INSERT INTO t (id, c) VALUES (5, NULL)',
      'INSERT INTO alike VALUES (5, 1, NULL)',
    ])
      await assert.rejects(sql(engine, text), { name: 'SqlError' }, text);
  });
  await engine.close();
});
