/**
 * Tables of a PostgreSQL that are followed while both servers are killed and connections are cut: at every tick that is looked at, all tables together are what one transaction upstream has left,
 * never an earlier one than before, and the last one at the end.
 *
 * Every transaction counts up the row of `mark`, so that what is found says which one it is to be compared with.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { initParser } from '../../planner/parse/parse.ts';
import { examine } from '../../src/durable/doctor.ts';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../clients/postgres_server.ts';
import { until } from '../clients/server.ts';
import { Child, progress, rounds } from './child.ts';

let postgres: PostgresServer | null = null;

before(async () => {
  postgres = await startPostgres(['wal_level=logical', 'wal_sender_timeout=3s']);
});
after(() => postgres?.close());

const UPSTREAM = `
  CREATE TABLE mark (id int PRIMARY KEY, n int);
  INSERT INTO mark VALUES (1, 0);
  CREATE TABLE account (id int PRIMARY KEY, v int, note text);
  CREATE TABLE ledger (a text, b int, v int, note text, PRIMARY KEY (b, a));
  ALTER TABLE ledger REPLICA IDENTITY FULL;
  INSERT INTO account SELECT i, i, repeat(md5(i::text), 3) FROM generate_series(1, 3000) i;
  CREATE PUBLICATION shop FOR TABLE mark, account, ledger`;

/** The same text from both servers. */
const STATE = `SELECT (SELECT n FROM mark) AS n,
  (SELECT coalesce(string_agg(id || ':' || v || ':' || coalesce(md5(note), '-'), ',' ORDER BY id), '') FROM account) || ' / ' ||
  (SELECT coalesce(string_agg(b || a || ':' || v || ':' || coalesce(md5(note), '-'), ',' ORDER BY b, a), '') FROM ledger) AS state,
  (SELECT coalesce(sum(v), 0) FROM account) AS total`;

interface State {
  n: number;
  state: string;
  total: string;
}

async function stateOf(client: pg.Client): Promise<State> {
  return (await client.query<State>(STATE)).rows[0];
}

/** Writes transactions, and knows what each has left. */
class Writer {
  readonly history: State[] = [];
  readonly #config: pg.ClientConfig;
  readonly #random: Random;
  #client: pg.Client | null = null;
  #next = 10_000;

  constructor(config: pg.ClientConfig, random: Random) {
    this.#config = config;
    this.#random = random;
  }

  get last(): State {
    return this.history[this.history.length - 1];
  }

