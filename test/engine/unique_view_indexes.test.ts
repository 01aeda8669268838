/** Unique indexes of materialized views: over the key that their query makes sure of, and over nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { overRestarts } from '../durable/over_restarts.ts';
import { openEngine, sql } from './harness.ts';

const VIEWS = `
  CREATE TABLE orders (id int PRIMARY KEY, customer text, amount int);
  CREATE MATERIALIZED VIEW totals AS SELECT customer, sum(amount) AS total, count(*) AS n FROM orders GROUP BY customer;
  CREATE MATERIALIZED VIEW by_day AS SELECT customer, amount % 7 AS day, count(*) FROM orders GROUP BY 1, 2;
  CREATE MATERIALIZED VIEW amounts AS SELECT amount FROM orders;
  CREATE MATERIALIZED VIEW whole AS SELECT sum(amount) AS total FROM orders;
  INSERT INTO orders VALUES (1, 'ann', 5), (2, 'bo', 5), (3, NULL, 7), (4, 'ann', 1);`;

async function withViews(work: (engine: TidemarkEngine) => Promise<void>): Promise<void> {
  const engine = await openEngine();
  engine.system.catalogs = new PgCatalog(engine);
  try {
    await sql(engine, VIEWS);
    await work(engine);
  } finally {
    await engine.close();
  }
}

test('one over the columns of a GROUP BY, or over more, is made, shown and read', () =>
  withViews(async (engine) => {
    await sql(
      engine,
      `CREATE UNIQUE INDEX one ON totals (customer);
       CREATE UNIQUE INDEX more ON totals (n, customer) NULLS NOT DISTINCT;
       CREATE UNIQUE INDEX pair ON by_day (day, customer);
       CREATE UNIQUE INDEX single ON whole (total);
       INSERT INTO orders VALUES (5, 'bo', 2), (6, NULL, 1);`,
    );
    assert.deepEqual(await sql(engine, `SELECT total FROM totals WHERE customer = 'bo'`), [['7']]);
    assert.deepEqual(
      await sql(
        engine,
        `SELECT indexrelid::regclass::text, indisunique FROM pg_index WHERE indrelid = 'totals'::regclass ORDER BY 1::text`,
      ),
      [
        ['more', 't'],
        ['one', 't'],
      ],
    );
    await sql(engine, 'DROP INDEX one');
    assert.deepEqual(await sql(engine, `SELECT total FROM totals WHERE customer = 'ann'`), [['6']]);
    await sql(engine, 'REFRESH MATERIALIZED VIEW CONCURRENTLY totals');
  }));

test('what the query does not make sure of is refused, also where no two rows are equal now', () =>
  withViews(async (engine) => {
    const refused = (statement: string, detail: string) =>
      assert.rejects(sql(engine, statement), (error: { sqlstate: string; fields: { detail: string } }) => {
        assert.deepEqual([error.sqlstate, error.fields.detail], ['0A000', detail]);
        return true;
      });
    await refused('CREATE UNIQUE INDEX ON totals (total)', 'Rows of "totals" are known to differ in (customer).');
    await refused('CREATE UNIQUE INDEX ON by_day (day)', 'Rows of "by_day" are known to differ in (customer, day).');
    await refused(
      'CREATE UNIQUE INDEX ON totals (lower(customer))',
      'Rows of "totals" are known to differ in (customer).',
    );
    await refused(
      'CREATE UNIQUE INDEX ON amounts (amount)',
      'No columns are known in which rows of "amounts" always differ.',
    );
    assert.deepEqual(await sql(engine, `SELECT count(*) FROM pg_class WHERE relkind = 'i' AND relname LIKE '%_idx'`), [
      ['0'],
    ]);
  }));

test('one is there after a restart', async () => {
  const engine = await overRestarts(`${VIEWS} CREATE UNIQUE INDEX one ON totals (customer);`, async (engine, how) => {
    await sql(engine, `INSERT INTO orders SELECT max(id) + 1, 'ann', 1 FROM orders`);
    const ann = `FROM orders WHERE customer = 'ann'`;
    const [[shown], [n]] = [
      ...(await sql(engine, `SELECT n FROM totals WHERE customer = 'ann'`)),
      ...(await sql(engine, `SELECT count(*) ${ann}`)),
    ];
    assert.equal(shown, n, how);
    assert.deepEqual(
      await sql(engine, `SELECT indisunique FROM pg_index WHERE indexrelid = 'one'::regclass`),
      [['t']],
      how,
    );
  });
  await engine.close();
});
