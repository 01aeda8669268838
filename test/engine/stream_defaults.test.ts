/** Columns of streams and tables over a connector that have a DEFAULT: what a message without the field gives, now and when it is read again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { runScript } from '../../src/runtime/script.ts';
import { openEngine, sql } from './harness.ts';
import { MessageSource } from './message_source.ts';

const SECOND = 1_000_000n;
const WITH = "WITH (connector = 'kafka', brokers = 'memory', topic = 't')";

/** An engine whose one topic and clock are the test's. */
async function opened(partitions = 1) {
  const source = new MessageSource(partitions);
  const time = { now: 0n };
  const engine = await openEngine({ clock: () => time.now, openSource: () => source });
  const tick = (seconds: number, ...values: string[]) => {
    time.now = BigInt(seconds) * SECOND;
    source.send(...values.map((value) => ({ value })));
    while (engine.sourceTicks.pump());
  };
  return { engine, source, time, tick };
}

async function both(engine: TidemarkEngine, first: string, later: string): Promise<(string | null)[][]> {
  const rows = await sql(engine, first);
  assert.deepEqual(await sql(engine, later), rows);
  return rows;
}

test('missing takes the default at the clock of the tick, null stays NULL, a value stays', async () => {
  const { engine, tick } = await opened();
  try {
    await sql(
      engine,
      `CREATE STREAM s (id int, at timestamptz DEFAULT now(), day date DEFAULT current_date, kind text NOT NULL DEFAULT 'none ' || 'given',
         n numeric(6,2) DEFAULT 1.005) INCLUDE OFFSET AS o ${WITH}`,
    );
    const view = (name: string) => `CREATE MATERIALIZED VIEW ${name} AS SELECT * FROM s`;
    await sql(engine, view('first'));
    tick(10, '{"id":1}', '{"id":2,"at":null,"day":null,"kind":"k","n":null}');
    tick(86_410, '{"id":3,"at":"2001-01-01 00:00:00Z"}', '{"id":4,"kind":null}');
    await sql(engine, view('later'));
    tick(172_810, '{"id":5}');
    const rows = await both(engine, 'SELECT * FROM first ORDER BY id', 'SELECT * FROM later ORDER BY id');
    assert.deepEqual(rows, [
      ['1', '2000-01-01 00:00:10+00', '2000-01-01', 'none given', '1.01', '0'],
      ['2', null, null, 'k', null, '1'],
      ['3', '2001-01-01 00:00:00+00', '2000-01-02', 'none given', '1.01', '2'],
      ['5', '2000-01-03 00:00:10+00', '2000-01-03', 'none given', '1.01', '4'],
    ]);
    assert.deepEqual(await sql(engine, 'SELECT * FROM s ORDER BY id'), rows);
    assert.deepEqual(await sql(engine, 'SELECT "offset", sqlstate, column_name FROM tidemark.errors(\'s\')'), [
      ['3', '23502', 'kind'],
    ]);
  } finally {
    await engine.close();
  }
});

test('a watermark on the time of arrival closes windows as ticks go on', async () => {
  const { engine, tick } = await opened();
  try {
    await sql(engine, `CREATE STREAM s (id int, at timestamptz DEFAULT now(), WATERMARK FOR at AS at) ${WITH}`);
    const view = (name: string) => `CREATE MATERIALIZED VIEW ${name} AS SELECT window_start, count(*) AS n
      FROM TUMBLE(s, at, INTERVAL '10 seconds') GROUP BY window_start EMIT ON WINDOW CLOSE`;
    await sql(engine, view('first'));
    tick(1, '{"id":1}', '{"id":2}');
    tick(9, '{"id":3}');
    assert.deepEqual(await sql(engine, 'SELECT * FROM first'), []);
    tick(12, '{"id":4}', '{"id":5,"at":"2000-01-01 00:00:08Z"}');
    tick(12, '{"id":6}');
    await sql(engine, view('later'));
    const closed = await both(engine, 'SELECT * FROM first', 'SELECT * FROM later');
    assert.deepEqual(closed, [['2000-01-01 00:00:00+00', '3']]);
    assert.deepEqual(await sql(engine, "SELECT at FROM tidemark.late('s')"), [['2000-01-01 00:00:08+00']]);
  } finally {
    await engine.close();
  }
});

