/** A server for tests of several sessions at once, and what they do with each of them. */
import { after, afterEach, before } from 'node:test';
import pg from 'pg';
import { type ClientServer, startServer, until } from './server.ts';

export type HeardClient = pg.Client & { notices: string[] };

/** One that is connected, and the notices that it gets. */
type Connect = () => Promise<HeardClient>;

type Clear = (file: FileServer) => Promise<void>;

interface FileServer {
  readonly server: ClientServer;
  connect: Connect;
  /** Until no transaction is open. */
  nothingOpen(): Promise<void>;
  /** Ends a client's transaction by this text, and by ROLLBACK where that fails; `cut`: its connection is lost. */
  endBy(end: string, client: pg.Client): Promise<void>;
}

/** One server for all tests of a file, and clients of its own for each: behind it they are ended, then `clear` takes away what it has left. */
export function serverOfFile(clear: Clear): FileServer {
  let server: ClientServer;
  const open: pg.Client[] = [];
  const connect: Connect = async () => {
    const notices: string[] = [];
    const client = Object.assign(new pg.Client(server.config), { notices });
    client.on('error', () => undefined);
    client.on('notice', ({ severity, message }) => void notices.push(`${severity}: ${message}`));
    await client.connect();
    open.push(client);
    return client;
  };
  const end = async (): Promise<void> => {
    // One that was cut off has ended.
    for (const client of open.splice(0)) await client.end().catch(() => undefined);
  };
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());
  afterEach(async () => {
    await end();
    await clear(file);
    await end();
  });
  const file: FileServer = {
    get server() {
      return server;
    },
    connect,
    nothingOpen: () => until('nothing is open', () => !server.running.engine.catalog.hasOpen),
    async endBy(how, client) {
      if (how !== 'cut') {
        await rows(client, how).catch(() => rows(client, 'ROLLBACK'));
        return;
      }
      cut(client);
      await file.nothingOpen();
    },
  };
  return file;
}

/** Waits until no transaction is open, then empties public and drops these schemas. */
export const withoutSchemas =
  (...schemas: string[]): Clear =>
  async ({ connect, nothingOpen }) => {
    await nothingOpen();
    const admin = await connect();
    for (const schema of [...schemas, 'public']) await rows(admin, `DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await rows(admin, 'CREATE SCHEMA public');
  };

/** One that is connected. */
export async function connected(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(config);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Ends the socket as a lost network does. */
export function cut(client: pg.Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

/** Rows as lists; several statements give those of the last. */
export async function rows(client: pg.Client, text: string, values?: unknown[]): Promise<unknown[][]> {
  const result = await client.query({ text, values, rowMode: 'array' } as pg.QueryArrayConfig);
  return (Array.isArray(result) ? result[result.length - 1] : result).rows;
}

/** For assert.rejects: a statement that the server refuses so. */
export const refused = (code: string, message?: RegExp) => (error: unknown) =>
  error instanceof pg.DatabaseError && error.code === code && (message?.test(error.message) ?? true);
