/** Ranges of keys whose rows are on disk: that they are too many is known before they are read. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { budget } from '../../operators/batch/budget.ts';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import { openEngine, sql } from '../engine/harness.ts';
import { chillAll } from './chill_all.ts';

const path = mkdtempSync(join(tmpdir(), 'tidemark-ranges-'));
after(() => rmSync(path, { recursive: true, force: true }));

test('many rows of few keys are not read from disk to be scanned then', { timeout: 120_000 }, async () => {
  budget.limit = 32 << 20;
  const engine = await openEngine({ automatic: true });
  await openData(engine, {
    path,
    disk: new MemoryDisk(),
    checkpoints: { seconds: 1e6, logBytes: 1e9 },
    coldState: true,
  });
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, k int, s text)');
  for (let from = 0; from < 6000; from += 300)
    await sql(
      engine,
      `INSERT INTO t SELECT i, i % 3, repeat(md5(i::text), 72) FROM generate_series(${from}, ${from + 299}) i`,
    );
  await sql(engine, 'CREATE INDEX ON t (k)');
  chillAll(engine);
  const [{ coldBytes }] = engine.loop.relations.values();
  assert.ok(coldBytes > 24 << 20);
  const queries = ['SELECT k, min(id) FROM t WHERE k > 0 GROUP BY k', 'SELECT k, id FROM t ORDER BY k, id LIMIT 2'];
  for (const query of queries) {
    const rows = await sql(engine, query);
    for (let i = 0; i < 3; i++) {
      budget.peak = 0;
      assert.deepEqual(await sql(engine, query), rows);
      assert.ok(budget.peak < 8 << 20, `${query}: ${budget.peak} bytes`);
    }
  }
  // Few rows are.
  const few = 'SELECT count(*), sum(length(s)) FROM t WHERE id BETWEEN 100 AND 104';
  for (let i = 0; i < 3; i++) assert.deepEqual(await sql(engine, few), [['5', String(5 * 72 * 32)]]);
  assert.match(String(await sql(engine, `EXPLAIN ${few}`)), /by the order of \(id\): 5 rows/);
  await engine.close();
  budget.limit = Number.POSITIVE_INFINITY;
});
