/** Reads that make very many rows of a few: they leave others their turn, end when they are cancelled, and stop when a LIMIT has its rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages } from '../../operators/batch/pages.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { cancelled, chunkRows, openEngine, Session, sql } from './harness.ts';

const ROWS = 3000;

async function filled(): Promise<TidemarkEngine> {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, one int, s text); CREATE TABLE other (n int)');
  await sql(engine, `INSERT INTO t SELECT i, 1, 'a text that is not short ' || i FROM generate_series(1, ${ROWS}) i`);
  return engine;
}

/** None of these would end in a day. */
const ENDLESS = [
  'SELECT count(*) FROM t a, t b, t c, t d',
  'SELECT * FROM t a, t b, t c WHERE a.id + b.id + c.id < 0',
  'SELECT count(*) FROM t a, t b, t c, t d WHERE a.id < 0 AND b.s || c.s = d.s OR b.id + c.id + d.id < 0',
  'SELECT count(*) FROM t a JOIN t b USING (one) JOIN t c USING (one) JOIN t d USING (one)',
  'SELECT a.one, sum(d.id) FROM t a, t b, t c, t d GROUP BY a.one HAVING sum(d.id) = 3 ORDER BY 1',
  'SELECT * FROM t a, t b, t c, t d WHERE a.id * b.id * c.id = -1 LIMIT 3',
  'SELECT count(*) FROM generate_series(1, 100000000000)',
  'SELECT * FROM generate_series(1, 100000000000) g WHERE g < 0',
  'SELECT count(*) FROM t, generate_series(1, 10000000000) g WHERE g % 2 = 3',
  'SELECT max(x) FROM (SELECT a.id * g AS x FROM t a, generate_series(1, 1000000000) g) q WHERE x < 0',
  'SELECT count(*) FROM (SELECT one, count(*) AS n FROM t GROUP BY one) a, t b, t c, t d, t e',
  'SELECT count(*) FROM other WHERE n = (SELECT count(*) FROM t a, t b, t c, t d)',
  'INSERT INTO other SELECT a.id FROM t a, t b, t c, t d WHERE a.id + b.id + c.id + d.id < 0',
  'INSERT INTO other SELECT g FROM generate_series(1, 100000000000) g WHERE g < 0',
  'SELECT * FROM other WHERE EXISTS (SELECT 1 FROM t a, t b, t c, t d WHERE a.id + b.id + c.id + d.id = n)',
];

test('a read of rows without end is cancelled, and gives its memory back', async () => {
  const engine = await filled();
  const used = pages.usedPages;
  for (const query of ENDLESS) {
    await cancelled(engine, query);
    assert.equal(pages.usedPages, used, query);
  }
  assert.deepEqual(await sql(engine, 'SELECT count(*) FROM t'), [[String(ROWS)]]);
  await engine.close();
});

