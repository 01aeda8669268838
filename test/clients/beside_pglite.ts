/**
 * One session here and one in PostgreSQL (PGlite), for tests of one file that give both the same statements: they want the same rows and the same errors.
 *
 *   const { same } = besidePglite();   test('...', () => same(`a statement a line`));
 */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { type ClientServer, startServer } from './server.ts';

type Outcome = { rows: unknown[][] } | { error: string };

interface Beside {
  readonly here: pg.Client;
  outcomeHere(sql: string): Promise<Outcome>;
  /** A statement a line, the first of them as the superuser. */
  same(script: string): Promise<void>;
}

export function besidePglite(): Beside {
  let server: ClientServer;
  let here: pg.Client;
  let there: PGlite;
  before(async () => {
    server = await startServer();
    // A name that is no role is the bootstrap superuser, as postgres is there.
    here = new pg.Client({ ...server.config, user: 'postgres', database: 'postgres' });
    await here.connect();
    there = await PGlite.create();
  });
  after(async () => {
    await here.end();
    await there.close();
    await server.close();
  });
  const outcomeHere = (sql: string) => outcome(async () => (await here.query({ text: sql, rowMode: 'array' })).rows);
  const outcomeThere = (sql: string) =>
    outcome(async () => (await there.query<unknown[]>(sql, [], { rowMode: 'array' })).rows);
  return {
    get here() {
      return here;
    },
    outcomeHere,
    async same(script) {
      const lines = script.split('\n').map((line) => line.trim());
      const differences: object[] = [];
      for (const sql of ['RESET ROLE', ...lines.filter((line) => line !== '')]) {
        const [found, wanted] = [await outcomeHere(sql), await outcomeThere(sql)];
        if (!isDeepStrictEqual(found, wanted)) differences.push({ sql, found, wanted });
      }
      assert.deepEqual(differences, []);
    },
  };
}

async function outcome(run: () => Promise<unknown[][]>): Promise<Outcome> {
  try {
    return { rows: await run() };
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    if (code === undefined) throw cause;
    return { error: `${code} ${message}` };
  }
}
