/** connector = 'postgres' beside a real PostgreSQL: values of all types, changes of all kinds, one moment for a transaction, and what is said when something is not right. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket, connect as tcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import pg from 'pg';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import { parseLsn } from '../../src/postgres/replication/lsn.ts';
import { Authority, noOpenssl } from '../../src/postgres/testing/certificates.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { parsePostgresOptions } from '../../src/sources/postgres/options.ts';
import { UpstreamSession } from '../../src/sources/postgres/session.ts';
import { checkSlot } from '../../src/sources/postgres/slot.ts';
import { otherLayout } from '../durable/other_layout.ts';
import { openEngine, pumpUntil, sql } from '../engine/harness.ts';
import { type PostgresServer, startPostgres } from './postgres_server.ts';
import { type ClientServer, startServer, until } from './server.ts';
import { rows } from './sessions.ts';

const NONE = 'no PostgreSQL server on this machine';
let postgres: PostgresServer | null = null;
let server: ClientServer;
let here: pg.Client;
let there: pg.Client;

async function connected(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(config);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

before(async () => {
  postgres = await startPostgres(['wal_level=logical', 'max_replication_slots=20', 'max_wal_senders=20']);
  if (postgres === null) return;
  server = await startServer();
  here = await connected(server.config);
  there = await connected(postgres.config);
});
after(async () => {
  await here?.end();
  await there?.end();
  await server?.close();
  await postgres?.close();
});
/** Each test has names of its own. */
let number = 0;
let p = '';
beforeEach(() => {
  p = `p${++number}`;
});

function from(table: string, others: Record<string, string> = {}): string {
  const { host, port, user, database } = (postgres as PostgresServer).config;
  const options = { host, port, database, user, table, publication: p, ...others };
  return `WITH (connector = 'postgres', ${Object.entries(options)
    .map(([name, value]) => `${name} = '${value}'`)
    .join(', ')})`;
}

async function status(table: string): Promise<string> {
  const [[text]] = await rows(here, `SELECT status FROM tidemark.sources WHERE oid = '${table}'::regclass`);
  return text as string;
}

/** Until the rows that were there are read: they can be seen before. */
async function following(...tables: string[]): Promise<void> {
  for (const table of tables) await until(`${table} is read`, async () => (await status(table)) === 'running');
}

/** Until the query gives the same here as there. */
async function same(query: string): Promise<void> {
  await until(query, async () => {
    const [wanted, found] = [await rows(there, query), await rows(here, query)];
    return JSON.stringify(wanted) === JSON.stringify(found);
  }).catch(async (error) => {
    assert.deepEqual(await rows(here, query), await rows(there, query));
    throw error;
  });
}

const TYPES: [type: string, ...values: string[]][] = [
  ['boolean', 'true', 'false'],
  ['smallint', '-32768', '32767'],
  ['int', '-2147483648', '7'],
  ['bigint', '9223372036854775807', '0'],
  ['numeric', "'NaN'", "'Infinity'", '1e-20', '123456789012345678901234567890.5'],
  ['numeric(8,3)', '12345.678', '-0.0005'],
  ['real', '1.1', "'-Infinity'", '3.4e38'],
  ['double precision', '0.1', "'NaN'", '1.7976931348623157e308'],
  [
    'text',
    `E'tab\\t line\\n back\\\\ null \\\\N unchanged \\\\U \\r\\b\\f\\v'`,
    "''",
    "'ñ 水 😀'",
    `E'\\\\N'`,
    `E'\\\\U'`,
  ],
  ['varchar(5)', "'abc'", "'  '"],
  ['char(4)', "'ab'"],
  ['bytea', `'\\x00ff5c0a'`, "''"],
  ['date', "'infinity'", "'4713-01-01 BC'", "'2026-02-28'"],
  ['time', "'24:00'", "'12:34:56.789012'"],
  ['timestamp', "'-infinity'", "'2026-01-01 12:00:00.000001'"],
  ['timestamptz', "'2026-06-01 12:00+05:30'", "'0044-03-15 BC'"],
  ['interval', "'1 year 2 mons -3 days 04:05:06.7'"],
  ['uuid', "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"],
  ['json', `'{"a": [1, 2 ],  "a": "x\\n"}'`],
  ['jsonb', `'{"b": 1.50, "a": null}'`, "'null'"],
  ['int[]', "'{1,NULL,3}'", "'[2:3]={5,6}'", "'{{1,2},{3,4}}'"],
  ['text[]', `ARRAY['a,b', 'NULL', NULL, E'q"\\\\', '']`],
  ['int4range', "'[1,5)'", "'empty'"],
  ['tstzrange', "'[2026-01-01,)'"],
  ['int8multirange', "'{[1,2),[5,9)}'"],
];

