/** Exactly-once sinks while the network or the broker fails at every step of a transaction: readers of committed records see each change once. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate as immediately, setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows } from '../../operators/batch/builder.ts';
import { colType, OID } from '../../operators/types.ts';
import { parseClusterOptions } from '../../src/kafka/options.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import type { SinkWriter, TickChanges } from '../../src/runtime/sink.ts';
import { openKafkaSink } from '../../src/sinks/kafka/index.ts';
import { lastProgress, PROGRESS_TOPIC } from '../../src/sinks/kafka/progress.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { rounds } from '../faults/child.ts';
import { API, type Watch } from './proxy.ts';
import { addedUp, allEnded, recordsOf } from './sink_records.ts';
import { eventually, kafkaSuite, WAIT_MS } from './suite.ts';

const suite = kafkaSuite({ proxied: true });
const skip = suite.proxySkip;
const { random } = seeded('exactly once');
let topics = 0;

const cluster = () => parseClusterOptions({ brokers: suite.broker.brokers });
const SETTLED = 'SELECT status, queued FROM tidemark.sinks';

async function withSink(options: string, use: (engine: TidemarkEngine, topic: string) => Promise<void>): Promise<void> {
  const engine = await openEngine({ automatic: true });
  const topic = `exact-${process.pid}-${topics++}`;
  try {
    await sql(engine, 'CREATE TABLE account (id int PRIMARY KEY, version int)');
    await sql(engine, 'INSERT INTO account SELECT g, 0 FROM generate_series(1, 20) g');
    await sql(
      engine,
      `CREATE SINK out FROM account WITH (connector = 'kafka', brokers = '${suite.proxy.address}', topic = '${topic}', partitions = '3',
        envelope = 'debezium', connection_timeout = '1000', ${options})`,
    );
    await use(engine, topic);
  } finally {
    suite.proxy.watch(null);
    await engine.close();
  }
}

async function change(engine: TidemarkEngine, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await sql(engine, `UPDATE account SET version = version + 1 WHERE id % ${1 + random(3)} = 0`);
    // Sockets are heard between two turns of the event loop only.
    await immediately();
  }
}

/** Everything is written, and what is there adds up to the table. */
async function settled(engine: TidemarkEngine, topic: string): Promise<void> {
  await eventually(engine, SETTLED, [['running', '0']]);
  const rows = await sql(engine, `SELECT '{"id":' || id || ',"version":' || version || '}' FROM account ORDER BY 1`);
  assert.deepEqual(
    addedUp(await recordsOf(suite.broker.brokers, topic)),
    rows.map(([row]) => row),
  );
}

/** Each step of a transaction: the request does not arrive, or its answer does not. */
const STEPS: [name: string, api: number, side: 'request' | 'answer'][] = [
  ['InitProducerId is not heard', API.initProducerId, 'request'],
  ['InitProducerId is not answered', API.initProducerId, 'answer'],
  ['AddPartitionsToTxn is not heard', API.addPartitionsToTxn, 'request'],
  ['AddPartitionsToTxn is not answered', API.addPartitionsToTxn, 'answer'],
  ['Produce is not heard', API.produce, 'request'],
  ['Produce is not answered', API.produce, 'answer'],
  ['EndTxn is not heard: the transaction is aborted', API.endTxn, 'request'],
  ['EndTxn is not answered: the transaction is committed and nobody knows', API.endTxn, 'answer'],
];

