/**
 * Statements that are cancelled anywhere: at any look of theirs (operators/turn.ts), in the midst of ticks too. Nothing of them is left behind, and what was not cancelled did all that it says: an engine that ran
 * the same statements without a cancel has the same rows. A reader of an old tick goes on seeing that.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages } from '../../operators/batch/pages.ts';
import { SqlError } from '../../operators/errors.ts';
import { turn } from '../../operators/turn.ts';
import { parse } from '../../planner/parse/parse.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { openEngine, Session, seeded, sql } from './harness.ts';

const VIEWS = [
  'SELECT a, count(*) AS n, sum(b) AS s, min(c) AS low FROM t GROUP BY a',
  'SELECT t.a, t.c, u.d FROM t JOIN u ON t.a = u.a',
  'SELECT t.a, u.d FROM t LEFT JOIN u ON t.a = u.a AND u.d > 3',
  'SELECT t.k, u.d FROM t, u WHERE t.b * 3 < u.d',
  'SELECT a, b FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.d < t.b)',
  'SELECT a, b, row_number() OVER (PARTITION BY a ORDER BY b, k) AS r FROM t',
  'SELECT a, b, c FROM t ORDER BY b DESC, k LIMIT 5',
  'WITH RECURSIVE r(a, d) AS (SELECT a, d FROM u UNION SELECT r.a, t.b FROM r JOIN t ON t.a = r.d) SELECT * FROM r',
  "SELECT a, string_agg(c, ',' ORDER BY k) AS l FROM t GROUP BY a",
  'SELECT a, g FROM t, generate_series(1, t.b) g',
];
const TABLES = ['t', 'u', 'child'];
const DEFINITIONS =
  'CREATE TABLE t (k int PRIMARY KEY, a int, b int, c text); CREATE TABLE u (a int, d int, PRIMARY KEY (a, d)); CREATE TABLE child (k int REFERENCES t ON DELETE CASCADE ON UPDATE CASCADE, n int)';

const CANCELLED = new SqlError('57014', 'canceling statement due to user request');

/** One statement that stands alone, or two in a block, cancelled at a look of its own. Gives the SQLSTATE with which it failed; null: it has happened. */
async function run(engine: TidemarkEngine, texts: string[], looks: number | null): Promise<string | null> {
  const cancel = new AbortController();
  const session = localSession(engine);
  let left = looks ?? Number.POSITIVE_INFINITY;
  let over = false;
  turn.hear = (signal) => {
    if (signal === cancel.signal && --left < 0 && !over) cancel.abort(CANCELLED);
  };
  session.done = () => {
    over = true;
  };
  try {
    for (const text of texts) {
      const [statement] = parse(text);
      const prepared = engine.prepare(statement, [], session);
      const alone =
        texts.length === 1 && ['insert', 'update', 'delete', 'merge', 'modifying_select'].includes(statement.k);
      const result = await (alone
        ? engine.executeAlone(prepared, [], session, cancel.signal, () => null)
        : engine.execute(prepared, [], session, cancel.signal));
      if (result.kind === 'rows') {
        while ((await result.rows.next(1000)) !== null);
        result.rows.close();
      }
    }
    await session.transaction.commit(true, cancel.signal);
    return null;
  } catch (error) {
    session.transaction.rollback();
    if (!(error instanceof SqlError)) throw error;
    return error.sqlstate;
  } finally {
    turn.hear = () => undefined;
  }
}

async function content(engine: TidemarkEngine, made: string[]): Promise<string[]> {
  const all: string[] = [];
  for (const name of [...TABLES, ...made, ...VIEWS.keys()].map((n) => (typeof n === 'number' ? `v${n}` : n)))
    all.push(...(await sql(engine, `SELECT * FROM ${name}`)).map((row) => `${name} ${JSON.stringify(row)}`).sort());
  return all;
}

/** What a CREATE makes. */
const nameIn = (text: string) => text.split(' ').find((word) => /^[mc]\d/.test(word)) as string;

