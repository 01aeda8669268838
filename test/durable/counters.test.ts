/** Streams with connector = 'counter': their columns, and that a number has the time of the tick that read it first, in each view and after every kind of restart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, sql } from '../engine/harness.ts';
import { overRestarts } from './over_restarts.ts';

const WITH = "WITH (connector = 'counter', rows = '100000')";

test('numbers and their times are what they were after restarts, and in views made later', async () => {
  const script = `CREATE STREAM beat (n bigint, at timestamptz, WATERMARK FOR at AS at - INTERVAL '1 hour') INCLUDE OFFSET AS o ${WITH};
    CREATE MATERIALIZED VIEW seen AS SELECT n, at, o FROM beat;
    CREATE MATERIALIZED VIEW windows AS SELECT window_start, count(*) AS rows, sum(n) FROM TUMBLE(beat, at, INTERVAL '1 hour') GROUP BY window_start;
    ALTER STREAM beat RENAME COLUMN n TO number; ALTER STREAM beat RENAME COLUMN at TO counted_at;`;
  let before: (string | null)[][] = [];
  let later = 0;
  const holds = async (engine: TidemarkEngine, how: string) => {
    const rows = await sql(engine, 'SELECT n, at, o FROM seen ORDER BY n');
    assert.deepEqual(rows, before, how);
    // Numbers that were not read before the kill come now.
    assert.equal(engine.sourceTicks.pump(), true, how);
    before = await sql(engine, 'SELECT n, at, o FROM seen ORDER BY n');
    assert.ok(before.length > rows.length, how);
    assert.deepEqual(before.slice(0, rows.length), rows, how);
    assert.ok(
      before.every(([n, at, o], i) => n === String(i) && o === n && at !== null),
      how,
    );
    await sql(engine, `CREATE MATERIALIZED VIEW later_${++later} AS SELECT number AS n, counted_at AS at, o FROM beat`);
    assert.deepEqual(await sql(engine, `SELECT n, at, o FROM later_${later} ORDER BY n`), before, how);
    assert.deepEqual(await sql(engine, 'SELECT sum(rows) FROM windows'), [[String(before.length)]], how);
    assert.deepEqual(await sql(engine, 'SELECT late FROM tidemark.sources'), [['0']], how);
  };
  const engine = await overRestarts(script, holds);
  assert.ok(new Set(before.map(([, at]) => at)).size > 3, 'each tick has its own time');
  await engine.close();
});

test('columns other than n and at need a DEFAULT, and these two their types', async () => {
  const engine = await openEngine();
  try {
    const refused: [string, string, RegExp][] = [
      ['m bigint', '42703', /a counter has no column "m"/],
      ['N bigint, "At" timestamptz', '42703', /no column "At"/],
      ['n int', '42804', /column "n" of a counter must be of type bigint/],
      ['n bigint, at timestamp', '42804', /column "at" of a counter must be of type timestamp with time zone/],
      ['at timestamptz(0)', '42804', /column "at"/],
    ];
    for (const [columns, sqlstate, message] of refused)
      await assert.rejects(sql(engine, `CREATE STREAM s (${columns}) ${WITH}`), { sqlstate, message }, columns);
    await assert.rejects(sql(engine, "CREATE STREAM s (n bigint) WITH (connector = 'counter', speed = '1')"), {
      sqlstate: '22023',
      message: /unrecognized option "speed"/,
    });
    await assert.rejects(
      sql(engine, `CREATE TABLE s (n bigint PRIMARY KEY) WITH (connector = 'counter', rows = '1')`),
      {
        sqlstate: '22023',
      },
    );
    await sql(
      engine,
      `CREATE DOMAIN even AS bigint CHECK (VALUE % 2 = 0);
       CREATE STREAM s (kind text DEFAULT 'x', n even, off bigint NOT NULL DEFAULT NULL) WITH (connector = 'counter', rows = '2', start = '0:0');
       CREATE STREAM t (n even, kind text DEFAULT 'x') INCLUDE KEY, PARTITION, TIMESTAMP, HEADERS WITH (connector = 'counter', rows = '6', start = '0:3');
       CREATE MATERIALIZED VIEW v AS SELECT * FROM s;
       CREATE MATERIALIZED VIEW w AS SELECT * FROM t;`,
    );
    while (engine.sourceTicks.pump());
    assert.deepEqual(await sql(engine, 'SELECT * FROM v'), []);
    assert.deepEqual(await sql(engine, 'SELECT sqlstate FROM tidemark.errors(\'s\') ORDER BY "offset"'), [
      ['23502'],
      ['23514'],
    ]);
    assert.deepEqual(await sql(engine, 'SELECT * FROM w'), [['4', 'x', null, '0', null, '{}']]);
    assert.deepEqual(
      await sql(engine, "SELECT name, connector, rows, errors, status FROM tidemark.sources WHERE name = 't'"),
      [['t', 'counter', '1', '2', 'running']],
    );
  } finally {
    await engine.close();
  }
});
