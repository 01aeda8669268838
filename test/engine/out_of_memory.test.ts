/** Memory that ends in the middle of ticks: nothing of such a tick is left behind, whatever it was doing, and all goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import { cold } from '../../operators/state/cold_store.ts';
import { Undo } from '../../operators/state/undo.ts';
import { MemoryColdStore } from '../../operators/testing/cold_memory.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, Session, seeded, sql } from './harness.ts';
import { MessageSource } from './message_source.ts';

/** Ticks fail after so many changes of state; null: they do not. */
let fails: (() => number) | null = null;
const start = Undo.prototype.start;
Undo.prototype.start = function (this: Undo) {
  start.call(this, fails?.());
};

const VIEWS = [
  'SELECT a, count(*) AS n, sum(b) AS s, min(c) AS low, max(c) AS high FROM t GROUP BY a',
  'SELECT t.a, t.c, u.d FROM t JOIN u ON t.a = u.a',
  'SELECT t.a, t.c, u.d FROM t LEFT JOIN u ON t.a = u.a AND u.d > 3',
  'SELECT a, b, row_number() OVER (PARTITION BY a ORDER BY b, c) AS r FROM t',
  'SELECT DISTINCT a, d FROM u',
  'SELECT a, c FROM t WHERE a NOT IN (SELECT a FROM u)',
  'SELECT a, 100 / b AS q FROM t',
  'SELECT a, b FROM t ORDER BY b DESC, a, c LIMIT 5',
  'SELECT s.k, count(*) AS n, count(u.d) AS m FROM s LEFT JOIN u ON u.a = s.k GROUP BY s.k',
  'SELECT k, v FROM s WHERE v > 3',
  'WITH RECURSIVE r(a, d) AS (SELECT a, d FROM u UNION SELECT r.a, t.b FROM r JOIN t ON t.a = r.d) SELECT * FROM r',
  'SELECT a, string_agg(c, $$,$$ ORDER BY c) AS l FROM t GROUP BY a',
];

async function fill(engine: TidemarkEngine): Promise<void> {
  await sql(
    engine,
    "CREATE TABLE t (a int, b int, c text); CREATE TABLE u (a int, d int, PRIMARY KEY (a, d)); CREATE STREAM s (k int, v int, at timestamp, WATERMARK FOR at AS at - INTERVAL '5 seconds') WITH (connector = 'kafka', brokers = 'memory', topic = 't')",
  );
  for (const [i, query] of VIEWS.entries()) await sql(engine, `CREATE MATERIALIZED VIEW v${i} AS ${query}`);
  await sql(engine, 'CREATE INDEX ON t (a)');
}

async function check(engine: TidemarkEngine, label: string): Promise<void> {
  for (const [i, query] of VIEWS.entries()) {
    const rows = async (text: string) => (await sql(engine, text)).map((row) => row.join('|')).sort();
    const unfailing = i === 6 ? `${query} WHERE b <> 0` : query;
    assert.deepEqual(await rows(`SELECT * FROM v${i}`), await rows(unfailing), `${label}: ${query}`);
  }
  const zeros = await sql(engine, 'SELECT count(*) FROM t WHERE b = 0');
  assert.deepEqual(await sql(engine, "SELECT count(*) FROM tidemark.errors('v6')"), zeros, `${label}: errors`);
}

test('ticks that fail anywhere leave nothing behind', { timeout: 300_000 }, async () => {
  const { random } = seeded('out of memory');
  const before = pages.usedPages;
  const topic = new MessageSource();
  const store = new MemoryColdStore();
  cold.store = store;
  const engine = await openEngine({ openSource: () => topic, tickRows: 7 });
  await fill(engine);
  let reader = new Session(engine);
  let failed = 0;
  let passed = 0;
  let sent = 0;
  const some = <T>(items: T[]): T => items[random(items.length)];
  const statement = (at: number) => {
    const n = 1 + random(20);
    return some([
      () => `INSERT INTO t SELECT i % 4, (i * ${random(7)}) % 5, repeat('c', i % 30) FROM generate_series(1, ${n}) i`,
      () => `INSERT INTO u SELECT ${1000 + at * 100} + i, i % 6 FROM generate_series(1, ${n}) i`,
      () => `INSERT INTO u VALUES (${random(4)}, ${random(8)}) ON CONFLICT DO NOTHING`,
      () => `DELETE FROM t WHERE b = ${random(5)} AND a = ${random(4)}`,
      () => `UPDATE t SET b = b + 1, c = c || 'longer than twelve bytes' WHERE a = ${random(4)} AND b < 5`,
      () => `DELETE FROM u WHERE d = ${random(6)}`,
    ])();
  };
  for (let round = 0; round < 60; round++) {
    fails = random(2) === 0 ? null : () => random(some([5, 100, 1000]));
    const rows = await sqlAlways(engine, 'SELECT count(*), sum(b), sum(length(c)) FROM t');
    try {
      await sql(engine, statement(round));
      passed++;
    } catch (error) {
      assert.equal((error as { sqlstate: string }).sqlstate, '53200', String(error));
      failed++;
      assert.deepEqual(await sqlAlways(engine, 'SELECT count(*), sum(b), sum(length(c)) FROM t'), rows);
    }
    for (let i = random(10); i > 0; i--) {
      const late = random(8) === 0 ? 0 : sent;
      topic.send({
        value: `{"k":${random(5)},"v":${random(9) === 0 ? '"no number"' : random(9)},"at":"2026-01-01 00:00:${String(10 + Math.floor(late / 20)).padStart(2, '0')}"}`,
      });
      sent++;
    }
    if (random(3) === 0) {
      reader.transaction.rollback();
      reader = new Session(engine);
      await reader.run('SELECT count(*) FROM t');
    }
    engine.sourceTicks.pump();
    fails = null;
    while (engine.sourceTicks.pump());
    for (const part of [engine.loop.graph, ...engine.loop.relations.values()])
      for (const index of part.coldStates()) {
        if (random(2) === 0) index.compact(1 + random(20));
        if (random(2) === 0) index.chill(Number.POSITIVE_INFINITY);
      }
    for (const relation of new Set(engine.loop.relations.values()))
      if (random(2) === 0) relation.compact(1 + random(20));
    if (round % 10 === 9) await check(engine, `round ${round}`);
  }
  assert.ok(failed > 5 && passed > 5, `${failed} failed, ${passed} passed`);
  const [[accepted], [bad], [late]] = [
    ...(await sql(engine, 'SELECT count(*) FROM s')),
    ...(await sql(engine, "SELECT count(*) FROM tidemark.errors('s')")),
    ...(await sql(engine, "SELECT count(*) FROM tidemark.late('s')")),
  ];
  assert.equal(Number(accepted) + Number(bad) + Number(late), sent);
  assert.ok(Number(bad) > 0 && Number(late) > 0, `${bad} bad, ${late} late`);
  reader.transaction.rollback();
  await engine.close();
  assert.equal(pages.usedPages, before);
  assert.ok(store.reads > 0 && store.places === 0);
  cold.store = null;
});

