/** node-postgres with pg-cursor and pg-copy-streams. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import { type ClientServer, startServer, until } from './server.ts';

const options = { timeout: 60_000 };
let server: ClientServer;
let client: pg.Client;

before(async () => {
  server = await startServer();
  client = await connect();
  await client.query(`create table accounts (id int primary key, owner text, balance numeric(12,2), opened timestamptz);
    insert into accounts select n, 'o' || n % 5, n, '2024-01-01Z' from generate_series(1, 500) n;
    create materialized view sums as select owner, sum(balance) as total, count(*) as n from accounts group by owner`);
});
after(async () => {
  await client.end();
  await server.close();
});

async function connect(): Promise<pg.Client> {
  const made = new pg.Client(server.config);
  await made.connect();
  return made;
}

test('EXPLAIN of changes: with parameters, as JSON, run by ANALYZE', options, async () => {
  const update = 'UPDATE accounts SET owner = owner WHERE id = $1';
  const text = await client.query(`EXPLAIN ${update}`, [5]);
  assert.match(text.rows.map((row) => row['QUERY PLAN']).join('\n'), /^Update accounts\n[\s\S]*lookup \(5\)/);
  const { rows } = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${update}`, [5]);
  assert.equal(rows[0]['QUERY PLAN'][0].Plan['Actual Rows'], 1);
  const other = await connect();
  await client.query(`EXPLAIN ANALYZE INSERT INTO accounts VALUES (9000, 'explained')`);
  assert.equal((await other.query('SELECT owner FROM accounts WHERE id = 9000')).rows[0].owner, 'explained');
  await other.end();
  await client.query('EXPLAIN ANALYZE DELETE FROM accounts WHERE id = 9000');
  assert.equal((await client.query('SELECT FROM accounts WHERE id = 9000')).rowCount, 0);
  await client.query('BEGIN READ ONLY');
  await client.query('EXPLAIN DELETE FROM accounts');
  await assert.rejects(client.query('EXPLAIN ANALYZE DELETE FROM accounts'), { code: '25006' });
  await client.query('ROLLBACK');
});

test('parameters of every kind', options, async () => {
  const at = new Date('2024-02-29T12:34:56.789Z');
  const { rows } = await client.query(
    `select $1::boolean as b, $2::int2 as i2, $3::int4 as i4, $4::int8 as i8, $5::float8 as f, $6::numeric as n, $7::text as t,
            $8::bytea as y, $9::date::text as d, $10::timestamptz as z, $11::uuid as u, $12::jsonb as j, $13::int[] as a,
            $14::text[] as ta, $15::interval::text as v, $16::text as nothing`,
    [
      true,
      -5,
      7,
      '9223372036854775807',
      1.5,
      '12.50',
      "it's \\ é 🌊",
      Buffer.from([0, 1, 255]),
      '2024-02-29',
      at,
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      { a: [1, null] },
      [1, 2, 3],
      ['x', 'y,"z"', null],
      '1 day 02:00',
      null,
    ],
  );
  assert.deepEqual(rows[0], {
    b: true,
    i2: -5,
    i4: 7,
    i8: '9223372036854775807',
    f: 1.5,
    n: '12.50',
    t: "it's \\ é 🌊",
    y: Buffer.from([0, 1, 255]),
    d: '2024-02-29',
    z: at,
    u: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    j: { a: [1, null] },
    a: [1, 2, 3],
    ta: ['x', 'y,"z"', null],
    v: '1 day 02:00:00',
    nothing: null,
  });
});

test('named prepared statements live on across a change of the schema elsewhere', options, async () => {
  const read = () =>
    client.query({ name: 'by-owner', text: 'select total from sums where owner = $1', values: ['o1'] });
  const before = (await read()).rows[0].total;
  await client.query('create table unrelated (a int); drop table unrelated');
  await client.query("insert into accounts values (1001, 'o1', 10, null)");
  assert.equal(Number((await read()).rows[0].total), Number(before) + 10);
  const binary = await client.query({
    text: 'select id from accounts where id = $1',
    values: [3],
    binary: true,
  } as pg.QueryConfig);
  assert.deepEqual(binary.rows, [{ id: 3 }]);
});

test('errors carry code, position and constraint; the connection goes on', options, async () => {
  await assert.rejects(client.query('select nosuch from accounts'), { code: '42703', position: '8' });
  await assert.rejects(client.query('insert into accounts values (1)'), { code: '23505', constraint: 'accounts_pkey' });
  await assert.rejects(client.query('select $1::int', ['x']), { code: '22P02' });
  await assert.rejects(client.query('select 1/$1::int', [0]), { code: '22012' });
  await assert.rejects(client.query('select * from nowhere'), { code: '42P01' });
  assert.deepEqual((await client.query('select 1 as one')).rows, [{ one: 1 }]);
});

test('transactions: own writes are seen, others see none before commit, rollback undoes', options, async () => {
  const writer = await connect();
  await writer.query('begin');
  await writer.query("insert into accounts values (2000, 'tx', 1, null)");
  await writer.query('savepoint s');
  await assert.rejects(writer.query('select 1/0'), { code: '22012' });
  await assert.rejects(writer.query('select 1'), { code: '25P02' });
  await writer.query('rollback to s');
  const count = async (by: pg.Client) =>
    (await by.query("select count(*)::int as n from accounts where owner = 'tx'")).rows[0].n;
  assert.equal(await count(writer), 1);
  assert.equal(await count(client), 0);
  await writer.query('commit');
  assert.equal(await count(client), 1);
  assert.deepEqual((await client.query("select total, n from sums where owner = 'tx'")).rows, [
    { total: '1.00', n: '1' },
  ]);
  await writer.query('begin; delete from accounts');
  await writer.query('rollback');
  assert.equal(await count(client), 1);
  await writer.end();
});

test('pg-cursor: rows in portions, closed early', options, async () => {
  const cursor = client.query(new Cursor('select id from accounts where id > $1 and id <= 500 order by id', [100]));
  assert.equal((await cursor.read(150)).length, 150);
  assert.deepEqual((await cursor.read(2)) as unknown[], [{ id: 251 }, { id: 252 }]);
  await cursor.close();
  assert.equal((await client.query('select 1')).rowCount, 1);
});

test('DECLARE takes parameters', options, async () => {
  await client.query('begin');
  await client.query('declare c cursor for select id from accounts where id > $1 order by id', [497]);
  assert.deepEqual((await client.query('fetch 2 from c')).rows, [{ id: 498 }, { id: 499 }]);
  await client.query('commit');
});

test('pg-copy-streams both ways, and an error within', options, async () => {
  await client.query('create table copied (a int, b text)');
  const lines = Array.from({ length: 3000 }, (_, i) => `${i}\t${i % 7 === 0 ? '\\N' : `row\\t${i}`}\n`);
  await pipeline(Readable.from(lines), client.query(copyFrom('copy copied from stdin')));
  assert.equal(await readAll(client.query(copyTo('copy (select * from copied order by a) to stdout'))), lines.join(''));
  const wrong = pipeline(Readable.from(['1\tx\n', 'no\tx\n']), client.query(copyFrom('copy copied from stdin')));
  await assert.rejects(wrong, { code: '22P02' });
  assert.equal((await client.query('select count(*) from copied')).rows[0].count, '3000');
});

test('a cancel over a second connection gives 57014', options, async () => {
  const waiting = (await connect()) as pg.Client & { processID: number; secretKey: number };
  const query = waiting.query('subscribe sums with (snapshot = false)');
  const rejected = assert.rejects(query, { code: '57014' });
  await until('it runs', () =>
    server.running.postgres.sessions().some((s) => s.pid === waiting.processID && s.state === 'active'),
  );
  const connection = new pg.Connection({}) as unknown as {
    connect(port: number, host: string): void;
    cancel(pid: number, key: number): void;
    on(event: string, listener: () => void): void;
  };
  connection.on('connect', () => connection.cancel(waiting.processID, waiting.secretKey));
  connection.connect(server.port, '127.0.0.1');
  await rejected;
  const cancelled = assert.rejects(waiting.query('subscribe sums with (snapshot = false)'), { code: '57014' });
  await until('it runs again', () =>
    server.running.postgres.sessions().some((s) => s.pid === waiting.processID && s.state === 'active'),
  );
  const { rows } = await client.query('select pg_cancel_backend($1) as done', [waiting.processID]);
  assert.deepEqual(rows, [{ done: true }]);
  await cancelled;
  assert.equal((await waiting.query('select 1')).rowCount, 1);
  await waiting.end();
});

test('a query whose time is over, or that is cancelled while it computes, gives 57014', options, async () => {
  const long = 'select count(*) from generate_series(1, 700) a, generate_series(1, 700) b where (a * b) % 7 = 1';
  const busy = (await connect()) as pg.Client & { processID: number };
  await busy.query("set statement_timeout = '5ms'");
  await assert.rejects(busy.query(long), { code: '57014', message: /statement timeout/ });
  await busy.query('set statement_timeout = 0');
  const rejected = assert.rejects(busy.query(long), { code: '57014', message: /user request/ });
  await client.query('select pg_cancel_backend($1)', [busy.processID]);
  await rejected;
  assert.equal((await busy.query('select 1')).rowCount, 1);
  await busy.end();
});

test('a modification whose time is over before its end has changed nothing', options, async () => {
  await client.query('set statement_timeout = 100');
  await assert.rejects(
    client.query('update accounts set balance = 0 where id = $1 returning pg_sleep(30)', [1]),
    (error: pg.DatabaseError) => error.code === '57014',
  );
  await client.query('set statement_timeout = 0');
  assert.deepEqual((await client.query('select balance from accounts where id = 1')).rows, [{ balance: '1.00' }]);
  const { rows } = await client.query('update accounts set balance = 2 where id = 1 returning balance, pg_sleep(0.01)');
  assert.equal(rows[0].balance, '2.00');
  await client.query('update accounts set balance = 1 where id = 1');
});

test('columns are altered under views, sequences count, WITH modifies', options, async () => {
  await client.query(`create sequence orders_no; create table orders (a int, b text default 'none');
    create materialized view marked as select a from orders where b = 'x';
    create view plain as select * from orders where b <> 'y'`);
  await client.query(
    `alter table orders add column c text default 'x', add column no bigint default nextval('orders_no')`,
  );
  await client.query('alter table orders rename column b to bb');
  const { rows } = await client.query(
    `with made as (insert into orders (a, bb) values ($1, 'x'), ($1 + 1, 'z') returning a, no) select * from made order by a`,
    [7],
  );
  assert.deepEqual(rows, [
    { a: 7, no: '1' },
    { a: 8, no: '2' },
  ]);
  await client.query(
    "alter table orders alter column c drop default, alter column c type int using case c when 'x' then 1 end",
  );
  const merged = await client.query({
    text: 'merge into orders o using (values ($1::int)) as n(a) on o.a = n.a when matched then update set c = 5 returning merge_action(), o.c',
    values: [8],
    rowMode: 'array',
  });
  assert.deepEqual([merged.rowCount, merged.rows], [1, [['UPDATE', 5]]]);
  assert.deepEqual((await client.query('select * from marked')).rows, [{ a: 7 }]);
  assert.deepEqual(
    (await client.query('select * from plain order by a')).fields.map(({ name }) => name),
    ['a', 'b'],
  );
  const { rows: texts } = await client.query("select pg_get_viewdef('marked'::regclass) as text");
  assert.match(texts[0].text, /AS orders\(a, b\)|bb/);
});

test('SUBSCRIBE by FETCH from a cursor', options, async () => {
  const follower = await connect();
  await follower.query('begin; declare c cursor for subscribe sums with (snapshot = true)');
  const total = new Map<string, number>();
  const take = (rows: { diff: string; owner: string; total: string; n: string }[]) => {
    for (const { diff, ...row } of rows) {
      const key = JSON.stringify(row);
      total.set(key, (total.get(key) ?? 0) + Number(diff));
    }
  };
  take((await follower.query("fetch all c with (timeout = '1s')")).rows.map(({ tick, ...rest }) => rest));
  await client.query("update accounts set owner = 'moved' where id <= 3");
  const present = async () =>
    (await client.query('select owner, total, n from sums')).rows.map((row) => JSON.stringify(row)).sort();
  const wanted = await present();
  for (let i = 0; i < 50; i++) {
    const { rows } = await follower.query("fetch 100 c with (timeout = '100ms')");
    take(rows.map(({ tick, ...rest }) => rest));
    const held = [...total].filter(([, weight]) => weight !== 0);
    if (held.every(([, weight]) => weight === 1) && held.length === wanted.length) break;
  }
  assert.deepEqual(
    [...total]
      .filter(([, weight]) => weight !== 0)
      .map(([row, weight]) => [row, weight])
      .sort(),
    wanted.map((row) => [row, 1]),
  );
  await follower.query('close c; commit');
  await follower.end();
});

test('a pool, LISTEN and NOTIFY', options, async () => {
  const heard = new Promise<pg.Notification>((resolve) => client.once('notification', resolve));
  await client.query('listen news');
  const pool = new pg.Pool({ ...server.config, max: 3 });
  const results = await Promise.all(Array.from({ length: 30 }, (_, i) => pool.query('select $1::int as n', [i])));
  assert.deepEqual(
    results.map(({ rows }) => rows[0].n),
    Array.from({ length: 30 }, (_, i) => i),
  );
  await pool.query('select pg_notify($1, $2)', ['news', 'hello']);
  const { channel, payload } = await heard;
  assert.deepEqual([channel, payload], ['news', 'hello']);
  await pool.end();
});

test('statements of many clients at once: none is lost, no key is there twice', options, async () => {
  await client.query('create table counter (id int primary key, n int); insert into counter values (1, 0)');
  const clients = await Promise.all(Array.from({ length: 12 }, connect));
  try {
    const all = (text: string, values?: unknown[]) => Promise.allSettled(clients.map((c) => c.query(text, values)));
    const count = (done: PromiseSettledResult<pg.QueryResult>[]) =>
      done.reduce((n, d) => n + (d.status === 'fulfilled' ? (d.value.rowCount ?? 0) : 0), 0);
    assert.equal(count(await all('update counter set n = n + 1 where id = 1')), 12);
    assert.equal(count(await all('update counter set n = n + $1 where id = 1', [1])), 12);
    const seen = await all('update counter set n = n + 1 where id = 1 returning n');
    const returned = seen.map((d) => (d.status === 'fulfilled' ? d.value.rows[0].n : d.reason));
    assert.deepEqual(
      returned.sort((a, b) => a - b),
      Array.from({ length: 12 }, (_, i) => 25 + i),
    );
    assert.equal(count(await all('insert into counter values ($1, 0) on conflict do nothing', [2])), 1);
    const inserted = await all('insert into counter values (3, 0)');
    assert.equal(count(inserted), 1);
    for (const d of inserted) if (d.status === 'rejected') assert.equal(d.reason.code, '23505');
    assert.equal(count(await all('delete from counter where id = 3')), 1);
    assert.deepEqual((await client.query('select id, n from counter order by id')).rows, [
      { id: 1, n: 36 },
      { id: 2, n: 0 },
    ]);
  } finally {
    await Promise.all(clients.map((c) => c.end()));
    await client.query('drop table counter');
  }
});