test('values of every type, in the rows that are there and in changes', async (t) => {
  if (postgres === null) return t.skip(NONE);
  const columns = TYPES.map(([type], i) => `c${i} ${type}`).join(', ');
  await there.query(
    `CREATE TABLE typed (id int PRIMARY KEY, ${columns}, other int); CREATE PUBLICATION ${p} FOR TABLE typed`,
  );
  const most = Math.max(...TYPES.map((values) => values.length - 1));
  const row = (id: number, at: number) =>
    `(${[id, ...TYPES.map(([type, ...values]) => `(${values[at] ?? 'NULL'})::${type}`), 'NULL'].join(', ')})`;
  const all = (first: number) => Array.from({ length: most + 1 }, (_, i) => row(first + i, i)).join(', ');
  await there.query(`INSERT INTO typed VALUES ${all(0)}`);
  await here.query(`CREATE TABLE typed (id int PRIMARY KEY, ${columns}) ${from('typed')}`);
  const query = `SELECT id, ${TYPES.map((_, i) => `c${i}::text`).join(', ')} FROM typed ORDER BY id`;
  await there.query("SET timezone = 'UTC'");
  await here.query("SET timezone = 'UTC'");
  await same(query);
  await there.query(`INSERT INTO typed VALUES ${all(100)}`);
  await there.query('UPDATE typed SET other = 1');
  await same(query);
  assert.equal(await status('typed'), 'running');
  assert.deepEqual(await rows(here, "SELECT reason FROM tidemark.errors('typed')"), []);
  await here.query('DROP TABLE typed');
});

test('enums and domains by their texts, and columns by their names', async (t) => {
  if (postgres === null) return t.skip(NONE);
  for (const client of [here, there])
    await client.query(`CREATE TYPE mood AS ENUM ('ok', 'sad'); CREATE DOMAIN small AS int CHECK (VALUE < 10)`);
  await there.query(`CREATE SCHEMA "Shop.x"; CREATE TABLE "Shop.x"."T" (gone int, m mood, "Id" small, PRIMARY KEY ("Id"));
    ALTER TABLE "Shop.x"."T" DROP COLUMN gone; INSERT INTO "Shop.x"."T" VALUES ('sad', 1); CREATE PUBLICATION ${p} FOR ALL TABLES`);
  await assert.rejects(
    here.query(`CREATE TABLE t ("Id" small PRIMARY KEY, m mood) ${from('Shop.x.T')}`),
    /"Shop\.x\.T"/,
  );
  await there.query(`ALTER SCHEMA "Shop.x" RENAME TO "Shop"`);
  await here.query(`CREATE TABLE t ("Id" small PRIMARY KEY, m mood) ${from('Shop.T')}`);
  await there.query(`INSERT INTO "Shop"."T" VALUES ('ok', 2)`);
  await until('rows', async () => (await rows(here, 'SELECT * FROM t')).length === 2);
  assert.deepEqual(await rows(here, 'SELECT "Id", m FROM t ORDER BY m'), [
    [2, 'ok'],
    [1, 'sad'],
  ]);
  await here.query('DROP TABLE t');
  await there.query(`DROP PUBLICATION ${p}`);
});

