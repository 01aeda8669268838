/**
 * What keeping changes costs: the same views with the default retention and with none, in turns of one run, on a directory of the real disk. CPU time
 * is that of the whole process, writing of the files included; the tick is what the dataflow thread does.
 *
 *   wide     an append-only view of bids with their texts (Nexmark q1): every row is a change
 *   groups   an aggregate by bidder: an update is two changes
 *   top      few rows change a tick
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../operators/expr/functions/index.ts';
import { initParser } from '../planner/parse/parse.ts';
import { openData } from '../src/durable/recovery.ts';
import { TidemarkEngine } from '../src/runtime/engine.ts';
import { runScript } from '../src/runtime/script.ts';
import type { RawBatch } from '../src/sources/source.ts';
import { streamsSql } from '../test/nexmark/suite.ts';
import { MemorySource } from './memory_source.ts';
import { Chunk } from './nexmark/input.ts';
import { median, Table } from './table.ts';

export interface ChangeCostOptions {
  events: number;
  tickRows: number;
  runs: number;
  json: boolean;
}

const VIEWS: [string, string][] = [
  ['wide', 'SELECT auction, bidder, 0.908 * price AS price, date_time, channel, url FROM bid'],
  ['groups', 'SELECT bidder, count(*) AS n, sum(price) AS s, max(price) AS m FROM bid GROUP BY bidder'],
  ['top', 'SELECT auction, price FROM bid ORDER BY price DESC, auction LIMIT 10'],
];

export async function changeCostBench(options: ChangeCostOptions): Promise<void> {
  await initParser();
  const table = new Table(options.json);
  for (const [what, query] of VIEWS) {
    const micros: { without: number[]; with: number[] } = { without: [], with: [] };
    const ticking: { without: number[]; with: number[] } = { without: [], with: [] };
    let bytes = 0;
    for (let run = 0; run <= options.runs; run++) {
      for (const which of ['without', 'with'] as const) {
        const result = await once(query, which === 'with', options);
        // The first turn of each warms up.
        if (run > 0) {
          micros[which].push(result.micros);
          ticking[which].push(result.ticking);
        }
        bytes = result.bytes;
      }
    }
    const [without, kept] = [median(micros.without), median(micros.with)];
    table.add({
      what,
      'CPU without, us/event': without / options.events,
      'CPU with': kept / options.events,
      'CPU ratio': kept / without,
      'tick without, us/event': median(ticking.without) / options.events,
      'tick with': median(ticking.with) / options.events,
      'tick ratio': median(ticking.with) / median(ticking.without),
      'bytes/event': bytes / options.events,
    });
  }
}

/** CPU microseconds of the ticks, from messages in memory to changes in files. */
async function once(query: string, keeps: boolean, { events, tickRows }: ChangeCostOptions) {
  const path = mkdtempSync(join(tmpdir(), 'tidemark-change-cost-'));
  const source = new MemorySource();
  const chunk = new Chunk(['bid'], 0, events);
  const engine = new TidemarkEngine({ automatic: false, tickRows: Number.MAX_SAFE_INTEGER, openSource: () => source });
  try {
    await openData(engine, { path, checkpoints: null });
    await runScript(
      engine,
      streamsSql((table) => `connector = 'kafka', topic = '${table}', brokers = 'memory', format = 'json'`),
    );
    const options = keeps ? '' : "WITH (retention = '0')";
    await runScript(engine, `CREATE MATERIALIZED VIEW v ${options} AS ${query}`);
    const ticks = chunk.rawTicks(tickRows);
    const before = process.cpuUsage();
    let ticking = 0;
    for (const tick of ticks) {
      source.offer(tick.get('bid') as RawBatch);
      const start = performance.now();
      engine.sourceTicks.pump();
      ticking += performance.now() - start;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await engine.changes.sync();
    const { user, system } = process.cpuUsage(before);
    return { micros: user + system, ticking: ticking * 1000, bytes: engine.changes.bytes };
  } finally {
    await engine.close();
    chunk.release();
    rmSync(path, { recursive: true, force: true });
  }
}
