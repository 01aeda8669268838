/** Checkpoints of streams with sources: all Nexmark views go on after restarts as if there had been none, with state on disk or without. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, sql } from '../engine/harness.ts';
import { QUERIES, streamsSql, views } from '../nexmark/suite.ts';
import { chillAll } from './chill_all.ts';

const seed = testSeed();
const path = mkdtempSync(join(tmpdir(), 'tidemark-checkpoints-'));
after(() => rmSync(path, { recursive: true, force: true }));

async function open(disk: MemoryDisk, tickRows: number): Promise<TidemarkEngine> {
  let tick = () => 0n;
  const engine = await openEngine({ clock: () => tick() * 20_000n, tickRows });
  tick = () => engine.loop.tick;
  await openData(engine, {
    path,
    disk,
    segmentBytes: 8192,
    checkpoints: { seconds: 1e6, logBytes: 1e9 },
    coldState: true,
  });
  return engine;
}

const texts = (rows: (string | null)[][]) => rows.map((row) => JSON.stringify(row)).sort();

/** Every view equals one that is filled now from the history of the streams. */
async function compare(engine: TidemarkEngine, label: string): Promise<void> {
  for (const name of QUERIES) {
    const again = (views.get(name) ?? '').replace(`VIEW ${name} `, `VIEW ${name}_again `);
    await sql(engine, again);
    const [view, fresh] = [
      await sql(engine, `SELECT * FROM ${name}`),
      await sql(engine, `SELECT * FROM ${name}_again`),
    ];
    assert.deepEqual(texts(view), texts(fresh), `${name}, ${label}`);
    await sql(engine, `DROP MATERIALIZED VIEW ${name}_again`);
  }
}

test('nexmark views after restarts equal views made from the history', { timeout: 300_000 }, async () => {
  const random = new Random(seed);
  const tickRows = 40;
  let disk = new MemoryDisk();
  let engine = await open(disk, tickRows);
  await sql(
    engine,
    streamsSql((table) => `connector = 'nexmark', table = '${table}', events = '3000', seed = '${seed}'`),
  );
  for (const name of QUERIES) await sql(engine, views.get(name) ?? '');
  await sql(engine, "CREATE SINK changes FROM q3 WITH (connector = 'blackhole')");
  let moved = true;
  for (let restart = 0; moved; restart++) {
    const label = `restart ${restart}, seed ${seed}`;
    for (let tick = 15 + random.below(15); moved && tick > 0; tick--) {
      moved = engine.sourceTicks.pump();
      if (random.below(4) === 0) chillAll(engine);
      // Ticks go on while a checkpoint is copied.
      if (tick % 8 === 3) void engine.checkpoints?.take();
      if (tick % 8 === 2) await new Promise((resolve) => setImmediate(resolve));
    }
    await engine.journal?.durable();
    const { tick } = engine.loop;
    const left = disk.crash((_, unsynced) => random.below(unsynced + 1));
    const positions = [...engine.streams.values()].map((s) => [...s.partitionPositions()]);
    await engine.close();
    disk = left;
    engine = await open(disk, tickRows);
    assert.equal(engine.loop.tick, tick, label);
    assert.deepEqual(
      [...engine.streams.values()].map((s) => [...s.partitionPositions()]),
      positions,
      label,
    );
    if (restart % 2 === 0) await compare(engine, label);
  }
  await compare(engine, `at the end, seed ${seed}`);
  assert.deepEqual(await sql(engine, 'SELECT name FROM tidemark.sinks'), [['changes']]);
  const total = await sql(engine, 'SELECT count(*) FROM (SELECT 1 FROM q0) x');
  assert.notEqual(total[0][0], '0');
  await engine.close();
});
