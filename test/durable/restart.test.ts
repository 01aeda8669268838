/** A data directory gives everything back: objects with their OIDs, rows, ticks, what views hold; and refuses what it cannot give back. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { CheckpointSettings } from '../../src/checkpoint/schedule.ts';
import { openData } from '../../src/durable/recovery.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import type { EngineOptions } from '../../src/runtime/engine_options.ts';
import { openEngine, Session, sql } from '../engine/harness.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-restart-'));
after(() => rmSync(root, { recursive: true, force: true }));

type Start = (name: string, options?: EngineOptions) => Promise<TidemarkEngine>;

function starter(checkpoints: CheckpointSettings | null): Start {
  return async (name, options = {}) => {
    const engine = await openEngine(options);
    await openData(engine, {
      path: join(root, `${name}-${checkpoints === null ? 'log' : 'checkpoints'}`),
      checkpoints,
    });
    return engine;
  };
}

/** From the log alone, and from the checkpoint of an orderly end. */
function testBoth(name: string, body: (start: Start) => Promise<void>): void {
  test(name, () => body(starter(null)));
  test(`${name}: by checkpoints`, () => body(starter({})));
}

const objects = (engine: TidemarkEngine) =>
  engine.catalog.objects().map(({ kind, oid, schema, name, sql }) => ({ kind, oid, schema, name, sql }));

testBoth('views over views that are the same query share after a start as before', async (start) => {
  let engine = await start('equal-views');
  const again = async () => {
    await engine.close();
    engine = await start('equal-views');
    return [...engine.loop.graph.nodes()].length;
  };
  await sql(engine, 'CREATE TABLE t (g int, v int); INSERT INTO t VALUES (1, 1), (1, 2), (2, 5)');
  for (const n of [1, 2]) {
    await sql(engine, `CREATE MATERIALIZED VIEW a${n} AS SELECT g, sum(v) AS s FROM t GROUP BY g`);
    await sql(engine, `CREATE MATERIALIZED VIEW b${n} AS SELECT s % 2 AS odd, count(*) FROM a${n} GROUP BY s % 2`);
  }
  const nodes = [...engine.loop.graph.nodes()].length;
  assert.equal(await again(), nodes);
  await sql(engine, 'INSERT INTO t VALUES (2, 1)');
  for (const n of [1, 2])
    assert.deepEqual(await sql(engine, `SELECT * FROM b${n} ORDER BY 1`), [
      ['0', '1'],
      ['1', '1'],
    ]);
  await sql(engine, 'DROP MATERIALIZED VIEW a1 CASCADE');
  assert.equal(await again(), nodes);
  await sql(engine, 'INSERT INTO t VALUES (2, 1)');
  assert.deepEqual(await sql(engine, 'SELECT * FROM b2'), [['1', '2']]);
  await engine.close();
});

testBoth('tables, views, indexes, schemas and local streams come back as they were', async (start) => {
  let engine = await start('objects');
  await sql(
    engine,
    `CREATE SCHEMA s;
     CREATE TABLE t (id int PRIMARY KEY, name text DEFAULT 'none', n numeric);
     CREATE TABLE gone (x int);
     CREATE MATERIALIZED VIEW of_gone AS SELECT count(*) FROM gone;
     CREATE INDEX ON of_gone (count);
     INSERT INTO gone VALUES (1);
     CREATE TABLE s.copied AS SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, 'y';
     CREATE STREAM clicks (at timestamp, who text, WATERMARK FOR at AS at - INTERVAL '1 minute');
     CREATE VIEW plain AS SELECT name FROM t;
     CREATE MATERIALIZED VIEW total AS SELECT count(*) AS n, sum(n) AS s FROM t;
     CREATE INDEX t_name ON t (name);
     CREATE UNIQUE INDEX ON t (n);
     INSERT INTO t VALUES (1, 'one', 1.50), (2, 'a name longer than twelve bytes', 12345678901234567890123.4), (3, NULL, NULL);
     UPDATE t SET n = n * 2 WHERE id = 1;
     DELETE FROM t WHERE id = 3;
     INSERT INTO t (id) VALUES (4);
     INSERT INTO clicks VALUES ('2026-01-01 10:00', 'a');
     INSERT INTO clicks VALUES ('2026-01-01 09:00', 'late'), ('2026-01-01 10:01', 'b');
     DROP TABLE gone CASCADE;
     CREATE TABLE gone (y text);
     CREATE OR REPLACE VIEW plain AS SELECT name, id FROM t;
     TRUNCATE s.copied;
     INSERT INTO s.copied VALUES (3, 'z');`,
  );
  const questions = [
    'SELECT * FROM t ORDER BY id',
    'SELECT * FROM total',
    'SELECT * FROM plain ORDER BY id',
    'SELECT * FROM s.copied',
    'SELECT * FROM clicks ORDER BY at',
    "SELECT * FROM tidemark.late('clicks')",
    'SELECT * FROM gone',
  ];
  const ask = async () => {
    const answers: unknown[] = [];
    for (const question of questions) answers.push(await sql(engine, question));
    return answers;
  };
  const before = { answers: await ask(), objects: objects(engine), tick: engine.loop.tick, now: engine.loop.now };
  for (let round = 0; round < 3; round++) {
    await engine.close();
    engine = await start('objects');
    assert.deepEqual(objects(engine), before.objects);
    assert.deepEqual(await ask(), before.answers);
    assert.equal(engine.loop.tick, before.tick);
    assert.ok(engine.loop.now >= before.now);
    assert.equal(engine.localStreams.size, 1);
  }
  // Constraints and OIDs go on from there.
  await assert.rejects(sql(engine, 'INSERT INTO t (id) VALUES (4)'), { sqlstate: '23505' });
  await sql(engine, 'CREATE TABLE later (a int)');
  const oids = objects(engine).map((o) => o.oid);
  assert.equal(engine.catalog.find(undefined, 'later')?.oid, Math.max(...oids));
  assert.equal(new Set(oids).size, oids.length);
  await engine.close();
});

