/** Views of append-only streams whose rows went to a log, and of that to disk: restarts, reads during ticks, views on them and indexes made later. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { RowLog } from '../../operators/state/row_log.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, sql } from '../engine/harness.ts';
import { streamsSql } from '../nexmark/suite.ts';
import { chillAll } from './chill_all.ts';

const seed = testSeed();
const path = mkdtempSync(join(tmpdir(), 'tidemark-logs-'));
after(() => rmSync(path, { recursive: true, force: true }));

async function open(disk: MemoryDisk): Promise<TidemarkEngine> {
  let tick = () => 0n;
  const engine = await openEngine({ clock: () => tick() * 20_000n, tickRows: 3000 });
  tick = () => engine.loop.tick;
  await openData(engine, { path, disk, checkpoints: { seconds: 1e6, logBytes: 1e9 }, coldState: true });
  return engine;
}

const SUMS = 'SELECT count(*), sum(price), sum(length(url)), count(DISTINCT bidder) FROM';

test('views whose rows are in a log after restarts', { timeout: 120_000 }, async () => {
  const random = new Random(seed);
  let disk = new MemoryDisk();
  let engine = await open(disk);
  await sql(
    engine,
    streamsSql((table) => `connector = 'nexmark', table = '${table}', events = '45000', seed = '${seed}'`),
  );
  await sql(engine, 'CREATE MATERIALIZED VIEW plain AS SELECT auction, bidder, price, url, date_time FROM bid');
  await sql(engine, 'CREATE MATERIALIZED VIEW repeated AS SELECT channel FROM bid');
  const isLog = (name: string) =>
    engine.loop.relations.get(engine.catalog.relation(undefined, name, ['public'])?.oid ?? 0)?.store instanceof RowLog;
  let moved = true;
  for (let restart = 0; moved; restart++) {
    for (let ticks = 8 + random.below(8); moved && ticks > 0; ticks--) {
      moved = engine.sourceTicks.pump();
      if (random.below(3) === 0) chillAll(engine);
      if (ticks % 3 === 0) void engine.checkpoints?.take();
      if (ticks % 3 === 1) await new Promise((resolve) => setImmediate(resolve));
    }
    await engine.journal?.durable();
    const { tick } = engine.loop;
    const left = disk.crash((_, unsynced) => random.below(unsynced + 1));
    await engine.close();
    disk = left;
    engine = await open(disk);
    assert.equal(engine.loop.tick, tick);
    assert.deepEqual(await sql(engine, `${SUMS} plain`), await sql(engine, `${SUMS} bid`), `restart ${restart}`);
  }
  assert.ok(isLog('plain'));
  assert.ok(!isLog('repeated'));
  chillAll(engine);
  const [[rows, inMemory, onDisk]] = await sql(
    engine,
    "SELECT rows, bytes, cold_bytes FROM tidemark.views WHERE name = 'plain'",
  );
  assert.ok(
    Number(onDisk) > Number(rows) * 60 && Number(inMemory) < Number(onDisk) / 10,
    `${inMemory} and ${onDisk} bytes`,
  );
  const explained = (await sql(engine, 'EXPLAIN ANALYZE SELECT * FROM plain')).map(([line]) => line ?? '');
  assert.ok(
    explained.some((line) => new RegExp(`^rows +${rows} +${inMemory} +${onDisk}$`).test(line)),
    explained.join('\n'),
  );
  await sql(engine, 'CREATE MATERIALIZED VIEW above AS SELECT bidder, count(*) AS n FROM plain GROUP BY bidder');
  assert.deepEqual(
    await sql(engine, 'SELECT * FROM above ORDER BY bidder'),
    await sql(engine, 'SELECT bidder, count(*) FROM bid GROUP BY bidder ORDER BY bidder'),
  );
  await sql(engine, 'CREATE INDEX ON plain (auction)');
  const some = 'SELECT auction, price FROM plain WHERE auction = (SELECT max(auction) FROM bid) ORDER BY price';
  assert.deepEqual(await sql(engine, some), await sql(engine, some.replace('FROM plain', 'FROM bid')));
  await engine.close();
});
