/** Extensions and what uses them, after a kill, from a checkpoint, and in the copy for programs of another layout. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, sql } from '../engine/harness.ts';
import { otherLayout } from './other_layout.ts';

const path = mkdtempSync(join(tmpdir(), 'tidemark-extensions-'));
after(() => rmSync(path, { recursive: true, force: true }));

async function open(disk: MemoryDisk): Promise<TidemarkEngine> {
  const engine = await openEngine();
  engine.system.catalogs = new PgCatalog(engine);
  const checkpoints = { seconds: 1e6, logBytes: 1e9 };
  await openData(engine, { path, disk, segmentBytes: 4096, reserveBytes: 20_000, checkpoints });
  return engine;
}

async function state(engine: TidemarkEngine) {
  return {
    extensions: await sql(
      engine,
      "SELECT oid, extname, extnamespace::regnamespace::text, obj_description(oid, 'pg_extension') FROM pg_extension WHERE oid >= 16384 ORDER BY 1",
    ),
    rows: await sql(engine, 'SELECT * FROM t ORDER BY a'),
    view: await sql(engine, 'SELECT * FROM v ORDER BY a'),
  };
}

const SETUP = `
  CREATE SCHEMA tools;
  CREATE EXTENSION pgcrypto SCHEMA tools;
  CREATE EXTENSION "uuid-ossp";
  CREATE TABLE once (id uuid DEFAULT uuid_generate_v4(), a text);
  INSERT INTO once (a) VALUES ('x');
  CREATE TABLE t AS SELECT a, uuid_generate_v5(uuid_ns_url(), a) AS u FROM once;
  ALTER TABLE t ADD COLUMN h bytea GENERATED ALWAYS AS (digest(a, 'md5')) STORED;
  CREATE MATERIALIZED VIEW v AS SELECT a, encode(tools.hmac(a, 'key', 'sha256'), 'hex') AS d FROM t;
  CREATE INDEX i ON t (digest(a, 'sha1'));
  COMMENT ON EXTENSION pgcrypto IS 'mine'`;

/** Each end, and the start after it. */
const ENDS: Record<string, (engine: TidemarkEngine, disk: MemoryDisk) => Promise<TidemarkEngine>> = {
  async 'a kill'(engine, disk) {
    await engine.journal?.durable();
    const crashed = disk.crash(() => 0);
    await engine.close();
    return open(crashed);
  },
  async 'a kill after a checkpoint'(engine, disk) {
    await sql(engine, 'CHECKPOINT');
    const crashed = disk.crash(() => 0);
    await engine.close();
    const next = await open(crashed);
    assert.notEqual(next.recovery?.checkpoint, null);
    return next;
  },
  async 'another layout'(engine, disk) {
    await sql(
      engine,
      'CHECKPOINT; INSERT INTO once (a) VALUES (NULL); CHECKPOINT; INSERT INTO once (a) VALUES (NULL); CHECKPOINT',
    );
    await engine.close();
    otherLayout(disk);
    const next = await open(disk);
    assert.equal(next.recovery?.checkpoint, null);
    return next;
  },
};

for (const [name, end] of Object.entries(ENDS)) {
  test(`after ${name}`, async () => {
    const disk = new MemoryDisk();
    let engine = await open(disk);
    await sql(engine, SETUP);
    const before = await state(engine);
    assert.deepEqual(
      before.extensions.map(([, ...row]) => row),
      [
        ['pgcrypto', 'tools', 'mine'],
        ['uuid-ossp', 'public', 'generate universally unique identifiers (UUIDs)'],
      ],
    );
    engine = await end(engine, disk);
    assert.deepEqual(await state(engine), before);
    await sql(engine, "INSERT INTO t (a) VALUES ('y'); INSERT INTO once (a) VALUES ('y')");
    assert.deepEqual(await sql(engine, "SELECT h = tools.digest('y', 'md5') FROM t WHERE a = 'y'"), [['t']]);
    assert.equal((await sql(engine, 'SELECT * FROM v')).length, 2);
    await assert.rejects(sql(engine, 'DROP EXTENSION pgcrypto'), { sqlstate: '2BP01' });
    await engine.close();
  });

  test(`dropped with all that used it, after ${name}`, async () => {
    const disk = new MemoryDisk();
    let engine = await open(disk);
    await sql(engine, `${SETUP}; DROP EXTENSION pgcrypto CASCADE; DROP EXTENSION "uuid-ossp" CASCADE`);
    const rows = 'SELECT * FROM t ORDER BY a';
    const before = await sql(engine, rows);
    engine = await end(engine, disk);
    assert.deepEqual(await sql(engine, rows), before);
    assert.deepEqual(await sql(engine, 'SELECT extname FROM pg_extension WHERE oid >= 16384'), []);
    await assert.rejects(sql(engine, "SELECT digest('a', 'md5')"), { sqlstate: '42883' });
    await sql(engine, "INSERT INTO once (a) VALUES ('z')");
    assert.deepEqual(await sql(engine, "SELECT id FROM once WHERE a = 'z'"), [[null]]);
    // It may come back, with another schema.
    await sql(engine, "CREATE EXTENSION pgcrypto; SELECT public.digest('a', 'md5')");
    await engine.close();
  });
}
