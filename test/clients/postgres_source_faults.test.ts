/** connector = 'postgres' beside a real PostgreSQL whose tables are altered, whose slots go and which is away, and crashes here. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { budget } from '../../operators/batch/budget.ts';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import { parseLsn } from '../../src/postgres/replication/lsn.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { parsePostgresOptions } from '../../src/sources/postgres/options.ts';
import { UpstreamSession } from '../../src/sources/postgres/session.ts';
import { checkSlot } from '../../src/sources/postgres/slot.ts';
import { otherLayout } from '../durable/other_layout.ts';
import { openEngine, pumpUntil, sql } from '../engine/harness.ts';
import { postgresSuite } from './postgres_suite.ts';
import { Relay } from './relay.ts';
import { startServer, until } from './server.ts';
import { connected, rows } from './sessions.ts';

const suite = await postgresSuite();
const { skip, from, status, following, same } = suite;

test('a table that is altered there is followed no further, and the others are', { skip }, async () => {
  const { here, there, p } = suite;
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

test('a role with no other rights, and what is noticed without a change', { skip }, async () => {
  const { here, there, p } = suite;
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

test('a slot that was dropped, or has gone on without this server', { skip }, async () => {
  const { here, there, p } = suite;
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
  const isRead = () =>
    until('the slot is read', async () => {
      const active = `SELECT 1 FROM pg_replication_slots WHERE slot_name = '${slot}' AND active`;
      return (await rows(there, active)).length === 1;
    });
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
    await isRead();
    // Two servers cannot have one slot.
    await here.query(`CREATE TABLE slotted (id int PRIMARY KEY) ${from('slotted')}`);
    await until('used', async () => /is used by another/.test(await status('slotted')));
    await here.query('DROP TABLE slotted');
    await isRead();
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

test('crashes, checkpoints and another layout, without the database', { skip }, async () => {
  const { postgres, there, p } = suite;
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

test('a table that is written anew before its rows are read is read under another snapshot', { skip }, async () => {
  const { postgres, here, there, p } = suite;
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

test('a database that has less than is here is another one', { skip }, async () => {
  const { postgres, there, p } = suite;
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

test('DROP TABLE while the database is away says what is left there', { skip }, async () => {
  const { postgres, there, p } = suite;
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

test('a transaction that does not fit in memory is told, and read when there is room', { skip }, async () => {
  const { here, there, p } = suite;
  await there.query(`CREATE TABLE wide (id int PRIMARY KEY, t text); CREATE PUBLICATION ${p} FOR TABLE wide`);
  await here.query(`CREATE TABLE wide (id int PRIMARY KEY, t text) ${from('wide', { buffer_bytes: '1048576' })}`);
  await following('wide');
  const figure = async (kind: string) =>
    Number((await rows(here, `SELECT bytes FROM tidemark.memory WHERE kind = '${kind}'`))[0]?.[0] ?? 0);
  await there.query("INSERT INTO wide VALUES (0, 'before')");
  await same('SELECT * FROM wide');
  budget.limit = (await figure('used')) + (48 << 20);
  try {
    await there.query(
      "BEGIN; INSERT INTO wide SELECT i, repeat('x', 500) || i FROM generate_series(1, 150000) i; COMMIT; INSERT INTO wide VALUES (-1, 'after')",
    );
    await until('told', async () =>
      /transaction \d+ of the database does not fit in memory/.test(await status('wide')),
    );
    assert.deepEqual(await rows(here, 'SELECT id FROM wide'), [[0]]);
    await until('given back', async () => (await figure('transactions')) === 0);
  } finally {
    budget.limit = Number.POSITIVE_INFINITY;
  }
  await same('SELECT count(*)::int, sum(length(t))::int FROM wide');
  assert.equal(await figure('transactions'), 0);
  await here.query('DROP TABLE wide');
});
