/** Transactions that began at different ticks each keep seeing theirs, in whatever order the others end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages } from '../../operators/batch/pages.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, Session } from './harness.ts';

const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

async function write(engine: TidemarkEngine, text: string): Promise<void> {
  const session = new Session(engine);
  await session.run(text);
  await session.transaction.commit();
}

async function count(session: Session): Promise<string | null> {
  return (await session.run('SELECT count(*) FROM t'))[0][0];
}

for (const order of ORDERS) {
  test(`three readers that end in the order ${order.join(', ')}`, async () => {
    const before = pages.usedPages;
    const engine = await openEngine();
    await write(engine, 'CREATE TABLE t (k int)');
    const readers: Session[] = [];
    for (let i = 0; i < 3; i++) {
      await write(engine, `INSERT INTO t VALUES (${i})`);
      const reader = new Session(engine);
      assert.equal(await count(reader), `${i + 1}`);
      readers.push(reader);
    }
    for (const [ended, reader] of order.entries()) {
      await write(engine, 'INSERT INTO t VALUES (10), (11)');
      for (const open of order.slice(ended)) assert.equal(await count(readers[open]), `${open + 1}`);
      readers[reader].transaction.rollback();
    }
    assert.equal(await count(new Session(engine)), '9');
    await engine.close();
    assert.equal(pages.usedPages, before);
  });
}
