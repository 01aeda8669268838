/** A real PostgreSQL for a test, where its programs are on the machine: the packaged version, in a folder of its own, durability off. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { findPgbench } from './tools.ts';

/** Of nobody, as PostgreSQL refuses to run as root. */
const NOBODY = { uid: 65534, gid: 65534 };

export interface PostgresOfTest {
  config: pg.ClientConfig;
  close(): Promise<void>;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Null when there is none, or it does not start. */
export async function startPostgres(settings: string[] = []): Promise<PostgresOfTest | null> {
  const pgbench = await findPgbench();
  if ('absent' in pgbench) return null;
  const bin = dirname(pgbench.path);
  const data = mkdtempSync(join(tmpdir(), 'tidemark-postgres-'));
  const who = process.getuid?.() === 0 ? NOBODY : {};
  if ('uid' in who) chownSync(data, NOBODY.uid, NOBODY.gid);
  const remove = () => rmSync(data, { recursive: true, force: true });
  try {
    execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--no-sync'], {
      ...who,
      stdio: 'ignore',
    });
  } catch {
    remove();
    return null;
  }
  const port = await freePort();
  const options = [
    'fsync=off',
    `unix_socket_directories=${data}`,
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    ...settings,
  ];
  const child = spawn(join(bin, 'postgres'), ['-D', data, ...options.flatMap((option) => ['-c', option])], {
    ...who,
    stdio: 'ignore',
  });
  const close = async () => {
    await ended(child);
    remove();
  };
  const config = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' };
  for (let i = 0; i < 100; i++) {
    const client = new pg.Client(config);
    try {
      await client.connect();
      await client.end();
      return { config, close };
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  await close();
  return null;
}

/** SIGINT is its fast shutdown. */
function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGINT');
  });
}
