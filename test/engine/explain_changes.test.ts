/** EXPLAIN of what changes tables says how its rows are found and what is looked up for them, and changes nothing; with ANALYZE it runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, Session, sql } from './harness.ts';

const SETUP = `
  CREATE TABLE customer (id int PRIMARY KEY, name text UNIQUE);
  CREATE TABLE purchase (id int PRIMARY KEY, customer int REFERENCES customer ON DELETE CASCADE, amount int, doubled int GENERATED ALWAYS AS (amount * 2) STORED UNIQUE);
  CREATE TABLE plain (a int, b text);
  INSERT INTO customer SELECT n, 'c' || n FROM generate_series(1, 1001) n;
  INSERT INTO purchase (id, customer, amount) SELECT n, n, n FROM generate_series(1, 1000) n;
  INSERT INTO plain SELECT n, 'p' || n FROM generate_series(1, 100) n`;

async function plan(engine: TidemarkEngine, text: string): Promise<string> {
  return (await sql(engine, text)).map(([line]) => line).join('\n');
}

async function withEngine(body: (engine: TidemarkEngine) => Promise<void>): Promise<void> {
  const engine = await openEngine();
  try {
    await sql(engine, SETUP);
    await body(engine);
  } finally {
    await engine.close();
  }
}

const SAID: [statement: string, says: RegExp[], not?: RegExp][] = [
  [
    'INSERT INTO purchase (id, customer, amount) VALUES (5000, 1, 9000), (5001, 1, 9001)',
    [
      /^Insert into purchase/,
      /key purchase_pkey \(id\) by index/,
      /key purchase_doubled_key \(doubled\) by index/,
      /foreign key purchase_customer_fkey in customer by index/,
      /Constant 2 rows/,
    ],
  ],
  [
    'INSERT INTO plain SELECT id, name FROM customer WHERE id = 7',
    [/^Insert into plain\n/, /Source customer .*lookup \(7\)/],
  ],
  [
    'UPDATE purchase SET amount = 7777 WHERE id = 3',
    [/^Update purchase/, /lookup \(3\)/, /purchase_doubled_key/],
    /purchase_pkey|fkey/,
  ],
  ['UPDATE purchase SET customer = 4 WHERE id = 3', [/foreign key purchase_customer_fkey in customer by index/]],
  [
    'UPDATE plain SET b = name FROM customer WHERE customer.id = plain.a',
    [/^Update plain\n/, /Join inner/, /Source customer .*by index \(id\)/],
  ],
  ['UPDATE customer SET name = name WHERE id < 10', [/^Update customer/], /customer_pkey|customer_name_key|purchase/],
  [
    'UPDATE customer SET id = id + 5000 WHERE id = 1001',
    [/key customer_pkey/, /rows of purchase by purchase_customer_fkey by a scan/],
    /follow/,
  ],
  [
    'DELETE FROM customer WHERE id = 5',
    [/^Delete from customer/, /rows of purchase by purchase_customer_fkey by a scan, which follow/, /lookup \(5\)/],
    /key customer_pkey/,
  ],
  ['DELETE FROM plain', [/^Delete from plain\n└─ .*\n? ?.*Source plain/]],
  [
    `MERGE INTO customer c USING plain p ON c.id = p.a WHEN MATCHED THEN UPDATE SET name = p.b WHEN NOT MATCHED THEN INSERT VALUES (p.a, p.b)`,
    [/^Merge into customer/, /Join/, /customer_name_key/],
  ],
  [
    'WITH gone AS (DELETE FROM plain WHERE a = 3 RETURNING a) INSERT INTO customer SELECT a + 9000, NULL FROM gone',
    [/^Insert into customer/, /With: Delete from plain/, /what an item of WITH returns/],
  ],
  [
    'WITH gone AS (DELETE FROM plain WHERE a = 4 RETURNING a) SELECT * FROM gone',
    [/^Result/, /With: Delete from plain/],
  ],
  ['CREATE TABLE made AS SELECT * FROM purchase WHERE id = 9', [/^Result/, /lookup \(9\)/]],
];

test('EXPLAIN says it and changes nothing; the number of rows with ANALYZE is that of the statement', async () => {
  await withEngine(async (engine) => {
    const state = async () => ({
      tick: engine.loop.tick,
      objects: engine.catalog.objects().length,
      rows: await sql(
        engine,
        'SELECT (SELECT count(*) FROM customer), (SELECT sum(amount) FROM purchase), (SELECT count(*) FROM plain)',
      ),
    });
    const before = await state();
    for (const [statement, says, not] of SAID) {
      const text = await plan(engine, `EXPLAIN ${statement}`);
      for (const part of says) assert.match(text, part, statement);
      if (not !== undefined) assert.doesNotMatch(text.split('\n')[0], not, statement);
      assert.doesNotMatch(text, /actual rows|Execution Time/);
      assert.equal(await plan(engine, `EXPLAIN (FORMAT text, COSTS off) ${statement}`), text);
    }
    assert.deepEqual(await state(), before);
    for (const [statement, says] of SAID) {
      const twin = await openEngine();
      try {
        await sql(twin, SETUP);
        const session = new Session(twin);
        await session.run(statement);
        const text = await plan(engine, `EXPLAIN ANALYZE ${statement}`);
        for (const part of [
          ...says.slice(1),
          /actual rows: \d+/,
          /Planning Time: [\d.]+ ms\nExecution Time: [\d.]+ ms$/,
        ])
          assert.match(text, part, statement);
        await session.transaction.commit();
        const all =
          'SELECT id, name FROM customer UNION ALL SELECT id + 100000, amount::text FROM purchase UNION ALL SELECT a + 200000, b FROM plain ORDER BY 1, 2';
        assert.deepEqual(await sql(engine, all), await sql(twin, all), statement);
        assert.ok(Number(/actual rows: (\d+)/.exec(text)?.[1]) > 0, statement);
      } finally {
        await twin.close();
      }
      // Both begin anew.
      await sql(engine, 'DROP TABLE IF EXISTS made; DROP TABLE purchase; DROP TABLE customer; DROP TABLE plain');
      await sql(engine, SETUP);
    }
  });
});

test('ANALYZE is part of its transaction, counts what changed, and says nothing of times with SUMMARY off', async () => {
  await withEngine(async (engine) => {
    const session = new Session(engine);
    const lines = await session.run('EXPLAIN (ANALYZE, SUMMARY off) UPDATE plain SET b = a WHERE a <= 10 RETURNING a');
    assert.match(String(lines[0][0]), /^Update plain {2}· actual rows: 10$/);
    assert.doesNotMatch(JSON.stringify(lines), /Time/);
    assert.deepEqual(await session.run(`SELECT count(*) FROM plain WHERE b = a::text`), [['10']]);
    session.transaction.rollback();
    assert.deepEqual(await sql(engine, `SELECT count(*) FROM plain WHERE b = a::text`), [['0']]);
    assert.match(await plan(engine, 'EXPLAIN ANALYZE SELECT * FROM plain WHERE a < 5'), /^Result .*actual rows: 4\n/);
    await assert.rejects(sql(engine, 'EXPLAIN ANALYZE INSERT INTO customer VALUES (1, NULL)'), { sqlstate: '23505' });
    await assert.rejects(sql(engine, 'EXPLAIN UPDATE nothing SET a = 1'), { sqlstate: '42P01' });
    await assert.rejects(sql(engine, 'EXPLAIN (FORMAT xml) SELECT 1'), { sqlstate: '0A000' });
    await assert.rejects(sql(engine, 'EXPLAIN (FORMAT odd) SELECT 1'), { sqlstate: '22023' });
    await assert.rejects(sql(engine, 'EXPLAIN (ODD) SELECT 1'), { sqlstate: '42601' });
    await assert.rejects(sql(engine, 'EXPLAIN (TIMING) SELECT 1'), { sqlstate: '22023' });
    await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT count(*) FROM plain');
    await assert.rejects(sql(engine, 'EXPLAIN DELETE FROM v'), { sqlstate: '42809' });
  });
});

test('FORMAT JSON', async () => {
  await withEngine(async (engine) => {
    const json = async (text: string) => JSON.parse(await plan(engine, text))[0];
    const { Plan: update } = await json('EXPLAIN (FORMAT JSON) UPDATE plain SET b = 1 WHERE a = 3');
    assert.equal(update['Node Type'], 'ModifyTable');
    assert.equal(update.Operation, 'Update');
    assert.equal(update['Relation Name'], 'plain');
    const sources = (node: { Plans?: object[] }): string[] => [
      ...('Relation Name' in node && !('Operation' in node) ? [String(node['Relation Name'])] : []),
      ...(node.Plans ?? []).flatMap(sources),
    ];
    assert.deepEqual(sources(update), ['plain']);
    const run = await json('EXPLAIN (ANALYZE, FORMAT JSON) DELETE FROM plain WHERE a < 4');
    assert.equal(run.Plan['Actual Rows'], 3);
    assert.equal(typeof run['Execution Time'], 'number');
    await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT b, count(*) FROM plain GROUP BY b');
    const view = await json('EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM v');
    assert.equal(view.Plan['Node Type'], 'Result');
    assert.ok(view.Operators.length > 1);
    const cte = await json('EXPLAIN (FORMAT JSON) WITH g AS (DELETE FROM plain RETURNING a) SELECT * FROM g');
    assert.equal(cte.Plan.Plans[0].Operation, 'Delete');
  });
});

test('keys over expressions and of a part of the rows are looked up by their indexes', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    `CREATE TABLE t (id int PRIMARY KEY, email text, gone date);
     CREATE UNIQUE INDEX mail ON t (lower(email)); CREATE UNIQUE INDEX part ON t (id) WHERE gone IS NULL`,
  );
  const said = async (text: string) => (await sql(engine, `EXPLAIN ${text}`))[0][0];
  assert.equal(
    await said(`INSERT INTO t VALUES (1, 'a')`),
    'Insert into t  · key t_pkey (id) by index · key mail (lower(email)) by index · key part (id) of a part of the rows by index',
  );
  assert.equal(await said('UPDATE t SET gone = NULL'), 'Update t  · key part (id) of a part of the rows by index');
  await engine.close();
});