test('changes of all kinds: of keys, of values that do not come again, of all rows', async (t) => {
  if (postgres === null) return t.skip(NONE);
  const long = "(SELECT string_agg(md5(i || 'x'), '') FROM generate_series(1, 300) i)";
  await there.query(`
    CREATE TABLE d (id int PRIMARY KEY, v int, note text); CREATE TABLE f (id int PRIMARY KEY, v int, note text);
    CREATE TABLE i (a int, id int NOT NULL, v int, note text); CREATE UNIQUE INDEX i_id ON i (id);
    ALTER TABLE f REPLICA IDENTITY FULL; ALTER TABLE i REPLICA IDENTITY USING INDEX i_id;
    CREATE PUBLICATION ${p} FOR TABLE d, f, i;`);
  const tables = ['d', 'f', 'i'];
  for (const name of tables) {
    await there.query(`INSERT INTO ${name} (id, v, note) SELECT n, n, ${long} FROM generate_series(1, 20) n`);
    await here.query(`CREATE TABLE ${name} (note text, id int PRIMARY KEY, v int) ${from(name)}`);
  }
  const check = async () => {
    for (const name of tables) await same(`SELECT id, v, md5(note) FROM ${name} ORDER BY id`);
  };
  await check();
  for (const change of [
    'UPDATE T SET v = v + 1',
    'UPDATE T SET id = id + 100 WHERE id < 5',
    'UPDATE T SET id = id + 1 WHERE id = 20; UPDATE T SET id = 20 WHERE id = 19; UPDATE T SET v = 0 WHERE id >= 20',
    'DELETE FROM T WHERE id = 7; INSERT INTO T (id) VALUES (7); UPDATE T SET note = repeat(md5(id::text), 200) WHERE id < 10',
    'BEGIN; DELETE FROM T; INSERT INTO T (id, v, note) VALUES (1, 1, repeat(md5(random()::text), 200)); UPDATE T SET v = 2; UPDATE T SET id = 3; COMMIT',
    "BEGIN; INSERT INTO T (id, v) VALUES (50, 1); TRUNCATE T; INSERT INTO T (id, v, note) SELECT n, n, 'n' FROM generate_series(1, 9) n; UPDATE T SET v = 5 WHERE id = 5; COMMIT",
    'TRUNCATE T',
    'INSERT INTO T (id) VALUES (1)',
    'BEGIN; DELETE FROM T; ROLLBACK; BEGIN; SAVEPOINT a; DELETE FROM T; ROLLBACK TO a; INSERT INTO T (id) VALUES (2); COMMIT',
  ]) {
    for (const name of tables) await there.query(change.replaceAll(/\bT\b/g, name));
    await check();
  }
  await here.query('DROP TABLE d, f, i');
});

test('a transaction is one tick for all its tables', async (t) => {
  if (postgres === null) return t.skip(NONE);
  await there.query(`CREATE TABLE left_side (id int PRIMARY KEY, n int); CREATE TABLE right_side (id int PRIMARY KEY, n int);
    INSERT INTO left_side SELECT i, 100 FROM generate_series(1, 20) i; INSERT INTO right_side SELECT i, 100 FROM generate_series(1, 20) i;
    CREATE PUBLICATION ${p} FOR TABLE left_side, right_side`);
  await here.query(`CREATE TABLE left_side (id int PRIMARY KEY, n int) ${from('left_side')}`);
  await here.query(`CREATE TABLE right_side (id int PRIMARY KEY, n int) ${from('right_side')}`);
  await following('left_side', 'right_side');
  await here.query(
    'CREATE MATERIALIZED VIEW total AS SELECT (SELECT sum(n) FROM left_side) AS l, (SELECT sum(n) FROM right_side) AS r',
  );
  const follower = await connected(server.config);
  await follower.query('BEGIN; DECLARE c CURSOR FOR SUBSCRIBE total');
  // Several of them may come in one tick.
  for (let i = 1; i <= 200; i++) {
    await there.query(
      `BEGIN; UPDATE left_side SET n = n - ${i} WHERE id = ${1 + (i % 20)}; UPDATE right_side SET n = n + ${i} WHERE id = ${1 + ((i * 7) % 20)}; COMMIT`,
    );
  }
  await same('SELECT id, n FROM left_side ORDER BY id');
  await same('SELECT id, n FROM right_side ORDER BY id');
  const { rows: changes } = await follower.query<{ l: string; r: string }>('FETCH ALL c');
  assert.ok(changes.length > 1, `${changes.length} changes`);
  for (const { l, r } of changes) assert.equal(Number(l) + Number(r), 4000);
  await follower.end();
  await here.query('DROP TABLE left_side, right_side CASCADE');
});

test('rows that do not fit are rows of tidemark.errors', async (t) => {
  if (postgres === null) return t.skip(NONE);
  await there.query(
    `CREATE TABLE wide (id bigint PRIMARY KEY, n int); INSERT INTO wide VALUES (1, 1), (2, NULL), (5000000000, 3); CREATE PUBLICATION ${p} FOR TABLE wide`,
  );
  await here.query(`CREATE TABLE wide (id int PRIMARY KEY, n smallint NOT NULL) ${from('wide')}`);
  await there.query('INSERT INTO wide VALUES (3, 70000), (4, 4)');
  await until('rows', async () => (await rows(here, 'SELECT * FROM wide')).length === 2);
  const errors = await rows(
    here,
    "SELECT topic, sqlstate, column_name, convert_from(message, 'UTF8') FROM tidemark.errors('wide') ORDER BY \"offset\"",
  );
  assert.deepEqual(errors, [
    ['wide', '23502', 'n', '2\t\\N'],
    ['wide', '22003', 'id', '5000000000\t3'],
    ['wide', '22003', 'n', '3\t70000'],
  ]);
  await here.query('DROP TABLE wide');
});

