/** The servers that benches put side by side, each as processes of its own: Tidemark as built, and PostgreSQL where it is installed (in its usual Debian folder). */
import pg from 'pg';
import { startPostgres } from '../test/clients/postgres_server.ts';
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
  const baseline = await startPostgres(settings, 'bench');
  if (baseline === null) console.error('no PostgreSQL server found: no baseline');
  else {
    const { config, pid, close } = baseline;
    servers.push({ name: 'postgresql', port: config.port, pid, user: config.user, close });
  }
  return servers;
}

export async function connect(server: Server): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: server.user, database: 'postgres' });
  await client.connect();
  return client;
}
