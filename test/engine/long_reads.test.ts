/** Reads of many rows: each sees one tick although ticks go on meanwhile, leaves others room, and can be cancelled in the middle. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages } from '../../operators/batch/pages.ts';
import type { RowChunk } from '../../src/engine.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { cancelled, drain, openEngine, Session, seeded, sql } from './harness.ts';

const ROWS = 12_000;

async function filled(): Promise<TidemarkEngine> {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, g int, v bigint, s text)');
  await sql(engine, 'CREATE TABLE u (g int, name text)');
  await sql(
    engine,
    `INSERT INTO t SELECT i, i % 1000, i * 7919 % 100003, 'text of some length ' || i FROM generate_series(1, ${ROWS}) i`,
  );
  await sql(engine, "INSERT INTO u SELECT i, 'group ' || i FROM generate_series(0, 1499) i");
  return engine;
}

const QUERIES = [
  'SELECT * FROM t',
  'SELECT id + 1, s, s FROM t WHERE v > 50000',
  'SELECT id, s FROM t UNION ALL SELECT g, name FROM u',
  'SELECT t.id, n FROM t, generate_series(1, 2) n WHERE g < 900',
  'SELECT id, v, s FROM t ORDER BY v, id',
  'SELECT v FROM t WHERE v < 5000 ORDER BY v LIMIT 20 OFFSET 3',
  'SELECT g, count(*), sum(v), min(v), max(s) FROM t GROUP BY g ORDER BY g',
  'SELECT u.name, count(t.id) FROM u LEFT JOIN t ON t.g = u.g GROUP BY u.name ORDER BY u.name',
  'SELECT count(*) FROM u WHERE NOT EXISTS (SELECT 1 FROM t WHERE t.g = u.g)',
  'SELECT DISTINCT g FROM t ORDER BY g DESC',
  'SELECT count(*) FROM (SELECT g, rank() OVER (PARTITION BY g ORDER BY v) AS r FROM t) q WHERE r <= 2',
  'SELECT count(*), sum(a.v) FROM t a JOIN t b ON a.id = b.v',
  'SELECT g FROM t EXCEPT ALL SELECT g FROM u',
  'SELECT n, count(*), max(m) FROM (SELECT g, count(*) n, max(v) m FROM t GROUP BY g) q GROUP BY n ORDER BY n',
  'SELECT g, count(*) n FROM t GROUP BY g ORDER BY n DESC, g DESC LIMIT 5',
  'SELECT u.name, q.n FROM u LEFT JOIN (SELECT g, count(*) n FROM t GROUP BY g HAVING count(*) > 1) q ON q.g = u.g ORDER BY u.name',
  'SELECT id, v, s FROM t ORDER BY v DESC LIMIT 5000 OFFSET 700',
  'SELECT v, id FROM t ORDER BY v % 100 FETCH FIRST 3000 ROWS WITH TIES',
  'SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM t LIMIT 9000 OFFSET 100) q',
  'SELECT v % 700 FROM t EXCEPT SELECT g + 1 FROM u',
  'SELECT v % 700 FROM t INTERSECT ALL SELECT g % 300 FROM u',
  'SELECT t.id, u.name FROM t LEFT JOIN u ON u.g = t.v ORDER BY 1',
  'SELECT DISTINCT ON (g) g, v, s FROM t ORDER BY g, v DESC',
  'SELECT g, id FROM (SELECT g, id, row_number() OVER (PARTITION BY g ORDER BY v DESC) AS r FROM t) q WHERE r <= 3 ORDER BY g, id',
  'SELECT id, s, lag(s) OVER w, sum(v) OVER w, count(*) OVER (w ROWS 3 PRECEDING) FROM t WINDOW w AS (PARTITION BY g ORDER BY v)',
  'SELECT count(*), max(r), sum(d) FROM (SELECT rank() OVER (ORDER BY s) r, v - lead(v) OVER (ORDER BY id DESC) d FROM t) q WHERE d > 5',
  'SELECT v, s FROM t ORDER BY s DESC LIMIT 40 OFFSET 2',
  'SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY v), mode() WITHIN GROUP (ORDER BY g) FROM t',
];

const sorted = (rows: (string | null)[][]) => rows.map((row) => JSON.stringify(row)).sort();

test('a long read gives the rows of its tick while other transactions commit', async () => {
  const used = pages.usedPages;
  const engine = await filled();
  const { random } = seeded('long reads');
  try {
    for (const query of QUERIES) {
      const before = await sql(engine, query);
      const reader = new Session(engine);
      const reading = reader.run(query);
      let commits = 0;
      const writing = (async () => {
        for (; commits < 12; commits++) {
          await new Promise((resolve) => setImmediate(resolve));
          const id = 1 + random(ROWS);
          await sql(engine, `UPDATE t SET v = v + 1, s = s || '!' WHERE id = ${id}`);
          await sql(engine, `DELETE FROM t WHERE id = ${id + 1}; INSERT INTO t VALUES (${id + 1}, 5, 5, 'new')`);
          await sql(engine, `INSERT INTO u VALUES (${random(2000)}, 'more')`);
        }
      })();
      const rows = await reading;
      await writing;
      if (query.includes('ORDER BY')) assert.deepEqual(rows, before, query);
      else assert.deepEqual(sorted(rows), sorted(before), query);
      reader.transaction.rollback();
    }
  } finally {
    await engine.close();
  }
  assert.equal(pages.usedPages, used);
});

test('a long read gives what a view of the same query has', async () => {
  const engine = await filled();
  try {
    for (const [i, query] of QUERIES.entries()) {
      const rows = await sql(engine, query);
      const names = rows[0].map((_, c) => `c${c}`);
      await sql(engine, `CREATE MATERIALIZED VIEW v${i} (${names}) AS ${query}`);
      assert.deepEqual(sorted(rows), sorted(await sql(engine, `SELECT * FROM v${i}`)), query);
      await sql(engine, `DROP MATERIALIZED VIEW v${i}`);
    }
  } finally {
    await engine.close();
  }
});

test('LIMIT without ORDER BY gives as many rows as there are, whichever they are', async () => {
  const used = pages.usedPages;
  const engine = await filled();
  const { random } = seeded('limits');
  try {
    const all = new Set((await sql(engine, 'SELECT id FROM t')).map(([id]) => id));
    for (let round = 0; round < 20; round++) {
      const limit = random(2 * ROWS);
      const offset = round % 3 === 0 ? 0 : random(ROWS + 100);
      const rows = await sql(engine, `SELECT id, s FROM t LIMIT ${limit} OFFSET ${offset}`);
      assert.equal(rows.length, Math.max(0, Math.min(limit, ROWS - offset)), `LIMIT ${limit} OFFSET ${offset}`);
      assert.equal(new Set(rows.map(([id]) => id)).size, rows.length);
      for (const [id] of rows) assert.ok(all.has(id));
    }
    assert.equal((await sql(engine, `SELECT id FROM t OFFSET ${ROWS - 3}`)).length, 3);
    assert.equal((await sql(engine, `SELECT id FROM t WHERE id > ${ROWS - 5} LIMIT 3 OFFSET 2`)).length, 3);
    assert.equal((await sql(engine, 'SELECT n FROM t, generate_series(1, 3) n LIMIT 10001')).length, 10001);
  } finally {
    await engine.close();
  }
  assert.equal(pages.usedPages, used);
});

test('what only a part of the rows comes to is never seen', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, half int, late int)');
  await sql(engine, `INSERT INTO t SELECT i, i / ${ROWS / 2 + 1}, i / ${ROWS} FROM generate_series(1, ${ROWS}) i`);
  // Each of these divides by zero for the first rows alone.
  assert.deepEqual(await sql(engine, 'SELECT 6 / max(half) FROM t'), [['6']]);
  assert.deepEqual(await sql(engine, `SELECT ${ROWS} / sum(half) FROM t WHERE id > 0`), [['2']]);
  const groups = 'SELECT id % 2 AS g, 6 / max(half) FROM t GROUP BY g HAVING 1 / max(half) = 1 ORDER BY g';
  assert.deepEqual(await sql(engine, groups), [
    ['0', '6'],
    ['1', '6'],
  ]);
  const joined = 'SELECT count(*), sum(1 / coalesce(b.id, 0)) FROM t a LEFT JOIN t b ON b.id = a.id';
  assert.deepEqual(await sql(engine, joined), [[String(ROWS), '1']]);
  assert.deepEqual(await sql(engine, 'SELECT 1 / (SELECT max(late) FROM t)'), [['1']]);
  await assert.rejects(sql(engine, 'SELECT 1 / min(half) FROM t'), { sqlstate: '22012' });
  await engine.close();
});

test('LIMIT without ORDER BY reads no further than it must', async () => {
  const engine = await filled();
  // The rows at the end would fail.
  const few = await sql(engine, `SELECT 1 / (id - ${ROWS}) FROM t LIMIT 3 OFFSET 2`);
  assert.equal(few.length, 3);
  const joined = `SELECT t.id, 1 / (t.id - ${ROWS}) FROM t JOIN u ON u.g = t.g LIMIT 5`;
  assert.equal((await sql(engine, joined)).length, 5);
  assert.equal((await sql(engine, `SELECT id FROM t WHERE id > ${ROWS - 2} LIMIT 5`)).length, 2);
  assert.deepEqual(await sql(engine, 'SELECT g, count(*) FROM t WHERE g = 7 GROUP BY g LIMIT 5'), [['7', '12']]);
  await assert.rejects(sql(engine, `SELECT 1 / (id - ${ROWS}) FROM t ORDER BY 1 LIMIT 3`), { sqlstate: '22012' });
  await engine.close();
});

test('rows that leave while others are still to be read are all of one tick', async () => {
  const used = pages.usedPages;
  const engine = await filled();
  try {
    const before = sorted(await sql(engine, 'SELECT * FROM t'));
    const reader = new Session(engine);
    const open = await reader.open('SELECT * FROM t');
    assert.ok(open !== null);
    const { rows, columns } = open;
    const got: (string | null)[][] = [];
    for (let round = 0; ; round++) {
      const chunk = await rows.next(1000);
      if (chunk === null) break;
      const kept = await drain({ rows: { ...once(chunk), close: () => undefined }, columns });
      got.push(...kept);
      if (round > 8) continue;
      await sql(engine, `UPDATE t SET s = 'changed to a text of some length' WHERE id % 40 = ${round}`);
      await sql(engine, `DELETE FROM t WHERE id % 40 = ${round + 20}`);
      if (round === 5) await sql(engine, "INSERT INTO t SELECT i, 1, 1, 'late' FROM generate_series(20000, 60000) i");
      if (round === 8) await sql(engine, 'DROP TABLE t');
    }
    rows.close();
    assert.deepEqual(sorted(got), before);
    reader.transaction.rollback();

    await sql(
      engine,
      "CREATE TABLE t AS SELECT g AS id, 'a long text that is no inline value' AS s FROM generate_series(1, 9000) g",
    );
    const failing = await reader.open('SELECT 1 / (id - 8000), s FROM t');
    assert.ok(failing !== null);
    await assert.rejects(drain(failing), { sqlstate: '22012' });
    failing.rows.close();
    const left = await reader.open('SELECT * FROM t');
    await left?.rows.next(100);
    left?.rows.close();
    assert.equal(await left?.rows.next(100), null);
    reader.transaction.rollback();
  } finally {
    await engine.close();
  }
  assert.equal(pages.usedPages, used);
});

/** A stream of one chunk. */
function once(chunk: RowChunk): { next(): Promise<RowChunk | null> } {
  const left = [chunk];
  return { next: async () => left.shift() ?? null };
}