test('what CREATE TABLE refuses', async (t) => {
  if (postgres === null) return t.skip(NONE);
  await there.query(`
    CREATE TABLE r (id int PRIMARY KEY, a int, b int, twice int GENERATED ALWAYS AS (a * 2) STORED); CREATE TABLE unlisted (id int PRIMARY KEY); CREATE TABLE keyless (id int);
    CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE VIEW seen AS SELECT 1 AS id;
    CREATE ROLE plain LOGIN; CREATE ROLE blind LOGIN REPLICATION; CREATE ROLE known LOGIN REPLICATION PASSWORD 'right';
    CREATE PUBLICATION ${p} FOR TABLE r, keyless, parted; CREATE PUBLICATION inserts FOR TABLE r WITH (publish = 'insert');
    CREATE PUBLICATION few FOR TABLE r WHERE (id > 5); CREATE PUBLICATION narrow FOR TABLE r (id, b);
`);
  await there.query("SELECT pg_create_logical_replication_slot('other_plugin', 'test_decoding')");
  const refused = async (
    columns: string,
    table: string,
    others: Record<string, string>,
    code: string,
    message: RegExp,
  ) => {
    await assert.rejects(
      here.query(`CREATE TABLE refused (${columns}) ${from(table, others)}`),
      (error: pg.DatabaseError) => {
        assert.match(`${error.message} ${error.hint}`, message);
        assert.equal(error.code, code);
        return true;
      },
    );
  };
  const id = 'id int PRIMARY KEY';
  await refused('id int', 'r', {}, '42P16', /PRIMARY KEY/);
  await refused(id, 'r', { topic: 'x' }, '22023', /unrecognized option "topic" for connector "postgres"/);
  await refused(id, '', {}, '22023', /needs the option "table"/);
  await refused(id, 'r', { slot: 'No' }, '22023', /"slot"/);
  await refused(id, 'r', { port: '1' }, '08001', /could not connect to PostgreSQL at 127\.0\.0\.1:1: .*ECONNREFUSED/);
  await refused(id, 'r', { database: 'none' }, '3D000', /could not log in .* database "none" does not exist/);
  await refused(id, 'r', { user: 'plain' }, '42501', /may not replicate.* ALTER ROLE "plain" REPLICATION/);
  await refused(id, 'r', { user: 'blind' }, '42501', /may not read table "public\.r".* GRANT SELECT/);
  await refused(id, 'none', {}, '42P01', /table "public\.none" does not exist in database "postgres"/);
  await refused(id, 'seen', {}, '0A000', /no plain table/);
  await refused(id, 'parted', {}, '0A000', /no plain table/);
  await refused(id, 'r', { publication: 'none' }, '42704', /publication "none" does not exist.*CREATE PUBLICATION/);
  await refused(id, 'unlisted', {}, '42704', /does not have table "public\.unlisted".*ADD TABLE/);
  await refused(id, 'r', { publication: 'inserts' }, '55000', /every kind of change/);
  await refused(id, 'r', { publication: 'few' }, '0A000', /only some rows/);
  await refused(`${id}, a int`, 'r', { publication: 'narrow' }, '42703', /does not have column "a"/);
  await refused(`${id}, c int`, 'r', {}, '42703', /has no column "c"/);
  await refused(`${id}, twice int`, 'r', {}, '0A000', /is generated/);
  await refused('a int PRIMARY KEY', 'r', {}, '42P10', /do not tell rows by \(a\)/);
  await refused(id, 'keyless', {}, '42P10', /do not tell rows by \(id\)/);
  await refused(id, 'r', { slot: 'other_plugin' }, '55000', /another plugin/);
  await refused(id, 'r', { ssl: 'true' }, '08001', /does not take TLS/);
  assert.equal((await rows(there, "SELECT 1 FROM pg_replication_slots WHERE plugin = 'pgoutput'")).length, 0);
  await there.query("SELECT pg_drop_replication_slot('other_plugin')");
});

test('a password is proved, and not shown', async (t) => {
  if (postgres === null) return t.skip(NONE);
  const hashed = await startPostgres(['wal_level=logical'], 'postgres', 'scram-sha-256');
  const plain = await startPostgres(['wal_level=replica']);
  if (hashed === null || plain === null) return t.skip(NONE);
  try {
    const at = (one: PostgresServer, password: string) =>
      here.query(
        `CREATE TABLE secret (id int PRIMARY KEY) ${from('secret', { port: String(one.config.port), password })}`,
      );
    await assert.rejects(at(hashed, 'wrong'), {
      code: '28P01',
      message: /could not log in .*password authentication failed/,
    });
    // It is let in, and looks for the table.
    await assert.rejects(at(hashed, 'postgres'), { code: '42P01' });
    await assert.rejects(at(plain, ''), { code: '55000', message: /wal_level is "replica"/ });
    const other = await connected(server.config);
    const shown = here
      .query(
        `SELECT 1; CREATE TABLE secret (id int PRIMARY KEY) ${from('secret', { password: "it's", port: '1' })}`.replaceAll(
          "it's",
          "it''s",
        ),
      )
      .catch(() => undefined);
    await shown;
    const [[text]] = await rows(other, "SELECT string_agg(query, ' ') FROM pg_stat_activity");
    assert.match(text as string, /connector = 'postgres'/);
    assert.doesNotMatch(text as string, /it''s|'s'/);
    await other.end();
  } finally {
    await hashed.close();
    await plain.close();
  }
});

