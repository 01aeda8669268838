/** CREATE EXTENSION: what is found with it and not without, what uses it, and that it lasts. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { SqlError } from '../../operators/errors.ts';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, Session, sql } from './harness.ts';

let engine: TidemarkEngine;

beforeEach(async () => {
  engine = await openEngine();
  engine.system.catalogs = new PgCatalog(engine);
});
afterEach(() => engine.close());

async function refused(text: string, sqlstate: string, message: string, detail?: string): Promise<void> {
  await assert.rejects(sql(engine, text), (error) => {
    assert.ok(error instanceof SqlError, String(error));
    assert.deepEqual([error.sqlstate, error.message.replace('line 1: ', '')], [sqlstate, message]);
    if (detail !== undefined) assert.equal(error.fields.detail, detail);
    return true;
  });
}

const one = async (text: string) => (await sql(engine, text))[0][0];

test('functions are there with their extension, and not without', async () => {
  await refused('SELECT uuid_nil()', '42883', 'function uuid_nil() does not exist');
  await refused("SELECT digest('a', 'md5')", '42883', 'function digest(unknown, unknown) does not exist');
  await refused('SELECT public.gen_random_uuid()', '42883', 'function public.gen_random_uuid() does not exist');
  await sql(
    engine,
    'CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public VERSION \'1.3\'',
  );
  assert.equal(await one('SELECT uuid_nil()'), '00000000-0000-0000-0000-000000000000');
  assert.equal(await one('SELECT public.uuid_nil() = uuid_nil()'), 't');
  assert.match((await one('SELECT public.gen_random_uuid()')) ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  await refused('SELECT pg_catalog.uuid_nil()', '42883', 'function pg_catalog.uuid_nil() does not exist');
  // Under any search path.
  assert.deepEqual(await new Session(engine, { search_path: 'nowhere' }).run('SELECT uuid_nil() IS NULL'), [['f']]);
  await sql(engine, 'DROP EXTENSION "uuid-ossp", pgcrypto');
  await refused('SELECT uuid_nil()', '42883', 'function uuid_nil() does not exist');
});

test('uuid-ossp: names as PostgreSQL hashes them, versions and variants', async () => {
  await sql(engine, 'CREATE EXTENSION "uuid-ossp"');
  // PostgreSQL's own regression results.
  assert.equal(
    await one("SELECT uuid_generate_v3(uuid_ns_dns(), 'www.widgets.com')"),
    '3d813cbb-47fb-32ba-91df-831e1593ac29',
  );
  assert.equal(
    await one("SELECT uuid_generate_v5(uuid_ns_dns(), 'www.widgets.com')"),
    '21f7f8de-8051-5b89-8680-0195ef798b6a',
  );
  assert.equal(await one('SELECT uuid_generate_v5(namespace => uuid_ns_url(), name => NULL)'), null);
  assert.deepEqual(await sql(engine, 'SELECT uuid_ns_dns(), uuid_ns_url(), uuid_ns_oid(), uuid_ns_x500()'), [
    ['0', '1', '2', '4'].map((n) => `6ba7b81${n}-9dad-11d1-80b4-00c04fd430c8`),
  ]);
  const rows = await sql(
    engine,
    `SELECT uuid_extract_version(u), uuid_extract_timestamp(u) BETWEEN now() - interval '1 hour' AND now() + interval '1 hour', u
     FROM (SELECT uuid_generate_v1() AS u FROM generate_series(1, 100) UNION ALL SELECT uuid_generate_v1mc() FROM generate_series(1, 100)) x`,
  );
  assert.deepEqual(new Set(rows.map(([version, near]) => `${version} ${near}`)), new Set(['1 t']));
  assert.equal(new Set(rows.map(([, , u]) => u)).size, 200);
  const nodes = rows.map(([, , u]) => u?.slice(24));
  assert.equal(new Set(nodes.slice(0, 100)).size, 1);
  assert.ok(nodes.slice(100).every((node) => Number.parseInt(node?.slice(0, 2) ?? '0', 16) & 1));
  assert.equal(await one('SELECT uuid_extract_version(uuid_generate_v4())'), '4');
});

test('pgcrypto: hashes of the standards, random bytes, what is refused', async () => {
  await sql(engine, 'CREATE EXTENSION pgcrypto');
  const hex = (call: string) => one(`SELECT encode(${call}, 'hex')`);
  // RFC 1321, FIPS 180, RFC 2202, RFC 4231.
  assert.equal(await hex("digest('abc', 'MD5')"), '900150983cd24fb0d6963f7d28e17f72');
  assert.equal(await hex("digest('abc'::text, 'sha1')"), 'a9993e364706816aba3e25717850c26c9cd0d89d');
  assert.equal(
    await hex("digest('\\x616263'::bytea, 'sha256')"),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
  assert.equal(await hex("hmac('what do ya want for nothing?', 'Jefe', 'md5')"), '750c783e6ab0b503eaa86e310a5db738');
  assert.equal(
    await hex("hmac('\\x4869205468657265'::bytea, decode(repeat('0b', 20), 'hex'), 'sha224')"),
    '896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22',
  );
  assert.equal(await hex("digest('é', 'sha512') || ''"), await hex("sha512(convert_to('é', 'UTF8'))"));
  assert.equal(await one("SELECT digest(NULL::text, 'md5')"), null);
  await refused("SELECT digest('a', 'crc')", '22023', 'Cannot use "crc": No such hash algorithm');
  await refused("SELECT hmac('a', 'b', '')", '22023', 'Cannot use "": No such hash algorithm');
  assert.equal(await one('SELECT length(gen_random_bytes(1024))'), '1024');
  assert.equal(await one('SELECT gen_random_bytes(16) = gen_random_bytes(16)'), 'f');
  for (const n of [0, -1, 1025]) await refused(`SELECT gen_random_bytes(${n})`, '39000', 'Length not in range');
});

test('what is there, what is not available, and what may not go', async () => {
  await sql(engine, 'CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog');
  await refused('CREATE EXTENSION plpgsql', '42710', 'extension "plpgsql" already exists');
  await refused(
    'DROP EXTENSION plpgsql',
    '2BP01',
    'cannot drop extension plpgsql because it is required by the database system',
  );
  await refused(
    'CREATE EXTENSION citext',
    '0A000',
    'extension "citext" is not available',
    'Tidemark has pgcrypto, plpgsql and uuid-ossp.',
  );
  await refused('CREATE EXTENSION IF NOT EXISTS postgis', '0A000', 'extension "postgis" is not available');
  await refused(
    "CREATE EXTENSION pgcrypto VERSION '9'",
    '22023',
    'extension "pgcrypto" has no installation script nor update path for version "9"',
  );
  await refused('CREATE EXTENSION pgcrypto SCHEMA nowhere', '3F000', 'schema "nowhere" does not exist');
  await refused('DROP EXTENSION pgcrypto', '42704', 'extension "pgcrypto" does not exist');
  await refused("COMMENT ON EXTENSION pgcrypto IS 'x'", '42704', 'extension "pgcrypto" does not exist');
  await sql(engine, 'DROP EXTENSION IF EXISTS pgcrypto; CREATE TABLE pgcrypto (a int); CREATE EXTENSION pgcrypto');
  await refused('CREATE EXTENSION pgcrypto', '42710', 'extension "pgcrypto" already exists');
  await sql(engine, 'DROP TABLE pgcrypto');
  assert.equal(await one("SELECT encode(digest('', 'md5'), 'hex')"), 'd41d8cd98f00b204e9800998ecf8427e');
});

test('catalogs', async () => {
  await sql(engine, 'CREATE SCHEMA tools; CREATE EXTENSION pgcrypto SCHEMA tools');
  assert.deepEqual(
    await sql(
      engine,
      "SELECT extname, extversion, extnamespace::regnamespace::text, oid >= 16384 FROM pg_extension WHERE extname <> 'tidemark' ORDER BY 1",
    ),
    [
      ['pgcrypto', '1.3', 'tools', 't'],
      ['plpgsql', '1.0', 'pg_catalog', 'f'],
    ],
  );
  assert.deepEqual(
    await sql(engine, 'SELECT name, default_version, installed_version FROM pg_available_extensions ORDER BY 1'),
    [
      ['pgcrypto', '1.3', '1.3'],
      ['plpgsql', '1.0', '1.0'],
      ['uuid-ossp', '1.1', null],
    ],
  );
  assert.deepEqual(await sql(engine, 'SELECT name, installed FROM pg_available_extension_versions ORDER BY 1'), [
    ['pgcrypto', 't'],
    ['plpgsql', 't'],
    ['uuid-ossp', 'f'],
  ]);
  assert.equal(await one('SELECT count(*) FROM pg_available_extensions() x'), '3');
  const said = () => one("SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'pgcrypto'");
  assert.equal(await said(), 'cryptographic functions');
  await sql(engine, "COMMENT ON EXTENSION pgcrypto IS 'mine'");
  assert.equal(await said(), 'mine');
  await sql(engine, 'COMMENT ON EXTENSION pgcrypto IS NULL');
  assert.equal(await said(), null);
  assert.equal(await one("SELECT count(*) FROM information_schema.routines WHERE routine_name = 'digest'"), '0');
});

test('DROP refuses what is used; CASCADE takes it', async () => {
  await sql(
    engine,
    `CREATE EXTENSION pgcrypto; CREATE EXTENSION "uuid-ossp";
     CREATE TABLE t (id uuid DEFAULT uuid_generate_v4(), other uuid DEFAULT gen_random_uuid(), a text,
       h bytea GENERATED ALWAYS AS (digest(a, 'md5')) STORED, CONSTRAINT c CHECK (hmac(a, 'k', 'md5') IS NOT NULL), b int);
     CREATE INDEX i ON t (digest(a || b::text, 'sha1'));
     CREATE VIEW plain AS SELECT digest(a, 'md5') AS d FROM t;
     CREATE MATERIALIZED VIEW kept AS SELECT b, uuid_generate_v5(uuid_ns_url(), a) AS u FROM t;
     CREATE MATERIALIZED VIEW above AS SELECT count(*) AS n FROM kept`,
  );
  await refused(
    'CREATE MATERIALIZED VIEW bad AS SELECT uuid_generate_v4() FROM t',
    '0A000',
    'function uuid_generate_v4 is volatile and cannot be used in a view',
  );
  await refused(
    'DROP EXTENSION "uuid-ossp"',
    '2BP01',
    'cannot drop extension uuid-ossp because other objects depend on it',
    'default value for column id of table t depends on extension uuid-ossp\nmaterialized view kept depends on extension uuid-ossp',
  );
  await refused(
    'DROP EXTENSION pgcrypto',
    '2BP01',
    'cannot drop extension pgcrypto because other objects depend on it',
    'column h of table t depends on extension pgcrypto\nconstraint c on table t depends on extension pgcrypto\nindex i depends on extension pgcrypto\nview plain depends on extension pgcrypto',
  );
  await sql(engine, "INSERT INTO t (a, b) VALUES ('x', 1)");
  assert.deepEqual(await sql(engine, "SELECT u = uuid_generate_v5(uuid_ns_url(), 'x'), n FROM kept, above"), [
    ['t', '1'],
  ]);
  assert.equal(await one("SELECT h = digest(a, 'md5') FROM t"), 't');
  await sql(engine, 'DROP EXTENSION "uuid-ossp" CASCADE');
  await sql(engine, "INSERT INTO t (a, b) VALUES ('y', 2)");
  assert.deepEqual(await sql(engine, 'SELECT id IS NULL, other IS NULL FROM t ORDER BY b'), [
    ['f', 'f'],
    ['t', 'f'],
  ]);
  await refused('SELECT * FROM above', '42P01', 'relation "above" does not exist');
  await sql(engine, 'DROP EXTENSION pgcrypto CASCADE');
  assert.deepEqual(
    await sql(engine, "SELECT column_name FROM information_schema.columns WHERE table_name = 't' ORDER BY 1"),
    ['a', 'b', 'id', 'other'].map((c) => [c]),
  );
  await sql(engine, 'INSERT INTO t (a, b) VALUES (NULL, 3)');
  assert.equal(await one("SELECT count(*) FROM pg_class WHERE relname IN ('i', 'plain', 'kept', 'above')"), '0');
});

test('an extension goes with its schema; views of other schemas keep it', async () => {
  await sql(engine, 'CREATE SCHEMA x; CREATE EXTENSION pgcrypto SCHEMA x; CREATE TABLE t (a text)');
  await refused(
    'DROP SCHEMA x',
    '2BP01',
    'cannot drop schema x because other objects depend on it',
    'extension pgcrypto depends on schema x',
  );
  await sql(engine, "CREATE MATERIALIZED VIEW v AS SELECT x.digest(a, 'md5') AS d FROM t; DROP SCHEMA x CASCADE");
  assert.equal(await one("SELECT count(*) FROM pg_class WHERE relname = 'v'"), '0');
  assert.equal(await one("SELECT count(*) FROM pg_extension WHERE extname = 'pgcrypto'"), '0');
});

test('texts for a dump name the schema, and are read again under any search path', async () => {
  await sql(
    engine,
    `CREATE EXTENSION "uuid-ossp"; CREATE TABLE t (id uuid DEFAULT uuid_generate_v4(), o uuid DEFAULT gen_random_uuid(), CHECK (id <> uuid_nil()));
     CREATE INDEX i ON t (uuid_generate_v5(id, 'x'), o) WHERE id <> uuid_nil();
     CREATE VIEW v AS SELECT uuid_nil() AS n, id FROM t WHERE id <> public.uuid_nil()`,
  );
  const dump = new Session(engine, { search_path: 'nowhere' });
  assert.deepEqual(await dump.run('SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef ORDER BY adnum'), [
    ['public.uuid_generate_v4()'],
    ['gen_random_uuid()'],
  ]);
  assert.deepEqual(await dump.run("SELECT pg_get_viewdef('public.v'::regclass)"), [
    [' SELECT public.uuid_nil() AS n, id FROM public.t WHERE id <> public.uuid_nil();'],
  ]);
  assert.deepEqual(await dump.run("SELECT pg_get_indexdef('public.i'::regclass)"), [
    ["CREATE INDEX i ON public.t USING btree (public.uuid_generate_v5(id, 'x'), o) WHERE (id <> public.uuid_nil())"],
  ]);
  assert.deepEqual(await dump.run("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c'"), [
    ['CHECK ((id <> public.uuid_nil()))'],
  ]);
});

test('a prepared plan is bound again when the extension comes or goes', async () => {
  await sql(engine, 'CREATE EXTENSION pgcrypto');
  const session = new Session(engine);
  const prepared = session.prepare("SELECT digest('a', 'md5')");
  const { catalogVersion } = engine;
  assert.equal(prepared.catalogVersion, catalogVersion);
  await sql(engine, 'DROP EXTENSION pgcrypto');
  assert.notEqual(engine.catalogVersion, catalogVersion);
});