test('ticks go on beside a read that makes many rows, which are of its own tick', async () => {
  const engine = await filled();
  const used = pages.usedPages;
  const queries = [
    ['SELECT count(*), sum(a.id) FROM t a, t b WHERE a.id > 0', String(ROWS * ROWS)],
    ['SELECT count(*), max(b.s) FROM t a JOIN t b USING (one)', String(ROWS * ROWS)],
    ['SELECT count(*), max(a.s || g) FROM t a, generate_series(1, 100) g', String(ROWS * 100)],
    ['SELECT count(a.s) FROM t a LEFT JOIN t b ON a.id > b.id', String((ROWS * (ROWS - 1)) / 2 + 1)],
    ['SELECT count(*) FROM generate_series(1, 300000)', '300000'],
  ];
  for (const [query, count] of queries) {
    const reader = new Session(engine);
    let ticks = 0;
    let over = false;
    const reading = reader.run(query).finally(() => {
      over = true;
    });
    while (!over && ticks < 9) {
      await sql(engine, `INSERT INTO t VALUES (${ROWS + 1}, 1, 'another long text, not of its tick')`);
      await sql(engine, `UPDATE t SET s = s || '' WHERE id = 7; DELETE FROM t WHERE id = ${ROWS + 1}`);
      ticks += 3;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal((await reading)[0][0], count, query);
    assert.ok(ticks > 3, `${ticks} ticks beside ${query}`);
    reader.transaction.rollback();
  }
  await sql(engine, 'SELECT 1');
  assert.ok(pages.usedPages <= used + 1);
  await engine.close();
});

test('INSERT of a read that makes many rows has those of its own tick', async () => {
  const engine = await filled();
  const inserted = sql(engine, 'INSERT INTO other SELECT a.id FROM t a, t b, t c WHERE b.id <= 10 AND c.id <= 30');
  await sql(engine, `INSERT INTO t VALUES (${ROWS + 1}, 1, 'later'); DELETE FROM t WHERE id = 2`);
  assert.deepEqual(await sql(engine, 'SELECT count(*) FROM other'), [['0']]);
  await inserted;
  assert.deepEqual(await sql(engine, 'SELECT count(*), max(n), count(DISTINCT n) FROM other'), [
    [String(ROWS * 300), String(ROWS), String(ROWS)],
  ]);
  await engine.close();
});

test('INSERT of a read that makes many rows looks others up in its own tick', async () => {
  const engine = await filled();
  await sql(
    engine,
    "CREATE INDEX t_one ON t (one); CREATE TABLE u (id int PRIMARY KEY, v text); INSERT INTO u VALUES (1, 'then')",
  );
  // Both sides of the LEFT JOIN are found by the index, which is a step, and in its middle others have their turn.
  const ones = '(SELECT * FROM t WHERE one = 1)';
  const pairs = `SELECT count(b.id)::int AS n FROM ${ones} a LEFT JOIN ${ones} b ON a.id > b.id`;
  const inserting = new Session(engine);
  const inserted = inserting.run(`INSERT INTO other SELECT x.n FROM (${pairs}) x, u WHERE u.id = 1 AND u.v = 'then'`);
  await new Promise((resolve) => setImmediate(resolve));
  await sql(engine, "UPDATE u SET v = 'now' WHERE id = 1");
  await inserted;
  assert.deepEqual(await inserting.run('SELECT count(*) FROM other'), [['1']]);
  inserting.transaction.rollback();
  await engine.close();
});

test('LIMIT stops what makes its rows', async () => {
  const engine = await filled();
  const count = async (query: string) => Number((await sql(engine, `SELECT count(*) FROM (${query}) q`))[0][0]);
  const queries: [string, number][] = [
    ['SELECT * FROM generate_series(1, 100000000000) LIMIT 3', 3],
    ['SELECT * FROM generate_series(1, 100000000000) OFFSET 20000 LIMIT 3', 3],
    ['SELECT a.id, b.id, c.id FROM t a, t b, t c, t d LIMIT 10000', 10000],
    ['SELECT a.id, g FROM t a, generate_series(1, 100000000000) g WHERE g % 7 = 3 LIMIT 5', 5],
    ['(SELECT * FROM generate_series(1, 100000000000) LIMIT 3) UNION ALL SELECT id FROM t', ROWS + 3],
    ['SELECT s FROM t, generate_series(1, 10000000000) LIMIT 40 OFFSET 9000', 40],
  ];
  for (const [query, rows] of queries) {
    assert.equal((await sql(engine, query)).length, rows, query);
    assert.equal(await count(query), rows, query);
  }
  // What is behind would fail.
  assert.equal((await sql(engine, 'SELECT 1 / (g - 50000) FROM generate_series(1, 100000) g LIMIT 3')).length, 3);
  await engine.close();
});

test('LIMIT stops a recursion without end', async () => {
  const engine = await filled();
  const up = 'WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)';
  const queries: [query: string, rows: string[][]][] = [
    [`${up} SELECT n FROM r LIMIT 3`, [['1'], ['2'], ['3']]],
    [`${up} SELECT n * 2 FROM r WHERE n % 3 = 0 OFFSET 1000 LIMIT 2`, [['6006'], ['6012']]],
    [`${up} SELECT n FROM r LIMIT 0`, []],
    [`${up} SELECT sum(n) FROM (SELECT n FROM r LIMIT 100) q`, [['5050']]],
    [`${up} SELECT id FROM (SELECT n FROM r LIMIT 2) q JOIN t ON id = n ORDER BY id`, [['1'], ['2']]],
    [`${up} SELECT n, s FROM r JOIN t ON id = 7 WHERE s LIKE '% 7' LIMIT 1`, [['1', 'a text that is not short 7']]],
    [`SELECT (${up} SELECT n FROM r OFFSET 9 LIMIT 1), count(*) FROM t`, [['10', String(ROWS)]]],
    [`${up.replace(' ALL', '')} SELECT n FROM r LIMIT 2`, [['1'], ['2']]],
    [`${up}, q AS (SELECT n FROM r LIMIT 2) SELECT a.n, b.n FROM q a, q b WHERE a.n < b.n`, [['1', '2']]],
    [
      `WITH RECURSIVE r(n) AS (SELECT n FROM (VALUES (5), (6)) v(n) UNION ALL SELECT id + r.n FROM r JOIN t ON one = 1 WHERE id < 3) SELECT count(*) FROM (SELECT * FROM r LIMIT 50000) q`,
      [['50000']],
    ],
    [
      'WITH RECURSIVE r(n) AS (SELECT id FROM t WHERE id < 3 UNION ALL SELECT n FROM r) SELECT count(*) FROM (SELECT * FROM r LIMIT 50000) q',
      [['50000']],
    ],
  ];
  for (const [query, rows] of queries) assert.deepEqual(await sql(engine, query), rows, query);
  // What is behind would fail.
  const inverse = up.replace('n + 1', '1 / (n - 20000) + n + 1');
  assert.deepEqual(await sql(engine, `${inverse} SELECT n FROM r LIMIT 1`), [['1']]);
  await sql(engine, `INSERT INTO other ${up} SELECT n FROM r LIMIT 5000`);
  assert.deepEqual(await sql(engine, 'SELECT count(*), max(n) FROM other'), [['5000', '5000']]);
  // These want all of it.
  for (const query of [
    'SELECT n FROM r ORDER BY n LIMIT 3',
    'SELECT count(*) FROM r LIMIT 3',
    'SELECT n FROM r WHERE n < 0 LIMIT 3',
  ]) {
    await assert.rejects(sql(engine, `${up} ${query}`), { sqlstate: '54001' }, query);
  }
  await engine.close();
});

test('a recursion without end gives its rows as they are taken, all of one tick', async () => {
  const engine = await filled();
  const used = pages.usedPages;
  const up = 'WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)';
  const byTable = `WITH RECURSIVE r(n, s) AS (SELECT id, s FROM t WHERE id < 2 UNION ALL SELECT n + 1, t.s FROM r JOIN t ON t.id = n % 7 + 1)`;
  const queries: [query: string, row: (i: number) => string[]][] = [
    [`${up} SELECT n FROM r`, (i) => [String(i + 1)]],
    [`${up.replace(' ALL', '')} SELECT n * 2 FROM r WHERE n % 2 = 0`, (i) => [String(4 * i + 4)]],
    [`${byTable} SELECT s, n FROM r`, (i) => [`a text that is not short ${(i % 7) + 1}`, String(i + 1)]],
    [`SELECT 0 UNION ALL (${up} SELECT n FROM r)`, (i) => [String(i)]],
  ];
  for (const [query, row] of queries) {
    const session = new Session(engine);
    const stream = await session.open(query);
    assert.ok(stream);
    const taken: (string | null)[][] = [];
    while (taken.length < 20000) {
      const chunk = await stream.rows.next(1 + taken.length, 0);
      assert.ok(chunk, query);
      taken.push(...chunkRows(chunk, stream.columns));
      if (taken.length < 100) await sql(engine, "UPDATE t SET s = s || ' and longer' WHERE id < 10");
    }
    assert.deepEqual(
      taken,
      taken.map((_, i) => row(i)),
      query,
    );
    stream.rows.close();
    session.transaction.rollback();
    await sql(engine, `UPDATE t SET s = 'a text that is not short ' || id WHERE id < 10`);
    assert.ok(pages.usedPages - used < 64, `${query}: ${pages.usedPages - used} pages`);
    await assert.rejects(sql(engine, query), { sqlstate: '54001' }, query);
  }
  await engine.close();
});

test('a recursion that is read lets others have their turn, and gives what it gives at once', async () => {
  const engine = await openEngine();
  try {
    await cancelled(engine, 'WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r');
    await sql(engine, 'CREATE TABLE next (n int PRIMARY KEY, m int)');
    await sql(engine, 'INSERT INTO next SELECT i, (i * 7 + 3) % 5000 FROM generate_series(0, 4999) i');
    const cycle =
      'WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT m FROM r JOIN next USING (n)) SELECT count(*), sum(n) FROM r';
    const seen = new Set<number>();
    for (let n = 1; !seen.has(n); n = (n * 7 + 3) % 5000) seen.add(n);
    const sum = [...seen].reduce((a, b) => a + b, 0);
    assert.deepEqual(await sql(engine, cycle), [[String(seen.size), String(sum)]]);
    const deep = 'WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 20000)';
    assert.deepEqual(await sql(engine, `${deep} SELECT count(*), max(n) FROM r`), [['20000', '20000']]);
    assert.deepEqual(await sql(engine, `${deep} SELECT n FROM r ORDER BY n DESC LIMIT 2`), [['20000'], ['19999']]);
    assert.deepEqual(await sql(engine, `${deep} SELECT count(*) FROM r JOIN next USING (n) WHERE m = 3`), [['0']]);
    assert.deepEqual(
      await sql(
        engine,
        `${deep} SELECT r.n, a.n FROM r LEFT JOIN next a USING (n) WHERE r.n IN (4999, 5000) ORDER BY 1`,
      ),
      [
        ['4999', '4999'],
        ['5000', null],
      ],
    );
  } finally {
    await engine.close();
  }
});
