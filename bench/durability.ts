/**
 * What checkpoints cost and give, on a directory of the real disk.
 *
 *   ticks       the same ticks in turns without and with checkpoints being taken all the time: how long from one tick to the next
 *   checkpoint  the first (all pages) and later ones (changed pages): pages, milliseconds
 *   recovery    start from an orderly end: the checkpoint's pages into memory, verified; seconds a GB of state
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../operators/expr/functions/index.ts';
import { initParser } from '../planner/parse/parse.ts';
import type { CheckpointReport } from '../src/checkpoint/checkpointer.ts';
import { openData } from '../src/durable/recovery.ts';
import { TidemarkEngine } from '../src/runtime/engine.ts';
import { runScript } from '../src/runtime/script.ts';
import { streamsSql } from '../test/nexmark/suite.ts';
import { quantile, Table } from './table.ts';

export interface DurabilityBenchOptions {
  events: number;
  tickRows: number;
  json: boolean;
}

/** Two views with state that grows with the input: a join that keeps both sides, and groups. */
const VIEWS = `
  CREATE MATERIALIZED VIEW won AS SELECT a.id, a.seller, b.bidder, b.price, b.url FROM auction a JOIN bid b ON a.id = b.auction;
  CREATE MATERIALIZED VIEW per_bidder AS SELECT bidder, count(*) AS n, sum(price) AS s, max(price) AS m FROM bid GROUP BY bidder;`;

/** Ticks in one turn, without or with checkpoints. */
const TURN = 20;

export async function durabilityBench(options: DurabilityBenchOptions): Promise<void> {
  await initParser();
  const path = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  try {
    await run(path, options);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

async function open(path: string, tickRows: number): Promise<{ engine: TidemarkEngine; milliseconds: number }> {
  const engine = new TidemarkEngine({ automatic: false, tickRows });
  const started = performance.now();
  await openData(engine, { path, checkpoints: { seconds: 1e9, logBytes: 1e15 } });
  return { engine, milliseconds: performance.now() - started };
}

async function run(path: string, { events, tickRows, json }: DurabilityBenchOptions): Promise<void> {
  const { engine } = await open(path, tickRows);
  await runScript(
    engine,
    streamsSql((table) => `connector = 'nexmark', table = '${table}', events = '${events}'`),
  );
  await runScript(engine, VIEWS);
  const gaps: Record<'without' | 'with', number[]> = { without: [], with: [] };
  const reports: CheckpointReport[] = [];
  let taking: Promise<void> | null = null;
  const take = () => {
    taking ??= (engine.checkpoints as NonNullable<typeof engine.checkpoints>).take().then((report) => {
      reports.push(report);
      taking = null;
    });
  };
  let last = performance.now();
  for (let moved = true, tick = 0; moved; tick++) {
    const checkpointing = Math.floor(tick / TURN) % 2 === 1;
    if (checkpointing) take();
    else if (tick % TURN === 0) await taking;
    if (tick % TURN === 0) last = performance.now();
    moved = engine.pump();
    await new Promise((resolve) => setImmediate(resolve));
    const now = performance.now();
    gaps[checkpointing ? 'with' : 'without'].push(now - last);
    last = now;
  }
  await taking;
  const ticks = new Table(json);
  for (const [checkpoints, list] of Object.entries(gaps))
    ticks.add({ checkpoints, ticks: list.length, p50Ms: quantile(list, 0.5), p99Ms: quantile(list, 0.99) });
  const taken = new Table(json);
  const shown = [reports[0], reports[Math.floor(reports.length / 2)], reports[reports.length - 1]];
  for (const { number, pages, written, milliseconds } of shown)
    taken.add({ checkpoint: number, stateMB: pages / 16, writtenMB: written / 16, milliseconds });
  const { tick } = engine.loop;
  await engine.close();

  const again = await open(path, tickRows);
  const loaded = again.engine.recovery?.checkpoint;
  if (!loaded || again.engine.loop.tick !== tick) throw new Error('the engine is not where it was');
  const gigabytes = loaded.bytes / 2 ** 30;
  new Table(json).add({
    recovery: 'orderly',
    stateMB: loaded.bytes / 2 ** 20,
    pagesMs: loaded.milliseconds,
    wholeMs: again.milliseconds,
    secondsPerGB: again.milliseconds / 1000 / gigabytes,
  });
  await again.engine.close();
}
