/**
 * What a transaction sees by an index is what it sees by reading the whole table: its tick, less what others have published since, and its own writes, also
 * after it has taken some of them back to a savepoint. Replay with SEED.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages } from '../../operators/batch/pages.ts';
import { openEngine, Session, seeded, sql } from './harness.ts';

const KEYS = 12;
const { random, seed } = seeded('own writes');

/** A statement about one key, which may fail. */
function change(): string {
  const key = random(KEYS);
  const value = random(3);
  switch (random(6)) {
    case 0:
      return `INSERT INTO t VALUES (${key}, ${value}, 'x') ON CONFLICT DO NOTHING`;
    case 1:
      return `INSERT INTO t VALUES (${key}, ${value}, NULL) ON CONFLICT (id) DO UPDATE SET v = t.v + 1, name = excluded.name`;
    case 2:
      return `INSERT INTO t VALUES (${key}, ${value}, 'a name of more than twelve bytes ${key}') ON CONFLICT DO NOTHING`;
    case 3:
      return `DELETE FROM t WHERE id = ${key}`;
    case 4:
      return `UPDATE t SET v = ${value}, name = 'y${key}' WHERE id = ${key}`;
    default:
      return `DELETE FROM t WHERE name = 'y${key}'`;
  }
}

/** Reads by index and by a scan, which sees the same. */
async function compare(run: (text: string) => Promise<unknown>, what: string): Promise<void> {
  for (let key = 0; key < KEYS; key++) {
    const byScan = await run(`SELECT * FROM t WHERE id + 0 = ${key}`);
    assert.deepEqual(await run(`SELECT * FROM t WHERE id = ${key}`), byScan, `id ${key} ${what}`);
    const byName = await run(`SELECT * FROM t WHERE name || '' = 'y${key}'`);
    assert.deepEqual(await run(`SELECT * FROM t WHERE name = 'y${key}'`), byName, `name y${key} ${what}`);
  }
}

test('look-ups of a transaction see what a scan sees', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, v int, name text); CREATE UNIQUE INDEX t_name ON t (name)');
  for (let round = 0; round < 12; round++) {
    const session = new Session(engine);
    const run = (text: string) => session.run(text);
    await run('SELECT count(*) FROM t');
    const savepoints: string[] = [];
    for (let step = 0; step < 25; step++) {
      const what = `(seed ${seed}, round ${round}, step ${step})`;
      switch (random(5)) {
        case 0:
          await sql(engine, change());
          break;
        case 1:
          savepoints.push(`s${step}`);
          session.transaction.savepoint(`s${step}`);
          break;
        case 2:
          if (savepoints.length > 0) session.transaction.rollbackTo(savepoints[random(savepoints.length)]);
          savepoints.length = 0;
          break;
        default:
          await run(change());
      }
      if (step % 3 === 0) await compare(run, what);
    }
    session.transaction.rollback();
  }
  await engine.close();
});

test('a transaction that ends gives its indexes back', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1)');
  const before = pages.usedBytes;
  for (let i = 0; i < 20; i++) {
    const session = new Session(engine);
    for (let id = 0; id < 20; id++)
      await session.run(`INSERT INTO t VALUES (${100 * i + id}, 0) ON CONFLICT DO NOTHING`);
    await session.run('UPDATE t SET v = 3 WHERE id = 1');
    session.transaction.rollback();
  }
  assert.equal(pages.usedBytes, before);
  await engine.close();
});
