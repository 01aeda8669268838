/** A real PostgreSQL subscribes to tables and to a materialized view: it copies them, follows them, and goes on after a restart of either. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type pg from 'pg';
import { NO_POSTGRES, type PostgresServer, startPostgres } from './postgres_server.ts';
import { type ClientServer, startServer } from './server.ts';
import { connected, rows } from './sessions.ts';

const data = mkdtempSync(join(tmpdir(), 'tidemark-subscriber-'));
let postgres: PostgresServer | null = null;

before(async () => {
  postgres = await startPostgres(['wal_retrieve_retry_interval=100']);
});
after(async () => {
  await postgres?.close();
  rmSync(data, { recursive: true, force: true });
});

/** Until both say the same. */
async function same(here: pg.Client, there: pg.Client, query: string): Promise<void> {
  const deadline = performance.now() + 40_000;
  for (;;) {
    const [wanted, found] = [await rows(here, query), await rows(there, query)];
    try {
      assert.deepEqual(found, wanted);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const QUERIES = [
  'SELECT id, customer, amount, placed::text FROM orders ORDER BY id',
  'SELECT customer, orders::int, total FROM totals ORDER BY customer NULLS FIRST',
];

test('CREATE SUBSCRIPTION ... CONNECTION to Tidemark', async (t) => {
  if (postgres === null) return t.skip(NO_POSTGRES);
  let server: ClientServer = await startServer({ data });
  const { port } = server;
  let here = await connected(server.config);
  await here.query(`
    CREATE TABLE orders (id int PRIMARY KEY, customer text, amount numeric(10,2), placed timestamptz);
    CREATE MATERIALIZED VIEW totals AS SELECT customer, count(*) AS orders, sum(amount) AS total FROM orders GROUP BY customer;
    INSERT INTO orders SELECT i, 'c' || i % 10, i * 1.25, timestamptz '2026-01-01' + i * interval '1 minute' FROM generate_series(1, 1000) i;
    INSERT INTO orders VALUES (5000, NULL, NULL, 'infinity');
    CREATE PUBLICATION shop FOR TABLE orders, totals;`);
  const there = await connected(postgres.config);
  await there.query(`
    CREATE TABLE orders (id int PRIMARY KEY, customer text, amount numeric(10,2), placed timestamptz);
    CREATE TABLE totals (customer text, orders bigint, total numeric);`);
  await there.query(
    `CREATE SUBSCRIPTION shop CONNECTION 'host=127.0.0.1 port=${port} user=tester dbname=db' PUBLICATION shop`,
  );
  for (const query of QUERIES) await same(here, there, query);

  await here.query(`
    UPDATE orders SET customer = 'moved' WHERE id <= 50;
    DELETE FROM orders WHERE id % 9 = 0;
    BEGIN; INSERT INTO orders VALUES (2000, 'new', 1, now()); UPDATE orders SET amount = 7 WHERE id = 2000; COMMIT;
    UPDATE orders SET id = id + 10000 WHERE customer IS NULL;`);
  for (const query of QUERIES) await same(here, there, query);
  const [[active]] = await rows(here, "SELECT active FROM pg_replication_slots WHERE slot_name = 'shop'");
  assert.equal(active, true);

  await here.query("INSERT INTO orders VALUES (3000, 'late', 3, NULL)");
  await here.end();
  await server.close();
  server = await startServer({ data, port });
  here = await connected(server.config);
  await here.query("INSERT INTO orders VALUES (3001, 'later', 4, NULL); DELETE FROM orders WHERE customer = 'c1'");
  for (const query of QUERIES) await same(here, there, query);

  await there.query('DROP SUBSCRIPTION shop');
  assert.deepEqual(await rows(here, 'SELECT slot_name FROM pg_replication_slots'), []);
  await there.end();
  await here.end();
  await server.close();
});