test('statements that are cancelled anywhere leave nothing behind', { timeout: 300_000 }, async () => {
  const { random } = seeded('cancelled statements');
  const before = pages.usedPages;
  const { lookMs } = turn;
  const [engine, twin] = [await openEngine(), await openEngine()];
  const some = <T>(items: T[]): T => items[random(items.length)];
  for (const one of [engine, twin]) {
    await sql(one, DEFINITIONS);
    for (const [i, query] of VIEWS.entries()) await sql(one, `CREATE MATERIALIZED VIEW v${i} AS ${query}`);
    await sql(one, "INSERT INTO t SELECT i, i % 4, i % 5, 'row ' || i FROM generate_series(1, 40) i");
    await sql(one, 'INSERT INTO u SELECT i % 4, i FROM generate_series(0, 9) i');
  }
  let key = 40;
  const change = (): string => {
    key += 25;
    const n = 1 + random(20);
    const at = 1 + random(key);
    return some([
      () =>
        `INSERT INTO t SELECT ${key} + i, i % 4, (i * ${random(7)}) % 5, repeat('c', i % 30) FROM generate_series(1, ${n}) i`,
      () =>
        `INSERT INTO t SELECT i, 1, 2, 'new' FROM generate_series(${at}, ${at + n}) i ON CONFLICT (k) DO UPDATE SET b = t.b + 1, c = t.c || ' again'`,
      () => `INSERT INTO u SELECT i % 5, i % 13 FROM generate_series(1, ${n}) i ON CONFLICT DO NOTHING`,
      () => `INSERT INTO child SELECT k, ${random(9)} FROM t WHERE k % 3 = ${random(3)}`,
      () => `UPDATE t SET b = t.b + 1 FROM u WHERE t.b + u.d < ${random(12)}`,
      () =>
        `UPDATE t SET k = k + 100000, c = c || 'longer than twelve bytes' WHERE a = ${random(4)} AND b < 5 AND k < ${at}`,
      () => `UPDATE t SET k = k - 100000 WHERE k > 100000`,
      () => `DELETE FROM t USING u WHERE t.k BETWEEN ${at} AND ${at + 3} AND t.b + u.d > 2`,
      () => `DELETE FROM u WHERE d % 4 = ${random(4)} AND EXISTS (SELECT 1 FROM t WHERE t.b < u.d)`,
      () =>
        `MERGE INTO t USING u ON t.k = u.d * 7 AND u.a = 1 WHEN MATCHED AND t.b > 3 THEN DELETE WHEN MATCHED THEN UPDATE SET b = t.b + u.d`,
      () =>
        `WITH gone AS (DELETE FROM child WHERE n = ${random(9)} RETURNING k) UPDATE t SET b = b - 1 FROM gone WHERE gone.k = t.k`,
      () => `TRUNCATE child`,
    ])();
  };
  let cancelled = 0;
  let passed = 0;
  let made: string[] = [];
  let reader: { session: Session; saw: unknown } | null = null;
  try {
    for (let round = 0; round < 60; round++) {
      const texts =
        random(6) > 0
          ? [change()]
          : random(2) === 0
            ? [change(), change()]
            : [
                some([
                  `CREATE MATERIALIZED VIEW m${round} AS ${some(VIEWS)}`,
                  `CREATE MATERIALIZED VIEW m${round} AS SELECT count(*) FROM generate_series(1, ${1 + random(5000)})`,
                  `CREATE TABLE c${round} AS ${some(VIEWS)}`,
                ]),
              ];
      if (reader === null && random(3) === 0) {
        const session = new Session(engine);
        reader = { session, saw: await session.run('SELECT k, b, c FROM t ORDER BY k') };
      }
      turn.lookMs = 0;
      const failed = await run(engine, texts, random(5) === 0 ? null : random(some([3, 30, 300])));
      turn.lookMs = lookMs;
      const what = `round ${round}: ${texts.join('; ')}`;
      if (failed !== '57014') {
        passed++;
        assert.equal(await run(twin, texts, null), failed, what);
        if (failed === null && texts[0].startsWith('CREATE')) made.push(nameIn(texts[0]));
      } else {
        cancelled++;
        if (texts[0].startsWith('CREATE'))
          await assert.rejects(sql(engine, `SELECT * FROM ${nameIn(texts[0])}`), { sqlstate: '42P01' }, what);
      }
      assert.deepEqual(await content(engine, made), await content(twin, made), what);
      if (reader !== null) {
        assert.deepEqual(
          await reader.session.run('SELECT k, b, c FROM t ORDER BY k'),
          reader.saw,
          `a reader of before ${what}`,
        );
        if (random(4) === 0) {
          reader.session.transaction.rollback();
          reader = null;
        }
      }
      if (made.length > 6) {
        for (const one of [engine, twin])
          for (const name of made) {
            await sql(one, `DROP ${name.startsWith('c') ? 'TABLE' : 'MATERIALIZED VIEW'} ${name}`);
          }
        made = [];
      }
    }
    assert.ok(cancelled > 10 && passed > 10, `${cancelled} were cancelled, ${passed} were not`);
    for (const [i, query] of VIEWS.entries()) {
      const rows = async (text: string) => (await sql(engine, text)).map((row) => row.join('|')).sort();
      assert.deepEqual(await rows(`SELECT * FROM v${i}`), await rows(query), query);
    }
  } finally {
    turn.lookMs = lookMs;
    reader?.session.transaction.rollback();
    await engine.close();
    await twin.close();
  }
  assert.equal(pages.usedPages, before);
});

test('a definition that has happened says so before it waits for the disk', async () => {
  const engine = await openEngine();
  const session = localSession(engine);
  const told: string[] = [];
  session.done = () => told.push('done');
  const durable = async () => void told.push('durable');
  engine.journal = {
    admitDefinition: async () => undefined,
    defined: () => undefined,
    durable,
  } as unknown as typeof engine.journal;
  const [statement] = parse('CREATE TABLE t (a int)');
  await engine.execute(engine.prepare(statement, [], session), [], session, new AbortController().signal);
  engine.journal = null;
  assert.deepEqual(told, ['done', 'durable']);
  session.transaction.rollback();
  await engine.close();
});
