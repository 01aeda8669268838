/** What tests of several sessions do with each of them. */
import pg from 'pg';

export type HeardClient = pg.Client & { notices: string[] };

/** Clients of one test, which are ended with it. */
export class OpenClients {
  readonly #config: () => pg.ClientConfig;
  #open: pg.Client[] = [];

  constructor(config: () => pg.ClientConfig) {
    this.#config = config;
  }

  /** One that is connected, and the notices that it gets. */
  readonly connect = async (): Promise<HeardClient> => {
    const notices: string[] = [];
    const client = Object.assign(new pg.Client(this.#config()), { notices });
    client.on('error', () => undefined);
    client.on('notice', ({ severity, message }) => void notices.push(`${severity}: ${message}`));
    await client.connect();
    this.#open.push(client);
    return client;
  };

  async end(): Promise<void> {
    // One that was cut off has ended.
    for (const client of this.#open.splice(0)) await client.end().catch(() => undefined);
  }
}

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
