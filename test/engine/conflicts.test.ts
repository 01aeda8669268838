/**
 * Transactions that write the same rows and keys at the same time: none is lost, no key is there twice, and the views agree. Statements that are a transaction of
 * their own run again and succeed; longer transactions fail at COMMIT.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '../../planner/parse/parse.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { openEngine, Session, seeded, sql } from './harness.ts';

const { random, seed } = seeded('conflicts');

/** Runs the statement as a transaction of its own; its command tag. */
async function alone(engine: TidemarkEngine, text: string): Promise<string> {
  const session = localSession(engine);
  try {
    const prepared = engine.prepare(parse(text)[0], [], session);
    const result = await engine.executeAlone(prepared, [], session, new AbortController().signal, () => null);
    if (result.kind === 'rows') result.rows.close();
    await session.transaction.commit();
    return result.kind === 'command' ? result.tag : result.kind;
  } catch (error) {
    session.transaction.rollback();
    throw error;
  }
}

async function opened(rows: string): Promise<TidemarkEngine> {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, v int)');
  await sql(engine, 'CREATE MATERIALIZED VIEW total AS SELECT count(*) AS n, sum(v) AS v FROM t');
  await sql(engine, `INSERT INTO t VALUES ${rows}`);
  return engine;
}

const many = (n: number, statement: (i: number) => string) => Array.from({ length: n }, (_, i) => statement(i));

test('no update of one row is lost, and updates of others do not meet', async () => {
  const engine = await opened('(1, 0), (2, 0), (3, 0)');
  const statements = many(30, (i) => `UPDATE t SET v = v + 1 WHERE id = ${1 + (i % 2) * (i % 3)}`);
  const tags = await Promise.all(statements.map((text) => alone(engine, text)));
  assert.deepEqual(new Set(tags), new Set(['UPDATE 1']));
  assert.deepEqual(await sql(engine, 'SELECT n, v FROM total'), [['3', '30']]);
  assert.deepEqual(await sql(engine, 'SELECT sum(v) FROM t WHERE v < 0'), [[null]]);
  await engine.close();
});

test('a key that many insert at the same time is there once', async () => {
  const engine = await opened('(1, 0)');
  const done = await Promise.allSettled(many(10, (i) => `INSERT INTO t VALUES (7, ${i})`).map((s) => alone(engine, s)));
  const failed = done.filter((d) => d.status === 'rejected');
  assert.equal(failed.length, 9);
  for (const { reason } of failed) assert.equal(reason.sqlstate, '23505');
  assert.deepEqual(await sql(engine, 'SELECT n FROM total'), [['2']]);
  const upserts = many(10, () => 'INSERT INTO t VALUES (8, 1) ON CONFLICT (id) DO UPDATE SET v = t.v + 1');
  await Promise.all(upserts.map((s) => alone(engine, s)));
  assert.deepEqual(await sql(engine, 'SELECT v FROM t WHERE id = 8'), [['10']]);
  const inserted = await Promise.all(
    many(5, () => 'INSERT INTO t VALUES (9, 1) ON CONFLICT DO NOTHING').map((s) => alone(engine, s)),
  );
  assert.deepEqual(inserted.sort(), ['INSERT 0 0', 'INSERT 0 0', 'INSERT 0 0', 'INSERT 0 0', 'INSERT 0 1']);
  const deleted = await Promise.all(many(3, () => 'DELETE FROM t WHERE id = 9').map((s) => alone(engine, s)));
  assert.deepEqual(deleted.sort(), ['DELETE 0', 'DELETE 0', 'DELETE 1']);
  await engine.close();
});

test('of rows that are equal each is deleted once', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE bag (v int); INSERT INTO bag VALUES (1), (1), (2)');
  const deleted = await Promise.all(many(2, () => 'DELETE FROM bag WHERE v = 1').map((s) => alone(engine, s)));
  assert.deepEqual(deleted.sort(), ['DELETE 0', 'DELETE 2']);
  assert.deepEqual(await sql(engine, 'SELECT v FROM bag'), [['2']]);
  await engine.close();
});

test('a longer transaction fails at COMMIT by a row or a key that is taken, not by others', async () => {
  const engine = await opened('(1, 0), (2, 0), (3, 0)');
  const one = new Session(engine);
  const other = new Session(engine);
  await one.run('UPDATE t SET v = 5 WHERE id = 1');
  await other.run('UPDATE t SET v = 6 WHERE id = 2');
  await alone(engine, 'UPDATE t SET v = 7 WHERE id = 2');
  assert.deepEqual(await other.run('SELECT id, v FROM t ORDER BY id'), [
    ['1', '0'],
    ['2', '6'],
    ['3', '0'],
  ]);
  await one.transaction.commit();
  await assert.rejects(other.transaction.commit(), { sqlstate: '40001' });
  const [first, second] = [new Session(engine), new Session(engine)];
  await first.run('INSERT INTO t VALUES (4, 1)');
  await second.run('INSERT INTO t VALUES (4, 2)');
  await first.transaction.commit();
  await assert.rejects(second.transaction.commit(), { sqlstate: '23505', message: /"t_pkey"/ });
  assert.deepEqual(await sql(engine, 'SELECT n, v FROM total'), [['4', '13']]);
  await engine.close();
});

