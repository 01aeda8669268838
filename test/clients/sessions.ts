/** What tests of several sessions do with each of them. */
import pg from 'pg';

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
