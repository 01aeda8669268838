/** What a file runs against: Tidemark (a server of its own a file, through a real client) or PGlite. */
import pg from 'pg';
import { runServer } from '../src/cli/server.ts';
import type { TextRows } from './compare.ts';

export interface Target {
  name: 'tidemark' | 'pglite';
  /** Runs one statement; null rows when it gives none. Throws on an error. */
  run(sql: string): Promise<TextRows | null>;
  close(): Promise<void>;
}

const STATEMENT_TIMEOUT_MS = 30_000;
const raw = { getTypeParser: () => (text: string) => text };

export async function tidemarkTarget(): Promise<Target> {
  const server = await runServer({ host: '127.0.0.1', port: 0, version: 'slt', log: () => undefined });
  const client = new pg.Client({
    host: '127.0.0.1',
    port: server.postgres.port,
    user: 'slt',
    database: 'slt',
    types: raw as never,
  });
  await client.connect();
  client.on('error', () => undefined);
  return {
    name: 'tidemark',
    async run(sql) {
      const result = await within(client.query({ text: sql, rowMode: 'array' }), sql);
      const last = Array.isArray(result) ? result[result.length - 1] : result;
      if (last.fields.length === 0) return null;
      return {
        rows: last.rows as unknown as (string | null)[][],
        types: last.fields.map((f: { dataTypeID: number }) => f.dataTypeID),
        names: last.fields.map((f: { name: string }) => f.name),
      };
    },
    async close() {
      await client.end();
      await server.close();
    },
  };
}

function within<T>(promise: Promise<T>, sql: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${STATEMENT_TIMEOUT_MS / 1000} s: ${sql.slice(0, 80)}`)),
      STATEMENT_TIMEOUT_MS,
    );
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export async function pgliteTarget(): Promise<Target> {
  const { PGlite } = await import('@electric-sql/pglite');
  const db = await PGlite.create();
  const texts = Object.fromEntries(Array.from({ length: 5000 }, (_, oid) => [oid, (text: string) => text]));
  return {
    name: 'pglite',
    async run(sql) {
      const results = await db.exec(sql, { rowMode: 'array', parsers: texts });
      const last = results[results.length - 1];
      if (last === undefined || last.fields.length === 0) return null;
      return {
        rows: last.rows as unknown as (string | null)[][],
        types: last.fields.map((f) => f.dataTypeID),
        names: last.fields.map((f) => f.name),
      };
    },
    close: () => db.close(),
  };
}
