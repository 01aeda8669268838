/**
 * What state on disk costs: a join of two Nexmark streams in a server with memory enough, and in servers with limits below what the join keeps, in turn.
 *
 * The generator of the streams runs in the server and is part of both sides; CPU is that of the whole process, with checkpoints as users have them.
 */
import pg from 'pg';
import { streamsSql } from '../test/nexmark/suite.ts';
import { processCpu } from './process_cpu.ts';
import { startServerProcess } from './server_process.ts';
import { median, Table } from './table.ts';

export interface ColdBenchOptions {
  events: number;
  runs: number;
  json: boolean;
}

/** Both sides stay: an auction may always get another bid. */
const VIEW = `CREATE MATERIALIZED VIEW won AS SELECT a.category, count(*) AS n, sum(length(b.url || b.extra || a.description)) AS l
  FROM auction a JOIN bid b ON a.id = b.auction GROUP BY a.category`;
const AMPLE_MB = 3072;
/** Of what is in use in the server with memory enough. */
const SHARES = [1 / 2, 1 / 4];
const LEAST_MB = 64;

interface Life {
  cpu: number;
  wall: number;
  used: number;
  cold: number;
  rows: string;
}

export async function coldBench({ events, runs, json }: ColdBenchOptions): Promise<void> {
  const table = new Table(json);
  const ample: Life[] = [await life(events, AMPLE_MB)];
  const usedMb = ample[0].used / 2 ** 20;
  const limits = SHARES.map((share) => Math.max(LEAST_MB, Math.round(usedMb * share)));
  const limited: Life[][] = limits.map(() => []);
  for (let run = 0; run < runs; run++) {
    if (run > 0) ample.push(await life(events, AMPLE_MB));
    for (const [i, limit] of limits.entries()) {
      const one = await life(events, limit);
      if (one.rows !== ample[0].rows) throw new Error(`with ${limit} MB the rows are others`);
      limited[i].push(one);
    }
  }
  const enough = median(ample.map(({ cpu }) => cpu));
  const add = (limitMb: number, lives: Life[]) => {
    const cpu = median(lives.map((one) => one.cpu));
    table.add({
      cold: 'join of auctions and bids',
      limitMb,
      usedMb: Math.round(lives[0].used / 2 ** 20),
      coldMb: Math.round(lives[0].cold / 2 ** 20),
      cpuSeconds: cpu,
      seconds: median(lives.map((one) => one.wall)),
      cpuRatio: cpu / enough,
    });
  };
  add(AMPLE_MB, ample);
  limits.forEach((limit, i) => {
    add(limit, limited[i]);
  });
}

async function life(events: number, limitMb: number): Promise<Life> {
  const server = await startServerProcess(['--memory-limit', `${limitMb}MB`]);
  const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: 'bench', database: 'bench' });
  try {
    await client.connect();
    const one = async (text: string) => (await client.query({ text, rowMode: 'array' })).rows[0][0];
    const [cpu, wall] = [processCpu(server.pid), performance.now()];
    await client.query(streamsSql((name) => `connector = 'nexmark', table = '${name}', events = '${events}'`));
    await client.query(VIEW);
    const bids = Math.floor((events * 46) / 50);
    while (Number(await one("SELECT position FROM tidemark.sources WHERE name = 'bid'")) < bids)
      await new Promise((resolve) => setTimeout(resolve, 50));
    return {
      cpu: processCpu(server.pid) - cpu,
      wall: (performance.now() - wall) / 1000,
      used: Number(await one("SELECT bytes FROM tidemark.memory WHERE kind = 'used'")),
      cold: Number(await one('SELECT coalesce(sum(live_bytes), 0) FROM tidemark.cold')),
      rows: JSON.stringify((await client.query('SELECT * FROM won ORDER BY category')).rows),
    };
  } finally {
    await client.end();
    await server.close();
  }
}
