/** More changes than may wait to be written, in logs each of which has few. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows } from '../../operators/batch/builder.ts';
import { Deltas } from '../../operators/deltas.ts';
import { colType, OID } from '../../operators/types.ts';
import { MemoryDisk } from '../durable/testing/memory_disk.ts';
import { ChangeKeeper } from './change_keeper.ts';
import { retentionOf } from './retention.ts';

test('many logs with short tails are written before sources wait for ever', async () => {
  const keeper = new ChangeKeeper(String, () => undefined);
  await keeper.open({ disk: new MemoryDisk(), path: '/changes', identity: 5n }, []);
  const arena = new Arena();
  const batch = batchFromRows([colType(OID.text)], [['x'.repeat(200_000)]], arena);
  const deltas = Deltas.of(Array.from({ length: 700 }, (_, oid) => [oid, batch]));
  for (const oid of deltas.relations) keeper.keep(oid, retentionOf('1 hour'), { tick: 0n, clock: 0n });
  keeper.publish(deltas, 1n, 1n);
  assert.ok(keeper.behind, String(keeper.pending));
  await keeper.caughtUp();
  assert.ok(!keeper.behind);
  const reader = keeper.log(699)?.reader(0n);
  assert.deepEqual(
    (await reader?.next())?.map(({ tick }) => tick),
    [1n],
  );
  reader?.close();
  arena.release();
  await keeper.close();
});
