/** Records that the tick log keeps come back as they were; damaged ones are refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, testSeed, times } from '../../operators/testing/property.ts';
import { messageBatch } from '../sources/message_batch.ts';
import type { RawBatch } from '../sources/source.ts';
import { keptRecords, readKeptRecords } from './kept_records.ts';

function shown({ partition, baseOffset, nextOffset, n, bytes, place, ...arrays }: RawBatch): unknown {
  const { keyStart, keyEnd, valueStart, valueEnd, offset, timestamp } = arrays;
  const text = (start: number, end: number) => (start < 0 ? null : bytes.toString('latin1', start, end));
  const records = Array.from({ length: n }, (_, i) => {
    return [offset[i], timestamp[i], text(keyStart[i], keyEnd[i]), text(valueStart[i], valueEnd[i])];
  });
  return { partition, baseOffset, nextOffset, place, records };
}

test('kept records', () => {
  const random = new Random(testSeed());
  for (let round = times(200); round > 0; round--) {
    const bytes = () => (random.chance(0.3) ? null : Buffer.alloc(random.below(300), random.below(256)));
    const batches = Array.from({ length: 1 + random.below(4) }, (): RawBatch => {
      const from = random.below(2 ** 40);
      const messages = Array.from({ length: random.below(5) }, () => {
        return { key: bytes(), value: bytes(), timestamp: random.below(2 ** 41) - 1, headers: [] };
      });
      const batch = messageBatch(random.below(3), from, messages);
      const nextOffset = BigInt(from + Math.max(1, messages.length));
      return { ...batch, nextOffset, place: random.chance(0.5) ? '16/B374D848 ñ' : undefined };
    });
    const kept = keptRecords(batches);
    assert.deepEqual(readKeptRecords(kept).map(shown), batches.map(shown));
    assert.throws(() => readKeptRecords(kept.subarray(0, random.below(kept.length))), /damaged/);
    assert.throws(() => readKeptRecords(Buffer.concat([kept, Buffer.alloc(1)])), /damaged/);
  }
});