testBoth('a statement means under its own settings what it meant', async (start) => {
  let engine = await start('settings');
  await sql(engine, 'CREATE SCHEMA other; CREATE TABLE other.t (at timestamptz); CREATE TABLE t (nothing int);');
  await sql(engine, "INSERT INTO other.t VALUES ('2026-06-30 23:30:00Z')");
  const session = new Session(engine, { search_path: 'other', TimeZone: 'Asia/Tokyo' });
  await session.run('CREATE MATERIALIZED VIEW days AS SELECT at::date AS day FROM t');
  await session.transaction.commit();
  const days = [['2026-07-01']];
  assert.deepEqual(await sql(engine, 'SELECT day FROM other.days'), days);
  await engine.close();
  engine = await start('settings');
  assert.deepEqual(await sql(engine, 'SELECT day FROM other.days'), days);
  await engine.close();
});

testBoth('a transaction comes back whole or not at all', async (start) => {
  let engine = await start('transactions');
  await sql(engine, 'CREATE TABLE a (x int); CREATE TABLE b (x int)');
  const kept = new Session(engine);
  await kept.run('INSERT INTO a VALUES (1)');
  await kept.run('INSERT INTO b VALUES (-1)');
  await kept.transaction.commit();
  const lost = new Session(engine);
  await lost.run('INSERT INTO a VALUES (2)');
  await engine.close();
  engine = await start('transactions');
  assert.deepEqual(await sql(engine, 'SELECT (SELECT sum(x) FROM a), (SELECT sum(x) FROM b)'), [['1', '-1']]);
  await engine.close();
});

test('a directory in use is refused, with the process that has it', async () => {
  const start = starter(null);
  const engine = await start('used');
  await assert.rejects(start('used'), (error: { sqlstate: string; message: string }) => {
    assert.equal(error.sqlstate, '55006');
    assert.match(error.message, new RegExp(`in use by process ${process.pid}$`));
    return true;
  });
  await engine.close();
  await (await start('used')).close();
});

testBoth('columns and views of paths', async (start) => {
  let engine = await start('paths');
  await sql(
    engine,
    `CREATE TABLE rule (name text, path jsonpath, many jsonpath[]);
     CREATE TABLE doc (id int PRIMARY KEY, body jsonb);
     CREATE MATERIALIZED VIEW hit AS SELECT name, path, id FROM rule JOIN doc ON body @? path;
     CREATE MATERIALIZED VIEW item AS SELECT id, t.* FROM doc, JSON_TABLE(body, '$.l[*]' COLUMNS (n FOR ORDINALITY, v int PATH '$')) t;
     INSERT INTO rule VALUES ('x', '$.a == 1 || $.a == 2 || $.a == 3', '{$.a,$.b}'), ('y', '$ ? ((exists(@.b)).type() == "boolean")', NULL);
     INSERT INTO doc VALUES (1, '{"a": 1, "l": [4, 5]}'), (2, '{"b": 2, "l": ["x"]}')`,
  );
  const rows = async () => [
    await sql(engine, 'SELECT * FROM hit ORDER BY name, id'),
    await sql(engine, 'SELECT * FROM item ORDER BY id, n'),
    await sql(engine, 'SELECT * FROM rule ORDER BY name'),
  ];
  const before = await rows();
  assert.deepEqual(
    before.map((list) => list.length),
    [4, 3, 2],
  );
  await engine.close();
  engine = await start('paths');
  assert.deepEqual(await rows(), before);
  await sql(
    engine,
    "DELETE FROM rule WHERE name = 'y'; UPDATE doc SET body = body - 'l' WHERE id = 1; DELETE FROM doc WHERE id = 2",
  );
  assert.deepEqual(
    (await rows()).map((list) => list.length),
    [1, 0, 1],
  );
  await engine.close();
});
