/**
 * A PostgreSQL, and a server whose tables follow it, for the tests of one file: started before the first, stopped after the last.
 *
 *   const suite = await postgresSuite();   test('...', { skip: suite.skip }, async () => { ... suite.here, suite.there, suite.p ... });
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import { NO_POSTGRES, type PostgresServer, startPostgres } from './postgres_server.ts';
import { type ClientServer, startServer, until } from './server.ts';
import { connected, rows } from './sessions.ts';

export interface PostgresSuite {
  readonly skip: string | false;
  readonly postgres: PostgresServer;
  readonly server: ClientServer;
  /** Sessions with the server and with PostgreSQL. */
  readonly here: pg.Client;
  readonly there: pg.Client;
  /** The name of the test's publication. */
  readonly p: string;
  /** WITH of a table that follows PostgreSQL's one. */
  from(table: string, others?: Record<string, string>): string;
  status(table: string): Promise<string>;
  /** Until the rows that were there are read: they can be seen before. */
  following(...tables: string[]): Promise<void>;
  /** Until the query gives the same here as there. */
  same(query: string): Promise<void>;
}

export async function postgresSuite(): Promise<PostgresSuite> {
  const postgres = await startPostgres(['wal_level=logical', 'max_replication_slots=20', 'max_wal_senders=20']);
  let server: ClientServer | undefined;
  let here: pg.Client | undefined;
  let there: pg.Client | undefined;
  let number = 0;
  before(async () => {
    if (postgres === null) return;
    server = await startServer();
    here = await connected(server.config);
    there = await connected(postgres.config);
  });
  beforeEach(() => {
    number++;
  });
  after(async () => {
    await here?.end();
    await there?.end();
    await server?.close();
    await postgres?.close();
  });
  const started = <T>(value: T | null | undefined): T => {
    if (value == null) throw new Error('no PostgreSQL has been started');
    return value;
  };
  const suite: PostgresSuite = {
    skip: postgres === null ? NO_POSTGRES : false,
    get postgres() {
      return started(postgres);
    },
    get server() {
      return started(server);
    },
    get here() {
      return started(here);
    },
    get there() {
      return started(there);
    },
    get p() {
      return `p${number}`;
    },
    from(table, others = {}) {
      const { host, port, user, database } = suite.postgres.config;
      const options = { host, port, database, user, table, publication: suite.p, ...others };
      return `WITH (connector = 'postgres', ${Object.entries(options)
        .map(([name, value]) => `${name} = '${value}'`)
        .join(', ')})`;
    },
    async status(table) {
      const [[text]] = await rows(suite.here, `SELECT status FROM tidemark.sources WHERE oid = '${table}'::regclass`);
      return text as string;
    },
    async following(...tables) {
      for (const table of tables)
        await until(`${table} is read`, async () => (await suite.status(table)) === 'running');
    },
    async same(query) {
      let wanted: unknown;
      let found: unknown;
      await until(query, async () => {
        wanted = await rows(suite.there, query);
        found = await rows(suite.here, query);
        return isDeepStrictEqual(found, wanted);
      }).catch((error) => {
        assert.deepEqual(found, wanted);
        throw error;
      });
    },
  };
  return suite;
}
