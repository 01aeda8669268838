/** Sinks as the engine runs them: what they are given, what tidemark.sinks says of them, what CREATE SINK refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';

const FIGURES = 'SELECT name, status, rows, queued, errors, last_error FROM tidemark.sinks ORDER BY name';

test('a blackhole counts the changes of its query and drops them', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 10), (2, 20), (2, 30)');
    await sql(engine, "CREATE SINK sums AS SELECT a, sum(b) FROM t GROUP BY a WITH (connector = 'blackhole')");
    await sql(engine, "CREATE SINK rows FROM t WITH (connector = 'blackhole')");
    assert.deepEqual(await sql(engine, FIGURES), [
      ['rows', 'running', '3', '0', '0', null],
      ['sums', 'running', '2', '0', '0', null],
    ]);
    await sql(engine, 'INSERT INTO t VALUES (2, 1), (3, 1); UPDATE t SET b = 11 WHERE a = 1');
    assert.deepEqual(await sql(engine, FIGURES), [
      ['rows', 'running', '7', '0', '0', null],
      ['sums', 'running', '7', '0', '0', null],
    ]);
    await sql(engine, 'DROP SINK sums');
    assert.deepEqual(await sql(engine, 'SELECT name FROM tidemark.sinks'), [['rows']]);
    await assert.rejects(sql(engine, "CREATE SINK s FROM t WITH (connector = 'blackhole', topic = 'x')"), {
      sqlstate: '22023',
      message: /unrecognized option "topic"/,
    });
    await assert.rejects(sql(engine, "CREATE SINK s FROM t WITH (connector = 'file')"), {
      sqlstate: '22023',
      message: /unknown connector "file"/,
    });
    await assert.rejects(sql(engine, 'CREATE SINK s FROM t'), { sqlstate: '22023', message: /a sink needs WITH/ });
  } finally {
    await engine.close();
  }
});

test('CREATE SINK refuses an envelope that cannot tell what happens to the rows', async () => {
  const engine = await openEngine();
  try {
    await sql(
      engine,
      `CREATE TABLE t (a int PRIMARY KEY, b int); CREATE STREAM s (a int, b int, at timestamp, WATERMARK FOR at AS at);
       CREATE MATERIALIZED VIEW v AS SELECT b, count(*) AS n FROM s GROUP BY b`,
    );
    const create = (query: string, options: string) =>
      sql(engine, `CREATE SINK x ${query} WITH (connector = 'kafka', brokers = '127.0.0.1:1', topic = 't'${options})`);
    const refused: [query: string, options: string, message: RegExp][] = [
      ['FROM t', ", envelope = 'append'", /cannot tell that a row changed or went away/],
      ['AS SELECT max(b) AS m FROM s GROUP BY a', ", envelope = 'append'", /cannot tell/],
      ['AS SELECT b FROM t', '', /cannot tell/],
      ['AS SELECT b FROM t', ", envelope = 'upsert'", /needs a key/],
      ['AS SELECT a, b FROM s', ", envelope = 'upsert', key = 'a'", /nothing makes the key \(a\) of this query unique/],
      ['FROM v', ", key = 'n'", /nothing makes the key \(n\)/],
      ['FROM v', ", envelope = 'debezium', key = 'n'", /nothing makes the key \(n\)/],
    ];
    for (const [query, options, message] of refused)
      await assert.rejects(create(query, options), { sqlstate: '22023', message }, `${query} ${options}`);
    // These pass that check, and find no broker.
    const accepted: [query: string, options: string][] = [
      ['FROM s', ", envelope = 'append'"],
      ['AS SELECT a + b AS c FROM s WHERE a > 0', ''],
      [
        "AS SELECT window_start, count(*) AS n FROM TUMBLE(s, at, INTERVAL '1 minute') GROUP BY window_start EMIT ON WINDOW CLOSE",
        ", envelope = 'append'",
      ],
      ['FROM t', ''],
      ['FROM v', ", envelope = 'upsert'"],
      ['AS SELECT count(*) AS n FROM s', ''],
      ['AS SELECT DISTINCT ON (a) a, b FROM s ORDER BY a, b', ", key = 'a'"],
      ['AS SELECT b FROM t', ", envelope = 'debezium'"],
    ];
    for (const [query, options] of accepted) await assert.rejects(create(query, options), { sqlstate: '08001' }, query);
    assert.deepEqual(await sql(engine, 'SELECT name FROM tidemark.sinks'), []);
  } finally {
    await engine.close();
  }
});