test("a transaction's own writes are part of its long reads", async () => {
  const engine = await filled();
  try {
    const session = new Session(engine);
    await session.run('SELECT 1 FROM u LIMIT 1');
    await session.run('DELETE FROM t WHERE id <= 1000');
    await session.run("INSERT INTO t VALUES (-1, 1, 1, 'mine')");
    await sql(engine, 'DELETE FROM t WHERE id > 11000');
    assert.deepEqual(await session.run('SELECT count(*), min(id), max(id) FROM t'), [['11001', '-1', '12000']]);
    session.transaction.rollback();
    assert.deepEqual(await sql(engine, 'SELECT count(*), min(id), max(id) FROM t'), [['11000', '1', '11000']]);
  } finally {
    await engine.close();
  }
});

test('a long read ends when it is cancelled, and its relation may be dropped under it', async () => {
  const used = pages.usedPages;
  const engine = await filled();
  try {
    await cancelled(engine, 'SELECT count(*) FROM t a, t b WHERE a.v + b.v = 17');

    const reader = new Session(engine);
    const open = reader.open('SELECT sum(v) FROM t');
    await sql(engine, 'DROP TABLE t');
    const result = await open;
    assert.ok(result !== null);
    const expected = Array.from({ length: ROWS }, (_, i) => ((i + 1) * 7919) % 100003).reduce((a, b) => a + b, 0);
    assert.deepEqual(await drain(result), [[String(expected)]]);
    result.rows.close();
    reader.transaction.rollback();
  } finally {
    await engine.close();
  }
  assert.equal(pages.usedPages, used);
});
