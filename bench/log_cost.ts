/**
 * What durability costs: tick log and checkpoints (one a second), with and without in turns of one run, on a directory of the real disk. Rates are per
 * second of CPU time (of all threads): the wall clock of a loaded machine says little, and a lone session waits for the disk whatever the engine does.
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

type Measure = (engine: TidemarkEngine) => Promise<number>;

export async function logCostBench(options: LogCostOptions): Promise<void> {
  await initParser();
  const table = new Table(options.json);
  const measures: [string, Measure][] = [
    ['streams: events/s of CPU', (engine) => streamRate(engine, options.events)],
    ['rows, 1 session: rows/s of CPU', (engine) => insertRate(engine, 1000, 1, 100)],
    ['rows, 8 sessions: rows/s of CPU', (engine) => insertRate(engine, 1000, 8, 100)],
    ['commits, 1 session: /s of CPU', (engine) => insertRate(engine, 1, 1, 500)],
    ['commits, 32 sessions: /s of CPU', (engine) => insertRate(engine, 1, 32, 3000)],
  ];
  for (const [what, measure] of measures) {
    const rates: { without: number[]; with: number[] } = { without: [], with: [] };
    // The first turn of each warms up.
    for (let run = 0; run <= options.runs; run++) {
      for (const which of ['without', 'with'] as const) {
        const rate = await once(measure, which === 'with', options.tickRows);
        if (run > 0) rates[which].push(rate);
      }
    }
    const without = median(rates.without);
    const withLog = median(rates.with);
    table.add({ what, without: Math.round(without), durable: Math.round(withLog), ratio: withLog / without });
  }
}

async function once(measure: Measure, log: boolean, tickRows: number): Promise<number> {
  const path = mkdtempSync(join(tmpdir(), 'tidemark-log-cost-'));
  const engine = new TidemarkEngine({ automatic: false, tickRows });
  try {
    if (log) await openData(engine, { path, checkpoints: { seconds: 1 } });
    return await measure(engine);
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
  while (engine.pump()) await new Promise((resolve) => setImmediate(resolve));
  await engine.journal?.durable();
  return events / cpuSeconds(start);
}

async function insertRate(engine: TidemarkEngine, rows: number, sessions: number, commits: number): Promise<number> {
  await runScript(
    engine,
    'CREATE TABLE t (a int, b text); CREATE MATERIALIZED VIEW v AS SELECT a % 10 AS g, count(*) AS n FROM t GROUP BY a % 10',
  );
  let left = commits;
  const session = async () => {
    while (left-- > 0)
      await runScript(engine, `INSERT INTO t SELECT i, 'row number ' || i FROM generate_series(1, ${rows}) i`);
  };
  const start = process.cpuUsage();
  await Promise.all(Array.from({ length: sessions }, session));
  return (commits * rows) / cpuSeconds(start);
}

function cpuSeconds(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}
