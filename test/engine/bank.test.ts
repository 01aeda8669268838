/** Internal consistency: transfers never show in the total, at no tick, to no reader. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drain, openEngine, Session, seeded, sql } from './harness.ts';

const { random, seed } = seeded('bank');
const ACCOUNTS = 20;

test('the total of all accounts never changes', { timeout: 60_000 }, async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL)');
    await sql(engine, `INSERT INTO account SELECT g, 100 FROM generate_series(1, ${ACCOUNTS}) g`);
    await sql(engine, 'CREATE MATERIALIZED VIEW total AS SELECT sum(balance) AS total FROM account');
    await sql(
      engine,
      'CREATE MATERIALIZED VIEW richest AS SELECT max(balance) AS most, min(balance) AS least FROM account',
    );
    await sql(
      engine,
      `CREATE MATERIALIZED VIEW checked AS SELECT t.total - a.total AS difference
      FROM total t, (SELECT sum(balance) AS total FROM account) a`,
    );
    const subscription = await new Session(engine).open('SUBSCRIBE total');
    assert.ok(subscription);
    const first = await drain(subscription);
    assert.deepEqual(
      first.map((r) => r.slice(1)),
      [['1', String(ACCOUNTS * 100)]],
    );
    const difference = await new Session(engine).open('SUBSCRIBE checked');
    assert.ok(difference);
    assert.deepEqual(
      (await drain(difference)).map((r) => r.slice(1)),
      [['1', '0']],
    );
    for (let i = 0; i < 300; i++) {
      const session = new Session(engine);
      const [from, to, amount] = [1 + random(ACCOUNTS), 1 + random(ACCOUNTS), random(50)];
      await session.run(`UPDATE account SET balance = balance - ${amount} WHERE id = ${from}`);
      await session.run(`UPDATE account SET balance = balance + ${amount} WHERE id = ${to}`);
      const inside = await session.run('SELECT sum(balance) FROM account');
      assert.deepEqual(inside, [[String(ACCOUNTS * 100)]], `inside the transaction (seed ${seed})`);
      if (random(4) === 0) session.transaction.rollback();
      else await session.transaction.commit();
      assert.deepEqual(await sql(engine, 'SELECT total FROM total'), [[String(ACCOUNTS * 100)]], `seed ${seed}`);
      assert.deepEqual(await sql(engine, 'SELECT difference FROM checked'), [['0']], `seed ${seed}`);
    }
    assert.deepEqual(await drain(subscription), [], `the subscription saw a change (seed ${seed})`);
    assert.deepEqual(await drain(difference), [], `the difference changed (seed ${seed})`);
    assert.deepEqual(
      await sql(engine, 'SELECT most, least FROM richest'),
      await sql(engine, 'SELECT max(balance), min(balance) FROM account'),
    );
    subscription.rows.close();
    difference.rows.close();
  } finally {
    await engine.close();
  }
});

test('a transaction reads one tick while others commit; its conflicting write fails', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
    await sql(engine, 'CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n FROM t');
    const reader = new Session(engine);
    assert.deepEqual(await reader.run('SELECT n FROM n'), [['2']]);
    await sql(engine, "INSERT INTO t VALUES (3, 'c'); DELETE FROM t WHERE id = 1; UPDATE t SET v = 'bb' WHERE id = 2");
    assert.deepEqual(await reader.run('SELECT id, v FROM t ORDER BY id'), [
      ['1', 'a'],
      ['2', 'b'],
    ]);
    assert.deepEqual(await reader.run('SELECT n FROM n'), [['2']]);
    await reader.run("UPDATE t SET v = 'mine' WHERE id = 2");
    assert.deepEqual(await reader.run('SELECT v FROM t WHERE id = 2'), [['mine']]);
    await assert.rejects(reader.transaction.commit(), { sqlstate: '40001' });
    assert.deepEqual(await sql(engine, 'SELECT id, v FROM t ORDER BY id'), [
      ['2', 'bb'],
      ['3', 'c'],
    ]);
  } finally {
    await engine.close();
  }
});