test('a table by key takes defaults for its values; a tombstone needs none', async () => {
  const { engine, source, time } = await opened();
  try {
    await sql(
      engine,
      `CREATE TABLE t (id int PRIMARY KEY, name text DEFAULT 'nobody', seen timestamptz NOT NULL DEFAULT now())
       WITH (connector = 'kafka', brokers = 'memory', topic = 't', envelope = 'upsert')`,
    );
    const tick = (seconds: number, ...messages: { key: string; value: string | null }[]) => {
      time.now = BigInt(seconds) * SECOND;
      source.send(...messages);
      while (engine.sourceTicks.pump());
    };
    tick(1, { key: '1', value: '{}' }, { key: '2', value: '{"name":"bo"}' });
    tick(2, { key: '1', value: '{"name":null}' }, { key: '3', value: '{}' }, { key: '2', value: null });
    assert.deepEqual(await sql(engine, 'SELECT * FROM t ORDER BY id'), [
      ['1', null, '2000-01-01 00:00:02+00'],
      ['3', 'nobody', '2000-01-01 00:00:02+00'],
    ]);
  } finally {
    await engine.close();
  }
});

test('a default that cannot be repeated is refused; one that fails is an error of the record', async () => {
  const { engine, tick } = await opened();
  try {
    for (const volatile of [
      'random()',
      'gen_random_uuid()::text',
      'clock_timestamp()',
      'tidemark_tick()',
      "current_setting('TimeZone')",
    ]) {
      await assert.rejects(
        sql(engine, `CREATE STREAM s (a text DEFAULT ${volatile}) ${WITH}`),
        { sqlstate: '0A000' },
        volatile,
      );
    }
    await sql(engine, 'CREATE STREAM local (a int, r float8 DEFAULT random()); INSERT INTO local VALUES (1)');
    await sql(engine, `CREATE STREAM s (id int, a int DEFAULT 1 / 0) ${WITH}`);
    await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT * FROM s');
    tick(1, '{"id":1}', '{"id":2,"a":5}');
    assert.deepEqual(await sql(engine, 'SELECT * FROM v'), [['2', '5']]);
    assert.deepEqual(await sql(engine, 'SELECT "offset", sqlstate, reason, column_name FROM tidemark.errors(\'s\')'), [
      ['0', '22012', 'division by zero', 'a'],
    ]);
  } finally {
    await engine.close();
  }
});

test('only streams whose rows depend on the clock keep it', async () => {
  for (const [type, clocked] of [
    ["text DEFAULT 'x'", false],
    ['timestamptz DEFAULT now()', true],
  ] as const) {
    const { engine, tick } = await opened();
    try {
      await sql(engine, `CREATE STREAM s (id int, a ${type}) ${WITH}; CREATE MATERIALIZED VIEW v AS SELECT id FROM s`);
      for (let i = 1; i <= 5; i++) tick(i, `{"id":${i}}`);
      const [stream] = engine.streams.values();
      assert.equal(stream.history.pieces().length, 1);
      const clocks = stream.history.clocksIn(0, 0n, 5n);
      assert.deepEqual(
        clocks.map(({ now }) => now),
        clocked ? [1n, 2n, 3n, 4n, 5n].map((n) => n * SECOND) : [],
      );
    } finally {
      await engine.close();
    }
  }
});

test('the generator has its own columns, and those with a default', async () => {
  const engine = await openEngine();
  try {
    const stream = (columns: string) =>
      sql(engine, `CREATE STREAM bid (${columns}) WITH (connector = 'nexmark', table = 'bid', events = '50')`);
    await assert.rejects(stream('auction bigint, prize bigint'), {
      sqlstate: '42703',
      message: /has no column "prize"/,
    });
    await stream("auction bigint, source text DEFAULT 'the generator of bids', note text DEFAULT NULL");
    await sql(
      engine,
      'CREATE MATERIALIZED VIEW v AS SELECT count(auction) AS n, min(source) AS source, count(note) AS notes FROM bid',
    );
    while (engine.sourceTicks.pump());
    assert.deepEqual(await sql(engine, 'SELECT * FROM v'), [['46', 'the generator of bids', '0']]);
  } finally {
    await engine.close();
  }
});

test('a SELECT of a stream that nothing has made read yet says so', async () => {
  const { engine, tick } = await opened();
  try {
    const notices: string[] = [];
    const select = () => runScript(engine, 'SELECT * FROM s', (_, message) => notices.push(message));
    await sql(engine, `CREATE STREAM s (id int) ${WITH}`);
    await select();
    assert.deepEqual(notices, ['stream "s" has not been read yet']);
    await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT * FROM s');
    tick(1, '{"id":1}');
    const [result] = await select();
    assert.deepEqual(result.rows, [[1]]);
    assert.equal(notices.length, 1);
  } finally {
    await engine.close();
  }
});
