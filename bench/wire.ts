/**
 * The Postgres wire: pgbench point SELECTs on an indexed view and one large result, beside PostgreSQL when it is installed (initdb and
 * postgres on the path or in its usual Debian folder), in the same run. Both are processes of their own with their settings for speed; PostgreSQL does not
 * wait for its disk. On a busy machine the CPU time that a statement costs says more than how many there were in a second.
 *
 * Each measurement is taken in rounds, the servers in turn: the ratio is the median of the rounds' ratios, because a machine that is slow for a few seconds
 * makes one of them wrong and not the comparison.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'pg-protocol';
import { processCpu } from './process_cpu.ts';
import { connect, type Server, startServers } from './sql_servers.ts';
import { median, type Row, Table } from './table.ts';

const CLIENTS = 8;
const POINTS = 100_000;
const WARM_UP_SECONDS = 1;
const TABLE = 'CREATE TABLE point (id int PRIMARY KEY, value text)';
const FILL = `INSERT INTO point SELECT g, 'value ' || g FROM generate_series(1, ${POINTS}) g`;

export async function wireBench(options: {
  rows: number;
  seconds: number;
  runs: number;
  json: boolean;
}): Promise<void> {
  const { rows, seconds, runs } = options;
  const table = new Table(options.json);
  const servers = await startServers(['shared_buffers=256MB']);
  const hasPgbench = spawnSync('pgbench', ['--version']).status === 0;
  if (!hasPgbench) console.error('pgbench not found: point SELECTs are left out');
  const add = async (bench: string, measure: (server: Server) => Promise<Figure>) =>
    table.add(compared(bench, await inTurn(servers, runs, measure)));
  try {
    for (const server of servers) await prepare(server);
    if (hasPgbench)
      for (const mode of ['simple', 'extended', 'prepared']) {
        for (const server of servers) await pgbench(server, mode, WARM_UP_SECONDS);
        await add(`select ${mode}, tps`, (server) => pgbench(server, mode, seconds));
      }
    for (const server of servers) await fillLarge(server, rows);
    const large = `${rows.toLocaleString('en')} rows x 4 columns, rows/s`;
    await add(`SELECT ${large}`, (server) => selectLarge(server, rows));
    await add(`COPY ${large}`, (server) => copyLarge(server, rows));
  } finally {
    for (const server of servers) await server.close();
  }
}

/** What a server did in a second, and the CPU microseconds that its processes used for one of it. */
interface Figure {
  rate: number;
  micros: number;
}

/** Each server's figures, a round at a time. */
async function inTurn(
  servers: Server[],
  runs: number,
  measure: (server: Server) => Promise<Figure>,
): Promise<Figure[][]> {
  const figures: Figure[][] = servers.map(() => []);
  for (let round = 0; round < runs; round++)
    for (const [i, server] of servers.entries()) figures[i].push(await measure(server));
  return figures;
}

/** Without PostgreSQL there is nothing beside our figures. */
function compared(what: string, [ours, theirs]: Figure[][]): Row {
  const rate = (figures: Figure[]) => Math.round(median(figures.map((f) => f.rate)));
  const micros = (figures: Figure[]) => median(figures.map((f) => f.micros));
  const bench = what.padEnd(40);
  if (theirs === undefined) return { bench, tidemark: rate(ours), tidemarkCpuMicros: micros(ours) };
  const ratios = theirs.map((their, round) => ours[round].rate / their.rate);
  return {
    bench,
    tidemark: rate(ours),
    postgresql: rate(theirs),
    ratio: median(ratios),
    leastRatio: Math.min(...ratios),
    mostRatio: Math.max(...ratios),
    tidemarkCpuMicros: micros(ours),
    postgresqlCpuMicros: micros(theirs),
    cpuRatio: median(theirs.map((their, round) => their.micros / ours[round].micros)),
  };
}

