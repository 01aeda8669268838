/** What views that are alike share: nodes, rows, indexes and errors, and what stays when one of them goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages } from '../../operators/batch/pages.ts';
import { drain, openEngine, Session, sql } from './harness.ts';

test('errors of a shared node belong to every view that has it', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE t (id int, a int, b int); INSERT INTO t VALUES (1, 6, 3), (2, 1, 0)');
    await sql(engine, 'CREATE MATERIALIZED VIEW one AS SELECT a / b AS q, count(*) FROM t GROUP BY a / b');
    await sql(engine, 'CREATE MATERIALIZED VIEW two AS SELECT a / b AS q, count(*) FROM t GROUP BY a / b');
    await sql(engine, 'INSERT INTO t VALUES (3, 2, 0)');
    const errors = (name: string) =>
      sql(engine, `SELECT reason, count(*) FROM tidemark.errors('${name}') GROUP BY reason`);
    assert.deepEqual(await errors('one'), [['division by zero', '2']]);
    assert.deepEqual(await errors('two'), await errors('one'));
    await sql(engine, 'DROP MATERIALIZED VIEW one');
    assert.deepEqual(await errors('two'), [['division by zero', '2']]);
    await sql(engine, 'DELETE FROM t WHERE b = 0');
    assert.deepEqual(await errors('two'), []);
    assert.deepEqual(await sql(engine, 'SELECT q, count FROM two'), [['2', '1']]);
  } finally {
    await engine.close();
  }
});

test('views that are the same query keep their rows once, each with its indexes', async () => {
  const used = pages.usedPages;
  const engine = await openEngine();
  const make = (name: string) =>
    sql(engine, `CREATE MATERIALIZED VIEW ${name} AS SELECT a, b, count(*) AS n FROM t GROUP BY a, b`);
  const stored = (name: string) => engine.loop.relations.get(engine.catalog.find('public', name)!.oid);
  await sql(engine, 'CREATE TABLE t (a int, b int); INSERT INTO t SELECT g % 5, g % 3 FROM generate_series(1, 90) g');
  await make('one');
  await make('two');
  await sql(
    engine,
    "CREATE SINK out AS SELECT a, b, count(*) AS n FROM t GROUP BY a, b WITH (connector = 'blackhole')",
  );
  assert.equal(stored('one'), stored('two'));
  await sql(engine, 'CREATE INDEX i ON one (b); CREATE INDEX j ON two (b)');
  await sql(engine, 'DROP INDEX i');
  assert.equal((await sql(engine, 'SELECT * FROM two WHERE b = 1')).length, 5);
  const first = await new Session(engine).open('SUBSCRIBE one');
  const second = await new Session(engine).open('SUBSCRIBE (SELECT a, b, count(*) AS n FROM t GROUP BY a, b)');
  assert.ok(first && second);
  const reader = new Session(engine);
  await reader.run('SELECT count(*) FROM two');
  await sql(engine, 'DELETE FROM t WHERE a = 1; DROP MATERIALIZED VIEW one');
  const changes = async (of: typeof first) => (await drain(of)).map((row) => row.slice(1)).sort();
  assert.deepEqual(await changes(first), await changes(second));
  assert.deepEqual(await reader.run('SELECT count(*) FROM two'), [['15']]);
  assert.deepEqual(await sql(engine, 'SELECT count(*) FROM two'), [['12']]);
  first.rows.close();
  second.rows.close();
  reader.transaction.rollback();
  await sql(engine, 'DROP INDEX j; DROP SINK out; DROP TABLE t CASCADE');
  assert.deepEqual([...engine.loop.graph.nodes()], []);
  await engine.close();
  assert.ok(pages.usedPages <= used + 1, `${pages.usedPages - used} pages are still in use`);
});

test('views over views that are the same query are the same query', async () => {
  const engine = await openEngine();
  const { graph } = engine.loop;
  const nodes = () => [...graph.nodes()].length;
  const rows = (view: string) => sql(engine, `SELECT * FROM ${view} ORDER BY 1`);
  try {
    await sql(engine, 'CREATE TABLE t (g int, v int); INSERT INTO t VALUES (1, 1), (1, 2), (2, 5)');
    await sql(engine, 'CREATE MATERIALIZED VIEW a1 AS SELECT g, sum(v) AS s FROM t GROUP BY g');
    await sql(engine, 'CREATE MATERIALIZED VIEW b1 AS SELECT s % 2 AS odd, count(*) AS n FROM a1 GROUP BY s % 2');
    await sql(engine, 'CREATE MATERIALIZED VIEW c1 AS SELECT max(n) FROM b1');
    const before = nodes();
    await sql(engine, 'CREATE MATERIALIZED VIEW a2 (h, total) AS SELECT g, sum(v) AS s FROM t GROUP BY g');
    await sql(
      engine,
      'CREATE MATERIALIZED VIEW b2 AS SELECT total % 2 AS odd, count(*) AS n FROM a2 GROUP BY total % 2',
    );
    await sql(engine, 'CREATE MATERIALIZED VIEW c2 AS SELECT max(n) FROM b2');
    assert.equal(nodes(), before);
    const plan = (await sql(engine, 'EXPLAIN SELECT * FROM b2')).join('\n');
    assert.match(plan, /shared with b1/);
    await sql(engine, 'CREATE MATERIALIZED VIEW pairs AS SELECT g, s, total FROM a1 JOIN a2 ON g = h');
    await sql(engine, 'INSERT INTO t VALUES (2, 1), (3, 7)');
    assert.deepEqual(await rows('pairs'), [
      ['1', '3', '3'],
      ['2', '6', '6'],
      ['3', '7', '7'],
    ]);
    for (const n of [1, 2]) {
      assert.deepEqual(await rows(`b${n}`), [
        ['0', '1'],
        ['1', '2'],
      ]);
      assert.deepEqual(await rows(`c${n}`), [['2']]);
    }
    // What was made first goes first.
    await sql(engine, 'DROP MATERIALIZED VIEW pairs');
    await sql(engine, 'DROP MATERIALIZED VIEW a1 CASCADE');
    await sql(engine, 'INSERT INTO t VALUES (4, 9)');
    assert.deepEqual(await rows('b2'), [
      ['0', '1'],
      ['1', '3'],
    ]);
    assert.deepEqual(await rows('c2'), [['3']]);
    // Made again, it is one with what is left.
    await sql(engine, 'CREATE MATERIALIZED VIEW a1 AS SELECT g, sum(v) AS s FROM t GROUP BY g');
    await sql(engine, 'CREATE MATERIALIZED VIEW b1 AS SELECT s % 2 AS odd, count(*) AS n FROM a1 GROUP BY s % 2');
    assert.equal(nodes(), before);
    await sql(engine, 'DROP MATERIALIZED VIEW a2 CASCADE');
    await sql(engine, 'DELETE FROM t WHERE g = 4');
    assert.deepEqual(await rows('b1'), [
      ['0', '1'],
      ['1', '2'],
    ]);
    await sql(engine, 'DROP MATERIALIZED VIEW a1 CASCADE');
    assert.equal(nodes(), 0);
  } finally {
    await engine.close();
  }
});

test('a query over a view goes on with its equal when the view is dropped', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE t (v int); INSERT INTO t VALUES (1)');
    for (const n of [1, 2]) await sql(engine, `CREATE MATERIALIZED VIEW a${n} AS SELECT v, count(*) FROM t GROUP BY v`);
    const session = new Session(engine);
    const stream = (await session.open('SUBSCRIBE (SELECT sum(v) AS s FROM a1)'))!;
    await drain(stream);
    await sql(engine, 'CREATE MATERIALIZED VIEW b2 AS SELECT sum(v) AS s FROM a2');
    await sql(engine, 'DROP MATERIALIZED VIEW a1');
    await sql(engine, 'INSERT INTO t VALUES (5)');
    assert.deepEqual(await sql(engine, 'SELECT * FROM b2'), [['6']]);
    stream.rows.close();
    await sql(engine, 'INSERT INTO t VALUES (6)');
    assert.deepEqual(await sql(engine, 'SELECT * FROM b2'), [['12']]);
  } finally {
    await engine.close();
  }
});

test('a join reads the index that its relation keeps', async () => {
  const engine = await openEngine();
  const explain = async (name: string) =>
    (await sql(engine, `EXPLAIN SELECT * FROM ${name}`)).map(([line]) => line).join('\n');
  const own = () =>
    [...engine.loop.graph.nodes()].flatMap((node) => [...node.indexes.values()].filter((i) => i.own !== null)).length;
  const rows = () => sql(engine, 'SELECT o, name FROM joined ORDER BY o');
  try {
    await sql(
      engine,
      'CREATE TABLE c (id int PRIMARY KEY, name text, note text); CREATE TABLE o (id int, customer int)',
    );
    await sql(
      engine,
      "INSERT INTO c VALUES (1, 'a name longer than a slot holds', 'x'), (2, 'bo', 'y'); INSERT INTO o VALUES (10, 1), (11, 2)",
    );
    await sql(engine, 'CREATE MATERIALIZED VIEW joined AS SELECT o.id AS o, c.name FROM o JOIN c ON o.customer = c.id');
    assert.match(await explain('joined'), /Source c \[id, name\].* reads index \(id\)/);
    assert.equal(own(), 1);
    await sql(engine, 'CREATE INDEX i ON o (customer)');
    assert.match(await explain('joined'), /Source o .* reads index \(customer\)/);
    assert.equal(own(), 0);
    await sql(
      engine,
      "UPDATE c SET name = 'another name that is long enough' WHERE id = 1; INSERT INTO o VALUES (12, 2)",
    );
    const wanted = [
      ['10', 'another name that is long enough'],
      ['11', 'bo'],
      ['12', 'bo'],
    ];
    assert.deepEqual(await rows(), wanted);
    await sql(engine, 'DROP INDEX i');
    assert.equal(own(), 1);
    await sql(engine, 'DELETE FROM c WHERE id = 2; INSERT INTO o VALUES (13, 1)');
    assert.deepEqual(await rows(), [wanted[0], ['13', 'another name that is long enough']]);
  } finally {
    await engine.close();
  }
});

test('settings of the session keep nodes apart where they matter', async () => {
  const engine = await openEngine();
  const view = (name: string, timeZone: string) =>
    new Session(engine, { TimeZone: timeZone }).run(
      `CREATE MATERIALIZED VIEW ${name} AS SELECT x.at::text AS x, y.a FROM t x JOIN t y ON x.a = y.a WHERE y.a > 0`,
    );
  const nodes = () => [...engine.loop.graph.nodes()].length;
  try {
    await sql(engine, "CREATE TABLE t (at timestamptz, a int); INSERT INTO t VALUES ('2026-01-01 00:00Z', 1)");
    await view('one', 'UTC');
    const first = nodes();
    await view('two', 'Asia/Tokyo');
    assert.ok(nodes() > first && nodes() < 2 * first, 'only what reads the setting is there twice');
    await view('three', 'UTC');
    assert.equal(nodes(), first + 1);
    assert.deepEqual(await sql(engine, 'SELECT x FROM one'), [['2026-01-01 00:00:00+00']]);
    assert.deepEqual(await sql(engine, 'SELECT x FROM two'), [['2026-01-01 09:00:00+09']]);
    assert.deepEqual(await sql(engine, 'SELECT x FROM three'), await sql(engine, 'SELECT x FROM one'));
  } finally {
    await engine.close();
  }
});