  async client(): Promise<pg.Client> {
    while (this.#client === null) {
      const client = new pg.Client(this.#config);
      client.on('error', () => {
        this.#client = null;
      });
      try {
        await client.connect();
        this.#client = client;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    return this.#client;
  }

  /** One transaction; where the server goes in the midst of it, what has become of it is looked at. */
  async write(): Promise<void> {
    const n = this.history.length;
    try {
      const client = await this.client();
      await client.query('BEGIN');
      for (let i = this.#random.below(6); i >= 0; i--) await client.query(this.#change());
      await client.query(`UPDATE mark SET n = ${n}`);
      await client.query(this.#random.below(8) === 0 ? 'ROLLBACK' : 'COMMIT');
    } catch {
      this.#client = null;
    }
    await this.look();
  }

  async look(): Promise<void> {
    for (;;) {
      try {
        const found = await stateOf(await this.client());
        if (found.n === this.history.length) this.history.push(found);
        assert.deepEqual(found, this.last);
        return;
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        this.#client = null;
      }
    }
  }

  /** Ten keys that nothing ever had. */
  #free(): number {
    this.#next += 10;
    return this.#next;
  }

  #change(): string {
    const random = this.#random;
    const few = `(SELECT ctid FROM account ORDER BY md5(id || '${random.below(1000)}') LIMIT ${1 + random.below(4)})`;
    // Too long for their page: they are not logged again when they stay.
    const long = `(SELECT string_agg(md5(i || '${random.below(1e6)}'), '') FROM generate_series(1, 300) i)`;
    switch (random.below(9)) {
      case 0:
        return `INSERT INTO account SELECT ${this.#free()} + i, i, ${long} FROM generate_series(1, ${random.below(5)}) i`;
      case 1:
        return `UPDATE account SET v = v + 1 WHERE ctid IN ${few}`;
      case 2:
        return `UPDATE account SET id = ${this.#free()} + v % 2 WHERE ctid IN (SELECT ctid FROM account ORDER BY id LIMIT 1)`;
      case 3:
        return `DELETE FROM account WHERE ctid IN ${few}`;
      case 4:
        return `UPDATE account SET note = ${random.below(3) === 0 ? 'NULL' : long} WHERE ctid IN ${few}`;
      case 5:
        return `INSERT INTO ledger SELECT 'x' || i, ${random.below(50)}, i, ${long} FROM generate_series(1, ${random.below(4)}) i ON CONFLICT (a, b) DO UPDATE SET v = ledger.v + 1`;
      case 6:
        return `UPDATE ledger SET b = b + 100 WHERE b IN (SELECT b FROM ledger ORDER BY b LIMIT 1)`;
      case 7:
        return random.below(12) === 0
          ? 'TRUNCATE ledger, account'
          : `DELETE FROM ledger WHERE b = (SELECT max(b) FROM ledger)`;
      default:
        return `UPDATE account SET id = -id, v = v - 1 WHERE ctid IN ${few}`;
    }
  }

  async close(): Promise<void> {
    await this.#client?.end();
  }
}

test('tables of a PostgreSQL over kills of both servers', async (t) => {
  if (postgres === null) return t.skip(NO_POSTGRES);
  const seed = testSeed();
  const random = new Random(seed);
  const upstream = postgres;
  const data = mkdtempSync(join(tmpdir(), 'tidemark-upstream-'));
  const writer = new Writer(upstream.config, new Random(random.below(2 ** 31)));
  await (await writer.client()).query(UPSTREAM);
  await writer.look();
  let child = await Child.start(data);
  let client = await child.connect();
  const again = async () => {
    await child.kill();
    child = await Child.start(data);
    client = await child.connect();
  };
  const made = (columns: string, table: string) =>
    client.query(`CREATE TABLE ${table} (${columns}) WITH (connector = 'postgres', host = '127.0.0.1', port = '${upstream.config.port}',
      database = 'postgres', user = 'postgres', table = '${table}', publication = 'shop')`);
  try {
    // Kills while the rows are copied that are there.
    await made('n int, id int PRIMARY KEY', 'mark');
    await made('id int PRIMARY KEY, note text, v int', 'account');
    for (let i = 0; i < 2; i++) {
      await writer.write();
      await again();
    }
    await made('v int, note text, a text, b int, PRIMARY KEY (a, b)', 'ledger');
    await client.query('CREATE MATERIALIZED VIEW total AS SELECT sum(v) AS v FROM account');
    if (random.chance(0.5)) await again();
    await until('the tables are the same', async () => {
      await writer.write();
      return same();
    });
    let seen = 0;
    async function same(): Promise<boolean> {
      // Rows that a copy has brought which was cut short go again.
      const statuses = await client.query('SELECT status FROM tidemark.sources');
      if (statuses.rows.some(({ status }) => status !== 'running')) return false;
      const found = await stateOf(client);
      return found.state === writer.history[found.n]?.state;
    }
    const look = async () => {
      const found = await stateOf(client);
      // The transaction may be one that the writer does not know to be committed yet.
      if (found.n === writer.history.length) await writer.look();
      assert.deepEqual(found, writer.history[found.n], `transaction ${found.n}`);
      assert.ok(found.n >= seen, `${found.n} after ${seen}`);
      seen = found.n;
      const { rows } = await client.query(
        `SELECT coalesce((SELECT v FROM total), 0) = coalesce((SELECT sum(v) FROM account), 0) AS same`,
      );
      assert.equal(rows[0].same, true);
    };
    const most = rounds(12, 200);
    for (let round = 0; round < most; round++) {
      progress(`round ${round}, transaction ${writer.history.length}`);
      const fault = random.below(4);
      let faulty: Promise<unknown> = Promise.resolve();
      const steps = 5 + random.below(20);
      const when = random.below(steps);
      for (let step = 0; step < steps; step++) {
        if (step === when) {
          if (fault === 0) faulty = upstream.restart('SIGQUIT');
          else if (fault === 1) faulty = upstream.restart();
          else if (fault === 2)
            await (await writer.client())
              .query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active')
              .catch(() => undefined);
          else await again();
        }
        if (random.chance(0.1)) await client.query('CHECKPOINT');
        await writer.write();
        await look();
      }
      await faulty;
      const { n } = writer.last;
      await until(
        `transaction ${n} after fault ${fault}: ${JSON.stringify((await client.query('SELECT name, status FROM tidemark.sources')).rows)}`,
        async () => {
          await look();
          return seen === n;
        },
      );
    }
    await child.kill();
    await initParser();
    const findings = (await examine(data)).filter(({ level }) => level === 'problem');
    assert.deepEqual(findings, []);
    await again();
    const errors = await client.query("SELECT count(*) AS n FROM tidemark.errors('account')");
    assert.equal(Number(errors.rows[0].n), 0);
    t.diagnostic(`${writer.history.length} transactions`);
    await client.query('DROP TABLE account, ledger, mark CASCADE');
    const slots = await (await writer.client()).query('SELECT slot_name FROM pg_replication_slots');
    assert.deepEqual(slots.rows, []);
    await client.end();
  } finally {
    await child.kill();
    await writer.close();
    rmSync(data, { recursive: true, force: true });
  }
});
