/**
 * What delays a tick: rows by INSERT every few milliseconds (each a tick, that waits for no disk) while others ask for a lot.
 *
 *   seconds      of the statements
 *   ticks        how many INSERTs went meanwhile; p50Ms, maxMs: what they took, as their client sees it
 *   stallMs      CPU time of the longest turn of the dataflow thread's event loop (probe.mjs): what the server did at once, whatever else the machine had to do
 *
 * With STALL_PROFILE=1 what ran in that turn is printed below, and the profiler's own work delays the first ticks.
 */
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { serialize } from 'pg-protocol';
import { type ServerProcess, startServerProcess } from '../server_process.ts';
import { median, Table } from '../table.ts';
import { CASES, type Case, SCHEMA } from './cases.ts';

const PAUSE_MS = 3;
const probe = fileURLToPath(new URL('probe.mjs', import.meta.url));

export async function stallsBench(options: { only: string[]; json: boolean }): Promise<void> {
  const table = new Table(options.json);
  process.env.NODE_OPTIONS = `--import=${probe}`;
  const server = await startServerProcess();
  const setup = new pg.Client({ host: '127.0.0.1', port: server.port, user: 'bench', database: 'postgres' });
  try {
    await setup.connect();
    for (const sql of SCHEMA) await setup.query(sql);
    await setup.query('SET synchronous_commit = off');
    for (const one of CASES) {
      if (options.only.length > 0 && !options.only.some((text) => one.name.includes(text))) continue;
      await untilAlone(setup);
      await longestTurn(server);
      const begun = performance.now();
      let running = true;
      const others = Promise.all(Array.from({ length: one.clients ?? 1 }, () => run(server.port, one))).finally(() => {
        running = false;
      });
      others.catch(() => undefined);
      const ms: number[] = [];
      while (running) {
        const start = performance.now();
        await setup.query('INSERT INTO events VALUES (1, 2, 3)');
        ms.push(performance.now() - start);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
      const seconds = (performance.now() - begun) / 1000;
      let error = '';
      await others.catch((cause) => {
        error = String(cause.message);
      });
      const longest = await longestTurn(server);
      table.add({
        statement: one.name.slice(0, 72).padEnd(72),
        seconds,
        ticks: ms.length,
        p50Ms: median(ms),
        maxMs: Math.max(...ms),
        stallMs: longest.ms,
      });
      if (error !== '') console.error(`    ${error}`);
      if (longest.ms > 8 && longest.running.self !== undefined) {
        console.error(`    self: ${longest.running.self.join(' | ')}`);
        console.error(`    all:  ${longest.running.inclusive.join(' | ')}`);
      }
      for (const sql of one.after ?? []) await setup.query(sql).catch((e) => console.error(`    ${e.message}`));
    }
  } finally {
    setup.removeAllListeners('error').on('error', () => undefined);
    await server.close();
  }
}

/** Until the clients of the case before have left the server. */
async function untilAlone(client: pg.Client): Promise<void> {
  const others = 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()';
  while ((await client.query(others)).rowCount !== 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

/** Since it was asked for last. */
async function longestTurn(server: ServerProcess) {
  process.kill(server.pid, 'SIGUSR2');
  const text = await server.said(/stall (\{.*\})/);
  return JSON.parse(text) as { ms: number; running: { self?: string[]; inclusive: string[] } };
}

/** Milliseconds until what would not end is cancelled. */
const ENDLESS_MS = 4000;

/** A client that throws away what it gets. */
async function run(port: number, { statements, slow, endless }: Case): Promise<void> {
  const socket = connectSocket(port, '127.0.0.1');
  await once(socket, 'connect');
  try {
    socket.write(serialize.startup({ user: 'bench', database: 'postgres' }));
    await answered(socket, undefined);
    for (const sql of [`SET statement_timeout = ${endless ? ENDLESS_MS : 20000}`, ...statements]) {
      const done = answered(socket, slow);
      socket.write(serialize.query(sql));
      await done.catch((error) => {
        if (!endless || !String(error.message).includes('57014')) throw error;
      });
    }
  } finally {
    socket.destroy();
  }
}

/** Until the server is ready for the next query. */
function answered(socket: Socket, slow: number | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let tail: Buffer = Buffer.alloc(0);
    let failed = '';
    const look = (chunk: Buffer) => {
      if (chunk.length < 2000 && chunk[0] === 0x45)
        failed = chunk.toString('latin1').replaceAll('\0', ' ').slice(0, 200);
      tail = Buffer.concat([tail, chunk.subarray(-6)]).subarray(-6);
      if (tail[0] === 0x5a && tail.readInt32BE(1) === 5 && tail.length === 6) {
        socket.off('data', look);
        socket.off('close', closed);
        if (failed === '') resolve();
        else reject(new Error(failed));
      } else if (slow !== undefined) {
        socket.pause();
        setTimeout(() => socket.resume(), slow);
      }
    };
    const closed = () => reject(new Error('the connection was closed'));
    socket.on('data', look);
    socket.on('close', closed);
  });
}
