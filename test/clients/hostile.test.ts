/** Clients that behave badly, or are many, do not keep others from their answers. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { serialize } from 'pg-protocol';
import { type ClientServer, startServer, until } from './server.ts';

const options = { timeout: 60_000 };
const LARGE = "select n, repeat('x', 200) as filler from generate_series(1, 200000) n";
let server: ClientServer;
let client: pg.Client;

before(async () => {
  server = await startServer();
  client = await session();
  await client.query(`create table t (id int primary key, v int); insert into t select n, n from generate_series(1, 100) n;
    create materialized view v as select sum(v) as total from t`);
});
after(async () => {
  await client.end();
  await server.close();
});

async function session(name = 'hostile'): Promise<pg.Client> {
  const made = new pg.Client({ ...server.config, application_name: name });
  await made.connect();
  return made;
}

/** A session over a bare socket, which can stop reading. */
async function bareSession(name: string): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  const ready = new Promise<void>((resolve) => {
    const look = (data: Buffer) => {
      if (data.at(-6) !== 0x5a) return;
      socket.removeListener('data', look);
      resolve();
    };
    socket.on('data', look);
  });
  socket.write(serialize.startup({ user: 'tester', database: 'db', application_name: name }));
  await ready;
  return socket;
}

const total = async () => (await client.query('select total from v')).rows[0].total as string;

test('200 idle connections', options, async () => {
  const idle: pg.Client[] = [];
  for (let i = 0; i < 10; i++) idle.push(...(await Promise.all(Array.from({ length: 20 }, () => session('idle')))));
  assert.equal(server.sessions('idle'), 200);
  assert.equal(
    (await client.query("select count(*)::int as n from pg_stat_activity where application_name = 'idle'")).rows[0].n,
    200,
  );
  assert.equal(await total(), '5050');
  const answers = await Promise.all(idle.map((one) => one.query('select total from v')));
  assert.ok(answers.every(({ rows }) => rows[0].total === '5050'));
  await Promise.all(idle.map((one) => one.end()));
  await until('they are gone', () => server.sessions('idle') === 0);
});

test('a client that is killed in the middle of a result', options, async () => {
  for (let i = 0; i < 3; i++) {
    const socket = await bareSession('killed');
    const some = new Promise((resolve) => socket.once('data', resolve));
    socket.write(serialize.query(LARGE));
    await some;
    socket.resetAndDestroy();
    await until('its session is gone', () => server.sessions('killed') === 0);
    assert.equal(await total(), '5050');
  }
});

test('a client that is killed in an open transaction leaves nothing', options, async () => {
  const socket = await bareSession('writer');
  socket.write(serialize.query('begin; insert into t values (1000, 1000)'));
  await new Promise((resolve) => socket.once('data', resolve));
  socket.resetAndDestroy();
  await until('its session is gone', () => server.sessions('writer') === 0);
  assert.equal(await total(), '5050');
});

test('a client that is killed while it follows a view', options, async () => {
  const socket = await bareSession('follower');
  const snapshot = new Promise((resolve) => socket.once('data', resolve));
  socket.write(serialize.query('copy (subscribe v) to stdout'));
  await snapshot;
  socket.resetAndDestroy();
  await until('its session is gone', () => server.sessions('follower') === 0);
  await client.query('update t set v = v + 1 where id = 1');
  assert.equal(await total(), '5051');
  await client.query('update t set v = v - 1 where id = 1');
});

test(
  "a slow reader of a large result does not stop others' answers, and gets all of it in the end",
  options,
  async () => {
    const slow = await bareSession('slow');
    slow.pause();
    slow.write(serialize.query(LARGE));
    await until('the result is held back', () =>
      server.running.postgres.sessions().some((s) => s.applicationName === 'slow' && s.state === 'active'),
    );
    for (let i = 0; i < 20; i++) {
      await client.query('update t set v = v + 1 where id = $1', [i + 1]);
      assert.equal(await total(), String(5051 + i));
    }
    assert.equal(server.sessions('slow'), 1);
    let bytes = 0;
    let tail = Buffer.alloc(0);
    slow.on('data', (data: Buffer) => {
      bytes += data.length;
      tail = Buffer.concat([tail, data]).subarray(-64);
    });
    slow.resume();
    await until('the whole result', () => tail.includes('SELECT 200000'));
    assert.ok(bytes > 200000 * 200, `${bytes} bytes`);
    slow.destroy();
  },
);

test('a slow follower of a view that changes much does not stop the ticks', options, async () => {
  await client.query('create table wide (id int primary key, filler text)');
  const slow = await bareSession('slow follower');
  slow.pause();
  slow.write(serialize.query('copy (subscribe (select * from wide)) to stdout'));
  for (let i = 0; i < 10; i++) {
    const rows = `select ${i} * 2000 + n, repeat('y', 500) from generate_series(1, 2000) n`;
    assert.equal((await client.query(`insert into wide ${rows}`)).rowCount, 2000);
  }
  assert.equal((await client.query('select count(*)::int as n from wide')).rows[0].n, 20000);
  slow.resetAndDestroy();
  await until('its session is gone', () => server.sessions('slow follower') === 0);
});
