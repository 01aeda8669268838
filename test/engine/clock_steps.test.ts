/** Views of today, of this hour, of this month: what they show agrees with their query whatever the time is, to the microsecond at the boundaries. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, Session, seeded, sql } from './harness.ts';

const DAY = 86_400_000_000n;
const CONDITIONS = [
  ...['=', '<', '<=', '>', '>='].flatMap((op) => [
    `d ${op} current_date`,
    `ts ${op} current_date`,
    `current_date - 2 ${op} d`,
    `at ${op} date_trunc('hour', now()) - INTERVAL '90 minutes'`,
    `ts ${op} date_trunc('month', localtimestamp)`,
  ]),
  'd BETWEEN current_date - 1 AND current_date',
  "ts >= current_date AND ts < current_date + INTERVAL '1 day'",
  "date_trunc('month', ts) = date_trunc('month', now())",
  "date_trunc('week', at) >= date_trunc('week', now()) - INTERVAL '7 days' AND d <> '2000-03-01'",
  "at::date = now()::date AND at > now() - INTERVAL '3 hours'",
];

test('conditions with steps of the clock', async () => {
  const { random, seed } = seeded('steps of the clock');
  const time = { now: 58n * DAY + BigInt(random(80_000)) * 1_000_000n };
  const engine = await openEngine({ clock: () => time.now });
  await sql(
    engine,
    'CREATE TABLE t (id int PRIMARY KEY, d date, ts timestamp, at timestamptz); CREATE TABLE other (x int)',
  );
  for (const [i, condition] of CONDITIONS.entries())
    await sql(engine, `CREATE MATERIALIZED VIEW v${i} AS SELECT id FROM t WHERE ${condition}`);
  const moment = () => {
    const near = time.now + BigInt(random(9) - 4) * [DAY, DAY / 24n, 7n * DAY][random(3)];
    const boundary = (near / DAY) * DAY + BigInt(random(3) - 1);
    const micros = random(3) === 0 ? boundary : near;
    if (random(20) === 0)
      return ["'294276-12-31 23:59'", "'290000-01-01'", "'4700-01-01 BC'", "'4500-01-01 BC'"][random(4)];
    return random(20) === 0
      ? ['NULL', "'infinity'", "'-infinity'"][random(3)]
      : `'epoch2000'::timestamp + ${micros} * INTERVAL '1 us'`;
  };
  const value = () => moment().replace('epoch2000', '2000-01-01');
  for (let step = 0; step < 60; step++) {
    const id = random(40);
    await sql(engine, `DELETE FROM t WHERE id = ${id}`);
    await sql(engine, `INSERT INTO t VALUES (${id}, (${value()})::timestamp::date, ${value()}, ${value()})`);
    const boundary = (time.now / DAY + 1n) * DAY;
    time.now = random(3) === 0 ? boundary + BigInt(random(3) - 1) : time.now + BigInt(random(20_000)) * 1_000_000n;
    await sql(engine, 'INSERT INTO other VALUES (1)');
    for (const [i, condition] of CONDITIONS.entries()) {
      const query = `SELECT id FROM t WHERE ${condition} ORDER BY id`;
      const label = `step ${step}, seed ${seed}: ${condition}`;
      assert.deepEqual(await sql(engine, `SELECT id FROM v${i} ORDER BY id`), await sql(engine, query), label);
    }
  }
});

test('outside of UTC, and of months, they are refused', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (d date)');
  const berlin = new Session(engine, { TimeZone: 'Europe/Berlin' });
  const refused = { sqlstate: '0A000' };
  await assert.rejects(berlin.run('CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE d = current_date'), refused);
  const fixed = new Session(engine, { TimeZone: '<+02>-02' });
  await fixed.run('CREATE MATERIALIZED VIEW f AS SELECT * FROM t WHERE d = current_date');
  for (const condition of [
    'd <> current_date',
    "d > current_date - INTERVAL '1 month'",
    'd = current_date OR d IS NULL',
  ])
    await assert.rejects(
      sql(engine, `CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE ${condition}`),
      refused,
      condition,
    );
});
