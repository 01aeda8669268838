/**
 * A real PostgreSQL beside the server under test, where its programs are on the machine: the newest packaged version, in a folder of its own, durability off. Tests
 * and benches start it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { findPgbench } from './tools.ts';

/** A reason to skip tests. */
export const NO_POSTGRES = 'no PostgreSQL server on this machine';

/** Of nobody, as PostgreSQL refuses to run as root. */
const NOBODY = { uid: 65534, gid: 65534 };
/** Where Debian's packages have it, by version. */
const PACKAGED = '/usr/lib/postgresql';

export interface PostgresServer {
  config: { host: string; port: number; user: string; database: string };
  /** Of the process that started all of it. */
  pid: number;
  /** Ends it (SIGINT: in order; SIGQUIT: as a crash does) and starts it again where it was. */
  restart(signal?: NodeJS.Signals): Promise<void>;
  close(): Promise<void>;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** The folder of its programs; null: there is none. */
async function programs(): Promise<string | null> {
  const packaged = existsSync(PACKAGED)
    ? readdirSync(PACKAGED)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(PACKAGED, version, 'bin'))
    : [];
  // A package that was unpacked for pgbench has the server, too.
  const pgbench = await findPgbench();
  const unpacked = 'path' in pgbench ? [dirname(pgbench.path)] : [];
  return [...packaged, ...unpacked].find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}

/** Null when there is none, or it does not start. `settings`: such as 'shared_buffers=256MB'. `auth`: how clients prove who they are; the user's password is the user's name. */
export async function startPostgres(
  settings: string[] = [],
  user = 'postgres',
  auth: 'trust' | 'scram-sha-256' | 'md5' | 'password' = 'trust',
): Promise<PostgresServer | null> {
  const bin = await programs();
  if (bin === null) return null;
  const data = mkdtempSync(join(tmpdir(), 'tidemark-postgres-'));
  const who = process.getuid?.() === 0 ? NOBODY : {};
  if ('uid' in who) chownSync(data, NOBODY.uid, NOBODY.gid);
  const secret = `${data}.password`;
  if (auth !== 'trust') writeFileSync(secret, user);
  const remove = () => {
    rmSync(data, { recursive: true, force: true });
    rmSync(secret, { force: true });
  };
  const proof = auth === 'trust' ? [] : [`--pwfile=${secret}`];
  const initial = ['-D', data, '-U', user, `--auth=${auth}`, ...proof, '-E', 'UTF8', '--no-sync'];
  try {
    execFileSync(join(bin, 'initdb'), initial, { ...who, stdio: 'ignore' });
  } catch {
    remove();
    return null;
  }
  const port = await freePort();
  const options = [
    'fsync=off',
    ...settings,
    `unix_socket_directories=${data}`,
    'listen_addresses=127.0.0.1',
    `port=${port}`,
  ];
  const start = () => {
    const args = ['-D', data, ...options.flatMap((option) => ['-c', option])];
    return spawn(join(bin, 'postgres'), args, { ...who, stdio: 'ignore' });
  };
  let child = start();
  const close = async () => {
    await ended(child);
    remove();
  };
  const restart = async (signal: NodeJS.Signals = 'SIGINT') => {
    await ended(child, signal);
    child = start();
    if (!(await answers(config))) throw new Error('PostgreSQL did not start again');
  };
  const config = { host: '127.0.0.1', port, user, password: user, database: 'postgres' };
  if (await answers(config)) return { config, pid: child.pid as number, restart, close };
  await close();
  return null;
}

async function answers(config: pg.ClientConfig): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    const client = new pg.Client(config);
    try {
      await client.connect();
      await client.end();
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return false;
}

/** SIGINT is its fast shutdown. */
function ended(child: ChildProcess, signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}
