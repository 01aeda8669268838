import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FetchedPartition } from '../../kafka/fetch.ts';
import { encodeBatch } from '../../kafka/testing/encode_batch.ts';
import { parseKafkaSourceOptions } from './options.ts';
import { type Connection, KafkaSource } from './source.ts';

const batchAt = (offset: number) => encodeBatch({ base: offset, records: [{ offset, value: '{}' }] });

test('a leader that moves while it is asked: what it and the next one answer is read once', async () => {
  let leader = 1;
  const asked: { node: number; offset: bigint; answer: (records: Buffer) => void }[] = [];
  const connection: Connection = {
    refresh: () => Promise.resolve(),
    leaders: () => new Map([[0, leader]]),
    offsets: () => Promise.resolve(new Map([[0, 0n]])),
    fetch: (node, [{ offset }]) =>
      new Promise<FetchedPartition[]>((resolve) => {
        const answer = (records: Buffer) => {
          const part = { partition: 0, errorCode: 0, highWatermark: 2n, lastStableOffset: 2n, aborted: [], records };
          resolve([part]);
        };
        asked.push({ node, offset, answer });
      }),
    reset: () => Promise.resolve(),
  };
  const options = parseKafkaSourceOptions({ brokers: 'h', topic: 't', metadata_max_age: '10' });
  const source = new KafkaSource(options, () => undefined, connection);
  const untilAsked = async (count: number) => {
    while (asked.length < count) await sleep(5);
  };
  source.open(new Map([[0, 0n]]));
  await untilAsked(1);
  leader = 2;
  await untilAsked(2);
  assert.deepEqual(
    asked.map(({ node, offset }) => [node, offset]),
    [
      [1, 0n],
      [2, 0n],
    ],
  );
  for (const { answer } of [...asked]) answer(batchAt(0));
  await untilAsked(3);
  asked[2].answer(batchAt(1));
  const seen: number[] = [];
  while (source.position(0) !== 2n) {
    const batch = source.poll();
    if (batch === null) await sleep(5);
    else seen.push(...batch.offset.subarray(0, batch.n));
  }
  assert.deepEqual([seen, asked[2].offset, source.poll()], [[0, 1], 1n, null]);
  await source.close();
});

test('a partition that fails, and then has lost the records that are asked for, is not unreachable any more', async () => {
  const answers = [56, 56, 56, 1];
  const connection: Connection = {
    refresh: () => Promise.resolve(),
    leaders: () => new Map([[0, 1]]),
    offsets: (_, at) => Promise.resolve(new Map([[0, at === 'earliest' ? 5n : 9n]])),
    fetch: () => {
      const errorCode = answers.shift() ?? 1;
      const nothing = { highWatermark: -1n, lastStableOffset: -1n, aborted: [], records: Buffer.alloc(0) };
      return Promise.resolve([{ partition: 0, errorCode, ...nothing }]);
    },
    reset: () => Promise.resolve(),
  };
  const source = new KafkaSource(parseKafkaSourceOptions({ brokers: 'h', topic: 't' }), () => undefined, connection);
  source.open(new Map([[0, 0n]]));
  const told: string[] = [];
  while (!told.includes('offset_out_of_range')) {
    await sleep(5);
    told.push(...source.takeEvents().map(({ kind }) => kind));
  }
  assert.deepEqual(told, ['unreachable', 'recovered', 'offset_out_of_range']);
  await source.close();
});
