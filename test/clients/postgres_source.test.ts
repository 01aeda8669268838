/** connector = 'postgres' beside a real PostgreSQL: values of all types, changes of all kinds, one moment for a transaction, what is refused and who is let in. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type pg from 'pg';
import { Authority, noOpenssl } from '../../src/postgres/testing/certificates.ts';
import { NO_POSTGRES, type PostgresServer, startPostgres } from './postgres_server.ts';
import { postgresSuite } from './postgres_suite.ts';
import { until } from './server.ts';
import { connected, rows } from './sessions.ts';

const suite = await postgresSuite();
const { skip, from, status, following, same } = suite;

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

test('values of every type, in the rows that are there and in changes', { skip }, async () => {
  const { here, there, p } = suite;
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

test('enums and domains by their texts, and columns by their names', { skip }, async () => {
  const { here, there, p } = suite;
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

test('changes of all kinds: of keys, of values that do not come again, of all rows', { skip }, async () => {
  const { here, there, p } = suite;
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

test('a transaction is one tick for all its tables', { skip }, async () => {
  const { server, here, there, p } = suite;
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

test('rows that do not fit are rows of tidemark.errors', { skip }, async () => {
  const { here, there, p } = suite;
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

test('what CREATE TABLE refuses', { skip }, async () => {
  const { here, there, p } = suite;
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

test('a password is proved, and not shown', { skip }, async (t) => {
  const { server, here } = suite;
  const hashed = await startPostgres(['wal_level=logical'], 'postgres', 'scram-sha-256');
  const plain = await startPostgres(['wal_level=replica']);
  if (hashed === null || plain === null) return t.skip(NO_POSTGRES);
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

test('the other ways to log in, and TLS', { skip: skip || noOpenssl }, async (t) => {
  const { here, p } = suite;
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
      if (other === null) return t.skip(NO_POSTGRES);
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

test('tables of one slot have the same options', { skip }, async () => {
  const { here, there, p } = suite;
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

test('many rows come in pieces, and wait where nobody takes them', { skip }, async () => {
  const { server, here, there, p } = suite;
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
