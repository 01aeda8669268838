/**
 * What people type: statements over tables of a million rows and some fewer, one after the other, beside PostgreSQL with memory for its sorts and one process a statement. Not a bar: it finds what is slow for no
 * good reason.
 *
 *   tidemarkMs, postgresqlMs   of the client, medians of the runs; those that change rows run once
 *   ratio                      PostgreSQL's time by ours: below 1 we are slower
 *   tidemarkCpuMs              of the server's process, of the last run
 */
import type pg from 'pg';
import { processCpu } from '../process_cpu.ts';
import { connect, type Server, startServers } from '../sql_servers.ts';
import { median, Table } from '../table.ts';
import { CHANGES, QUERIES, tables } from './cases.ts';

const TIMEOUT_MS = 60_000;
const SETTINGS = ['shared_buffers=1GB', 'work_mem=256MB', 'max_parallel_workers_per_gather=0'];

interface Side {
  server: Server;
  client: pg.Client;
}

export async function statementsBench(options: {
  only: string[];
  rows: number;
  runs: number;
  json: boolean;
}): Promise<void> {
  const { only, rows, runs } = options;
  const table = new Table(options.json);
  const servers = await startServers(SETTINGS);
  try {
    const sides: Side[] = [];
    for (const server of servers) sides.push({ server, client: await connect(server) });
    for (const sql of tables(rows)) await compare(sql, sides, 1, only.length === 0 ? table : null);
    for (const { server, client } of sides) {
      if (server.name === 'postgresql') await client.query('VACUUM ANALYZE');
      await client.query(`SET statement_timeout = ${TIMEOUT_MS}`);
    }
    const chosen = (sql: string) => only.length === 0 || only.some((text) => sql.includes(text));
    for (const sql of QUERIES.filter(chosen)) await compare(sql, sides, runs, table);
    for (const sql of CHANGES.filter(chosen)) await compare(sql, sides, 1, table);
    for (const { client } of sides) await client.end();
  } finally {
    for (const server of servers) await server.close();
  }
}

async function compare(sql: string, sides: Side[], runs: number, table: Table | null): Promise<void> {
  const times: number[][] = sides.map(() => []);
  let cpu = 0;
  for (let run = 0; run < runs; run++)
    for (const [i, { server, client }] of sides.entries()) {
      const [before, start] = [processCpu(server.pid), performance.now()];
      try {
        await client.query({ text: sql, rowMode: 'array' });
      } catch (error) {
        console.error(`${server.name}: ${(error as Error).message}: ${sql}`);
      }
      times[i].push(performance.now() - start);
      if (i === 0) cpu = processCpu(server.pid) - before;
    }
  const [ours, theirs] = times.map(median);
  const statement = sql.slice(0, 90).padEnd(90);
  const figures = { statement, tidemarkMs: ours, tidemarkCpuMs: cpu * 1000 };
  table?.add(theirs === undefined ? figures : { ...figures, postgresqlMs: theirs, ratio: theirs / ours });
}
