/** What the catalogs say of live sessions, over a real server: activity, settings, cursors, prepared statements, locks, owners. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type RunningServer, runServer } from '../../cli/server.ts';

let server: RunningServer;
const clients: pg.Client[] = [];

async function connect(user: string): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port: server.postgres.port, user, database: 'shop' });
  await client.connect();
  clients.push(client);
  return client;
}

async function rows(client: pg.Client, text: string): Promise<unknown[][]> {
  return (await client.query<unknown[]>({ text, rowMode: 'array' })).rows;
}

before(async () => {
  server = await runServer({
    host: '127.0.0.1',
    port: 0,
    version: '0',
    log: () => undefined,
    init: [{ name: 'tables', text: 'CREATE TABLE t (a int)' }],
  });
});
after(async () => {
  for (const client of clients) await client.end();
  await server.close();
});

test('a session sees itself and others', async () => {
  const [ann, bob] = [await connect('ann'), await connect('bob')];
  await bob.query("SET application_name = 'reports'");
  assert.deepEqual(
    await rows(
      ann,
      `SELECT usename, application_name, state, host(client_addr), pid = pg_backend_pid() FROM pg_stat_activity ORDER BY usename`,
    ),
    [
      ['ann', '', 'active', '127.0.0.1', true],
      ['bob', 'reports', 'idle', '127.0.0.1', false],
    ],
  );
  assert.deepEqual(await rows(ann, 'SELECT datname, pg_get_userbyid(datdba) FROM pg_database'), [['shop', 'ann']]);
  assert.deepEqual(await rows(bob, "SELECT relowner::regrole::text FROM pg_class WHERE relname = 't'"), [['bob']]);
  assert.deepEqual(await rows(bob, 'SELECT rolname FROM pg_roles WHERE rolcanlogin'), [['bob']]);
});

test('settings are those of the session', async () => {
  const [ann, bob] = clients;
  await ann.query("SET work_mem = '8MB'");
  const asked = "SELECT setting, unit, source FROM pg_settings WHERE name = 'work_mem'";
  assert.deepEqual(await rows(ann, asked), [['8192', 'kB', 'session']]);
  assert.deepEqual(await rows(bob, asked), [['4096', 'kB', 'default']]);
  assert.deepEqual(await rows(ann, "SELECT current_setting(name) FROM pg_settings WHERE name = 'work_mem'"), [['8MB']]);
});

test('cursors and prepared statements are those of the session', async () => {
  const [ann, bob] = clients;
  await ann.query('BEGIN; DECLARE c CURSOR FOR SELECT 1; PREPARE p (int) AS SELECT $1');
  assert.deepEqual(await rows(ann, 'SELECT name, is_holdable FROM pg_cursors'), [['c', false]]);
  assert.deepEqual(
    await rows(ann, 'SELECT name, parameter_types::text, from_sql FROM pg_prepared_statements WHERE from_sql'),
    [['p', '{integer}', true]],
  );
  assert.deepEqual(await rows(bob, 'SELECT * FROM pg_cursors'), []);
  await ann.query('ROLLBACK');
});

test('the search path decides what is visible', async () => {
  const [ann] = clients;
  await ann.query('CREATE SCHEMA side; CREATE TABLE side.u (a int); SET search_path = side');
  assert.deepEqual(
    await rows(ann, "SELECT relname, pg_table_is_visible(oid) FROM pg_class WHERE relname IN ('t', 'u') ORDER BY 1"),
    [
      ['t', false],
      ['u', true],
    ],
  );
  assert.deepEqual(await rows(ann, "SELECT 'u'::regclass::text, 'public.t'::regclass::text, current_schema()"), [
    ['u', 'public.t', 'side'],
  ]);
  await ann.query('RESET search_path');
  assert.deepEqual(await rows(ann, 'SELECT current_schema(), current_schemas(false)::text'), [['public', '{public}']]);
});

test('advisory locks hold between sessions and end with theirs', async () => {
  const [ann] = clients;
  const eve = await connect('eve');
  await eve.query('SELECT pg_advisory_lock(42)');
  assert.deepEqual(await rows(ann, 'SELECT pg_try_advisory_lock(42)'), [[false]]);
  assert.deepEqual(await rows(ann, 'SELECT locktype, objid::int, mode FROM pg_locks'), [
    ['advisory', 42, 'ExclusiveLock'],
  ]);
  await assert.rejects(ann.query('SELECT pg_advisory_lock(42)'), { code: '55P03' });
  await eve.end();
  clients.pop();
  while ((await rows(ann, "SELECT 1 FROM pg_stat_activity WHERE usename = 'eve'")).length > 0);
  assert.deepEqual(await rows(ann, 'SELECT pg_try_advisory_lock(42)'), [[true]]);
});

test('pg_sleep can be cancelled, and times out', async () => {
  const [ann] = clients;
  assert.deepEqual(await rows(ann, 'SELECT pg_sleep(0.01)'), [['']]);
  await ann.query('SET statement_timeout = 20');
  await assert.rejects(ann.query('SELECT pg_sleep(1000)'), { code: '57014' });
  await ann.query('RESET statement_timeout');
});

test('a session knows both ends of its connection, and where the server listens', async () => {
  const [ann] = clients;
  const { port } = server.postgres;
  assert.deepEqual(
    await rows(
      ann,
      `SELECT host(inet_server_addr()), inet_server_port(), host(inet_client_addr()), inet_client_port() = client_port
         FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
    ),
    [['127.0.0.1', port, '127.0.0.1', true]],
  );
  assert.deepEqual(
    await rows(ann, "SELECT setting FROM pg_settings WHERE name IN ('listen_addresses', 'port') ORDER BY name"),
    [['127.0.0.1'], [String(port)]],
  );
});

test('what administers the server is for superusers, and says what it does', async () => {
  const [ann] = clients;
  const messages: (string | undefined)[] = [];
  for (const sql of ['CREATE ROLE plain', 'CREATE ROLE watcher', 'GRANT pg_monitor TO watcher']) await ann.query(sql);
  ann.on('notice', ({ message }) => messages.push(message));
  const calls = ['pg_reload_conf()', 'pg_rotate_logfile()', 'pg_current_logfile()', "pg_current_logfile('csvlog')"];
  assert.deepEqual(await rows(ann, `SELECT ${calls}`), [[true, false, null, null]]);
  assert.deepEqual(messages, ['rotation not possible because log collection not active']);
  await assert.rejects(ann.query("SELECT pg_current_logfile('x')"), { code: '22023' });
  const whenReset = 'SELECT stats_reset >= pg_postmaster_start_time() FROM pg_stat_database';
  assert.deepEqual(await rows(ann, whenReset), [[null]]);
  assert.deepEqual(await rows(ann, "SELECT pg_stat_reset_shared('archiver'), pg_stat_reset_shared()"), [['', '']]);
  await assert.rejects(ann.query("SELECT pg_stat_reset_shared('all')"), { code: '22023' });
  assert.deepEqual(await rows(ann, whenReset), [[null]]);
  await ann.query('SELECT pg_stat_reset()');
  assert.deepEqual(await rows(ann, whenReset), [[true]]);
  await ann.query('SET ROLE plain');
  const resets = ['pg_stat_reset()', "pg_stat_reset_shared('wal')", 'pg_stat_reset_single_table_counters(1)'];
  for (const call of [...calls, ...resets])
    await assert.rejects(ann.query(`SELECT ${call}`), {
      code: '42501',
      message: `permission denied for function ${call.slice(0, call.indexOf('('))}`,
    });
  // Also where no row calls it.
  const never = ['SELECT pg_reload_conf() WHERE false', 'SELECT 1 FROM reloading LIMIT 0'];
  await ann.query('RESET ROLE; CREATE VIEW reloading AS SELECT pg_reload_conf(); GRANT SELECT ON reloading TO plain');
  for (const sql of never) assert.deepEqual(await rows(ann, sql), []);
  await ann.query('SET ROLE plain');
  for (const sql of never)
    await assert.rejects(ann.query(sql), { code: '42501', message: 'permission denied for function pg_reload_conf' });
  await ann.query('SET ROLE watcher');
  assert.deepEqual(await rows(ann, 'SELECT pg_current_logfile()'), [[null]]);
  assert.deepEqual(await rows(ann, 'SELECT pg_current_logfile() WHERE false'), []);
  await ann.query('RESET ROLE');
});

test('the catalog says who may call what', async () => {
  const [ann] = clients;
  await ann.query(`CREATE ROLE caller; CREATE ROLE monitoring IN ROLE pg_monitor;
    CREATE FUNCTION pg_reload_conf(a int) RETURNS int LANGUAGE sql RETURN a; ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
    ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO monitoring; CREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql RETURN a * 2;
    ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC; ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM monitoring`);
  const may = async (role: string, what: string) =>
    (await rows(ann, `SELECT has_function_privilege('${role}', ${what}, 'EXECUTE')`))[0][0];
  for (const [what, caller, monitoring] of [
    ["'pg_reload_conf()'", false, false],
    ["'pg_reload_conf()'::regprocedure::oid", false, false],
    ["'pg_catalog.pg_current_logfile(text)'", false, true],
    ["'pg_ls_waldir()'", false, true],
    ["'abs(int)'", true, true],
    ["'twice(int)'", false, true],
    ["'public.pg_reload_conf(int)'", true, true],
    ['1::oid', null, null],
  ] as const) {
    assert.equal(await may('caller', what), caller, what);
    assert.equal(await may('monitoring', what), monitoring, what);
    assert.equal(await may('ann', what), caller === null ? null : true, what);
  }
  await assert.rejects(may('caller', "'twice(text)'"), { code: '42883' });
  assert.deepEqual(
    await rows(
      ann,
      `SELECT oid::regprocedure::text, proacl::text[] FROM pg_proc
         WHERE proname IN ('pg_reload_conf', 'pg_current_logfile', 'twice', 'pg_backend_pid') ORDER BY proname COLLATE "C", pronargs`,
    ),
    [
      ['pg_backend_pid()', null],
      ['pg_current_logfile()', ['ann=X/ann', 'pg_monitor=X/ann']],
      ['pg_current_logfile(text)', ['ann=X/ann', 'pg_monitor=X/ann']],
      ['pg_reload_conf()', ['ann=X/ann']],
      ['pg_reload_conf(integer)', null],
      ['twice(integer)', ['ann=X/ann', 'monitoring=X/ann']],
    ],
  );
});

test('positions of replication are subtracted, and none are of a standby', async () => {
  const [ann] = clients;
  assert.deepEqual(
    await rows(
      ann,
      `SELECT pg_wal_lsn_diff(l, l), pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(), pg_last_xact_replay_timestamp()
         FROM (SELECT pg_current_wal_lsn() AS l) AS x`,
    ),
    [['0', null, null, null]],
  );
});

test('beside a long statement of calls in JavaScript others read, and end it', async () => {
  const [ann, bob] = clients;
  await ann.query(`CREATE FUNCTION long(a int) RETURNS int LANGUAGE javascript IMMUTABLE
    AS 'let n = a; for (let i = 0; i < 300000; i++) n = (n * 31 + i) | 0; return n'`);
  await ann.query('CREATE TABLE computed (a int)');
  await ann.query('CREATE TABLE given (a int)');
  await ann.query('INSERT INTO given SELECT generate_series(1, 1500)');
  const [[pid]] = await rows(ann, 'SELECT pg_backend_pid()');
  for (const text of [
    'INSERT INTO computed SELECT long(a) FROM given',
    'INSERT INTO computed SELECT long(i) FROM generate_series(2001, 3500) AS i',
    'UPDATE given SET a = long(a + 4000)',
    'SELECT sum(long(a + 6000)) FROM given WHERE long(a + 8000) > 0',
    'SELECT long(a + 10000) FROM given',
    'SELECT max(long(a)) FROM (VALUES (1)) AS few, LATERAL (SELECT a + 12000 FROM given) AS x (a)',
  ]) {
    const running = assert.rejects(ann.query(text), { code: '57014' }, text);
    const asked = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND state = 'active'";
    while ((await bob.query(asked, [pid])).rowCount === 0);
    await running;
  }
  assert.deepEqual(await rows(bob, 'SELECT count(*)::int FROM computed'), [[0]]);
  assert.deepEqual(await rows(bob, 'SELECT sum(a)::int FROM given'), [[1125750]]);
});
