/**
 * How long a change takes from INSERT's being sent to a reader of committed records having it from the sink's topic, on a real broker of this machine and with a
 * data directory: the row's fdatasync, the transaction's requests, and the reader's fetch are all in it.
 *
 *   one row at a time, PER_SECOND a second; exactly once beside at least once, in turn
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import '../operators/expr/functions/index.ts';
import { initParser } from '../planner/parse/parse.ts';
import { openData } from '../src/durable/recovery.ts';
import { IoThread } from '../src/io/io_thread.ts';
import { TidemarkEngine } from '../src/runtime/engine.ts';
import { runScript } from '../src/runtime/script.ts';
import { openKafkaSource } from '../src/sources/kafka/index.ts';
import { kafkaUnavailable, startBroker } from '../test/kafka/broker.ts';
import { quantile, Table } from './table.ts';

const PER_SECOND = 50;
const WARM_ROWS = 50;
const LAST_MS = 10_000;

export async function sinkLatencyBench(options: { seconds: number; json: boolean }): Promise<void> {
  const why = kafkaUnavailable();
  if (why !== null) throw new Error(why);
  await initParser();
  const broker = await startBroker();
  const io = new IoThread({
    log: () => undefined,
    onFailure(error) {
      throw error;
    },
  });
  const path = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  const engine = new TidemarkEngine({ kafka: io.kafka });
  try {
    await openData(engine, { path });
    const table = new Table(options.json);
    for (const delivery of ['exactly_once', 'at_least_once']) {
      const times = await measure(engine, broker.brokers, delivery, options.seconds);
      table.add({
        sink: delivery,
        changes: times.length,
        p50Ms: quantile(times, 0.5),
        p99Ms: quantile(times, 0.99),
      });
    }
  } finally {
    await engine.close();
    await io.close();
    await broker.stop();
    rmSync(path, { recursive: true, force: true });
  }
}

/** Milliseconds of each change. */
async function measure(engine: TidemarkEngine, brokers: string, delivery: string, seconds: number): Promise<number[]> {
  const topic = `latency-${delivery}`;
  await runScript(
    engine,
    `CREATE TABLE ${delivery} (id int PRIMARY KEY);
     CREATE SINK ${delivery}_out FROM ${delivery} WITH (connector = 'kafka', brokers = '${brokers}', topic = '${topic}', delivery = '${delivery}')`,
  );
  const source = await openKafkaSource({ brokers, topic }, () => undefined);
  source.open(await source.startOffsets({ k: 'earliest' }));
  const sent = new Map<number, number>();
  const times: number[] = [];
  const read = () => {
    const now = performance.now();
    for (let batch = source.poll(); batch !== null; batch = source.poll()) {
      for (let i = 0; i < batch.n; i++) {
        const { id } = JSON.parse(batch.bytes.toString('utf8', batch.valueStart[i], batch.valueEnd[i])) as {
          id: number;
        };
        const at = sent.get(id);
        if (at !== undefined) times.push(now - at);
      }
    }
    source.onReady(read);
  };
  source.onReady(read);
  const rows = WARM_ROWS + seconds * PER_SECOND;
  for (let id = 0; id < rows; id++) {
    sent.set(id, performance.now());
    await runScript(engine, `INSERT INTO ${delivery} VALUES (${id})`);
    await sleep(1000 / PER_SECOND);
  }
  for (const until = Date.now() + LAST_MS; times.length < rows && Date.now() < until; ) await sleep(10);
  await source.close();
  if (times.length !== rows) throw new Error(`${times.length} of ${rows} changes came`);
  return times.slice(WARM_ROWS);
}
