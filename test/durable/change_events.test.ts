/** Tables of change events over restarts: the same rows, errors and views at the same ticks, from the log alone and by checkpoints. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { CheckpointSettings } from '../../src/checkpoint/schedule.ts';
import { openData } from '../../src/durable/recovery.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { Database } from '../engine/database.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { MessageSource } from '../engine/message_source.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-changes-'));
after(() => rmSync(root, { recursive: true, force: true }));

const QUESTIONS = [
  'SELECT * FROM t ORDER BY a, b',
  'SELECT * FROM v ORDER BY a',
  'SELECT partition, "offset", sqlstate, reason, message FROM tidemark.errors(\'t\') ORDER BY 1, 2',
  'SELECT * FROM c ORDER BY o',
  'SELECT partition, "offset", sqlstate, reason FROM tidemark.errors(\'c\') ORDER BY 1, 2',
  'SELECT * FROM r ORDER BY o',
];

async function randomRestarts(name: string, checkpoints: CheckpointSettings | null): Promise<void> {
  const { random } = seeded(`change events over restarts, ${name}`);
  const database = new Database(random);
  const topics = new Map(['t', 'c', 'r'].map((topic) => [topic, new MessageSource()]));
  const send = (topic: string, value: string | null) => topics.get(topic)?.send({ value });
  const open = async () => {
    const engine = await openEngine({
      tickRows: 5,
      openSource: ({ options }) => topics.get(options.topic) as MessageSource,
    });
    await openData(engine, { path: join(root, name), segmentBytes: 2000, checkpoints });
    return engine;
  };
  const state = async (engine: TidemarkEngine) => {
    const answers: unknown[] = [engine.loop.tick];
    for (const stream of engine.streams.values()) answers.push([...stream.partitionPositions()], stream.statistics);
    for (const question of QUESTIONS) answers.push(await sql(engine, question));
    return answers;
  };
  let engine = await open();
  const over = (topic: string, format: string) =>
    `WITH (connector = 'kafka', brokers = 'memory', topic = '${topic}', format = ${format})`;
  await sql(
    engine,
    `CREATE TABLE t (a int, b text, n numeric(10,2), at timestamp, body text, PRIMARY KEY (a, b)) ${over('t', "'debezium_json'")};
     CREATE STREAM c (x int, y text, seen timestamptz DEFAULT now()) INCLUDE OFFSET AS o ${over('c', "'csv', delimiter = ';', null = '-'")};
     CREATE STREAM r (x jsonb) INCLUDE OFFSET AS o ${over('r', "'raw'")};
     CREATE MATERIALIZED VIEW v AS SELECT a, count(*) AS rows, sum(n) AS total, max(body) AS body FROM t GROUP BY a;
     CREATE MATERIALIZED VIEW vc AS SELECT count(*) AS n FROM c;
     CREATE MATERIALIZED VIEW vr AS SELECT count(*) AS n FROM r;`,
  );
  let sent = 0;
  for (let step = 0; step < 80; step++) {
    for (let i = random(8); i > 0; i--) database.change();
    if (random(8) === 0) sent = Math.max(0, sent - random(20));
    for (const value of database.messages.slice(sent)) send('t', random(30) === 0 ? '{"op":"t"}' : value);
    // What was garbled is sent again.
    for (const value of database.messages.slice(sent)) send('t', value);
    sent = database.messages.length;
    for (let i = random(4); i > 0; i--) {
      send('c', ['1;a', '2;"b;""c"', '-;-', 'x;y', '1;2;3;4', '7', '8;z;2026-01-01 00:00:00Z\n'][random(7)]);
      send('r', ['1', '{"a": [1]}', 'bad', null][random(4)]);
    }
    for (let ticks = random(6); ticks > 0 && engine.sourceTicks.pump(); ticks--);
    if (random(6) > 0) continue;
    const before = await state(engine);
    await engine.close();
    engine = await open();
    assert.deepEqual(await state(engine), before, `step ${step}`);
  }
  while (engine.sourceTicks.pump());
  assert.deepEqual(await sql(engine, QUESTIONS[0]), database.rows());
  for (const topic of ['t', 'c', 'r']) {
    const [[count]] = await sql(engine, `SELECT count(*) FROM tidemark.errors('${topic}')`);
    assert.ok(Number(count) > 0, topic);
  }
  await engine.close();
}

test('changes, csv and raw messages come back at random instants', { timeout: 120_000 }, () =>
  randomRestarts('log', null),
);

test('changes, csv and raw messages come back by checkpoints', { timeout: 120_000 }, () =>
  randomRestarts('checkpoints', {}),
);