test('the connection is lost at each step of a transaction', { skip, timeout: 300_000 }, async () => {
  await withSink("request_timeout = '1000'", async (engine, topic) => {
    for (const [name, api, side] of STEPS) {
      for (const after of [0, 1]) {
        let met = false;
        const lose = () => {
          met = true;
          suite.proxy.reset();
          return false;
        };
        const watch: Watch = { api, after: api === API.initProducerId ? 0 : after, [side]: lose };
        // A producer identifies itself again only after a failure.
        const first = () => {
          suite.proxy.watch(watch);
          suite.proxy.reset();
          return false;
        };
        suite.proxy.watch(api === API.initProducerId ? { api: API.produce, after, request: first } : watch);
        for (const until = Date.now() + WAIT_MS; !met && Date.now() < until; ) await change(engine, 1);
        assert.ok(met, name);
        await change(engine, 2);
        await settled(engine, topic);
      }
    }
    const [[errors]] = await sql(engine, 'SELECT errors FROM tidemark.sinks');
    assert.ok(Number(errors) >= STEPS.length, `${errors} errors`);
    const [[tick]] = await sql(engine, 'SELECT tick FROM tidemark.sinks');
    assert.deepEqual(await sql(engine, 'SELECT delivery FROM tidemark.sinks'), [['exactly_once']]);
    const progress = await recordsOf(suite.broker.brokers, PROGRESS_TOPIC);
    assert.ok(progress.some(({ value }) => value?.includes(`"tick":"${tick}"`)));
  });
});

test('CREATE SINK waits while the cluster looks for a coordinator', { skip, timeout: 60_000 }, async () => {
  for (const code of [14, 15, 16]) {
    let refusals = 1;
    suite.proxy.change({
      api: API.endTxn,
      answer: (frame) => {
        // Behind the length, the request's number and the throttle time.
        if (refusals-- > 0) frame.writeInt16BE(code, 12);
      },
    });
    await withSink("request_timeout = '15000'", async (engine, topic) => {
      assert.ok(refusals < 0);
      suite.proxy.change(null);
      await settled(engine, topic);
    });
  }
});

test('a broker is killed under load', { skip, timeout: 120_000 }, async (t) => {
  if (!suite.broker.ours) return t.skip('the cluster of KAFKA_BROKERS is not restarted');
  await withSink("request_timeout = '1000'", async (engine, topic) => {
    for (let round = 0; round < 2; round++) {
      await change(engine, 10);
      await suite.broker.kill();
      await change(engine, 10);
      await suite.broker.start();
      await change(engine, 10);
      await settled(engine, topic);
    }
  });
  await suite.reconnect();
});

test('a cut network: nothing is said, and the broker gives the transaction up meanwhile', {
  skip,
  timeout: 120_000,
}, async () => {
  await withSink("request_timeout = '1000', transaction_timeout = '1000'", async (engine, topic) => {
    // In the midst of a transaction: its records are there, its end never comes.
    suite.proxy.watch({
      api: API.endTxn,
      request: () => {
        suite.proxy.cut();
        return false;
      },
    });
    await change(engine, 10);
    await eventually(engine, 'SELECT status FROM tidemark.sinks', [['retrying']]);
    await change(engine, 10);
    await sleep(rounds(3000, 30_000));
    suite.proxy.mend();
    await settled(engine, topic);
  });
});

test('a transaction that outlives its time is tried again with more', { skip, timeout: 120_000 }, async () => {
  await withSink("transaction_timeout = '1000', request_timeout = '20000'", async (engine, topic) => {
    let held = 0;
    const hold = async () => {
      held++;
      // The coordinator looks for transactions that are over every transaction.abort.timed.out.transaction.cleanup.interval.ms, 10 s; a commit that is
      // held back until then is refused.
      await allEnded(suite.broker.brokers, topic);
      return true;
    };
    suite.proxy.watch({ api: API.endTxn, request: hold });
    await change(engine, 5);
    await settled(engine, topic);
    assert.equal(held, 1);
    const [[errors]] = await sql(engine, 'SELECT errors FROM tidemark.sinks');
    assert.ok(Number(errors) >= 1);
  });
});

const columns = [{ name: 'id', type: colType(OID.int4) }];
const rows = { columns, key: [0], appendOnly: false };
const message = (id: number) => `{"id":${id}}`;

/** A batch of one row. */
function row(id: number) {
  return batchFromRows(
    columns.map(({ type }) => type),
    [[id]],
    arena,
    [1],
  );
}

const arena = new Arena();
after(() => arena.release());

