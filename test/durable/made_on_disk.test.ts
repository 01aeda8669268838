/** Views, indexes and tables in another form that are made where memory is short: rows that are read for them go to disk meanwhile, and so does what is made. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, sql } from '../engine/harness.ts';

const path = mkdtempSync(join(tmpdir(), 'tidemark-made-'));
after(() => rmSync(path, { recursive: true, force: true }));

const LIMIT = 16 << 20;
const ROWS = 12_000;

async function open(limit: number): Promise<TidemarkEngine> {
  budget.limit = limit;
  const engine = await openEngine({ automatic: true });
  const checkpoints = { seconds: 1e6, logBytes: 1e9 };
  await openData(engine, { path, disk: new MemoryDisk(), checkpoints, coldState: true });
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, g int, s text)');
  return engine;
}

const ROW = (numbers: string) => `i, i / 8, repeat(md5(i::text), 72) FROM generate_series(${numbers}) i`;

test('a view is filled with rows of a table that go to disk meanwhile', { timeout: 120_000 }, async () => {
  const engine = await open(64 << 20);
  for (let from = 0; pages.usedBytes + budget.outsideBytes < 0.65 * budget.limit; from += 400)
    await sql(engine, `INSERT INTO t SELECT ${ROW(`${from}, ${from + 399}`)}`);
  const cold = () => [...engine.loop.relations.values()][0].coldBytes;
  assert.equal(cold(), 0);
  await sql(engine, 'CREATE MATERIALIZED VIEW other AS SELECT id FROM t WHERE s <> repeat(md5(id::text), 72)');
  assert.ok(cold() > 0);
  assert.deepEqual(await sql(engine, 'SELECT * FROM other'), []);
  await engine.close();
  budget.limit = Number.POSITIVE_INFINITY;
});

test('CREATE INDEX and ALTER TABLE over rows of twice the memory limit', { timeout: 120_000 }, async () => {
  const engine = await open(LIMIT);
  for (let from = 0; from < ROWS; from += 300)
    await sql(engine, `INSERT INTO t SELECT ${ROW(`${from}, ${from + 299}`)}`);
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

test('few rows on disk that are long are read in pieces, too', { timeout: 120_000 }, async () => {
  const engine = await open(32 << 20);
  for (let id = 0; id < 180; id++) await sql(engine, `INSERT INTO t VALUES (${id}, 0, repeat('long ', 40000))`);
  assert.deepEqual(await sql(engine, 'SELECT count(*), sum(length(s)) FROM t'), [['180', '36000000']]);
  await sql(engine, 'CREATE MATERIALIZED VIEW lengths AS SELECT g, sum(length(s)) AS l FROM t GROUP BY g');
  assert.deepEqual(await sql(engine, 'SELECT l FROM lengths'), [['36000000']]);
  await engine.close();
  budget.limit = Number.POSITIVE_INFINITY;
});