/** Reads with memory in plenty. */
async function sqlAlways(engine: TidemarkEngine, text: string): Promise<(string | null)[][]> {
  const kept = fails;
  fails = null;
  const rows = await sql(engine, text);
  fails = kept;
  return rows;
}

test('a full memory can be emptied bit by bit, and what was deleted is room for others', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    `CREATE TABLE t (a int, s text); CREATE TABLE w (a int, s text); CREATE TABLE u (a int PRIMARY KEY, d int);
    CREATE MATERIALIZED VIEW v AS SELECT d, count(*) AS n FROM t JOIN u USING (a) GROUP BY d;
    INSERT INTO u SELECT i, i % 7 FROM generate_series(0, 19) i`,
  );
  budget.limit = pages.usedBytes + (14 << 20);
  try {
    const fill = async (table: string) => {
      for (let n = 0; ; n += 1000) {
        const text = `INSERT INTO ${table} SELECT i % 20, repeat('x', 300) || i FROM generate_series(${n + 1}, ${n + 1000}) i`;
        const code = await sql(engine, text).then(
          () => null,
          (error: { sqlstate: string }) => error.sqlstate,
        );
        if (code === null) continue;
        assert.equal(code, '53200');
        return n;
      }
    };
    const n = await fill('t');
    for (let a = 2; a < 20; a++) await sql(engine, `DELETE FROM t WHERE a = ${a}`);
    assert.deepEqual(await sql(engine, 'SELECT sum(n) FROM v'), [[String(n / 10)]]);
    const others = await fill('w');
    assert.ok(
      others > n * 0.75,
      `there was room for ${n} rows, and after most were deleted for ${others} of another table`,
    );
    const rows = (table: string) => sql(engine, `SELECT count(*), count(DISTINCT s) FROM ${table}`);
    assert.deepEqual(await rows('t'), [[String(n / 10), String(n / 10)]]);
    for (let a = 0; a < 20; a++) await sql(engine, `DELETE FROM w WHERE a = ${a}`);
    assert.deepEqual(await rows('w'), [['0', '0']]);
  } finally {
    budget.limit = Number.POSITIVE_INFINITY;
    await engine.close();
  }
});

test('statements beyond the limit are refused with 53200 and give everything back', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    'CREATE TABLE t (a int, s text); CREATE MATERIALIZED VIEW v AS SELECT a % 10 AS d, count(*) AS n FROM t GROUP BY 1',
  );
  await sql(engine, "INSERT INTO t SELECT i, repeat('x', 100) || i FROM generate_series(1, 20000) i");
  const used = pages.usedBytes;
  budget.limit = used + (6 << 20);
  try {
    const refused = [
      "INSERT INTO t SELECT i, repeat('x', 100) || i FROM generate_series(1, 200000) i",
      'CREATE MATERIALIZED VIEW w AS SELECT x.s AS s1, y.s AS s2 FROM t x JOIN t y ON x.a % 100 = y.a % 100',
      'SELECT x.s, y.s FROM t x, t y ORDER BY 1, 2',
      'UPDATE t SET s = repeat(s, 30)',
      'CREATE INDEX ON t (a, s)',
      'CREATE TABLE w AS SELECT x.s AS s1, y.s AS s2 FROM t x, t y',
    ];
    for (const statement of refused) {
      await assert.rejects(sql(engine, statement), { sqlstate: '53200' }, statement);
      assert.ok(pages.usedBytes <= used + (4 << 20), `${statement}: ${pages.usedBytes - used} bytes more`);
      assert.deepEqual(await sql(engine, 'SELECT sum(n), count(*) FROM v'), [['20000', '10']]);
    }
    await assert.rejects(sql(engine, 'SELECT * FROM w'), { sqlstate: '42P01' });
    await sql(engine, 'DELETE FROM t WHERE a > 10000');
    assert.deepEqual(await sql(engine, 'SELECT sum(n) FROM v'), [['10000']]);
    await sql(engine, "INSERT INTO t SELECT i, 'y' FROM generate_series(1, 100) i");
    assert.deepEqual(await sql(engine, 'SELECT sum(n) FROM v'), [['10100']]);
  } finally {
    budget.limit = Number.POSITIVE_INFINITY;
    await engine.close();
  }
});
