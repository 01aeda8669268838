/**
 * A server over a FakeEngine for one test file, and clients of it. With TIDEMARK_THREADS=2 the sockets are in an I/O thread, as they are for
 * users: src/io/wire.slow.test.ts runs the tests of this folder that way.
 */
import { IoThread } from '../../io/io_thread.ts';
import type { Log } from '../options.ts';
import { type PostgresServer, type PostgresServerOptions, startPostgresServer } from '../server.ts';
import { FakeEngine } from './fake_engine.ts';
import { WireClient } from './wire_client.ts';

export interface Harness {
  engine: FakeEngine;
  server: PostgresServer;
  /** Lines that the server logged. */
  logged: string[];
  client(params?: Record<string, string>): Promise<WireClient>;
  close(): Promise<void>;
}

export async function startHarness(options: Partial<PostgresServerOptions> = {}): Promise<Harness> {
  const engine = new FakeEngine();
  const logged: string[] = [];
  const clients: WireClient[] = [];
  const log: Log = (level, message) => logged.push(`${level} ${message}`);
  const io = process.env.TIDEMARK_THREADS === '2' ? new IoThread({ log, onFailure: fail }) : null;
  const server = await startPostgresServer({
    listenThrough: io?.listen,
    listen: { host: '127.0.0.1', port: 0 },
    engine,
    version: '0.0.0',
    log,
    ...options,
  });
  return {
    engine,
    server,
    logged,
    async client(params = {}) {
      const client = await WireClient.start(server.port, params);
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.close();
      await server.close();
      await io?.close();
    },
  };
}

function fail(error: Error): never {
  throw error;
}
