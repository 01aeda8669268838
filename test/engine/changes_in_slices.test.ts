/**
 * UPDATE, DELETE, MERGE and ON CONFLICT DO UPDATE of a long read go in slices: others commit meanwhile, and what they do to the same rows is not lost. Whoever was overtaken runs again, at once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '../../planner/parse/parse.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { openEngine, Session, seeded, sql } from './harness.ts';

const ROWS = 6000;

/** Runs a statement that is all of its transaction. */
async function alone(engine: TidemarkEngine, text: string): Promise<void> {
  const session = localSession(engine);
  const [statement] = parse(text);
  const { signal } = new AbortController();
  try {
    await engine.executeAlone(engine.prepare(statement, [], session), [], session, signal, () => null);
    await session.transaction.commit();
  } finally {
    session.transaction.rollback();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Whether others had their turn before a statement was done, whom `beside` stands for. */
async function overlapped(running: Promise<void>, beside: () => Promise<void>): Promise<number> {
  let over = false;
  const end = running.finally(() => {
    over = true;
  });
  end.catch(() => undefined);
  let turns = 0;
  while (!over) {
    await beside();
    if (!over) turns++;
    await turn();
  }
  await end;
  return turns;
}

async function filled(): Promise<TidemarkEngine> {
  const engine = await openEngine();
  await sql(
    engine,
    'CREATE TABLE t (k int PRIMARY KEY, v int NOT NULL, n int NOT NULL DEFAULT 0); CREATE TABLE u (v int); CREATE TABLE child (k int REFERENCES t)',
  );
  await sql(engine, `INSERT INTO t SELECT i, 0 FROM generate_series(1, ${ROWS}) i`);
  await sql(engine, 'INSERT INTO u SELECT i % 2 FROM generate_series(1, 300) i');
  await sql(engine, 'CREATE MATERIALIZED VIEW total AS SELECT count(*) AS c, sum(v) AS v, sum(n) AS n FROM t');
  return engine;
}

const STATEMENTS = {
  update: 'UPDATE t SET v = t.v + 1 FROM u WHERE t.v + u.v >= 0',
  merge:
    'MERGE INTO t USING (SELECT t.k, max(u.v) AS v FROM t, u WHERE t.v + u.v >= 0 GROUP BY t.k) s ON s.k = t.k WHEN MATCHED THEN UPDATE SET v = t.v + 1',
  conflict:
    'INSERT INTO t SELECT o.k, 0 FROM (SELECT t.k, max(u.v) FROM t, u WHERE t.v + u.v >= 0 GROUP BY t.k) o ON CONFLICT (k) DO UPDATE SET v = t.v + 1',
};

for (const [name, text] of Object.entries(STATEMENTS))
  test(`${name} in slices loses nothing of what others commit meanwhile`, async () => {
    const { random } = seeded(`${name} in slices`);
    const engine = await filled();
    try {
      const others = new Map<number, number>();
      const gone = new Set<number>();
      let last = ROWS;
      const turns = await overlapped(alone(engine, text), async () => {
        const k = 1 + random(ROWS);
        if (random(4) === 0) {
          await sql(engine, `DELETE FROM t WHERE k = ${k}`);
          gone.add(k);
        } else if (random(3) === 0) await sql(engine, `INSERT INTO t VALUES (${++last}, 0)`);
        else if (!gone.has(k)) {
          await sql(engine, `UPDATE t SET n = n + 1 WHERE k = ${k}`);
          others.set(k, (others.get(k) ?? 0) + 1);
        }
      });
      assert.ok(turns > 0, 'nobody had a turn');
      const rows = await sql(engine, 'SELECT k, v, n FROM t');
      assert.equal(rows.length, last - gone.size);
      for (const [key, v, n] of rows) {
        const k = Number(key);
        assert.ok(!gone.has(k));
        assert.equal(Number(n), others.get(k) ?? 0, `what others did to row ${k}`);
        if (k <= ROWS) assert.equal(v, '1', `row ${k}`);
      }
      const sums = await sql(engine, 'SELECT count(*), sum(v), sum(n) FROM t');
      assert.deepEqual(await sql(engine, 'SELECT * FROM total'), sums);
    } finally {
      await engine.close();
    }
  });

test('a DELETE in slices leaves no row that refers to what it took away', async () => {
  const { random } = seeded('delete in slices');
  const engine = await filled();
  try {
    let refused = 0;
    const running = alone(engine, 'DELETE FROM t USING u WHERE t.v + u.v >= 0 AND t.k > 10').catch((error) => {
      assert.equal(error.sqlstate, '23503', String(error));
      refused++;
    });
    const turns = await overlapped(running, async () => {
      await sql(engine, `INSERT INTO child VALUES (${11 + random(ROWS - 11)})`).catch((error) =>
        assert.equal(error.sqlstate, '23503'),
      );
    });
    assert.ok(turns > 0);
    assert.equal(refused, 1);
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM child WHERE k NOT IN (SELECT k FROM t)'), [['0']]);
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM t'), [[String(ROWS)]]);
  } finally {
    await engine.close();
  }
});

test('columns and constraints that change while a statement reads in slices are those that its rows have', async () => {
  for (const [change, sqlstate] of [
    ['ALTER TABLE t ADD CHECK (v < 1)', '23514'],
    ['ALTER TABLE t ADD COLUMN more int DEFAULT 7', null],
    ['ALTER TABLE t ALTER v TYPE bigint', null],
    ['DROP TABLE child; DROP MATERIALIZED VIEW total; DROP TABLE t', '42P01'],
  ] as const) {
    const engine = await filled();
    try {
      let failed: string | null = null;
      const running = alone(engine, STATEMENTS.update).catch((error) => {
        failed = error.sqlstate ?? String(error.stack);
      });
      let changed = false;
      await overlapped(running, async () => {
        if (changed) return;
        changed = true;
        await sql(engine, change).catch(() => undefined);
      });
      assert.equal(failed, sqlstate, change);
      if (sqlstate === null) assert.deepEqual(await sql(engine, 'SELECT DISTINCT v FROM t'), [['1']], change);
      if (sqlstate === '23514') assert.deepEqual(await sql(engine, 'SELECT DISTINCT v FROM t'), [['0']], change);
    } finally {
      await engine.close();
    }
  }
});

test('an UPDATE of a transaction that is overtaken while it reads cannot be published', async () => {
  const engine = await filled();
  try {
    const session = new Session(engine);
    const running = session.run(STATEMENTS.update).then(() => undefined);
    let done = false;
    await overlapped(running, async () => {
      if (done) return;
      done = true;
      await sql(engine, 'UPDATE t SET n = 5 WHERE k = 3');
    });
    await assert.rejects(session.transaction.commit(), { sqlstate: '40001' });
    assert.deepEqual(await sql(engine, 'SELECT v, n FROM t WHERE k = 3'), [['0', '5']]);
    assert.deepEqual(await sql(engine, 'SELECT sum(v) FROM t'), [['0']]);
  } finally {
    await engine.close();
  }
});
