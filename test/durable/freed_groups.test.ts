/**
 * Groups that a watermark frees between two checkpoints, with aggregates of all kinds: what is written while they go is announced, so that the second
 * checkpoint has it, and a start from it goes on as if there had been none.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { chillAll } from './chill_all.ts';

const path = mkdtempSync(join(tmpdir(), 'tidemark-freed-'));
after(() => rmSync(path, { recursive: true, force: true }));

const AGGREGATES = [
  ...[
    'count(*)',
    'count(DISTINCT v)',
    'sum(DISTINCT f)',
    'sum(v)',
    'sum(v::bigint)',
    'sum(n)',
    'sum(f)',
    'avg(v)',
    'avg(n)',
    'avg(f)',
  ],
  ...[
    'min(v)',
    'max(n)',
    'min(s)',
    'max(f)',
    'min(at)',
    'var_pop(v)',
    'stddev(n)',
    'variance(f)',
    'corr(f, v)',
    'regr_slope(f, v)',
  ],
  ...[
    'bool_and(v > 2)',
    'bit_xor(v)',
    "string_agg(s, ',' ORDER BY s)",
    'array_agg(v ORDER BY n DESC)',
    'jsonb_agg(s ORDER BY v)',
  ],
  ...[
    'percentile_disc(0.5) WITHIN GROUP (ORDER BY v)',
    'percentile_cont(0.3) WITHIN GROUP (ORDER BY f)',
    'mode() WITHIN GROUP (ORDER BY s)',
  ],
  ...["sum(at - timestamp '2026-01-01')", 'max(n) FILTER (WHERE v > 2)', 'count(DISTINCT s) FILTER (WHERE v < 4)'],
];

const VIEWS = AGGREGATES.map((call, i) => ({
  name: `v${i}`,
  query: `SELECT window_start, k, ${call} AS x FROM TUMBLE(s, at, INTERVAL '5 seconds') GROUP BY window_start, k`,
}));

async function open(disk: MemoryDisk): Promise<TidemarkEngine> {
  const engine = await openEngine();
  const checkpoints = { seconds: 1e6, logBytes: 1e9 };
  await openData(engine, { path, disk, checkpoints, segmentBytes: 65536, coldState: true });
  return engine;
}

test('groups that are freed between checkpoints', { timeout: 300_000 }, async () => {
  const { random, seed } = seeded('freed groups');
  let disk = new MemoryDisk();
  let engine = await open(disk);
  await sql(
    engine,
    `CREATE STREAM s (k int, v int, n numeric, f float8, s text, at timestamp, WATERMARK FOR at AS at - INTERVAL '1 second');
     ${VIEWS.map(({ name, query }) => `CREATE MATERIALIZED VIEW ${name} AS ${query}`).join(';\n')}`,
  );
  let seconds = 0;
  for (let step = 0; step < 20; step++) {
    seconds += random(4);
    const rows = Array.from({ length: 1 + random(5) }, () => {
      // Numbers that fit in the slots of their groups' totals, and some that do not.
      const n = random(4) === 0 ? `${random(9)}e30` : `${random(100)}.${random(100)}`;
      const f = random(4) === 0 ? `1e${random(100)}` : `${random(50)}.5`;
      const text = random(3) === 0 ? 'NULL' : `'${'x'.repeat(random(40))}'`;
      return `(${random(3)}, ${random(6)}, ${n}, ${f}, ${text}, timestamp '2026-01-01' + INTERVAL '${seconds + random(2)} seconds')`;
    });
    await sql(engine, `INSERT INTO s VALUES ${rows.join(', ')}`);
    if (random(3) === 0) chillAll(engine);
    if (random(2) === 0) await engine.checkpoints?.take();
    if (random(6) > 0) continue;
    const left = disk.crash((_, unsynced) => random(unsynced + 1));
    await engine.close();
    disk = left;
    engine = await open(disk);
  }
  for (const { name, query } of VIEWS) {
    const rows = async (text: string) => (await sql(engine, text)).map((row) => JSON.stringify(row)).sort();
    assert.deepEqual(await rows(`SELECT * FROM ${name}`), await rows(query), `${name}: ${query}, seed ${seed}`);
  }
  await engine.close();
});
