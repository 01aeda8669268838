/** What a stream gave is there as long as it says, at its end until it is closed: the I/O thread may be reading it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRow } from '../../operators/batch/builder.ts';
import { pages } from '../../operators/batch/pages.ts';
import { colType, OID } from '../../operators/types.ts';
import type { RowChunk } from '../../src/engine.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { rowsOf } from '../../src/runtime/row_streams.ts';
import { openEngine, Session } from './harness.ts';

/** More rows than one chunk of a result has. */
async function filled(): Promise<TidemarkEngine> {
  const engine = await openEngine();
  const session = new Session(engine);
  await session.run('CREATE TABLE t (k int, s text)');
  await session.run(
    "INSERT INTO t SELECT i, 'a text that is longer than a slot ' || i FROM generate_series(1, 30000) i",
  );
  await session.transaction.commit();
  return engine;
}

test('rows of a finished result', async () => {
  const before = pages.usedPages;
  const rows = rowsOf([colType(OID.text)], [['a text that is longer than a slot']]);
  const chunk = await rows.next(10);
  assert.ok(chunk !== null);
  assert.equal(await rows.next(10), null);
  assert.deepEqual(readRow(chunk.batch, 0), ['a text that is longer than a slot']);
  rows.close();
  assert.equal(pages.usedPages, before);
});

test('rows that are read as they are taken', async () => {
  const engine = await filled();
  const result = await new Session(engine).open('SELECT k, s FROM t');
  assert.ok(result !== null && result.rows.ahead !== undefined && Number.isFinite(result.rows.ahead));
  let last = await result.rows.next(8192);
  for (let chunk = last; chunk !== null; chunk = await result.rows.next(8192)) last = chunk;
  assert.ok(last !== null);
  for (let i = 0; i < last.count; i++) {
    const [k, s] = readRow(last.batch, last.from + i);
    assert.equal(s, `a text that is longer than a slot ${k}`);
  }
  result.rows.close();
  await engine.close();
});

test('chunks stay while pieces without rows come between', async () => {
  const engine = await filled();
  const result = await new Session(engine).open('SELECT k, s FROM t WHERE k % 3000 = 0');
  assert.ok(result !== null && result.rows.ahead !== undefined && Number.isFinite(result.rows.ahead));
  const valid: RowChunk[] = [];
  let seen = 0;
  for (let chunk = await result.rows.next(100); chunk !== null; chunk = await result.rows.next(100)) {
    seen += chunk.count;
    valid.push(chunk);
    if (valid.length > result.rows.ahead + 1) valid.shift();
    for (const { batch, from, count } of valid) {
      for (let i = 0; i < count; i++) {
        const [k, s] = readRow(batch, from + i);
        assert.equal(s, `a text that is longer than a slot ${k}`);
      }
    }
  }
  assert.equal(seen, 10);
  result.rows.close();
  await engine.close();
});
