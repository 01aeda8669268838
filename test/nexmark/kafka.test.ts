/** All 23 views over three real Kafka topics equal PostgreSQL over the accepted input, at random ticks and at the end. */
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { runScript } from '../../src/runtime/script.ts';
import { openEngine, seeded } from '../engine/harness.ts';
import { kafkaSkip, startBroker } from '../kafka/broker.ts';
import { Oracle } from './oracle.ts';
import { makeNexmarkTopics, produceNexmark } from './produce.ts';
import { QUERIES, streamsSql, views } from './suite.ts';

const { random, seed } = seeded('nexmark from kafka');

/** [rows a tick, events, partitions of bid, checks on the way] */
const CASES: [number, number, number, number][] = [
  [1, 300, 1, 2],
  [7, 1000, 3, 2],
  [1000, 10000, 4, 2],
  [1_000_000, 10000, 4, 0],
];

/** Rows taken in so far, accepted, late and bad. */
function taken(engine: TidemarkEngine): number {
  let rows = 0;
  for (const stream of engine.streams.values()) rows += Number(stream.statistics.rows) + Number(stream.errors.count);
  return rows;
}

test('23 views from real Kafka equal PostgreSQL', { skip: kafkaSkip(), timeout: 600_000 }, async (t) => {
  const broker = await startBroker();
  const oracle = await Oracle.open();
  try {
    for (const [tickRows, events, partitions, checks] of CASES) {
      await t.test(`ticks of ${tickRows}`, async () => {
        const prefix = `nexmark-${tickRows}-`;
        const produced = { brokers: broker.brokers, prefix, events, partitions, seed };
        await makeNexmarkTopics(produced);
        const counts = await produceNexmark(produced);
        const total = [...counts.values()].reduce((a, b) => a + b, 0);
        const engine = await openEngine({ tickRows });
        try {
          await runScript(
            engine,
            streamsSql(
              (table) =>
                `connector = 'kafka', brokers = '${broker.brokers}', topic = '${prefix}${table}', format = 'json', start = 'earliest'`,
            ),
          );
          for (const name of QUERIES) await runScript(engine, views.get(name) ?? '');
          const stops = Array.from({ length: checks }, () => Math.floor(total * (0.1 + random(80) / 100))).sort(
            (a, b) => a - b,
          );
          const until = Date.now() + 240_000;
          while (taken(engine) < total) {
            if (!engine.sourceTicks.pump()) await sleep(2);
            if (Date.now() > until) throw new Error(`only ${taken(engine)} of ${total} rows came`);
            if (stops.length > 0 && taken(engine) >= stops[0]) {
              stops.shift();
              await oracle.load(engine);
              for (const name of QUERIES)
                await oracle.compare(engine, name, `after ${taken(engine)} rows (seed ${seed})`);
            }
          }
          await oracle.load(engine);
          for (const name of QUERIES) await oracle.compare(engine, name, `at the end (seed ${seed})`);
        } finally {
          await engine.close();
        }
      });
    }
  } finally {
    await oracle.close();
    await broker.stop();
  }
});
