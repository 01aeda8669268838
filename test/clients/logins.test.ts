/** A server that asks for passwords: who comes in, with which rights, and what nobody gets to see. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { serialize } from 'pg-protocol';
import postgres from 'postgres';
import { type ClientServer, run, startServer, until } from './server.ts';
import { findPsql, pathOf, skip } from './tools.ts';

const psql = await findPsql();
const options = { timeout: 60_000 };
let server: ClientServer;
let admin: pg.Client;

const as = (user: string, password: string | undefined) => ({ ...server.config, user, password });

before(async () => {
  server = await startServer({ auth: 'scram', password: 'first secret' });
  admin = new pg.Client(as('tidemark', 'first secret'));
  await admin.connect();
  await admin.query(`CREATE TABLE t (id int PRIMARY KEY, v text);
    INSERT INTO t VALUES (1, 'one');
    CREATE MATERIALIZED VIEW counts AS SELECT count(*)::int AS n FROM t;
    CREATE ROLE dashboard LOGIN PASSWORD 'only reads';
    CREATE ROLE app LOGIN PASSWORD 'writes, too';
    GRANT SELECT ON t, counts TO dashboard`);
});
after(async () => {
  await admin.end();
  await server.close();
});

async function refusal(user: string, password: string | undefined): Promise<string> {
  const client = new pg.Client(as(user, password));
  const error = await client.connect().then(
    () => client.end().then(() => null),
    (cause: Error & { code?: string }) => cause,
  );
  assert.ok(error !== null, `${user} came in`);
  return `${error.code} ${error.message}`;
}

async function withClient<T>(user: string, password: string, act: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(as(user, password));
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}

const failure = (running: Promise<unknown>): Promise<string> =>
  running.then(
    () => 'done',
    (cause: Error & { code?: string }) => `${cause.code} ${cause.message}`,
  );

test('a wrong password, no role of that name, none to log in: nobody learns which', options, async () => {
  await admin.query(`CREATE ROLE nopassword LOGIN; CREATE ROLE old LOGIN PASSWORD 'was good' VALID UNTIL '2001-01-01';
    CREATE ROLE locked PASSWORD 'right'`);
  for (const [user, password] of [
    ['dashboard', 'wrong'],
    ['nobody', 'wrong'],
    ['nopassword', ''],
    ['old', 'was good'],
    ['tidemark', 'only reads'],
    ['pg_monitor', 'any'],
  ])
    if (password !== '')
      assert.equal(await refusal(user, password), `28P01 password authentication failed for user "${user}"`);
  assert.equal(await refusal('locked', 'right'), '28000 role "locked" is not permitted to log in');
});

test('postgres.js and psql come in', options, async () => {
  const sql = postgres({ ...as('dashboard', 'only reads'), username: 'dashboard', max: 1 });
  assert.deepEqual([...(await sql`SELECT current_user AS u, session_user AS s`)], [{ u: 'dashboard', s: 'dashboard' }]);
  await sql.end();
  if (skip(psql)) return;
  const env = { ...server.env, PGUSER: 'dashboard', PGPASSWORD: 'only reads' };
  const { stdout } = await run(pathOf(psql), ['-X', '-A', '-t', '-c', 'SELECT n FROM counts'], { env });
  assert.equal(stdout, '1\n');
});

test('a password in any form of its characters, and as a verifier that the client has made', options, async () => {
  await admin.query(`CREATE ROLE umlaut LOGIN PASSWORD 'scho\u0308n\u00a0IX'`);
  await withClient('umlaut', 'sch\u00f6n \u2168', (client) => client.query('SELECT 1'));
  const { rows } = await admin.query(`SELECT rolpassword FROM pg_authid WHERE rolname = 'dashboard'`);
  assert.match(rows[0].rolpassword, /^SCRAM-SHA-256\$4096:[^:]+\$[^:]+:.+$/);
  await admin.query(`CREATE ROLE copied LOGIN PASSWORD '${rows[0].rolpassword}'`);
  await withClient('copied', 'only reads', (client) => client.query('SELECT 1'));
  assert.equal(
    await failure(admin.query(`CREATE ROLE weak PASSWORD 'md5${'0'.repeat(32)}'`)),
    '0A000 MD5 passwords are not supported',
  );
});

test('who reads cannot write, and hears of a REVOKE at the next statement of a plan that is kept', options, () =>
  withClient('dashboard', 'only reads', async (client) => {
    const read = { name: 'read', text: 'SELECT v FROM t WHERE id = $1', values: [1] };
    assert.deepEqual((await client.query(read)).rows, [{ v: 'one' }]);
    assert.equal(await failure(client.query(`INSERT INTO t VALUES (2, 'two')`)), '42501 permission denied for table t');
    assert.equal(await failure(client.query('COPY t FROM STDIN')), '42501 permission denied for table t');
    assert.equal(await failure(client.query('CREATE TABLE x (a int)')), '42501 permission denied for schema public');
    assert.equal(await failure(client.query('DROP TABLE t')), '42501 must be owner of table t');
    await admin.query('REVOKE SELECT ON t FROM dashboard');
    const denied = '42501 permission denied for table t';
    assert.equal(await failure(client.query(read)), denied);
    assert.equal(await failure(client.query('SELECT v FROM t WHERE id = 1')), denied);
    for (const sql of [
      'SUBSCRIBE t',
      'COPY t TO STDOUT',
      'COPY (SELECT * FROM t) TO STDOUT',
      'EXPLAIN SELECT * FROM t',
    ])
      assert.equal(await failure(client.query(sql)), denied, sql);
    assert.equal(
      await failure(client.query('CREATE TEMP TABLE mine AS SELECT * FROM t')),
      denied,
      'a table of what may not be read',
    );
    assert.equal(await failure(client.query(`SELECT * FROM tidemark.errors('counts')`)), 'done');
    await admin.query('REVOKE SELECT ON counts FROM dashboard');
    assert.equal(
      await failure(client.query(`SELECT * FROM tidemark.errors('counts')`)),
      '42501 permission denied for materialized view counts',
    );
    await admin.query('GRANT SELECT ON t, counts TO dashboard');
    assert.deepEqual((await client.query(read)).rows, [{ v: 'one' }]);
  }),
);

test('no superuser any more: the open session hears of it', options, async () => {
  await admin.query(`CREATE ROLE mighty LOGIN SUPERUSER PASSWORD 'm'`);
  await withClient('mighty', 'm', async (client) => {
    assert.equal(await failure(client.query('SELECT * FROM t')), 'done');
    await admin.query('ALTER ROLE mighty NOSUPERUSER');
    assert.equal(await failure(client.query('SELECT * FROM t')), '42501 permission denied for table t');
    await admin.query('ALTER ROLE mighty RENAME TO weak');
    assert.deepEqual((await client.query('SELECT current_user AS u')).rows, [{ u: 'weak' }]);
    await admin.query('DROP ROLE weak');
    assert.equal(await failure(client.query('SELECT * FROM t')), '42501 permission denied for table t');
    assert.equal(await failure(client.query('CREATE ROLE again SUPERUSER')), '42501 permission denied to create role');
  });
});

test('session_user and current_user; only a superuser becomes another', options, async () => {
  await admin.query('SET SESSION AUTHORIZATION dashboard');
  const who = 'SELECT session_user AS s, current_user AS c';
  assert.deepEqual((await admin.query(who)).rows, [{ s: 'dashboard', c: 'dashboard' }]);
  assert.equal(await failure(admin.query('SET ROLE app')), '42501 permission denied to set role "app"');
  assert.equal(await failure(admin.query('CREATE ROLE x')), '42501 permission denied to create role');
  await admin.query('DISCARD ALL');
  assert.deepEqual((await admin.query(who)).rows, [{ s: 'tidemark', c: 'tidemark' }]);
  await withClient('dashboard', 'only reads', async (client) => {
    assert.equal(
      await failure(client.query('SET SESSION AUTHORIZATION tidemark')),
      '42501 permission denied to set session authorization',
    );
    assert.equal(
      await failure(client.query(`SELECT set_config('role', 'app', false)`)),
      '42501 permission denied to set role "app"',
    );
    assert.deepEqual((await client.query(who)).rows, [{ s: 'dashboard', c: 'dashboard' }]);
  });
});

test('settings of a role, its limit of connections', options, async () => {
  await admin.query(`CREATE ROLE one LOGIN PASSWORD 'one' CONNECTION LIMIT 1;
    ALTER ROLE one SET search_path TO "My schema", public; ALTER ROLE ALL SET application_name = 'everyone'`);
  await withClient('one', 'one', async (client) => {
    assert.deepEqual((await client.query('SHOW search_path')).rows, [{ search_path: '"My schema", public' }]);
    assert.deepEqual((await client.query('SHOW application_name')).rows, [{ application_name: 'everyone' }]);
    assert.equal(await refusal('one', 'one'), '53300 too many connections for role "one"');
  });
  await admin.query('ALTER ROLE ALL RESET ALL');
  await withClient('app', 'writes, too', async (client) => {
    assert.equal(await failure(client.query(`ALTER ROLE app SET role = 'tidemark'`)), 'done');
    assert.equal(
      await failure(client.query(`ALTER ROLE app SET is_superuser = 'on'`)),
      '55P02 parameter "is_superuser" cannot be changed',
    );
    assert.equal(await failure(client.query('ALTER ROLE one RESET ALL')), '42501 permission denied to alter role');
  });
  await withClient('app', 'writes, too', async (client) => {
    assert.deepEqual((await client.query('SELECT current_user AS u')).rows, [{ u: 'app' }]);
    await client.query('ALTER ROLE app RESET ALL');
  });
});

test('what others run is not shown, and a password to nobody', options, async () => {
  await withClient('app', 'writes, too', async (client) => {
    const shown = (who: pg.Client) =>
      who.query(`SELECT query FROM pg_stat_activity WHERE usename = 'app'`).then(({ rows }) => rows[0].query);
    await client.query(`/* a */ ALTER /* b */ ROLE app PASSWORD 'writes, too'`);
    assert.equal(await shown(admin), '/* a */ ALTER /* b */ ROLE app PASSWORD ...');
    await withClient('dashboard', 'only reads', async (other) => {
      assert.equal(await shown(other), '<insufficient privilege>');
      const pid = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
      assert.equal(
        await failure(other.query('SELECT pg_terminate_backend($1)', [pid])),
        '42501 permission denied to terminate process',
      );
    });
  });
});

test('a statement is cancelled without a login', options, async () => {
  await withClient('app', 'writes, too', async (client) => {
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const running = failure(client.query('SELECT pg_sleep(30)'));
    await until('it sleeps', () => server.running.postgres.sessions().some((s) => s.query.includes('pg_sleep')));
    const socket = connect(server.port, '127.0.0.1');
    socket.end(serialize.cancel(processID, secretKey));
    assert.equal(await running, '57014 canceling statement due to user request');
  });
});

test('a connection that says no password is no session, and what it says is short', options, async () => {
  const before = server.sessions();
  const socket = connect(server.port, '127.0.0.1');
  const said: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => said.push(bytes));
  socket.write(serialize.startup({ user: 'app' }));
  await until('it is asked', () => said.length > 0);
  assert.equal(said[0].toString('latin1', 9), 'SCRAM-SHA-256\0\0');
  assert.equal(server.sessions(), before);
  const head = Buffer.from([0x70, 0, 0x10, 0, 0]);
  socket.write(head);
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await ended;
  assert.match(Buffer.concat(said).toString('latin1'), /invalid message length/);
});