test('another writer of the same identity: the one that came first stops, and adds nothing', {
  skip,
  timeout: 60_000,
}, async () => {
  const id = `same-${process.pid}`;
  const open = () => openKafkaSink({ brokers: suite.broker.brokers, topic: id, partitions: '1' }, rows, id);
  const first = await open();
  await first.create();
  await first.write([{ tick: 5n, batch: row(1) }]);
  const second = await open();
  assert.equal(await second.begin(9n), 5n);
  await assert.rejects(first.write([{ tick: 6n, batch: row(2) }]));
  await assert.rejects(first.begin(0n), { sqlstate: '55006', message: /another server has taken the sink over/ });
  // What the first tried has fenced the second in turn, which finds its own claim.
  await assert.rejects(second.write([{ tick: 6n, batch: row(3) }]));
  assert.equal(await second.begin(9n), 5n);
  await second.write([{ tick: 6n, batch: row(3) }]);
  // A copy of the directory from before tick 6.
  const older = await open();
  await assert.rejects(older.begin(5n), {
    sqlstate: '55000',
    message: /written up to tick 6, and the data directory ends at 5/,
  });
  assert.equal(await second.begin(9n), 6n);
  for (const sink of [first, older]) await sink.close(false);
  assert.deepEqual(
    (await recordsOf(suite.broker.brokers, id)).map(({ value }) => value),
    [1, 3].map(message),
  );
  await second.close(true);
  assert.equal(await lastProgress(cluster(), id), null);
  const gone = await open();
  await assert.rejects(gone.begin(9n), { sqlstate: '55000', message: /no longer has the progress/ });
  await gone.close(false);
});

/** A busy broker says of a topic's first moments that it does not lead it: then the runtime, too, begins again. */
async function writeToNew(sink: SinkWriter, ticks: TickChanges[]): Promise<void> {
  for (;;) {
    try {
      await sink.write(ticks);
      return;
    } catch (error) {
      if (!/not the leader/.test((error as Error).message)) throw error;
      await sink.begin(0n);
    }
  }
}

test('progress is found behind an open transaction of another sink', { skip, timeout: 60_000 }, async () => {
  const kafka = new kafkajs.Kafka({ brokers: [suite.broker.brokers], logLevel: kafkajs.logLevel.NOTHING });
  const other = kafka.producer({ transactionalId: `other-${process.pid}`, maxInFlightRequests: 1, idempotent: true });
  await other.connect();
  const id = `behind-${process.pid}`;
  const sink = await openKafkaSink({ brokers: suite.broker.brokers, topic: id }, rows, id);
  await sink.create();
  const open = await other.transaction();
  await open.send({ topic: PROGRESS_TOPIC, messages: [{ key: 'other', value: '{"tick":"1","owner":"x"}' }] });
  await writeToNew(sink, [{ tick: 7n, batch: row(1) }]);
  assert.equal((await lastProgress(cluster(), id))?.tick, 7n);
  await open.abort();
  // It is answered before the topic's partition knows of it.
  await allEnded(suite.broker.brokers, PROGRESS_TOPIC);
  assert.equal(await lastProgress(cluster(), 'other'), null);
  assert.equal(await sink.begin(0n), 7n);
  await sink.close(true);
  await other.disconnect();
});

test('topics of the right kind are made; a progress topic that forgets is refused', {
  skip,
  timeout: 60_000,
}, async () => {
  const policies = await suite.cluster.admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: PROGRESS_TOPIC, configNames: ['cleanup.policy'] }],
  });
  assert.equal(policies.resources[0].configEntries[0].configValue, 'compact');
  const set = (value: string) =>
    suite.cluster.admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: PROGRESS_TOPIC,
          configEntries: [{ name: 'cleanup.policy', value }],
        },
      ],
    });
  await set('delete');
  try {
    const id = `policy-${process.pid}`;
    const sink = await openKafkaSink({ brokers: suite.broker.brokers, topic: id }, rows, id);
    await assert.rejects(sink.create(), { sqlstate: '55000', message: /cleanup.policy delete, and must have compact/ });
    await sink.close(true);
  } finally {
    await set('compact');
  }
});
