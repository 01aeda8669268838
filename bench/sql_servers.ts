/** The servers that benches put side by side, each as processes of its own: Tidemark as built, and PostgreSQL where it is installed (in its usual Debian folder). */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startServerProcess } from './server_process.ts';

export interface Server {
  name: string;
  port: number;
  /** Of the process that started all of it. */
  pid: number;
  user: string;
  close(): Promise<void>;
}

/** Ours, and PostgreSQL with these settings. */
export async function startServers(settings: string[]): Promise<Server[]> {
  const servers: Server[] = [{ name: 'tidemark', user: 'bench', ...(await startServerProcess()) }];
  const baseline = await postgres(settings);
  if (baseline === null) console.error('no PostgreSQL server found: no baseline');
  else servers.push(baseline);
  return servers;
}

/** A PostgreSQL of its own in a temporary folder, durability off, with these settings; null when there is none on the machine. */
async function postgres(options: string[]): Promise<Server | null> {
  const base = '/usr/lib/postgresql';
  const version = existsSync(base)
    ? readdirSync(base)
        .sort((a, b) => Number(b) - Number(a))
        .find((v) => existsSync(join(base, v, 'bin/initdb')))
    : undefined;
  if (version === undefined) return null;
  const bin = join(base, version, 'bin');
  const data = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  const port = await freePort();
  // PostgreSQL refuses to run as root; the packaged user serves.
  const root = process.getuid?.() === 0;
  const as = (args: string[]) =>
    (root ? ['runuser', ['-u', 'postgres', '--', ...args]] : [args[0], args.slice(1)]) as [string, string[]];
  if (root) execFileSync('chown', ['postgres', data]);
  execFileSync(...as([join(bin, 'initdb'), '-D', data, '-U', 'bench', '--auth=trust', '-E', 'UTF8']), {
    stdio: 'ignore',
  });
  const settings = [
    'fsync=off',
    ...options,
    `unix_socket_directories=${data}`,
    'listen_addresses=127.0.0.1',
    `port=${port}`,
  ];
  const child = spawn(...as([join(bin, 'postgres'), '-D', data, ...settings.flatMap((s) => ['-c', s])]), {
    stdio: 'ignore',
  });
  const server: Server = {
    name: 'postgresql',
    port,
    pid: child.pid as number,
    user: 'bench',
    async close() {
      spawnSync(...as([join(bin, 'pg_ctl'), '-D', data, '-m', 'fast', 'stop']), { stdio: 'ignore' });
      child.kill();
      rmSync(data, { recursive: true, force: true });
    },
  };
  for (let i = 0; i < 100; i++) {
    try {
      const client = await connect(server);
      await client.end();
      return server;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  await server.close();
  return null;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export async function connect(server: Server): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: server.user, database: 'postgres' });
  await client.connect();
  return client;
}