test('a key may move to another row in one transaction, and NULLs of a unique index repeat', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, u int); CREATE UNIQUE INDEX once ON t (u)');
  await sql(engine, 'INSERT INTO t VALUES (1, 10), (2, NULL)');
  const session = new Session(engine);
  await session.run('DELETE FROM t WHERE id = 1');
  await session.run('INSERT INTO t VALUES (3, 10), (4, NULL)');
  await alone(engine, 'INSERT INTO t VALUES (5, NULL), (6, 11)');
  await session.transaction.commit();
  const late = new Session(engine);
  await late.run('INSERT INTO t VALUES (7, 12)');
  await alone(engine, 'UPDATE t SET u = 12 WHERE id = 6');
  await assert.rejects(late.transaction.commit(), { sqlstate: '23505', message: /"once"/ });
  assert.deepEqual(await sql(engine, 'SELECT count(*), count(u), sum(u) FROM t'), [['5', '2', '22']]);
  await engine.close();
});

test('ON CONFLICT may name the columns of a unique index, whose NULLs are no conflict', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, a int, b text, n int)');
  const upsert = 'ON CONFLICT (b, a) DO UPDATE SET n = t.n + excluded.n';
  await assert.rejects(sql(engine, `INSERT INTO t VALUES (1, 1, 'x', 1) ${upsert}`), { sqlstate: '42P10' });
  await sql(engine, 'CREATE UNIQUE INDEX pair ON t (a, b)');
  await sql(engine, `INSERT INTO t VALUES (1, 1, 'x', 1), (2, 1, NULL, 1), (3, 1, NULL, 1) ${upsert}`);
  await sql(engine, `INSERT INTO t VALUES (4, 1, 'x', 5), (5, 2, 'x', 1) ${upsert}`);
  await sql(engine, "INSERT INTO t VALUES (6, 2, 'x', 9), (7, 1, NULL, 1) ON CONFLICT DO NOTHING");
  assert.deepEqual(await sql(engine, 'SELECT id, n FROM t ORDER BY id'), [
    ['1', '6'],
    ['2', '1'],
    ['3', '1'],
    ['5', '1'],
    ['7', '1'],
  ]);
  const twice = `INSERT INTO t VALUES (8, 3, 'z', 1), (9, 3, 'z', 1) ${upsert}`;
  await assert.rejects(sql(engine, twice), { sqlstate: '21000' });
  await assert.rejects(sql(engine, `INSERT INTO t VALUES (1, 8, 'q', 1) ${upsert}`), { sqlstate: '23505' });
  await sql(engine, 'DROP INDEX pair');
  await assert.rejects(sql(engine, `INSERT INTO t VALUES (1, 1, 'x', 1) ${upsert}`), { sqlstate: '42P10' });
  await engine.close();
});

test('a unique index is not made of rows that repeat its key', async () => {
  const engine = await openEngine();
  await sql(engine, "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (1, 'y'), (2, NULL), (2, NULL)");
  const message = /could not create unique index "once"/;
  await assert.rejects(sql(engine, 'CREATE UNIQUE INDEX once ON t (a)'), { sqlstate: '23505', message });
  await sql(engine, 'CREATE UNIQUE INDEX pair ON t (a, b)');
  await assert.rejects(sql(engine, "INSERT INTO t VALUES (1, 'y')"), { sqlstate: '23505' });
  await sql(engine, 'INSERT INTO t VALUES (2, NULL); CREATE TABLE bag (a int); INSERT INTO bag VALUES (7), (7)');
  await assert.rejects(sql(engine, 'CREATE UNIQUE INDEX once ON bag (a)'), { sqlstate: '23505', message });
  await engine.close();
});

test('a table that goes away takes no rows', async () => {
  const engine = await opened('(1, 0)');
  await sql(engine, 'CREATE TABLE gone (v int)');
  const session = new Session(engine);
  await session.run('INSERT INTO gone VALUES (1)');
  await sql(engine, 'DROP TABLE gone');
  await assert.rejects(session.transaction.commit(), { sqlstate: '42P01' });
  const updates = many(6, (i) => (i === 3 ? 'DROP TABLE t CASCADE' : 'UPDATE t SET v = v + 1 WHERE id = 1'));
  const done = await Promise.allSettled(updates.map((text) => alone(engine, text)));
  for (const d of done) if (d.status === 'rejected') assert.equal(d.reason.sqlstate, '42P01', d.reason.stack);
  await engine.close();
});

test('TRUNCATE takes away what is there when its turn comes', async () => {
  const engine = await opened('(1, 0), (2, 0)');
  const tags = await Promise.all(
    many(12, (i) => (i % 3 === 0 ? 'TRUNCATE t' : `INSERT INTO t VALUES (${10 + i}, 1)`)).map((s) => alone(engine, s)),
  );
  assert.equal(tags.filter((tag) => tag === 'TRUNCATE TABLE').length, 4);
  assert.deepEqual(await sql(engine, 'SELECT count(*), coalesce(sum(v), 0) FROM t WHERE id < 10'), [['0', '0']]);
  assert.deepEqual(await sql(engine, 'SELECT n FROM total'), await sql(engine, 'SELECT count(*) FROM t'));
  await engine.close();
});