test('the other ways to log in, and TLS', { skip: noOpenssl }, async (t) => {
  if (postgres === null) return t.skip(NONE);
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-upstream-tls-'));
  const authority = new Authority(folder);
  const { certFile, keyFile } = authority.sign('server');
  // PostgreSQL refuses keys that are not its user's alone.
  if (process.getuid?.() === 0) for (const file of [folder, certFile, keyFile]) chownSync(file, 65534, 65534);
  chmodSync(keyFile, 0o600);
  const tls = ['ssl=on', `ssl_cert_file=${certFile}`, `ssl_key_file=${keyFile}`];
  try {
    for (const auth of ['md5', 'password'] as const) {
      const other = await startPostgres(['wal_level=logical', 'password_encryption=md5', ...tls], 'postgres', auth);
      if (other === null) return t.skip(NONE);
      try {
        const there = await connected(other.config);
        await there.query(`CREATE TABLE login_${auth} (id int PRIMARY KEY); INSERT INTO login_${auth} VALUES (1);
          CREATE PUBLICATION ${p} FOR ALL TABLES; CREATE ROLE reader SUPERUSER LOGIN PASSWORD 'of reader'`);
        await there.end();
        const port = String(other.config.port);
        const make = (password: string, more: Record<string, string>) =>
          here.query(
            `CREATE TABLE login_${auth} (id int PRIMARY KEY) ${from(`login_${auth}`, { port, user: 'reader', password, ...more })}`,
          );
        await assert.rejects(make('wrong', {}), { code: '28P01' });
        await assert.rejects(make('of reader', { ssl: 'true' }), { code: '08001', message: /certificate/ });
        await make('of reader', { ssl_ca: authority.certFile });
        await until('copied', async () => (await rows(here, `SELECT * FROM login_${auth}`)).length === 1);
        await here.query(`DROP TABLE login_${auth}`);
      } finally {
        await other.close();
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a table that is altered there is followed no further, and the others are', async (t) => {
  if (postgres === null) return t.skip(NONE);
  const alterations: [name: string, statement: string, said: RegExp][] = [
    ['retyped', 'ALTER TABLE retyped ALTER n TYPE bigint', /"public\.retyped" has another type of column "n" since/],
    ['shortened', 'ALTER TABLE shortened DROP COLUMN n', /has no column "n"/],
    ['readded', 'ALTER TABLE readded DROP COLUMN n, ADD COLUMN n int DEFAULT 5', /has another column "n"/],
    ['renamed', 'ALTER TABLE renamed RENAME COLUMN n TO m', /has no column "n"/],
    ['unkeyed', 'ALTER TABLE unkeyed REPLICA IDENTITY FULL', /REPLICA IDENTITY/],
  ];
  const names = ['kept', ...alterations.map(([name]) => name)];
  await there.query(`${names.map((name) => `CREATE TABLE ${name} (id int PRIMARY KEY, n int); INSERT INTO ${name} VALUES (1, 1)`).join(';')};
    CREATE PUBLICATION ${p} FOR TABLE ${names.join(', ')}`);
  for (const name of names) await here.query(`CREATE TABLE ${name} (id int PRIMARY KEY, n int) ${from(name)}`);
  await following(...names);
  await there.query(
    'ALTER TABLE kept ADD COLUMN more text DEFAULT 7; UPDATE kept SET n = 2; INSERT INTO kept VALUES (2, 2)',
  );
  await same('SELECT id, n FROM kept ORDER BY id');
  for (const [name, statement, said] of alterations) {
    await there.query(
      `BEGIN; INSERT INTO ${name} (id) VALUES (2); ${statement}; INSERT INTO ${name} (id) VALUES (3); COMMIT`,
    );
    await there.query(`INSERT INTO kept (id) SELECT max(id) + 1 FROM kept`);
    await same('SELECT id, n FROM kept ORDER BY id');
    await until(name, async () => said.test(await status(name)));
    assert.match(await status(name), /Drop the table here and create it again/);
    // Not half a transaction.
    assert.deepEqual(await rows(here, `SELECT id, n FROM ${name}`), [[1, 1]], name);
  }
  assert.equal(await status('kept'), 'running');
  await here.query(`DROP TABLE readded; CREATE TABLE readded (id int PRIMARY KEY, n int) ${from('readded')}`);
  await same('SELECT id, n FROM readded ORDER BY id');
  await here.query(`DROP TABLE ${names.join(', ')}`);
});

test('a role with no other rights, and what is noticed without a change', async (t) => {
  if (postgres === null) return t.skip(NONE);
  await there.query(`CREATE TABLE quiet (id int PRIMARY KEY); CREATE TABLE taken_out (id int PRIMARY KEY); CREATE TABLE busy (id int);
    INSERT INTO quiet VALUES (1); INSERT INTO taken_out VALUES (1); CREATE ROLE follower LOGIN REPLICATION; GRANT SELECT ON quiet, taken_out TO follower;
    CREATE PUBLICATION ${p} FOR TABLE quiet, taken_out`);
  for (const name of ['quiet', 'taken_out'])
    await here.query(`CREATE TABLE ${name} (id int PRIMARY KEY) ${from(name, { user: 'follower' })}`);
  await following('quiet', 'taken_out');
  await there.query(
    `REVOKE SELECT ON quiet FROM follower; ALTER PUBLICATION ${p} DROP TABLE taken_out; INSERT INTO busy SELECT generate_series(1, 1000)`,
  );
  const [[end]] = await rows(there, 'SELECT pg_current_wal_lsn()');
  // The database need not keep what is none of these tables'. Places move every ten seconds, and are told when they are on the disk.
  await until(
    'told',
    async () => {
      const [[told]] = await rows(
        there,
        `SELECT confirmed_flush_lsn >= '${end}' FROM pg_replication_slots WHERE slot_name = 'tidemark_${p}'`,
      );
      return told as boolean;
    },
    60_000,
  );
  await until('taken out', async () => /does not have table "public\.taken_out"/.test(await status('taken_out')));
  await there.query('INSERT INTO quiet VALUES (2)');
  await same('SELECT * FROM quiet ORDER BY id');
  assert.equal(await status('quiet'), 'running');
  await here.query('DROP TABLE quiet, taken_out');
  assert.deepEqual(await rows(there, `SELECT 1 FROM pg_replication_slots WHERE slot_name = 'tidemark_${p}'`), []);
});

test('a slot that was dropped, or has gone on without this server', async (t) => {
  if (postgres === null) return t.skip(NONE);
  const data = mkdtempSync(join(tmpdir(), 'tidemark-slots-'));
  await there.query(
    `CREATE TABLE slotted (id int PRIMARY KEY); INSERT INTO slotted VALUES (1); CREATE PUBLICATION ${p} FOR TABLE slotted`,
  );
  const slot = `tidemark_${p}`;
  const drop = `SELECT pg_drop_replication_slot('${slot}')`;
  let other = await startServer({ data });
  let client = await connected(other.config);
  const count = async () => (await rows(client, 'SELECT count(*)::int FROM slotted'))[0][0];
  const said = async () => (await rows(client, 'SELECT status FROM tidemark.sources'))[0][0] as string;
  const stop = async () => {
    await client.end();
    await other.close();
  };
  const start = async () => {
    other = await startServer({ data });
    client = await connected(other.config);
  };
  try {
    await client.query(`CREATE TABLE slotted (id int PRIMARY KEY) ${from('slotted')}`);
    await until('copied', async () => (await count()) === 1);
    // Two servers cannot have one slot.
    await here.query(`CREATE TABLE slotted (id int PRIMARY KEY) ${from('slotted')}`);
    await until('used', async () => /is used by another/.test(await status('slotted')));
    await here.query('DROP TABLE slotted');
    await until(
      'slot',
      async () =>
        (await rows(there, `SELECT 1 FROM pg_replication_slots WHERE slot_name = '${slot}' AND active`)).length === 1,
    );
    await stop();
    await there.query('INSERT INTO slotted VALUES (2)');
    await there.query(
      `SELECT count(*) FROM pg_logical_slot_get_binary_changes('${slot}', NULL, NULL, 'proto_version', '1', 'publication_names', '${p}')`,
    );
    await there.query('INSERT INTO slotted VALUES (3)');
    await start();
    await until('gone on', async () => /has gone on without this server.*create them again/.test(await said()));
    assert.equal(await count(), 1);
    await there.query(drop);
    await until('dropped', async () => /is gone\. Changes are missing/.test(await said()));
    assert.equal(await count(), 1);
    await client.query(`DROP TABLE slotted; CREATE TABLE slotted (id int PRIMARY KEY) ${from('slotted')}`);
    await until('anew', async () => (await count()) === 3);
    await stop();
    await start();
    await there.query('INSERT INTO slotted VALUES (4)');
    await until('again', async () => (await count()) === 4);
    await client.query('DROP TABLE slotted');
    assert.deepEqual(await rows(there, `SELECT 1 FROM pg_replication_slots WHERE slot_name = '${slot}'`), []);
  } finally {
    await stop();
    rmSync(data, { recursive: true, force: true });
  }
});

test('crashes, checkpoints and another layout, without the database', async (t) => {
  if (postgres === null) return t.skip(NONE);
  await there.query(
    `CREATE TABLE lasting (id int PRIMARY KEY, n int); INSERT INTO lasting SELECT i, i FROM generate_series(1, 100) i; CREATE PUBLICATION ${p} FOR TABLE lasting`,
  );
  const data = mkdtempSync(join(tmpdir(), 'tidemark-lasting-'));
  const relay = await Relay.start(postgres.config.port);
  const query = 'SELECT count(*)::int, sum(n)::int FROM lasting';
  let disk = new MemoryDisk();
  let engine!: TidemarkEngine;
  const start = async () => {
    engine = await openEngine({});
    await openData(engine, { path: data, disk, segmentBytes: 2000, checkpoints: {} });
  };
  const answer = (wanted: string[]) => pumpUntil(engine, query, [wanted]);
  try {
    await start();
    await sql(
      engine,
      `CREATE TABLE lasting (id int PRIMARY KEY, n int) ${from('lasting', { port: String(relay.port) })}`,
    );
    await answer(['100', '5050']);
    let rows = 100;
    for (const how of ['crash', 'checkpoint', 'crash', 'layout', 'end']) {
      await there.query(`INSERT INTO lasting VALUES (${++rows}, 0); UPDATE lasting SET n = n + 1 WHERE id = ${rows}`);
      const wanted = [String(rows), String(5050 + rows - 100)];
      await answer(wanted);
      if (how === 'checkpoint') await sql(engine, 'CHECKPOINT');
      await engine.journal?.durable();
      relay.hold();
      const crashed = how === 'crash' ? disk.crash(() => 0) : null;
      await engine.close();
      disk = crashed ?? disk;
      if (how === 'layout') otherLayout(disk);
      await start();
      assert.deepEqual(await sql(engine, query), [wanted], how);
      relay.goOn();
    }
    await sql(engine, 'DROP TABLE lasting');
  } finally {
    await engine.close();
    await relay.close();
    rmSync(data, { recursive: true, force: true });
  }
});

test('tables of one slot have the same options', async (t) => {
  if (postgres === null) return t.skip(NONE);
  await there.query(
    `CREATE TABLE one (id int PRIMARY KEY); CREATE TABLE two (id int PRIMARY KEY); CREATE PUBLICATION ${p} FOR TABLE one, two`,
  );
  await here.query(`CREATE TABLE one (id int PRIMARY KEY) ${from('one')}`);
  const others = { connection_timeout: '5000' };
  await assert.rejects(
    here.query(`CREATE TABLE two (id int PRIMARY KEY) ${from('two', others)}`),
    /another table reads replication slot "tidemark_p\d+" with other options/,
  );
  await here.query('DROP TABLE one');
  await here.query(`CREATE TABLE two (id int PRIMARY KEY) ${from('two', others)}`);
  await here.query('DROP TABLE two');
});

test('a table that is written anew before its rows are read is read under another snapshot', async (t) => {
  if (postgres === null) return t.skip(NONE);
  await there.query(
    `CREATE TABLE anew (id int PRIMARY KEY); INSERT INTO anew SELECT generate_series(1, 50); CREATE PUBLICATION ${p} FOR TABLE anew`,
  );
  const relay = await Relay.start(postgres.config.port);
  let times = 0;
  // What is written anew, no snapshot of before sees a row of.
  relay.behind('CREATE_REPLICATION_SLOT', async () => {
    if (times++ === 0) await there.query('ALTER TABLE anew ADD COLUMN r float DEFAULT random()');
  });
  await here.query(`CREATE TABLE anew (id int PRIMARY KEY) ${from('anew', { port: String(relay.port) })}`);
  await until('it follows', async () => (await status('anew')) === 'running');
  await same('SELECT count(*)::int FROM anew');
  assert.equal(times, 2);
  await here.query('DROP TABLE anew');
  await relay.close();
});

test('a database that has less than is here is another one', async (t) => {
  if (postgres === null) return t.skip(NONE);
  await there.query(`SELECT pg_create_logical_replication_slot('${p}', 'pgoutput')`);
  const { host, port, user, database } = postgres.config;
  const session = await UpstreamSession.open(
    parsePostgresOptions({ host, port: String(port), user, database, table: 't', publication: p }),
    false,
  );
  const [[end]] = await rows(there, 'SELECT pg_current_wal_insert_lsn()::text');
  const at = parseLsn(end as string);
  assert.equal(await checkSlot(session, p, at), true);
  await assert.rejects(checkSlot(session, p, at + (1n << 32n)), /another one, or was set back/);
  await session.close();
  await there.query(`SELECT pg_drop_replication_slot('${p}')`);
});

test('DROP TABLE while the database is away says what is left there', async (t) => {
  if (postgres === null) return t.skip(NONE);
  await there.query(
    `CREATE TABLE away (id int PRIMARY KEY); INSERT INTO away VALUES (1); CREATE PUBLICATION ${p} FOR TABLE away`,
  );
  const relay = await Relay.start(postgres.config.port);
  const log: string[] = [];
  const other = await startServer({ log: (_level, message) => log.push(message) });
  const client = await connected(other.config);
  await client.query(`CREATE TABLE away (id int PRIMARY KEY) ${from('away', { port: String(relay.port) })}`);
  await until('copied', async () => (await rows(client, 'SELECT * FROM away')).length === 1);
  relay.cut();
  await there.query('INSERT INTO away VALUES (2)');
  await until('cut', async () => (await rows(client, 'SELECT * FROM away')).length === 2);
  await relay.close();
  await until('away', async () =>
    /could not connect to PostgreSQL/.test((await rows(client, 'SELECT status FROM tidemark.sources'))[0][0] as string),
  );
  await client.query('DROP TABLE away');
  assert.match(
    log.join('\n'),
    new RegExp(`slot "tidemark_${p}" .* could not be dropped.*pg_drop_replication_slot\\('tidemark_${p}'\\)`),
  );
  await client.end();
  await other.close();
  await until(
    'free',
    async () =>
      (await rows(there, `SELECT 1 FROM pg_replication_slots WHERE active AND slot_name = 'tidemark_${p}'`)).length ===
      0,
  );
  await there.query(`SELECT pg_drop_replication_slot('tidemark_${p}')`);
});

test('many rows come in pieces, and wait where nobody takes them', async (t) => {
  if (postgres === null) return t.skip(NONE);
  await there.query(`CREATE TABLE large (id int PRIMARY KEY, note text); INSERT INTO large SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, 60000) i;
    CREATE PUBLICATION ${p} FOR TABLE large`);
  await here.query(`CREATE TABLE large (id int PRIMARY KEY, note text) ${from('large', { buffer_bytes: '300000' })}`);
  let most = 0;
  await until('copied', async () => {
    const [source] = [...server.running.engine.streams.values()];
    most = Math.max(most, source.source.bufferedBytes());
    return Number((await rows(here, 'SELECT count(*) FROM large'))[0][0]) === 60000;
  });
  assert.ok(most < 2_000_000, `${most} bytes`);
  await there.query("UPDATE large SET note = 'x'");
  await same('SELECT count(*), count(DISTINCT note) FROM large');
  await here.query('DROP TABLE large');
});

/** Between both servers: cuts what goes through it. */
class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #held = false;
  #word = '\0none';
  #then: () => Promise<void> = async () => undefined;

  private constructor(port: number) {
    this.#server = createServer((socket) => {
      if (this.#held) {
        socket.destroy();
        return;
      }
      const to = tcp({ host: '127.0.0.1', port });
      for (const [one, another] of [
        [socket, to],
        [to, socket],
      ]) {
        this.#sockets.add(one);
        one.on('error', () => another.destroy());
        one.on('close', () => another.destroy());
        if (one === to) one.pipe(another);
      }
      socket.on('data', async (bytes) => {
        to.write(bytes);
        if (!bytes.includes(this.#word)) return;
        socket.pause();
        await new Promise((resolve) => to.once('data', resolve));
        await this.#then();
        socket.resume();
      });
    });
  }

  static async start(port: number): Promise<Relay> {
    const relay = new Relay(port);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Nobody is let through, until goOn(). */
  hold(): void {
    this.#held = true;
    this.cut();
  }

  goOn(): void {
    this.#held = false;
  }

  /** When a command with this word has been answered, the next one waits for that. */
  behind(word: string, then: () => Promise<void>): void {
    this.#word = word;
    this.#then = then;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }
}