async function prepare(server: Server): Promise<void> {
  const client = await connect(server);
  await client.query(TABLE);
  await client.query(FILL);
  await client.end();
}

async function pgbench(server: Server, mode: string, seconds: number): Promise<Figure> {
  const script = join(mkdtempSync(join(tmpdir(), 'tidemark-bench-')), 'point.sql');
  writeFileSync(script, `\\set id random(1, ${POINTS})\nSELECT value FROM point WHERE id = :id;\n`);
  const args = [
    '-h',
    '127.0.0.1',
    '-p',
    String(server.port),
    '-U',
    server.user,
    '-n',
    '-c',
    String(CLIENTS),
    '-j',
    '1',
    '-T',
    String(seconds),
    '-M',
    mode,
    '-f',
    script,
    'postgres',
  ];
  const before = processCpu(server.pid);
  const said = await output('pgbench', args);
  const figure = (pattern: RegExp) => Number(pattern.exec(said)?.[1] ?? 'NaN');
  const statements = figure(/actually processed: (\d+)/);
  return { rate: figure(/tps = ([\d.]+)/), micros: ((processCpu(server.pid) - before) / statements) * 1e6 };
}

/** Standard output of a program that runs beside this process' event loop. */
function output(command: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (data: Buffer) => {
      text += data.toString();
    });
    child.on('error', reject);
    child.on('close', () => resolve(text));
  });
}

async function fillLarge(server: Server, rows: number): Promise<void> {
  const client = await connect(server);
  await client.query('CREATE TABLE large (a bigint, b text, c numeric(12,2), d timestamptz)');
  await client.query(
    `INSERT INTO large SELECT g, 'text of row ' || g, (g % 100000)::numeric / 100, '2026-01-01'::timestamptz + g * interval '1 second' FROM generate_series(1, ${rows}) g`,
  );
  await client.end();
}

/** Runs `read` twice and measures the second time. */
async function measured(server: Server, rows: number, read: () => Promise<unknown>): Promise<Figure> {
  await read();
  const before = processCpu(server.pid);
  const start = performance.now();
  await read();
  const seconds = (performance.now() - start) / 1000;
  return { rate: rows / seconds, micros: ((processCpu(server.pid) - before) / rows) * 1e6 };
}

/** One result of the simple protocol, read by a client that looks at nothing but the end. */
async function selectLarge(server: Server, rows: number): Promise<Figure> {
  const socket = connectSocket(server.port, '127.0.0.1');
  await once(socket, 'connect');
  const until = (end: Buffer) =>
    new Promise<void>((resolve, reject) => {
      let tail: Buffer = Buffer.alloc(0);
      const look = (chunk: Buffer) => {
        tail =
          chunk.length >= end.length ? chunk.subarray(-end.length) : Buffer.concat([tail, chunk]).subarray(-end.length);
        if (!tail.equals(end)) return;
        socket.off('data', look);
        socket.off('close', closed);
        resolve();
      };
      const closed = () => reject(new Error('the connection was closed'));
      socket.on('data', look);
      socket.on('close', closed);
    });
  const ready = Buffer.from('Z\0\0\0\x05I', 'latin1');
  socket.write(serialize.startup({ user: server.user, database: 'postgres' }));
  await until(ready);
  const done = Buffer.concat([Buffer.from(`SELECT ${rows}\0`), ready]);
  const figure = await measured(server, rows, () => {
    const answered = until(done);
    socket.write(serialize.query('SELECT * FROM large'));
    return answered;
  });
  socket.destroy();
  return figure;
}

/** COPY to a psql that throws it away. */
function copyLarge(server: Server, rows: number): Promise<Figure> {
  const args = [
    '-h',
    '127.0.0.1',
    '-p',
    String(server.port),
    '-U',
    server.user,
    '-q',
    '-c',
    'COPY (SELECT * FROM large) TO STDOUT',
    '-o',
    '/dev/null',
    'postgres',
  ];
  return measured(server, rows, () => output('psql', args));
}
