/** An index, and a table whose rows get another form, of more than memory may have: what is made beside the rows goes to disk as they do. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { budget } from '../../operators/batch/budget.ts';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import { openEngine, sql } from '../engine/harness.ts';

const path = mkdtempSync(join(tmpdir(), 'tidemark-made-'));
after(() => rmSync(path, { recursive: true, force: true }));

const LIMIT = 16 << 20;
const ROWS = 6_000;

test('CREATE INDEX and ALTER TABLE over rows of twice the memory limit', { timeout: 120_000 }, async () => {
  budget.limit = LIMIT;
  const engine = await openEngine({ automatic: true });
  await openData(engine, {
    path,
    disk: new MemoryDisk(),
    checkpoints: { seconds: 1e6, logBytes: 1e9 },
    coldState: true,
  });
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, g int, s text)');
  for (let from = 0; from < ROWS; from += 300)
    await sql(
      engine,
      `INSERT INTO t SELECT i, i / 8, repeat(md5(i::text), 160) FROM generate_series(${from}, ${from + 299}) i`,
    );
  const stored = () => {
    const [relation] = engine.loop.relations.values();
    return relation;
  };
  const figures = 'SELECT count(*), sum(id), sum(length(s)), max(md5(s)) FROM t';
  const rows = await sql(engine, figures);
  assert.ok(stored().coldBytes > LIMIT);
  await sql(engine, 'CREATE INDEX ON t (g)');
  assert.ok(stored().coldBytes > 3 * LIMIT, 'the index is on disk, too');
  assert.deepEqual(await sql(engine, 'SELECT count(*), sum(id) FROM t WHERE g = 77'), [['8', String(77 * 64 + 28)]]);
  await sql(engine, 'ALTER TABLE t ADD COLUMN more int DEFAULT 5');
  assert.deepEqual(await sql(engine, figures), rows);
  assert.deepEqual(await sql(engine, 'SELECT count(*), sum(more) FROM t WHERE g = 78'), [['8', '40']]);
  assert.ok(stored().coldBytes > 3 * LIMIT);
  await sql(engine, 'DROP TABLE t');
  assert.deepEqual(await sql(engine, 'SELECT live_bytes FROM tidemark.cold'), [['0']]);
  await engine.close();
  budget.limit = Number.POSITIVE_INFINITY;
});
