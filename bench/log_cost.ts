/**
 * What durability costs: tick log and checkpoints (one a second), with and without in turns of one run, on a directory of the real disk. Rates are per
 * second of CPU time (of all threads): the wall clock of a loaded machine says little, and a lone session waits for the disk whatever the engine does.
 * `pausing` is in memory with a pause of PAUSE_MS after each statement, as long as a disk may take: what sleeping and waking up cost by themselves (caches
 * that others have used meanwhile), whatever is done in between. The kernel's part of fdatasync is in `durable`.
 *
 *   streams   Nexmark events a second through a join and an aggregate, ticks of --tick rows
 *   rows      rows a second of INSERTs of 1000 rows each into a table with a view on it, by 1 and by 8 sessions
 *   commits   transactions of one row a second by 1 and by 32 sessions: group commit shares the sync
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../operators/expr/functions/index.ts';
import { initParser } from '../planner/parse/parse.ts';
import { openData } from '../src/durable/recovery.ts';
import { TidemarkEngine } from '../src/runtime/engine.ts';
import { runScript } from '../src/runtime/script.ts';
import { streamsSql } from '../test/nexmark/suite.ts';
import { median, Table } from './table.ts';

export interface LogCostOptions {
  events: number;
  tickRows: number;
  runs: number;
  json: boolean;
}

const VIEWS = `
  CREATE MATERIALIZED VIEW won AS SELECT a.id, a.seller, b.bidder, b.price FROM auction a JOIN bid b ON a.id = b.auction;
  CREATE MATERIALIZED VIEW per_channel AS SELECT channel, count(*) AS n, sum(price) AS s FROM bid GROUP BY channel;`;

/** `pause`: after each statement, in milliseconds; 0: none. */
type Measure = (engine: TidemarkEngine, pause: number) => Promise<number>;

const PAUSE_MS = 2;
const WAYS = ['without', 'pausing', 'durable'] as const;
type Way = (typeof WAYS)[number];

export async function logCostBench(options: LogCostOptions): Promise<void> {
  await initParser();
  const table = new Table(options.json);
  const measures: [string, Measure][] = [
    ['streams: events/s of CPU', (engine) => streamRate(engine, options.events)],
    ['rows, 1 session: rows/s of CPU', (engine, pause) => insertRate(engine, 1000, 1, 300, pause)],
    ['rows, 8 sessions: rows/s of CPU', (engine, pause) => insertRate(engine, 1000, 8, 300, pause)],
    ['commits, 1 session: /s of CPU', (engine, pause) => insertRate(engine, 1, 1, 1000, pause)],
    ['commits, 32 sessions: /s of CPU', (engine, pause) => insertRate(engine, 1, 32, 3000, pause)],
  ];
  for (const [what, measure] of measures) {
    const rates: Record<Way, number[]> = { without: [], pausing: [], durable: [] };
    // The first turn of each warms up.
    for (let run = 0; run <= options.runs; run++) {
      for (const way of WAYS) {
        const rate = await once(measure, way, options.tickRows);
        if (run > 0) rates[way].push(rate);
      }
    }
    const [without, pausing, durable] = WAYS.map((way) => median(rates[way]));
    table.add({
      what,
      without: Math.round(without),
      pausing: Math.round(pausing),
      durable: Math.round(durable),
      ratio: durable / without,
      'to pausing': durable / pausing,
    });
  }
}

async function once(measure: Measure, way: Way, tickRows: number): Promise<number> {
  const path = mkdtempSync(join(tmpdir(), 'tidemark-log-cost-'));
  const engine = new TidemarkEngine({ automatic: false, tickRows });
  try {
    if (way === 'durable') await openData(engine, { path, checkpoints: { seconds: 1 } });
    return await measure(engine, way === 'pausing' ? PAUSE_MS : 0);
  } finally {
    await engine.close();
    rmSync(path, { recursive: true, force: true });
  }
}

async function streamRate(engine: TidemarkEngine, events: number): Promise<number> {
  await runScript(
    engine,
    streamsSql((table) => `connector = 'nexmark', table = '${table}', events = '${events}'`),
  );
  await runScript(engine, VIEWS);
  const start = process.cpuUsage();
  while (engine.sourceTicks.pump()) await new Promise((resolve) => setImmediate(resolve));
  await engine.journal?.durable();
  return events / cpuSeconds(start);
}

async function insertRate(
  engine: TidemarkEngine,
  rows: number,
  sessions: number,
  commits: number,
  pause: number,
): Promise<number> {
  await runScript(
    engine,
    'CREATE TABLE t (a int, b text); CREATE MATERIALIZED VIEW v AS SELECT a % 10 AS g, count(*) AS n FROM t GROUP BY a % 10',
  );
  let left = commits;
  const session = async () => {
    while (left-- > 0) {
      await runScript(engine, `INSERT INTO t SELECT i, 'row number ' || i FROM generate_series(1, ${rows}) i`);
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    }
  };
  const start = process.cpuUsage();
  await Promise.all(Array.from({ length: sessions }, session));
  return (commits * rows) / cpuSeconds(start);
}

function cpuSeconds(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}