test('any mix of statements at the same time is as good as some order of them', { timeout: 60_000 }, async () => {
  for (let round = 0; round < 20; round++) {
    const engine = await opened(many(6, (i) => `(${i}, 10)`).join(', '));
    const note = `round ${round}, seed ${seed}`;
    let moved = 0;
    const work = many(40, () => {
      const [from, to] = [random(6), random(6)];
      switch (random(4)) {
        case 0:
          // Two rows at once: the sum stays.
          return `UPDATE t SET v = CASE WHEN id = ${from} THEN v - 1 ELSE v + 1 END WHERE id IN (${from}, ${(from + 1) % 6})`;
        case 1:
          moved++;
          return `INSERT INTO t VALUES (${to}, 1) ON CONFLICT (id) DO UPDATE SET v = t.v + 1`;
        case 2:
          moved++;
          return `UPDATE t SET v = v + 1 WHERE id = ${to}`;
        default:
          return `INSERT INTO t VALUES (${100 + random(3)}, 0) ON CONFLICT DO NOTHING`;
      }
    });
    await Promise.all(work.map((text) => alone(engine, text)));
    const [[rows, keys, total]] = await sql(engine, 'SELECT count(*), count(DISTINCT id), sum(v) FROM t');
    assert.equal(rows, keys, note);
    assert.equal(total, `${60 + moved}`, note);
    assert.deepEqual(await sql(engine, 'SELECT n, v FROM total'), [[rows, total]], note);
    await engine.close();
  }
});

test('keys that are equal and look different are one for ON CONFLICT', async () => {
  const engine = await openEngine();
  const looks: [type: string, ...values: string[]][] = [
    ['interval', "'30 days'", "'1 mon'", "'720 hours'"],
    ['numeric', '1.0', '1.00', '1'],
    ['float8', "'-0'", "'0'", "'0.0'"],
    ['char(3)', "'a'", "'a '", "'a  '"],
  ];
  for (const [type, first, second, third] of looks) {
    await sql(engine, `CREATE TABLE l (k ${type} PRIMARY KEY, n int)`);
    await sql(engine, `INSERT INTO l VALUES (${first}, 1), (${second}, 2) ON CONFLICT DO NOTHING`);
    await sql(engine, `INSERT INTO l VALUES (${third}, 5) ON CONFLICT (k) DO UPDATE SET n = l.n + excluded.n`);
    assert.deepEqual(await sql(engine, `SELECT n FROM l WHERE k = ${second}`), [['6']], type);
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM l'), [['1']], type);
    await sql(engine, 'DROP TABLE l');
  }
  await engine.close();
});

/** How often rows of t are looked up to see whether a change fits, while `work` runs. */
async function looks(engine: TidemarkEngine, work: () => Promise<unknown>): Promise<number> {
  const stored = [...engine.loop.relations.values()].find(({ types }) => types.length === 2);
  assert.ok(stored);
  let times = 0;
  const { hasRetracted } = stored;
  stored.hasRetracted = (delta) => {
    times++;
    return hasRetracted.call(stored, delta);
  };
  await work();
  return times;
}

test('only who wrote before an index was made is looked at again', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int, v int)');
  await sql(engine, 'INSERT INTO t VALUES (1, 0), (2, 0)');
  const [early, late] = [new Session(engine), new Session(engine)];
  await early.run('UPDATE t SET v = 1 WHERE id = 1');
  await sql(engine, 'CREATE UNIQUE INDEX ON t (id)');
  await late.run('UPDATE t SET v = 2 WHERE id = 2');
  const again = await looks(engine, async () => {
    assert.equal(await alone(engine, 'UPDATE t SET v = 3'), 'UPDATE 2');
    await sql(engine, 'CREATE INDEX ON t (v)');
    await alone(engine, 'UPDATE t SET v = 4');
  });
  assert.equal(again, 0, 'statements that begin after it');
  for (const { transaction } of [early, late]) await assert.rejects(transaction.commit(), { sqlstate: '40001' });
  await engine.close();
});

test('rows that were written before a unique index was made have to fit it', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int, v int)');
  await sql(engine, 'INSERT INTO t VALUES (1, 0)');
  const [early, other] = [new Session(engine), new Session(engine)];
  await early.run('INSERT INTO t VALUES (1, 1)');
  await other.run('UPDATE t SET v = 5');
  await sql(engine, 'CREATE UNIQUE INDEX ON t (id)');
  await assert.rejects(early.transaction.commit(), { sqlstate: '23505' });
  assert.equal(await looks(engine, () => other.transaction.commit()), 1);
  assert.deepEqual(await sql(engine, 'SELECT * FROM t'), [['1', '5']]);
  await engine.close();
});
