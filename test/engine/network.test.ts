/** Addresses in tables, keys and views: what is kept of them agrees with its query as rows come and go. Types that Tidemark cannot read are refused for columns. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, seeded, sql } from './harness.ts';

const { random, seed } = seeded('addresses in views');

const VIEWS = [
  'SELECT network(set_masklen(ip, 24)) AS net, count(*) AS n, max(ip) AS last FROM flow GROUP BY 1',
  "SELECT id, ip - inet '10.0.0.0' AS at FROM flow WHERE ip << '10.0.0.0/8'",
  'SELECT f.id, a.name FROM flow f JOIN area a ON f.ip <<= a.net',
  'SELECT mac, count(DISTINCT ip) AS n FROM flow GROUP BY mac',
  'SELECT f.id, g.id AS other FROM flow f JOIN flow g ON f.ip = g.ip AND f.id < g.id',
  'SELECT net::text AS net, trunc(mac) AS vendor FROM area LEFT JOIN flow ON net = set_masklen(ip::cidr, 8)',
];

test('views over addresses', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE flow (id int PRIMARY KEY, ip inet, mac macaddr)');
  await sql(engine, 'CREATE TABLE area (net cidr PRIMARY KEY, name text)');
  await sql(engine, "INSERT INTO area VALUES ('10', 'inside'), ('10.1.0.0/16', 'office'), ('2001:db8::/32', 'six')");
  for (const [i, view] of VIEWS.entries()) await sql(engine, `CREATE MATERIALIZED VIEW v${i} AS ${view}`);
  const address = () => {
    const host = `${random(3)}.${random(40)}`;
    return ["'10.1.", "'10.2.", "'192.168."][random(3)] + `${host}${random(3) === 0 ? '/24' : ''}'`;
  };
  for (let id = 0; id < 60; id++) {
    const ip = random(10) === 0 ? 'NULL' : random(6) === 0 ? `'2001:db8::${random(9)}'` : address();
    await sql(engine, `INSERT INTO flow VALUES (${id}, ${ip}, '08:00:2b:0${random(3)}:02:0${random(3)}')`);
    if (random(3) === 0) await sql(engine, `DELETE FROM flow WHERE id = ${random(id + 1)}`);
    if (random(4) === 0) await sql(engine, `UPDATE flow SET ip = ip + ${random(5) - 2} WHERE id < ${random(id + 1)}`);
    for (const [i, view] of VIEWS.entries()) {
      const kept = (await sql(engine, `SELECT * FROM v${i}`)).map(String).sort();
      assert.deepEqual(kept, (await sql(engine, view)).map(String).sort(), `v${i} after ${id}, seed ${seed}`);
    }
  }
});

test('a key takes one spelling of an address for another', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE host (ip inet PRIMARY KEY)');
  await sql(engine, "INSERT INTO host VALUES ('1.2.3.4/32'), ('0:0::1')");
  await assert.rejects(sql(engine, "INSERT INTO host VALUES ('1.2.3.4')"), { sqlstate: '23505' });
  assert.equal((await sql(engine, "SELECT 1 FROM host WHERE ip = '::1' OR ip = '1.2.3.4'")).length, 2);
});

test('columns of types that cannot be read are refused', async () => {
  const engine = await openEngine();
  const refused = { sqlstate: '0A000', message: /a column of type money \("price"\) is not supported/ };
  await assert.rejects(sql(engine, 'CREATE TABLE t (price money)'), refused);
  await assert.rejects(sql(engine, 'CREATE STREAM t (at tsquery)'), { sqlstate: '0A000' });
  await assert.rejects(sql(engine, 'CREATE TABLE t (x anyelement)'), { sqlstate: '42P16' });
  await assert.rejects(sql(engine, "SELECT '(1,2)'::point"), { message: /a value of type point is not supported/ });
});
