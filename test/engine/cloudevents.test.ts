/** A stream of events: both modes, what is none, columns that no event has, keys and headers around them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';
import { MessageSource } from './message_source.ts';

const WITH = "WITH (connector = 'kafka', brokers = 'memory', topic = 't', format = 'cloudevents'";

const headers = (named: Record<string, string>) =>
  Object.entries(named).map(([key, value]) => ({ key, value: Buffer.from(value) }));

test('events are rows of their attributes', async () => {
  const source = new MessageSource();
  const engine = await openEngine({ openSource: () => source });
  try {
    await sql(
      engine,
      `CREATE STREAM e (id text, type text, time timestamptz DEFAULT '2026-01-01', tenant text DEFAULT 'none', data jsonb, WATERMARK FOR time AS time)
         INCLUDE KEY AS k, OFFSET AS o ${WITH});
       CREATE MATERIALIZED VIEW v AS SELECT o, k, id, type, time, tenant, data ->> 'n' AS n FROM e`,
    );
    source.send(
      {
        key: 'a',
        value: '{"specversion":"1.0","id":"1","source":"s","type":"made","time":"2026-01-02T00:00:00Z","data":{"n":5}}',
        headers: headers({ 'content-type': 'application/cloudevents+json' }),
      },
      {
        value: '{"n":6}',
        headers: headers({
          ce_specversion: '1.0',
          ce_id: '2',
          ce_source: 's',
          ce_type: 'paid',
          ce_tenant: 'x',
          ce_time: '2026-01-03T00:00:00Z',
          'content-type': 'application/json',
        }),
      },
      { value: '{"n":7}', headers: headers({ 'content-type': 'application/json' }) },
    );
    while (engine.sourceTicks.pump());
    assert.deepEqual(await sql(engine, 'SELECT * FROM v ORDER BY o'), [
      ['0', 'a', '1', 'made', '2026-01-02 00:00:00+00', 'none', '5'],
      ['1', null, '2', 'paid', '2026-01-03 00:00:00+00', 'x', '6'],
    ]);
    await sql(engine, 'CREATE MATERIALIZED VIEW later AS SELECT id, data FROM e');
    while (engine.sourceTicks.pump());
    assert.deepEqual(await sql(engine, 'SELECT * FROM later ORDER BY id'), [
      ['1', '{"n": 5}'],
      ['2', '{"n": 6}'],
    ]);
    assert.deepEqual(await sql(engine, 'SELECT "offset", sqlstate FROM tidemark.errors(\'e\')'), [['2', '22023']]);
  } finally {
    await engine.close();
  }
});

test('what an event cannot be', async () => {
  const engine = await openEngine({ openSource: () => new MessageSource() });
  try {
    await assert.rejects(sql(engine, `CREATE STREAM e (id text, "orderId" text) ${WITH})`), {
      sqlstate: '42P16',
      message: /column "orderId" can be no attribute of a CloudEvent/,
    });
    await assert.rejects(
      sql(engine, `CREATE TABLE e (id text PRIMARY KEY) ${WITH}, envelope = 'upsert')`),
      /envelope = 'upsert' reads format = 'json', 'avro', 'protobuf' and 'parquet', not 'cloudevents'/,
    );
  } finally {
    await engine.close();
  }
});
