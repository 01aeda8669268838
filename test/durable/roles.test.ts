/** Roles, who is a member of whom, owners and privileges over restarts; no password in the clear on the disk. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from '../../planner/parse/parse.ts';
import { isPassword } from '../../src/auth/verifier.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { pumpUntil, sql } from '../engine/harness.ts';
import { openOn, overRestarts } from './over_restarts.ts';

const SCRIPT = `
  CREATE ROLE gone LOGIN;
  CREATE ROLE reader LOGIN PASSWORD 'a clear text' CONNECTION LIMIT 3 VALID UNTIL '2040-01-01';
  CREATE GROUP staff ROLE reader;
  CREATE ROLE maker CREATEROLE NOINHERIT;
  CREATE USER temporary_name;
  ALTER ROLE temporary_name RENAME TO named;
  ALTER ROLE named SET search_path TO "A b", public;
  ALTER ROLE ALL SET statement_timeout = '1min';
  GRANT staff TO named WITH ADMIN OPTION;
  GRANT pg_read_all_data TO maker;
  CREATE SCHEMA own AUTHORIZATION maker;
  CREATE TABLE own.t (id serial PRIMARY KEY, v int);
  ALTER TABLE own.t OWNER TO maker;
  CREATE TABLE given (a int);
  CREATE TABLE dropped (a int);
  GRANT SELECT, INSERT ON given, dropped, own.t TO reader WITH GRANT OPTION;
  DROP TABLE dropped;
  ALTER TABLE given RENAME TO given_on;
  REVOKE INSERT ON given_on FROM reader;
  GRANT ALL ON given_on TO gone;
  REVOKE ALL ON given_on FROM gone;
  ALTER DEFAULT PRIVILEGES IN SCHEMA own GRANT SELECT ON TABLES TO staff;
  CREATE VIEW own.v AS SELECT * FROM given_on;
  GRANT CONNECT ON DATABASE tidemark TO staff;
  GRANT CREATE ON SCHEMA public TO maker;
  CREATE TYPE e AS ENUM ('x');
  ALTER TYPE e OWNER TO named;
  DROP ROLE gone`;

const ASKED = [
  'SELECT oid::bigint, rolname, rolcanlogin, rolcreaterole, rolinherit, rolconnlimit, rolpassword, rolvaliduntil, oid::regrole::text FROM pg_authid ORDER BY 1',
  'SELECT roleid::bigint, member::bigint, grantor::bigint, admin_option FROM pg_auth_members ORDER BY 1, 2',
  'SELECT setrole::bigint, setconfig FROM pg_db_role_setting ORDER BY 1',
  "SELECT relname, relowner::regrole::text, relacl FROM pg_class WHERE relnamespace::regnamespace::text IN ('own', 'public') ORDER BY 1",
  'SELECT nspname, nspowner::regrole::text, nspacl FROM pg_namespace ORDER BY 1',
  "SELECT typowner::regrole::text FROM pg_type WHERE typname = 'e'",
  'SELECT defaclrole::regrole::text, defaclobjtype, defaclacl FROM pg_default_acl ORDER BY 1',
  'SELECT datacl FROM pg_database',
];

async function passwordOf(engine: TidemarkEngine, role: string): Promise<string> {
  return (await sql(engine, `SELECT rolpassword FROM pg_authid WHERE rolname = '${role}'`))[0][0] ?? '';
}

test('roles, owners and privileges are there after restarts', async () => {
  let known: unknown = null;
  const last = await overRestarts(SCRIPT, async (engine, how) => {
    const found = [];
    for (const query of ASKED) found.push(await sql(engine, query));
    known ??= found;
    assert.deepEqual(found, known, how);
    assert.ok(isPassword('a clear text', await passwordOf(engine, 'reader')), how);
    assert.ok(!isPassword('another', await passwordOf(engine, 'reader')), how);
  });
  await last.close();
});

test('what a role has made is its own after restarts, also of one that has gone', async () => {
  const disk = new MemoryDisk();
  let engine = await openOn(disk);
  await sql(engine, 'CREATE ROLE maker; GRANT CREATE ON SCHEMA public TO maker');
  const role = engine.roles.named('maker').oid;
  const session = localSession(engine, undefined, { user: 'maker', role, restricted: true });
  const run = async (text: string) => {
    const prepared = engine.prepare(parse(text)[0], [], session);
    await engine.execute(prepared, [], session, new AbortController().signal);
  };
  await run('CREATE TABLE made (id serial, v int)');
  await run('CREATE TABLE filled AS SELECT 1 AS a');
  await run("CREATE TYPE kind AS ENUM ('x')");
  await assert.rejects(run('CREATE SCHEMA s'), { message: 'permission denied for database tidemark' });
  await sql(engine, 'CREATE TABLE other (a int)');
  const owners = () =>
    sql(
      engine,
      "SELECT relname, relowner::regrole::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
    );
  const known = await owners();
  assert.deepEqual(known, [
    ['filled', 'maker'],
    ['made', 'maker'],
    ['made_id_seq', 'maker'],
    ['other', 'tidemark'],
  ]);
  session.transaction.rollback();
  await engine.close();
  engine = await openOn(disk);
  assert.deepEqual(await owners(), known);
  await assert.rejects(sql(engine, 'DROP ROLE maker'), { sqlstate: '2BP01' });
  await sql(engine, 'REASSIGN OWNED BY maker TO tidemark; DROP OWNED BY maker; DROP ROLE maker');
  await engine.close();
  engine = await openOn(disk);
  assert.deepEqual(
    (await owners()).map(([, owner]) => owner),
    ['tidemark', 'tidemark', 'tidemark', 'tidemark'],
  );
  await engine.close();
});

test('a stream over files is read on when its maker may name no more of them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-roles-'));
  const disk = new MemoryDisk();
  try {
    writeFileSync(join(folder, '1.json'), '{"a":1}\n{"a":2}\n');
    let engine = await openOn(disk);
    await sql(engine, 'CREATE ROLE maker; GRANT CREATE ON SCHEMA public TO maker; GRANT pg_read_server_files TO maker');
    const role = engine.roles.named('maker').oid;
    const made = localSession(engine, undefined, { user: 'maker', role, restricted: true });
    const [statement] = parse(
      `CREATE STREAM s (a int) WITH (connector = 'files', format = 'json', path = '${folder}/*')`,
    );
    const make = () => engine.execute(engine.prepare(statement, [], made), [], made, new AbortController().signal);
    await make();
    made.transaction.rollback();
    await sql(engine, 'REVOKE pg_read_server_files FROM maker');
    for (const checkpoint of ['', '; CHECKPOINT']) {
      await sql(engine, `SELECT 1${checkpoint}`);
      await engine.close();
      engine = await openOn(disk);
      await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT a FROM s');
      await pumpUntil(engine, 'SELECT a FROM v ORDER BY a', [['1'], ['2']]);
      await sql(engine, 'DROP MATERIALIZED VIEW v');
    }
    await engine.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a password is nowhere on the disk', async () => {
  const disk = new MemoryDisk();
  const engine = await openOn(disk);
  await sql(engine, `CREATE ROLE r PASSWORD 'swordfish'; ALTER ROLE r PASSWORD 'swordfish'; CHECKPOINT`);
  await engine.close();
  const bytes = JSON.stringify(disk, (_, value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value instanceof Map ? [...value] : value,
  );
  assert.ok(!bytes.includes('swordfish'));
});
