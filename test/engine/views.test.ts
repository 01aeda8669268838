/** Views as the engine keeps them: made at any time, errors as rows, dependencies, late rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages } from '../../operators/batch/pages.ts';
import { drain, openEngine, Session, sql } from './harness.ts';

const STREAM = `CREATE STREAM bid (auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time TIMESTAMP, extra TEXT,
  WATERMARK FOR date_time AS date_time - INTERVAL '4 seconds') WITH (connector = 'nexmark', table = 'bid', events = '3000', seed = '5')`;
const VIEW = (name: string) =>
  `CREATE MATERIALIZED VIEW ${name} AS SELECT auction, count(*) AS n, max(price) AS m, min(bidder) AS b FROM bid GROUP BY auction`;

test('a view made later equals one made first', async () => {
  const engine = await openEngine({ tickRows: 100 });
  try {
    await sql(engine, STREAM);
    await sql(engine, VIEW('first'));
    for (let i = 0; i < 7; i++) engine.sourceTicks.pump();
    await sql(engine, VIEW('later'));
    const compare = async () => {
      const first = await sql(engine, 'SELECT * FROM first ORDER BY auction');
      assert.ok(first.length > 0);
      assert.deepEqual(await sql(engine, 'SELECT * FROM later ORDER BY auction'), first);
    };
    await compare();
    while (engine.sourceTicks.pump());
    await compare();
    await sql(engine, VIEW('last'));
    assert.deepEqual(
      await sql(engine, 'SELECT * FROM last ORDER BY auction'),
      await sql(engine, 'SELECT * FROM first ORDER BY auction'),
    );
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM bid'), await sql(engine, 'SELECT sum(n) FROM first'));
  } finally {
    await engine.close();
  }
});

test('the tick that a statement reads', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE t (a int)');
    const tick = async () => BigInt((await sql(engine, 'SELECT tidemark_tick()'))[0][0]!);
    const before = await tick();
    await sql(engine, 'INSERT INTO t VALUES (1)');
    const between = await tick();
    assert.ok(between > before);
    const pinned = new Session(engine);
    assert.deepEqual(await pinned.run('SELECT count(*) FROM t'), [['1']]);
    await sql(engine, 'INSERT INTO t VALUES (2)');
    assert.deepEqual(await pinned.run('SELECT count(*), tidemark_tick() FROM t'), [['1', String(between)]]);
    assert.ok((await tick()) > between);
    await assert.rejects(sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT a, tidemark_tick() FROM t'), {
      sqlstate: '0A000',
    });
  } finally {
    await engine.close();
  }
});

test('a row whose expression fails is listed and goes with its cause', async () => {
  const engine = await openEngine();
  try {
    await sql(
      engine,
      'CREATE TABLE t (id int PRIMARY KEY, a int, b int); INSERT INTO t VALUES (1, 10, 2), (2, 7, 0), (3, 9, 3)',
    );
    await sql(
      engine,
      'CREATE MATERIALIZED VIEW q AS SELECT id, a / b AS q FROM t; CREATE MATERIALIZED VIEW s AS SELECT sum(q) AS s FROM q',
    );
    assert.deepEqual(await sql(engine, 'SELECT id, q FROM q ORDER BY id'), [
      ['1', '5'],
      ['3', '3'],
    ]);
    assert.deepEqual(await sql(engine, 'SELECT s FROM s'), [['8']]);
    assert.deepEqual(await sql(engine, "SELECT sqlstate, reason FROM tidemark.errors('q')"), [
      ['22012', 'division by zero'],
    ]);
    assert.deepEqual(await sql(engine, "SELECT errors FROM tidemark.views WHERE name = 'q'"), [['1']]);
    await assert.rejects(new Session(engine, { strict_errors: 'on' }).run('SELECT * FROM q'), { sqlstate: '55000' });
    await sql(engine, 'UPDATE t SET b = 7 WHERE id = 2');
    assert.deepEqual(await sql(engine, 'SELECT s FROM s'), [['9']]);
    assert.deepEqual(await sql(engine, "SELECT * FROM tidemark.errors('q')"), []);
    await assert.rejects(sql(engine, 'SELECT 1 / 0'), { sqlstate: '22012' });
  } finally {
    await engine.close();
  }
});

test('dependencies are PostgreSQL’s, and everything dropped gives its memory back', async () => {
  const used = pages.usedPages;
  const engine = await openEngine();
  await sql(
    engine,
    'CREATE TABLE t (a int, b int); CREATE VIEW v AS SELECT a FROM t; CREATE MATERIALIZED VIEW m AS SELECT a, count(*) FROM v GROUP BY a',
  );
  await sql(engine, 'CREATE INDEX i ON m (a); INSERT INTO t SELECT g % 7, g FROM generate_series(1, 1000) g');
  await assert.rejects(sql(engine, 'DROP TABLE t'), { sqlstate: '2BP01' });
  await assert.rejects(sql(engine, 'DROP VIEW m'), { sqlstate: '42809' });
  await assert.rejects(sql(engine, 'DROP TABLE missing'), { sqlstate: '42P01' });
  assert.deepEqual(await sql(engine, 'SELECT count FROM m WHERE a = 3'), [['143']]);
  await sql(engine, 'DROP TABLE t CASCADE');
  await assert.rejects(sql(engine, 'SELECT * FROM m'), { sqlstate: '42P01' });
  await engine.close();
  assert.ok(pages.usedPages <= used + 1, `${pages.usedPages - used} pages are still in use`);
});

test('subscriptions: snapshot, changes with their tick, progress, an end', async () => {
  const engine = await openEngine();
  try {
    await sql(
      engine,
      "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (1, 'x'), (2, 'a text that is longer than a slot')",
    );
    const all = await new Session(engine).open('SUBSCRIBE t');
    const counted = await new Session(engine).open(
      'SUBSCRIBE (SELECT a, count(*) FROM t GROUP BY a) WITH (snapshot = false, progress = true)',
    );
    assert.ok(all && counted);
    assert.deepEqual((await drain(all)).map((r) => r.slice(1)).sort(), [
      ['1', '2', 'a text that is longer than a slot'],
      ['2', '1', 'x'],
    ]);
    const begun = await drain(counted);
    assert.ok(begun.every((r) => r[1] === 't' && r[2] === null));
    await sql(engine, 'DELETE FROM t WHERE a = 1');
    const tick = String(engine.loop.tick);
    assert.deepEqual(await drain(all), [[tick, '-2', '1', 'x']]);
    const changes = await drain(counted);
    assert.deepEqual(changes[0], [tick, 'f', '-1', '1', '2']);
    assert.deepEqual(changes[1], [tick, 't', null, null, null]);
    all.rows.close();
    counted.rows.close();
    assert.equal(await all.rows.next(10), null);
  } finally {
    await engine.close();
  }
});

test('late rows are refused at the source, listed and counted', async () => {
  const engine = await openEngine({ tickRows: 10 });
  try {
    await sql(
      engine,
      `CREATE STREAM s (id BIGINT, name TEXT, email_address TEXT, credit_card TEXT, city TEXT, state TEXT, date_time TIMESTAMP, extra TEXT,
      WATERMARK FOR date_time AS date_time - INTERVAL '0 seconds') WITH (connector = 'nexmark', table = 'person', events = '5000', seed = '3')`,
    );
    await sql(engine, 'CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n FROM s');
    while (engine.sourceTicks.pump());
    const [[seen]] = await sql(engine, 'SELECT n FROM n');
    const [[late]] = await sql(engine, "SELECT count(*) FROM tidemark.late('s')");
    assert.equal(Number(seen) + Number(late), 100);
    assert.deepEqual(await sql(engine, "SELECT rows, late, errors FROM tidemark.sources WHERE name = 's'"), [
      ['100', late, '0'],
    ]);
  } finally {
    await engine.close();
  }
});

test('a local stream refuses late rows too', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, "CREATE STREAM s (id int, at timestamp, WATERMARK FOR at AS at - INTERVAL '10 seconds')");
    await sql(engine, 'CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n FROM s');
    await sql(engine, "INSERT INTO s VALUES (1, '2026-01-01 00:00:30')");
    await sql(
      engine,
      "INSERT INTO s VALUES (2, '2026-01-01 00:00:20'), (3, '2026-01-01 00:00:19.999'), (4, NULL), (5, '2026-01-01 00:01:00')",
    );
    assert.deepEqual(await sql(engine, 'SELECT n FROM n'), [['4']]);
    assert.deepEqual(await sql(engine, "SELECT id, tidemark_watermark FROM tidemark.late('s')"), [
      ['3', '2026-01-01 00:00:20'],
    ]);
    await sql(engine, "INSERT INTO s VALUES (6, '2026-01-01 00:00:30')");
    assert.deepEqual(await sql(engine, 'SELECT id FROM s ORDER BY id'), [['1'], ['2'], ['4'], ['5']]);
  } finally {
    await engine.close();
  }
});
