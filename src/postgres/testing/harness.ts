/** A server over a FakeEngine for one test file, and clients of it. */
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
  const server = await startPostgresServer({
    listen: { host: '127.0.0.1', port: 0 },
    engine,
    version: '0.0.0',
    log: (level, message) => logged.push(`${level} ${message}`),
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
    },
  };
}
