/**
 * SIGKILL at random instants while eleven Nexmark queries read real Kafka topics and an exactly-once sink writes the changes of each to another. At
 * the end the views are what PostgreSQL makes of the accepted input, and what a reader of committed records gets adds up to the views: no change is lost or there twice.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { seeded } from '../engine/harness.ts';
import { kafkaSkip, startBroker } from '../kafka/broker.ts';
import { addedUp, recordsOf } from '../kafka/sink_records.ts';
import { Oracle } from '../nexmark/oracle.ts';
import { makeNexmarkTopics, produceNexmark } from '../nexmark/produce.ts';
import { streamsSql, views } from '../nexmark/suite.ts';
import { Child, pause, progress, rounds } from './child.ts';

const QUERIES = ['q3', 'q4', 'q5', 'q7', 'q8', 'q9', 'q16', 'q17', 'q18', 'q19', 'q20'];
const EVENTS = Number(process.env.EVENTS ?? rounds(60_000, 1_000_000));
const KILLS = Number(process.env.KILLS ?? rounds(6, 20));
const SETTLED_MS = rounds(120_000, 900_000);
/** Milliseconds from a server's first tick to its end, at most. */
const LIFE_MS = rounds(1500, 10_000);

const texts = { getTypeParser: () => (text: string) => text };

/** Rows as text, in the form of the oracle. */
async function read(child: Child, text: string): Promise<string[]> {
  const client = await child.connect();
  try {
    const { rows } = await client.query<(string | null)[]>({ text, rowMode: 'array', types: texts });
    return rows.map((row) => row.map((value) => value ?? '\\N').join('\t')).sort();
  } finally {
    await client.end();
  }
}

/** A stream's rows are told of each of its partitions. */
const COUNT = '(SELECT coalesce(sum(rows), 0) FROM (SELECT DISTINCT name, rows FROM tidemark.sources) s)';
const counter = async (child: Child) => Number((await child.rows(`SELECT ${COUNT}`))[0][0]);

test('Nexmark from Kafka to Kafka, killed again and again', { skip: kafkaSkip(), timeout: 3_600_000 }, async () => {
  const { random, seed } = seeded('nexmark from kafka to kafka');
  const root = mkdtempSync(join(tmpdir(), 'tidemark-nexmark-'));
  const data = join(root, 'data');
  const broker = await startBroker();
  let child = await Child.start(data);
  try {
    const produced = { brokers: broker.brokers, prefix: 'in-', events: EVENTS, partitions: 4, seed };
    await makeNexmarkTopics(produced);
    const client = await child.connect();
    await client.query(
      streamsSql(
        (table) => `connector = 'kafka', brokers = '${broker.brokers}', topic = 'in-${table}', start = 'earliest'`,
      ),
    );
    for (const name of QUERIES) {
      await client.query(views.get(name) ?? '');
      await client.query(
        `CREATE SINK ${name}_out FROM ${name} WITH (connector = 'kafka', brokers = '${broker.brokers}', topic = 'out-${name}', envelope = 'debezium', partitions = '2')`,
      );
    }
    await client.end();

    const killed: number[] = [];
    // Each life of the server has its share of the events to read.
    const pace = async (sent: number) => {
      while (sent > (EVENTS * (killed.length + 2)) / (KILLS + 2)) await pause(10);
    };
    const sending = produceNexmark({ ...produced, pace });
    while (killed.length < KILLS) {
      const before = await counter(child);
      for (const until = Date.now() + LIFE_MS; (await counter(child)) === before && Date.now() < until; )
        await pause(20);
      // In a long run every start would do everything again without checkpoints, of which some are killed in the midst.
      const checkpoint = random(2) < rounds(0, 1) ? child.rows('CHECKPOINT').catch(() => undefined) : null;
      await pause(random(LIFE_MS));
      killed.push(await counter(child));
      await child.kill();
      progress(`Nexmark from Kafka: killed ${killed.length} of ${KILLS} times, after ${killed.at(-1)} rows`);
      await checkpoint;
      child = await Child.start(data);
    }
    console.log(`# killed after so many rows: ${killed.join(', ')}`);
    const total = [...(await sending).values()].reduce((a, b) => a + b);

    const idle = `SELECT ${COUNT} = ${total}
      AND (SELECT count(*) FROM tidemark.sinks WHERE queued > 0 OR status <> 'running') = 0`;
    for (const until = Date.now() + SETTLED_MS; (await child.rows(idle))[0][0] !== true; await pause(200))
      assert.ok(Date.now() < until, JSON.stringify(await child.rows('SELECT * FROM tidemark.sinks')));

    const oracle = await Oracle.open(QUERIES);
    try {
      await oracle.load((text) => read(child, text));
      for (const name of QUERIES) await oracle.compare((text) => read(child, text), name, `at the end (seed ${seed})`);
    } finally {
      await oracle.close();
    }
    let records = 0;
    for (const name of QUERIES) {
      const written = await recordsOf(broker.brokers, `out-${name}`);
      const rows = await child.rows(`SELECT row_to_json(v)::text FROM ${name} v`);
      assert.deepEqual(addedUp(written), rows.map(([row]) => JSON.stringify(JSON.parse(row as string))).sort(), name);
      records += written.length;
    }
    console.log(`# ${total} rows in, ${records} records out, ${KILLS} kills`);
    assert.deepEqual(await child.rows('SELECT DISTINCT delivery FROM tidemark.sinks'), [['exactly_once']]);
  } finally {
    await child.kill();
    await broker.stop();
    rmSync(root, { recursive: true, force: true });
  }
});
