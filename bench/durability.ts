/**
 * What checkpoints cost and give, on a directory of the real disk.
 *
 *   ticks       the same ticks in turns without and with checkpoints being taken all the time: how long from one tick to the next
 *   checkpoint  the first (all pages) and later ones (changed pages): pages, milliseconds
 *   recovery    start from an orderly end: the checkpoint's pages into memory, verified; seconds a GB of state
 *   large       the same with a table of --megabytes, and what the copy for other versions costs at the end
 *   size        a table of constant size that changes all the time: bytes of the directory beside those of the state
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
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
  /** Of the large table. */
  megabytes: number;
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
    await large(join(path, 'large'), options);
    await size(join(path, 'size'), options);
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
    moved = engine.sourceTicks.pump();
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
  if (reports.length === 0) throw new Error('too few events for a checkpoint');
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

const ROW_BYTES = 4000;

/** Pages are read as they are, whatever is in them, so rows may be long. */
async function large(path: string, { tickRows, megabytes, json }: DurabilityBenchOptions): Promise<void> {
  const { engine } = await open(path, tickRows);
  await runScript(engine, 'CREATE TABLE large (id int PRIMARY KEY, text text)');
  const rows = Math.round((megabytes * 2 ** 20) / ROW_BYTES);
  const step = 2000;
  for (let from = 0; from < rows; from += step)
    await runScript(
      engine,
      `INSERT INTO large SELECT i, repeat('x', ${ROW_BYTES}) FROM generate_series(${from}, ${from + step - 1}) i`,
    );
  // Two, so that the log is cut and the end leaves a copy for other versions.
  for (let i = 0; i < 2; i++) await runScript(engine, `INSERT INTO large VALUES (${-1 - i}, 'x'); CHECKPOINT`);
  let started = performance.now();
  await engine.checkpoints?.leavePortable();
  const copyMs = performance.now() - started;
  started = performance.now();
  await engine.close();
  const again = await open(path, tickRows);
  const loaded = again.engine.recovery?.checkpoint;
  if (!loaded || Number(again.engine.loop.relations.values().next().value?.rows) < rows)
    throw new Error('rows are missing');
  new Table(json).add({
    large: `${megabytes} MB`,
    stateMB: loaded.bytes / 2 ** 20,
    pagesMs: loaded.milliseconds,
    wholeMs: again.milliseconds,
    secondsPerGB: again.milliseconds / 1000 / (loaded.bytes / 2 ** 30),
    copyForOtherVersionsMs: copyMs,
  });
  await again.engine.close();
}

const CHURN_ROWS = 20_000;
const CHURN_CHECKPOINTS = 120;

async function size(path: string, { tickRows, json }: DurabilityBenchOptions): Promise<void> {
  const { engine } = await open(path, tickRows);
  await runScript(
    engine,
    `CREATE TABLE churn (id int PRIMARY KEY, text text); CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n, max(text) AS m FROM churn;
     INSERT INTO churn SELECT i, repeat('x', 400) FROM generate_series(1, ${CHURN_ROWS}) i`,
  );
  let written = 0;
  const ratios: number[] = [];
  for (let i = 0; i < CHURN_CHECKPOINTS; i++) {
    const part = i % 10 === 0 ? CHURN_ROWS : 500;
    const from = (i * 977) % CHURN_ROWS;
    await runScript(
      engine,
      `UPDATE churn SET text = repeat('${i % 10}', 400) WHERE id BETWEEN ${from} AND ${from + part}`,
    );
    const report = await (engine.checkpoints as NonNullable<typeof engine.checkpoints>).take();
    written += report.written / 16;
    ratios.push(bytesOf(path) / 2 ** 20 / (report.pages / 16));
  }
  new Table(json).add({
    directory: `${CHURN_CHECKPOINTS} checkpoints`,
    writtenMB: written,
    directoryMB: bytesOf(path) / 2 ** 20,
    timesStateMedian: quantile(ratios, 0.5),
    timesStateMost: Math.max(...ratios),
  });
  await engine.close();
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
