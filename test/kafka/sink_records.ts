/** What a sink has written as a reader of committed records sees it, and whether each change is there once and in its place. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKafkaSource } from '../../src/sources/kafka/index.ts';

const WAIT_MS = 30_000;

export interface SinkRecord {
  partition: number;
  offset: number;
  key: string | null;
  value: string | null;
}

/** Waits until no transaction is open on a topic. A commit is answered before the topic's partitions know of it. */
export async function allEnded(brokers: string, topic: string): Promise<void> {
  const ends = async (isolation_level: string) => {
    const source = await openKafkaSource({ brokers, topic, isolation_level }, () => undefined);
    const offsets = await source.startOffsets({ k: 'latest' });
    await source.close();
    return JSON.stringify([...offsets].map(([partition, offset]) => [partition, String(offset)]));
  };
  for (const until = Date.now() + WAIT_MS; Date.now() < until; await sleep(20))
    if ((await ends('read_committed')) === (await ends('read_uncommitted'))) return;
  throw new Error(`a transaction on ${topic} does not end`);
}

/** Every committed record of a topic, partition after partition. */
export async function recordsOf(brokers: string, topic: string): Promise<SinkRecord[]> {
  await allEnded(brokers, topic);
  const source = await openKafkaSource({ brokers, topic }, () => undefined);
  try {
    const out: SinkRecord[] = [];
    for (const [partition, end] of await source.startOffsets({ k: 'latest' })) {
      for await (const batch of source.readRange(partition, 0n, end)) {
        const text = (start: number, end: number) => (start < 0 ? null : batch.bytes.toString('utf8', start, end));
        for (let i = 0; i < batch.n; i++) {
          const key = text(batch.keyStart[i], batch.keyEnd[i]);
          const value = text(batch.valueStart[i], batch.valueEnd[i]);
          out.push({ partition, offset: batch.offset[i], key, value });
        }
      }
    }
    return out;
  } finally {
    await source.close();
  }
}

interface Envelope {
  before: object | null;
  after: object | null;
  tick: number;
}

/**
 * The rows that Debezium envelopes add up to, each as JSON. With keys every change must begin where the one before of its key ended, so a record
 * that is missing or there twice is found, and one that is out of order. Without keys rows are counted.
 */
export function addedUp(records: SinkRecord[]): string[] {
  const ticks = new Map<number, number>();
  const rows = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const { partition, key, value } of records) {
    const { before, after, tick } = JSON.parse(value ?? 'null') as Envelope;
    assert.ok(tick >= (ticks.get(partition) ?? 0), `tick ${tick} comes after ${ticks.get(partition)}`);
    ticks.set(partition, tick);
    const [was, is] = [before, after].map((row) => (row === null ? null : JSON.stringify(row)));
    if (key !== null) {
      assert.equal(was, rows.get(key) ?? null, `key ${key} at tick ${tick}: what was there before`);
      if (is === null) rows.delete(key);
      else rows.set(key, is);
    } else {
      if (is !== null) counts.set(is, (counts.get(is) ?? 0) + 1);
      if (was !== null) counts.set(was, (counts.get(was) ?? 0) - 1);
    }
  }
  for (const [row, count] of counts) assert.ok(count >= 0, `${row} is there ${count} times`);
  return [...rows.values(), ...[...counts].flatMap(([row, count]) => Array.from({ length: count }, () => row))].sort();
}
