/**
 * An exactly-once sink whose server is killed at a chosen step of a transaction, and servers with copies of one data directory. A proxy before the
 * broker sees each request and each answer, and that is where the server ends.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type pg from 'pg';
import { seeded } from '../engine/harness.ts';
import { API } from '../kafka/proxy.ts';
import { addedUp, recordsOf } from '../kafka/sink_records.ts';
import { kafkaSuite, WAIT_MS } from '../kafka/suite.ts';
import { Child, pause, rounds } from './child.ts';

const suite = kafkaSuite({ proxied: true });
const skip = suite.proxySkip;
const { random } = seeded('kills inside a commit');
const root = mkdtempSync(join(tmpdir(), 'tidemark-sinks-'));
after(() => rmSync(root, { recursive: true, force: true }));

const createSink = (topic: string) =>
  `CREATE SINK out FROM account WITH (connector = 'kafka', brokers = '${suite.proxy.address}', topic = '${topic}', partitions = '2', envelope = 'debezium')`;

const createTable = `CREATE TABLE account (id int PRIMARY KEY, version int);
  INSERT INTO account SELECT g, 0 FROM generate_series(1, 20) g`;

/** Updates until told to end; what a killed server answers is nobody's business. */
function writing(child: Child): { end(): Promise<void> } {
  let going = true;
  const done = (async () => {
    let client: pg.Client | null = null;
    try {
      client = await child.connect();
      while (going) await client.query(`UPDATE account SET version = version + 1 WHERE id % 3 = ${random(3)}`);
    } catch {
      // The server was killed.
    } finally {
      await client?.end().catch(() => undefined);
    }
  })();
  return {
    async end() {
      going = false;
      await done;
    },
  };
}

async function until(child: Child, query: string): Promise<void> {
  for (const end = Date.now() + WAIT_MS; (await child.rows(query))[0]?.[0] !== true; await pause(20))
    assert.ok(Date.now() < end, `${query}: ${JSON.stringify(await child.rows('SELECT * FROM tidemark.sinks'))}`);
}

const WRITTEN = "SELECT bool_and(status = 'running' AND queued = 0) FROM tidemark.sinks";

async function addsUp(child: Child, topic: string): Promise<void> {
  await until(child, WRITTEN);
  const rows = await child.rows(`SELECT row_to_json(a)::text FROM account a`);
  assert.deepEqual(addedUp(await recordsOf(suite.broker.brokers, topic)), rows.map(([row]) => row as string).sort());
}

const STEPS: [name: string, api: number, side: 'request' | 'answer'][] = [
  ['before anything is sent', API.addPartitionsToTxn, 'request'],
  ['after a part is sent', API.produce, 'answer'],
  ['after all is sent, before the commit', API.endTxn, 'request'],
  ['after the commit, before it is known', API.endTxn, 'answer'],
  ['after the next server has fenced the one before', API.initProducerId, 'answer'],
];

test('a server is killed at each step of its sink’s transaction', { skip, timeout: 600_000 }, async () => {
  const data = join(root, 'steps');
  let child = await Child.start(data);
  try {
    const client = await child.connect();
    await client.query(createTable);
    await client.query(createSink('steps'));
    await client.end();
    for (let round = rounds(1, 5); round > 0; round--) {
      for (const [name, api, side] of STEPS) {
        if (random(2) === 0) await child.rows('CHECKPOINT');
        let victim = Promise.resolve(child);
        const killed = new Promise<void>((resolve) => {
          const kill = async () => {
            await (await victim).kill();
            resolve();
            return false;
          };
          suite.proxy.watch({ api, after: api === API.initProducerId ? 0 : random(4), [side]: kill });
        });
        const writer = writing(child);
        if (api === API.initProducerId) {
          // A sink that is there again fences the writer of before at once.
          await pause(random(200));
          await child.kill();
          victim = Child.start(data);
        }
        await killed;
        await writer.end();
        child = await Child.start(data);
        await addsUp(child, 'steps').catch((error: unknown) => {
          throw new Error(`${name}: ${String(error)}`, { cause: error });
        });
      }
    }
    const again = writing(child);
    await pause(200);
    await again.end();
    await addsUp(child, 'steps');
  } finally {
    suite.proxy.watch(null);
    await child.kill();
  }
});

test('a server is killed inside the transaction of a sink’s first rows', { skip, timeout: 120_000 }, async () => {
  const data = join(root, 'first-rows');
  let child = await Child.start(data);
  try {
    await child.rows(createTable);
    await child.rows('INSERT INTO account SELECT g, 0 FROM generate_series(21, 20000) g');
    for (const [topic, api, side] of [
      ['first-sent', API.produce, 'answer'],
      ['first-committed', API.endTxn, 'answer'],
    ] as const) {
      const victim = child;
      const killed = new Promise<void>((resolve) => {
        const kill = async () => {
          await victim.kill();
          resolve();
          return false;
        };
        // What CREATE SINK waits for comes before: a transaction with one record, the sink's progress.
        suite.proxy.watch({ api, after: 1, [side]: kill });
      });
      await child.rows(createSink(topic).replace('SINK out', `SINK "${topic}"`)).catch(() => undefined);
      await killed;
      child = await Child.start(data);
      if ((await child.rows(`SELECT 1 FROM tidemark.sinks WHERE name = '${topic}'`)).length === 0) continue;
      await addsUp(child, topic);
      await child.rows('UPDATE account SET version = version + 1 WHERE id <= 10');
      await addsUp(child, topic);
    }
  } finally {
    suite.proxy.watch(null);
    await child.kill();
  }
});

/** A copy as a backup tool makes it: the lock names a process that does not own it. */
function copyOf(data: string, name: string): string {
  const copy = join(root, name);
  cpSync(data, copy, { recursive: true, filter: (path) => !path.endsWith('/lock') });
  return copy;
}

test('two servers with copies of one directory: the later one takes the sink over, an older copy is refused', {
  skip,
  timeout: 120_000,
}, async () => {
  const data = join(root, 'first');
  const first = await Child.start(data);
  let second: Child | null = null;
  let third: Child | null = null;
  try {
    await first.rows(createTable);
    await first.rows(createSink('copies'));
    await first.rows('UPDATE account SET version = 1');
    await until(first, WRITTEN);
    const copy = copyOf(data, 'second');
    second = await Child.start(copy);
    await until(second, "SELECT status = 'running' AND queued = 0 AND tick > 0 FROM tidemark.sinks");
    await second.rows('UPDATE account SET version = 2');
    await until(second, WRITTEN);
    await first.rows('UPDATE account SET version = 3');
    await until(
      first,
      "SELECT status = 'stopped' AND last_error ~ 'another server has taken the sink over' FROM tidemark.sinks",
    );
    await second.rows('UPDATE account SET version = 4');
    await addsUp(second, 'copies');

    // A new sink of the stopped server is its own.
    await first.rows('DROP SINK out');
    await first.rows(createSink('copies-first'));
    await addsUp(first, 'copies-first');
    await addsUp(second, 'copies');

    const stale = copyOf(copy, 'third');
    await second.rows('UPDATE account SET version = 5');
    await addsUp(second, 'copies');
    third = await Child.start(stale);
    await until(third, "SELECT status = 'stopped' AND last_error ~ 'the data directory ends at' FROM tidemark.sinks");
    await second.rows('UPDATE account SET version = 6');
    await addsUp(second, 'copies');
  } finally {
    await first.kill();
    await second?.kill();
    await third?.kill();
  }
});
