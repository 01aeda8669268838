/**
 * Nexmark in process: JSON bytes in memory -> scan -> decode -> operators -> blackhole, and with a materialized view at the end.
 *
 * Baseline in the same run: JSON.parse of the same messages one by one, nothing done with the objects. Each query runs in a process of its
 * own, so that memory figures are its own.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import '../operators/expr/functions/index.ts';
import { initParser } from '../planner/parse/parse.ts';
import { TidemarkEngine } from '../src/runtime/engine.ts';
import { runScript } from '../src/runtime/script.ts';
import { parseNexmarkOptions } from '../src/sources/nexmark/options.ts';
import { NexmarkSource } from '../src/sources/nexmark/source.ts';
import type { RawBatch } from '../src/sources/source.ts';
import { QUERIES, streamsSql, views } from '../test/nexmark/suite.ts';
import { MemorySource } from './memory_source.ts';
import { measure, median, quantile, type Row, Table } from './table.ts';

export interface NexmarkBenchOptions {
  queries: string[];
  events: number;
  tickRows: number;
  runs: number;
  json: boolean;
}

export async function nexmarkBench(options: NexmarkBenchOptions): Promise<void> {
  const queries = options.queries.length > 0 ? options.queries : QUERIES;
  const table = new Table(options.json);
  for (const query of queries) {
    const rows: Row[] = [];
    for (let run = 0; run < options.runs; run++) rows.push(runApart(query, options));
    const best: Row = { ...rows[0] };
    for (const name of Object.keys(best))
      if (typeof best[name] === 'number') best[name] = median(rows.map((r) => r[name] as number));
    table.add(best);
  }
}

function runApart(query: string, options: NexmarkBenchOptions): Row {
  const self = fileURLToPath(import.meta.url);
  const args = ['--import', 'tsx', '--expose-gc', self, query, String(options.events), String(options.tickRows)];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.status !== 0) return { query, eventsPerCpuSecond: null };
  return JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '{}') as Row;
}

/** The records of one table as they would come from a topic. */
function records(table: string, events: number): RawBatch[] {
  const source = new NexmarkSource(
    parseNexmarkOptions(new Map(Object.entries({ table, events: String(events), seed: '1' }))),
    { form: 'json' },
  );
  source.open(new Map([[0, 0n]]));
  const out: RawBatch[] = [];
  for (let batch = source.poll(); batch !== null; batch = source.poll())
    out.push({ ...batch, bytes: Buffer.from(batch.bytes) });
  return out;
}

async function one(query: string, events: number, tickRows: number): Promise<Row> {
  await initParser();
  const sql = views.get(query) ?? '';
  const used = ['person', 'auction', 'bid'].filter((t) => new RegExp(`\\b${t}\\b`).test(sql));
  const batches = new Map(used.map((t) => [t, records(t, events)]));
  const count = [...batches.values()].flat().reduce((n, b) => n + b.n, 0);
  const parse = await measure(() => parseAll([...batches.values()].flat()));
  const blackhole = await run(
    sql
      .replace(/CREATE MATERIALIZED VIEW (\w+) AS/, 'CREATE SINK $1 AS')
      .replace(/;\s*$/, " WITH (connector = 'blackhole');"),
    batches,
    tickRows,
  );
  const view = await run(sql, batches, tickRows);
  return {
    query,
    events: count,
    eventsPerCpuSecond: Math.round(count / blackhole.cpu),
    eventsPerSecond: Math.round(count / blackhole.wall),
    jsonParseRatio: parse.cpu / blackhole.cpu,
    viewEventsPerCpuSecond: Math.round(count / view.cpu),
    viewJsonParseRatio: parse.cpu / view.cpu,
    tickP50Ms: quantile(view.ticks, 0.5),
    tickP99Ms: quantile(view.ticks, 0.99),
    stateRows: view.stateRows,
    stateBytes: view.stateBytes,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** Sum of something of each object, so that nothing is optimised away. */
function parseAll(batches: RawBatch[]): void {
  let keys = 0;
  for (const batch of batches) {
    for (let i = 0; i < batch.n; i++)
      keys += JSON.parse(batch.bytes.toString('utf8', batch.valueStart[i], batch.valueEnd[i])) === null ? 1 : 0;
  }
  if (keys > 0) throw new Error('a message is null');
}

async function run(sql: string, batches: Map<string, RawBatch[]>, tickRows: number) {
  const engine = new TidemarkEngine({
    automatic: false,
    tickRows,
    openSource: (spec) => new MemorySource(batches.get(spec.options.topic) ?? []),
  });
  await runScript(
    engine,
    streamsSql((table) => `connector = 'kafka', topic = '${table}', brokers = 'memory', format = 'json'`),
  );
  await runScript(engine, sql);
  const ticks: number[] = [];
  const used = await measure(async () => {
    for (let start = performance.now(); engine.pump(); start = performance.now()) {
      ticks.push(performance.now() - start);
      await Promise.resolve();
    }
  });
  const state = [...engine.loop.views()].flatMap((v) => v.dataflow.figures());
  const result = {
    ...used,
    ticks,
    stateRows: state.reduce((n, f) => n + f.stateRows, 0),
    stateBytes: state.reduce((n, f) => n + f.stateBytes, 0),
  };
  await engine.close();
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [query, events, tickRows] = process.argv.slice(2);
  console.log(JSON.stringify(await one(query, Number(events), Number(tickRows))));
}
