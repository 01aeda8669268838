/**
 * A broker for the tests of one file, and how they read it: started before the first, or when it is asked for, and stopped after the last.
 *
 *   const suite = kafkaSuite();   test('...', { skip: suite.skip }, async () => { ... suite.broker, suite.cluster, suite.kafka ... });
 */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { sql } from '../engine/harness.ts';
import { kafkaAccess, type TestAccess } from './access.ts';
import { type Broker, kafkaSkip, startBroker } from './broker.ts';
import { connectCluster, type TestCluster } from './produce.ts';
import { KafkaProxy } from './proxy.ts';

export const WAIT_MS = 30_000;

export interface KafkaSuite {
  readonly skip: string | false;
  /** For tests that need the proxy: a cluster of KAFKA_BROKERS names its own address. */
  readonly proxySkip: string | false;
  readonly broker: Broker;
  readonly cluster: TestCluster;
  /** Made for who asks first. */
  readonly kafka: TestAccess;
  /** In front of the broker, for tests that asked for it. */
  readonly proxy: KafkaProxy;
  /** Another client: one that has used a topic before knows its old partitions, and has lost a broker that was restarted. */
  reconnect(): Promise<void>;
  /** Deletes a topic and makes another of its name, with one partition. */
  makeAgain(topic: string): Promise<void>;
}

export function kafkaSuite(options: { proxied?: boolean; settings?: Record<string, string> } = {}): KafkaSuite {
  const skip = kafkaSkip();
  let broker: Broker | undefined;
  let cluster: TestCluster | undefined;
  let proxy: KafkaProxy | undefined;
  let kafka: TestAccess | undefined;
  before(async () => {
    if (skip !== false) return;
    if (options.proxied) proxy = await KafkaProxy.listen();
    broker = await startBroker(options.settings, proxy?.port);
    if (broker.proxiedPort !== null) proxy?.to(broker.proxiedPort);
    cluster = await connectCluster(broker.brokers);
  });
  after(async () => {
    await kafka?.close();
    await cluster?.close();
    await proxy?.close();
    await broker?.stop();
  });
  const there = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('no broker has been started');
    return value;
  };
  const reconnect = async () => {
    await cluster?.close();
    cluster = await connectCluster(there(broker).brokers);
  };
  return {
    skip,
    proxySkip: process.env.KAFKA_BROKERS ? 'the cluster of KAFKA_BROKERS has no listener for a proxy' : skip,
    get broker() {
      return there(broker);
    },
    get cluster() {
      return there(cluster);
    },
    get kafka() {
      kafka ??= kafkaAccess();
      return kafka;
    },
    get proxy() {
      return there(proxy);
    },
    reconnect,
    async makeAgain(topic) {
      const { admin } = there(cluster);
      await admin.deleteTopics({ topics: [topic] });
      const make = () => admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
      for (const until = Date.now() + WAIT_MS; !(await make()); await sleep(50))
        assert.ok(Date.now() < until, 'the topic is not made again');
      // Clients that knew the old topic find its leader no more.
      await reconnect();
    },
  };
}

/** Asks until the answer is the expected one. */
export async function eventually(
  engine: TidemarkEngine,
  query: string,
  expected: (string | null)[][],
  waitMs = WAIT_MS,
): Promise<void> {
  let rows: unknown = null;
  for (const until = Date.now() + waitMs; Date.now() < until; await sleep(20)) {
    rows = await sql(engine, query);
    if (JSON.stringify(rows) === JSON.stringify(expected)) return;
  }
  assert.deepEqual(rows, expected, query);
}
