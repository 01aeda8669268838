/** ALTER TABLE ... ADD COLUMN: the rows that are there, views over the table, other transactions, followers, large tables, no memory, restarts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { overRestarts } from '../durable/over_restarts.ts';
import { drain, openEngine, Session, sql } from './harness.ts';

const textOf = (engine: TidemarkEngine, view: string) => engine.catalog.find('public', view)?.sql;

test('columns are added under views, with their values, and all of it is there after restarts', async () => {
  const script = `
     CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL);
     CREATE TABLE u (a int, x text);
     INSERT INTO t VALUES (1, 2), (2, 3);
     INSERT INTO u VALUES (2, 'two');
     CREATE VIEW plain AS SELECT * FROM t;
     CREATE MATERIALIZED VIEW kept AS SELECT * FROM t;
     CREATE MATERIALIZED VIEW joined AS SELECT t.*, x FROM t NATURAL JOIN u;
     CREATE MATERIALIZED VIEW sums AS SELECT a, count(*) AS n FROM t GROUP BY a;
     CREATE INDEX ON t (a);
     ALTER TABLE t ADD COLUMN x text DEFAULT 'none', ADD COLUMN u int UNIQUE, ADD COLUMN IF NOT EXISTS a int PRIMARY KEY;
     ALTER TABLE t ADD COLUMN made timestamptz NOT NULL DEFAULT now(), ADD r float8 DEFAULT random(), ALTER x SET NOT NULL, ALTER x DROP DEFAULT;
     INSERT INTO t VALUES (3, 3, 'x', 7), (4, 2, 'x', 8);
     ALTER TABLE t ADD n numeric(5, 1) DEFAULT 1.26, ADD CONSTRAINT both_of UNIQUE (a, x, id);
     DELETE FROM t WHERE id = 4`;
  let rows: unknown = null;
  const last = await overRestarts(script, async (engine, how) => {
    assert.deepEqual(await sql(engine, 'SELECT id, a, x, u, n FROM t ORDER BY id'), [
      ['1', '2', 'none', null, '1.3'],
      ['2', '3', 'none', null, '1.3'],
      ['3', '3', 'x', '7', '1.3'],
    ]);
    const now = await sql(engine, 'SELECT * FROM t ORDER BY id');
    rows ??= now;
    assert.deepEqual(now, rows, how);
    assert.deepEqual(await sql(engine, 'SELECT count(DISTINCT r), count(r), count(DISTINCT made) FROM t'), [
      ['3', '3', '2'],
    ]);
    for (const view of ['plain', 'kept'])
      assert.deepEqual(
        await sql(engine, `SELECT * FROM ${view} ORDER BY 1`),
        [
          ['1', '2'],
          ['2', '3'],
          ['3', '3'],
        ],
        how,
      );
    assert.deepEqual(await sql(engine, 'SELECT * FROM joined ORDER BY 1'), [['1', '2', 'two']]);
    assert.deepEqual(await sql(engine, 'SELECT * FROM sums ORDER BY 1'), [
      ['2', '1'],
      ['3', '2'],
    ]);
    assert.equal(textOf(engine, 'plain'), 'CREATE VIEW plain AS SELECT * FROM (SELECT id, a FROM t) AS t');
    await assert.rejects(sql(engine, "INSERT INTO t VALUES (5, 5, 'y', 7)"), /t_u_key/);
    await assert.rejects(sql(engine, 'INSERT INTO t (id, a) VALUES (5, 5)'), /null value in column "x"/);
    await sql(engine, "INSERT INTO t (id, a, x) VALUES (9, 2, 'z')");
    assert.deepEqual(await sql(engine, 'SELECT id, x FROM joined ORDER BY 1'), [
      ['1', 'two'],
      ['9', 'two'],
    ]);
    await sql(engine, 'DELETE FROM t WHERE id = 9');
  });
  await last.close();
});

test('transactions that know the table as it was fail, and the one that alters it goes on', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    'CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1); CREATE MATERIALIZED VIEW v AS SELECT * FROM t',
  );
  const reader = new Session(engine);
  await reader.run('SELECT count(*) FROM t');
  const writer = new Session(engine);
  await writer.run('INSERT INTO t VALUES (2, 2)');
  const changer = new Session(engine);
  await changer.run('UPDATE t SET a = 5');
  const own = new Session(engine);
  await own.run('INSERT INTO t VALUES (3, 3)');
  assert.deepEqual(await own.run('SELECT count(*) FROM t'), [['2']]);
  await own.run('ALTER TABLE t ADD COLUMN c int DEFAULT 7');
  await own.run('UPDATE t SET a = 4 WHERE id = 3');
  assert.deepEqual(await own.run('SELECT * FROM t ORDER BY id'), [
    ['1', '1', '7'],
    ['3', '4', '7'],
  ]);
  for (const query of [
    'SELECT * FROM t',
    'SELECT * FROM t WHERE id = 1',
    'UPDATE t SET a = 1',
    'SELECT a FROM t AS OF 1',
  ])
    await assert.rejects(
      reader.run(query),
      (e: { sqlstate: string }) => ['40001', '55000'].includes(e.sqlstate),
      query,
    );
  assert.deepEqual(await reader.run('SELECT * FROM v'), [['1', '1']]);
  for (const query of ['SELECT * FROM t', 'SELECT * FROM t WHERE id = 2'])
    await assert.rejects(writer.run(query), { sqlstate: '40001' }, query);
  for (const session of [writer, changer]) await assert.rejects(session.transaction.commit(), { sqlstate: '40001' });
  await own.transaction.commit();
  assert.deepEqual(await sql(engine, 'SELECT * FROM v ORDER BY 1'), [
    ['1', '1'],
    ['3', '4'],
  ]);
  assert.deepEqual(await sql(engine, 'SELECT * FROM t WHERE id = 3'), [['3', '4', '7']]);
  // A row that own has changed, and somebody else too.
  const late = new Session(engine);
  await late.run('UPDATE t SET a = 9 WHERE id = 1');
  await sql(engine, 'UPDATE t SET a = 8 WHERE id = 1');
  await assert.rejects(late.run('ALTER TABLE t ADD COLUMN d int'), { sqlstate: '40001' });
  await assert.rejects(sql(engine, 'SELECT d FROM t'), { sqlstate: '42703' });
});

test('who follows the table is told, who follows a query of it goes on', async () => {
  const engine = await openEngine();
  await sql(engine, "CREATE TABLE t (a int); CREATE TABLE w (a int) WITH (retention = '0'); INSERT INTO t VALUES (1)");
  const { tick } = engine.loop;
  const follow = async (text: string) => (await new Session(engine).open(text)) ?? assert.fail();
  const table = await follow('SUBSCRIBE t');
  const plain = await follow('SUBSCRIBE w');
  const query = await follow('SUBSCRIBE (SELECT a FROM t)');
  const past = await follow(`SUBSCRIBE (SELECT sum(a) FROM t) AS OF ${tick}`);
  for (const stream of [table, query]) assert.equal((await drain(stream)).length, 1);
  await sql(
    engine,
    'ALTER TABLE t ADD COLUMN b int DEFAULT 5; ALTER TABLE w ADD COLUMN b int; INSERT INTO t VALUES (2, 6); INSERT INTO w VALUES (1, 1)',
  );
  assert.deepEqual(
    (await drain(query)).map((row) => row.slice(1)),
    [['1', '2']],
  );
  await assert.rejects(drain(table), { sqlstate: '55000' });
  await assert.rejects(drain(plain), /the columns of "w" were altered/);
  await assert.rejects(drain(past), { sqlstate: '55000' });
  for (const stream of [table, plain, query, past]) stream.rows.close();
  await assert.rejects(sql(engine, `SELECT * FROM t AS OF ${tick}`), { sqlstate: '55000' });
  const since = engine.loop.tick;
  await sql(engine, 'INSERT INTO t VALUES (3, 3)');
  assert.deepEqual(await sql(engine, `SELECT * FROM t AS OF ${since} ORDER BY 1`), [
    ['1', '5'],
    ['2', '6'],
  ]);
  await sql(engine, 'CREATE SUBSCRIPTION s FOR t');
  await assert.rejects(sql(engine, 'ALTER TABLE t ADD COLUMN c int'), { sqlstate: '2BP01' });
});

test('ticks go on while a large table gets a column, and none of them is lost', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    `CREATE TABLE t (id int PRIMARY KEY, a int);
     INSERT INTO t SELECT i, i % 10 FROM generate_series(1, 200000) i;
     CREATE MATERIALIZED VIEW v AS SELECT a, count(*) AS n FROM t GROUP BY a;
     CREATE MATERIALIZED VIEW j AS SELECT x.id FROM t x JOIN t y ON x.id = y.id + 1 WHERE x.a = 3`,
  );
  let over = false;
  const altered = sql(engine, "ALTER TABLE t ADD COLUMN b text DEFAULT 'b', ADD COLUMN c int UNIQUE").then(() => {
    over = true;
  });
  const reading = new Session(engine);
  const stream = await reading.open('SELECT id, a FROM t');
  let ticks = 0;
  for (let i = 0; !over; i++) {
    await sql(engine, `UPDATE t SET a = a + 1 WHERE id = ${1 + i * 37}; DELETE FROM t WHERE id = ${5 + i * 91}`).catch(
      (e) => {
        if (e.sqlstate !== '40001') throw e;
      },
    );
    ticks++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await altered;
  assert.ok(ticks > 3, `${ticks} ticks`);
  // A read that began before goes on over the rows of then.
  let read = 0;
  for (let chunk = await stream?.rows.next(10000); chunk; chunk = await stream?.rows.next(10000)) read += chunk.count;
  assert.ok(read > 190000);
  assert.deepEqual(
    await sql(engine, 'SELECT * FROM v ORDER BY 1'),
    await sql(engine, 'SELECT a, count(*) FROM t GROUP BY a ORDER BY 1'),
  );
  assert.deepEqual(
    await sql(engine, 'SELECT count(*), sum(id) FROM j'),
    await sql(engine, 'SELECT count(*), sum(x.id) FROM t x JOIN t y ON x.id = y.id + 1 WHERE x.a = 3'),
  );
  await sql(engine, 'UPDATE t SET c = id, a = 3 WHERE id < 100');
  assert.deepEqual(await sql(engine, 'SELECT a, b, c FROM t WHERE id = 50'), [['3', 'b', '50']]);
  assert.deepEqual(
    await sql(engine, 'SELECT count(*), sum(id) FROM j'),
    await sql(engine, 'SELECT count(*), sum(x.id) FROM t x JOIN t y ON x.id = y.id + 1 WHERE x.a = 3'),
  );
});

test('COPY that began before is refused', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (a int)');
  const session = new Session(engine);
  const copy = await session.copyIn('COPY t FROM STDIN');
  await copy.target.write([[1]]);
  await sql(engine, 'ALTER TABLE t ADD COLUMN b int');
  await assert.rejects(copy.target.write([[2]]), { sqlstate: '40001' });
  session.transaction.rollback();
  assert.deepEqual(await sql(engine, 'SELECT * FROM t'), []);
});

test('without memory the table stays as it was', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    "CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t SELECT i, repeat('x', 100) || i FROM generate_series(1, 50000) i; CREATE MATERIALIZED VIEW v AS SELECT count(*) FROM t",
  );
  const limit = budget.limit;
  const before = pages.usedBytes;
  budget.limit = pages.usedBytes + (4 << 20);
  try {
    for (const value of ["'many'", 'random()::text'])
      await assert.rejects(sql(engine, `ALTER TABLE t ADD COLUMN b text DEFAULT ${value}`), { sqlstate: '53200' });
  } finally {
    budget.limit = limit;
  }
  assert.ok(pages.usedBytes <= before + (1 << 20), 'memory is given back');
  await assert.rejects(sql(engine, 'SELECT b FROM t'), { sqlstate: '42703' });
  await sql(engine, "INSERT INTO t VALUES (0, 'a')");
  await sql(engine, 'ALTER TABLE t ADD COLUMN b int DEFAULT 3');
  assert.deepEqual(await sql(engine, 'SELECT * FROM v'), [['50001']]);
  assert.deepEqual(await sql(engine, 'SELECT sum(b) FROM t'), [['150003']]);
});
