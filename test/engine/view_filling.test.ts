/** CREATE MATERIALIZED VIEW over many rows goes in slices: ticks have their turn, and the view is that of the rows as they are when it appears, and from then on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages } from '../../operators/batch/pages.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { cancelled, openEngine, Session, seeded, sql } from './harness.ts';

const ROWS = 20_000;

const QUERIES = [
  'SELECT id, g, s FROM t WHERE v > 100',
  'SELECT g, count(*) AS n, sum(v) AS total, min(v) AS low, max(s) AS high FROM t GROUP BY g',
  'SELECT t.id, u.name FROM t JOIN u ON u.g = t.g',
  'SELECT t.id, u.name FROM t LEFT JOIN u ON u.g = t.v',
  'SELECT id FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.g = t.g)',
  'SELECT a.id, b.id AS other FROM t a JOIN t b ON b.id = a.v',
  'SELECT DISTINCT v % 50 AS v FROM t',
  'SELECT v % 900 AS v FROM t EXCEPT SELECT g FROM u',
  'SELECT * FROM t ORDER BY v DESC, id LIMIT 20',
  'SELECT g, id, r FROM (SELECT g, id, row_number() OVER (PARTITION BY g ORDER BY v, id) AS r FROM t) q WHERE r <= 2',
  'SELECT n, count(*) AS groups FROM (SELECT g, count(*) AS n FROM t GROUP BY g) q GROUP BY n',
  // These take the way of one tick.
  "SELECT g, string_agg(id::text, ',' ORDER BY id) AS ids FROM t GROUP BY g",
  'SELECT id, lag(id) OVER (PARTITION BY g ORDER BY id) AS before FROM t',
];

async function filled(): Promise<TidemarkEngine> {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, g int, v int, s text); CREATE TABLE u (g int, name text)');
  await sql(
    engine,
    `INSERT INTO t SELECT i, i % 700, i * 7919 % 10007, 'text of some length ' || i % 97 FROM generate_series(1, ${ROWS}) i`,
  );
  await sql(engine, "INSERT INTO u SELECT i, 'the name of group ' || i FROM generate_series(0, 500) i");
  return engine;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function checkAll(engine: TidemarkEngine): Promise<void> {
  const sorted = (rows: (string | null)[][]) => rows.map((row) => JSON.stringify(row)).sort();
  for (const [i, query] of QUERIES.entries())
    assert.deepEqual(sorted(await sql(engine, `SELECT * FROM v${i}`)), sorted(await sql(engine, query)), query);
}

test('views that were filled while ticks went on are what they say, then and later', async () => {
  const used = pages.usedPages;
  const engine = await filled();
  const { random } = seeded('view filling');
  let lastId = ROWS;
  const change = async () => {
    const id = 1 + random(ROWS);
    await sql(engine, `UPDATE t SET g = ${random(700)}, v = v + 1 WHERE id BETWEEN ${id} AND ${id + 3}`);
    await sql(engine, `DELETE FROM t WHERE id = ${1 + random(ROWS)}`);
    await sql(engine, `INSERT INTO t VALUES (${++lastId}, ${random(700)}, ${random(9000)}, 'a new row')`);
    await sql(engine, `INSERT INTO u VALUES (${random(700)}, 'more ${lastId}')`);
    await sql(engine, `DELETE FROM u WHERE g = ${random(700)}`);
    await turn();
  };
  try {
    for (const [i, query] of QUERIES.entries()) {
      let filling = true;
      const before = engine.loop.tick;
      // The second is the same query as the first.
      const made = Promise.all([
        sql(engine, `CREATE MATERIALIZED VIEW v${i} AS ${query}`),
        sql(engine, `CREATE MATERIALIZED VIEW again${i} AS ${query}`),
      ]).finally(() => {
        filling = false;
      });
      for (let changes = 0; filling; changes++) {
        if (changes < 10) await change();
        await turn();
      }
      await made;
      assert.ok(engine.loop.tick > before + 5n);
    }
    await checkAll(engine);
    for (let i = 0; i < 10; i++) await change();
    await checkAll(engine);
    for (let i = 0; i < QUERIES.length; i++) {
      const [[differ]] = await sql(
        engine,
        `SELECT count(*) FROM (SELECT * FROM v${i} EXCEPT ALL SELECT * FROM again${i}) q`,
      );
      assert.equal(differ, '0');
    }
  } finally {
    await engine.close();
  }
  assert.equal(pages.usedPages, used);
});

test('a reader of an earlier tick does not see a view that was filled meanwhile; one that is cancelled or whose relation goes away does not appear', async () => {
  const used = pages.usedPages;
  const engine = await filled();
  try {
    const reader = new Session(engine);
    await reader.run('SELECT count(*) FROM u');
    await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT g, id FROM t');
    assert.deepEqual(await reader.run('SELECT count(*) FROM v'), [['0']]);
    reader.transaction.rollback();
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM v'), [[String(ROWS)]]);

    await cancelled(engine, 'CREATE MATERIALIZED VIEW w AS SELECT g, count(*) FROM t GROUP BY g');
    assert.equal(engine.catalog.find('public', 'w'), undefined);

    const orphan = assert.rejects(
      sql(engine, 'CREATE MATERIALIZED VIEW w AS SELECT g, count(*) FROM v GROUP BY g'),
      /dropped/,
    );
    await sql(engine, 'DROP MATERIALIZED VIEW v');
    await orphan;
    assert.equal(engine.catalog.find('public', 'w'), undefined);

    // Its query would be another now.
    await sql(engine, 'CREATE VIEW plain AS SELECT g, id FROM t; CREATE VIEW over AS SELECT g, id FROM plain');
    for (const of of ['plain', 'over']) {
      const replaced = assert.rejects(sql(engine, `CREATE MATERIALIZED VIEW w AS SELECT g, id FROM ${of}`), {
        sqlstate: '40001',
      });
      await sql(engine, `CREATE OR REPLACE VIEW plain AS SELECT -g AS g, id FROM t WHERE '${of}' <> ''`);
      await replaced;
      assert.equal(engine.catalog.find('public', 'w'), undefined);
    }
  } finally {
    await engine.close();
  }
  assert.equal(pages.usedPages, used);
});
