/** What a stream that is closed does with batches that it has not read to their end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../operators/batch/arena.ts';
import type { RawBatch } from '../../src/sources/source.ts';
import { openEngine, sql } from './harness.ts';
import { MessageSource } from './message_source.ts';

test('batches begun and batches of a tick that was taken back are given back once, however often the stream is closed', async () => {
  const released: number[] = [];
  class Counted extends MessageSource {
    override poll(): RawBatch | null {
      const batch = super.poll();
      if (batch !== null) batch.release = () => released.push(batch.partition);
      return batch;
    }
  }
  const source = new Counted(2);
  const engine = await openEngine({ openSource: () => source });
  await sql(engine, "CREATE STREAM s (id int) WITH (connector = 'kafka', brokers = 'memory', topic = 't')");
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT id FROM s');
  for (const partition of [0, 1]) source.send({ partition, value: '{"id":1}' }, { partition, value: '{"id":2}' });
  const [stream] = engine.streams.values();
  const arena = new Arena();
  stream.take(3, arena, 0n);
  stream.giveBack();
  arena.release();
  assert.deepEqual(released, []);
  await stream.close();
  assert.deepEqual(released, [0, 1]);
  await stream.close();
  await engine.close();
  assert.deepEqual(released, [0, 1]);
});
