/** The partition of a key is the one that Java clients choose, so that topics written by both can be joined by key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Partitioners } from 'kafkajs';

/** Hashes that Kafka's own client gives for these keys. */
const HASHES: [key: string, hash: number][] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

test('keys go where Kafka’s own partitioner sends them, keyless messages to all partitions in turn', () => {
  const partitionOf = Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: 7 }, (_, partitionId) => ({
    partitionId,
    leader: 1,
    partitionErrorCode: 0,
    replicas: [1],
    isr: [1],
  }));
  const at = (key: string | null) =>
    partitionOf({ topic: 't', partitionMetadata, message: { key: key === null ? null : Buffer.from(key), value: '' } });
  for (const [key, hash] of HASHES) assert.equal(at(key), (hash & 0x7fffffff) % 7, key);
  assert.deepEqual(new Set(Array.from({ length: 7 }, () => at(null))).size, 7);
});
