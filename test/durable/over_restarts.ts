/** An engine on a memory disk, and the ways in which a server comes back to its data: what a test says of the engine has to hold after each of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, sql } from '../engine/harness.ts';
import { otherLayout } from './other_layout.ts';

/** For the lock; everything else lies in a MemoryDisk. */
const path = mkdtempSync(join(tmpdir(), 'tidemark-restarts-'));
after(() => rmSync(path, { recursive: true, force: true }));

export async function openOn(disk: MemoryDisk): Promise<TidemarkEngine> {
  const engine = await openEngine();
  engine.system.catalogs = new PgCatalog(engine);
  await openData(engine, { path, disk, segmentBytes: 4096, reserveBytes: 20_000 });
  return engine;
}

/** Ends an engine in order and starts it as a program of another layout does whose log has lost its beginning: the copy for other layouts is all that there is. */
export async function startedFromCopy(engine: TidemarkEngine, disk: MemoryDisk): Promise<TidemarkEngine> {
  await sql(engine, `CREATE TABLE filling AS SELECT repeat('x', 9000) AS a; DROP TABLE filling; CHECKPOINT`);
  await sql(engine, 'CREATE TABLE filling (a int); DROP TABLE filling; CHECKPOINT');
  await engine.close();
  otherLayout(disk);
  return openOn(disk);
}

/** What each starts from: the log alone, the checkpoint of an orderly end, one of CHECKPOINT, that and the log after it, the copy for another layout, a checkpoint again. */
const RESTARTS = ['log', 'end', 'checkpoint', 'log after it', 'layout', 'again'];
const POWER_CUTS = ['log', 'checkpoint', 'log after it'];

/** Runs a script on an empty disk and then `holds`, which may write, after it and after each restart. */
export async function overRestarts(
  script: string,
  holds: (engine: TidemarkEngine, how: string) => Promise<void>,
): Promise<TidemarkEngine> {
  let disk = new MemoryDisk();
  let engine = await openOn(disk);
  await sql(engine, script);
  await holds(engine, 'first');
  for (const how of RESTARTS) {
    if (how === 'checkpoint') await sql(engine, 'CHECKPOINT');
    const cut = disk.crash(() => 0);
    await engine.close();
    if (POWER_CUTS.includes(how)) disk = cut;
    if (how === 'layout') otherLayout(disk);
    engine = await openOn(disk);
    await holds(engine, how);
  }
  return engine;
}
