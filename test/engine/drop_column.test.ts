/** ALTER TABLE ... DROP COLUMN: what reads the column refuses or goes, the rest goes on; followers, other transactions, the catalogs, restarts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overRestarts } from '../durable/over_restarts.ts';
import { drain, openEngine, Session, sql } from './harness.ts';

test('columns go with what is made of them, and stay gone after restarts', async () => {
  const script = `
     CREATE TABLE t (id int PRIMARY KEY, a int UNIQUE, b text, c int DEFAULT 5, d int);
     CREATE INDEX t_d ON t (d);
     INSERT INTO t VALUES (1, 2, 'p', 3, 4), (2, 3, 'q', 4, 5);
     CREATE VIEW plain AS SELECT id, c FROM t;
     CREATE VIEW above AS SELECT c FROM plain;
     CREATE MATERIALIZED VIEW kept AS SELECT b, count(*) AS n FROM t GROUP BY b;
     CREATE MATERIALIZED VIEW gone AS SELECT a, b FROM t;
     CREATE INDEX ON gone (b);
     CREATE SINK written FROM gone WITH (connector = 'blackhole');
     ALTER TABLE t DROP COLUMN d, DROP COLUMN a CASCADE, ADD COLUMN a text DEFAULT 'new';
     ALTER TABLE t DROP COLUMN IF EXISTS zz, ADD UNIQUE (a, c);
     INSERT INTO t VALUES (3, 'p', 9, 'x');
     CREATE VIEW all_of AS SELECT * FROM t;
     CREATE TABLE again (a int);
     ALTER TABLE again DROP COLUMN a, ADD COLUMN b int UNIQUE;
     ALTER TABLE again DROP b;
     DROP TABLE again`;
  const engine = await overRestarts(script, async (engine, how) => {
    const rows = [
      ['1', 'p', '3', 'new'],
      ['2', 'q', '4', 'new'],
      ['3', 'p', '9', 'x'],
    ];
    for (const query of [
      'SELECT * FROM t ORDER BY 1',
      'SELECT * FROM all_of ORDER BY 1',
      'SELECT id, b, c, a FROM t ORDER BY 1',
    ])
      assert.deepEqual(await sql(engine, query), rows, how);
    assert.deepEqual(await sql(engine, 'SELECT * FROM above ORDER BY 1'), [['3'], ['4'], ['9']]);
    assert.deepEqual(await sql(engine, 'SELECT * FROM kept ORDER BY 1'), [
      ['p', '2'],
      ['q', '1'],
    ]);
    for (const name of ['gone', 'written', 'again', 't_d', 't_a_key', 'gone_b_idx'])
      assert.equal(engine.catalog.find('public', name), undefined, name);
    await assert.rejects(sql(engine, "INSERT INTO t VALUES (4, 'p', 3, 'new')"), /t_a_c_key/);
    await assert.rejects(sql(engine, 'SELECT d FROM t'), { sqlstate: '42703' });
    await sql(engine, "INSERT INTO t VALUES (9, 'q', 1, 'y') ON CONFLICT (id) DO UPDATE SET c = 7");
    assert.deepEqual(await sql(engine, 'UPDATE t SET b = c WHERE id = 9 RETURNING *'), [['9', '1', '1', 'y']]);
    assert.deepEqual(await sql(engine, 'SELECT * FROM kept ORDER BY 1'), [
      ['1', '1'],
      ['p', '2'],
      ['q', '1'],
    ]);
    assert.deepEqual(await sql(engine, 'DELETE FROM t WHERE id = 9 RETURNING *'), [['9', '1', '1', 'y']]);
  });
  await sql(engine, 'DROP TABLE t CASCADE');
  assert.deepEqual(
    engine.definitions.save().map(({ record }) => record.sql),
    [],
  );
  await engine.close();
});

test('followers of the table, and of queries of the column, are told', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (a int, b int, c int); INSERT INTO t VALUES (1, 2, 3)');
  const { tick } = engine.loop;
  const follow = async (text: string) => (await new Session(engine).open(text)) ?? assert.fail();
  const ended = [await follow('SUBSCRIBE t'), await follow('SUBSCRIBE (SELECT sum(b) FROM t)')];
  const other = await follow('SUBSCRIBE (SELECT a FROM t)');
  for (const stream of [...ended, other]) await drain(stream);
  const writer = new Session(engine);
  await writer.run('UPDATE t SET a = 5');
  await sql(engine, 'ALTER TABLE t DROP COLUMN b');
  await writer.transaction.commit();
  for (const stream of ended) await assert.rejects(drain(stream), /the columns of "t" were altered/);
  assert.deepEqual((await drain(other)).map((row) => row.slice(1)).sort(), [
    ['-1', '1'],
    ['1', '5'],
  ]);
  for (const stream of [...ended, other]) stream.rows.close();
  assert.deepEqual(await sql(engine, `SELECT * FROM t AS OF ${tick}`), [['1', '3']]);
  assert.deepEqual(await sql(engine, 'SELECT * FROM t'), [['5', '3']]);
  const now = await follow('SUBSCRIBE t');
  assert.deepEqual(
    now.columns.slice(2).map(({ name, attnum }) => [name, attnum]),
    [
      ['a', 1],
      ['c', 3],
    ],
  );
  assert.deepEqual(
    (await drain(now)).map((row) => row.slice(1)),
    [['1', '5', '3']],
  );
  await sql(engine, 'INSERT INTO t VALUES (7, 8)');
  assert.deepEqual(
    (await drain(now)).map((row) => row.slice(1)),
    [['1', '7', '8']],
  );
  now.rows.close();
  await assert.rejects(sql(engine, 'CREATE SUBSCRIPTION s FOR t'), { sqlstate: '0A000' });
  await sql(engine, 'CREATE SUBSCRIPTION s FOR (SELECT a FROM t)');
  await assert.rejects(
    sql(engine, 'ALTER TABLE t DROP a'),
    /cannot drop column a of table t because other objects depend on it/,
  );
  await sql(engine, 'ALTER TABLE t DROP c');
});

test('a transaction goes on over columns that it drops itself', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    'CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 2); CREATE MATERIALIZED VIEW v AS SELECT a FROM t',
  );
  const own = new Session(engine);
  await own.run('UPDATE t SET a = b');
  await own.run('ALTER TABLE t DROP b, ADD c int DEFAULT 3');
  await own.run('INSERT INTO t VALUES (8, 9)');
  assert.deepEqual(await own.run('SELECT * FROM t ORDER BY 1'), [
    ['2', '3'],
    ['8', '9'],
  ]);
  await own.transaction.commit();
  assert.deepEqual(await sql(engine, 'SELECT * FROM v ORDER BY 1'), [['2'], ['8']]);
});
