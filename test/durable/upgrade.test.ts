/**
 * A program of another layout version: it cannot read the checkpoints, so it starts from the copy that an orderly end leaves, and nothing is lost: rows,
 * OIDs, ticks, late rows, errors, positions of streams. Without such a copy the start is refused and says what to do.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { MessageSource } from '../engine/message_source.ts';
import { asOfLayout14, otherLayout, patched } from './other_layout.ts';

/** For the lock; everything else lies in a MemoryDisk. */
const path = mkdtempSync(join(tmpdir(), 'tidemark-upgrade-'));
after(() => rmSync(path, { recursive: true, force: true }));

const topics = new Map<string, MessageSource>();
function topic(name: string): MessageSource {
  const known = topics.get(name) ?? new MessageSource(2);
  topics.set(name, known);
  return known;
}

async function open(disk: MemoryDisk): Promise<TidemarkEngine> {
  const engine = await openEngine({ openSource: (spec) => topic(spec.options.topic), tickRows: 9 });
  engine.system.catalogs = new PgCatalog(engine);
  const checkpoints = { seconds: 1e6, logBytes: 1e9 };
  await openData(engine, { path, disk, segmentBytes: 4096, reserveBytes: 20_000, checkpoints });
  return engine;
}

const WITH = (name: string, more = '') =>
  `WITH (connector = 'kafka', brokers = 'memory', topic = '${name}', idle_timeout = '1 hour'${more})`;

const SETUP = `
  CREATE SCHEMA other;
  CREATE TABLE t (id int PRIMARY KEY, g int, s text DEFAULT 'none', n numeric);
  CREATE TABLE gone (x int);
  INSERT INTO gone VALUES (1), (2);
  CREATE TABLE other.copied AS SELECT x, x * 2 AS y FROM gone;
  CREATE VIEW plain AS SELECT x FROM gone;
  CREATE OR REPLACE VIEW plain AS SELECT id AS x FROM t;
  CREATE MATERIALIZED VIEW of_gone AS SELECT count(*) FROM gone;
  DROP TABLE gone CASCADE;
  CREATE TABLE gone (other_columns text);
  CREATE INDEX t_g ON t (g);
  CREATE STREAM clicks (at timestamp, k int, WATERMARK FOR at AS at - INTERVAL '5 seconds');
  CREATE STREAM bids (at timestamp, k int, seen timestamptz DEFAULT now(), WATERMARK FOR at AS at - INTERVAL '3 seconds') ${WITH('bids')};
  CREATE TABLE users (id int PRIMARY KEY, name text) ${WITH('users', ", envelope = 'upsert'")};
  CREATE MATERIALIZED VIEW groups AS SELECT g, count(*) AS n, sum(n) AS s, max(s) AS m FROM t GROUP BY g;
  CREATE MATERIALIZED VIEW joined AS SELECT p.x, u.name FROM plain p LEFT JOIN users u ON u.id = p.x;
  CREATE MATERIALIZED VIEW windows AS SELECT window_start, count(*) AS n, sum(k) AS s FROM TUMBLE(bids, at, INTERVAL '10 seconds') GROUP BY window_start;
  CREATE MATERIALIZED VIEW closed AS SELECT window_start, count(*) AS n FROM TUMBLE(clicks, at, INTERVAL '10 seconds') GROUP BY window_start EMIT ON WINDOW CLOSE;
  CREATE MATERIALIZED VIEW failing AS SELECT id, 10 / g AS q FROM t;
  CREATE MATERIALIZED VIEW above AS SELECT max(n) AS n FROM groups;
  CREATE SINK changes FROM groups WITH (connector = 'blackhole');`;

const QUESTIONS = [
  'SELECT * FROM t',
  'SELECT * FROM other.copied',
  'SELECT * FROM gone',
  'SELECT * FROM clicks',
  'SELECT * FROM users',
  'SELECT at, k, seen FROM bids',
  ...['groups', 'joined', 'windows', 'closed', 'failing', 'above', 'plain'].map((view) => `SELECT * FROM ${view}`),
  "SELECT * FROM tidemark.late('clicks')",
  "SELECT * FROM tidemark.late('bids')",
  "SELECT sqlstate, reason, message FROM tidemark.errors('bids')",
  "SELECT sqlstate, row FROM tidemark.errors('failing')",
  'SELECT name FROM tidemark.sinks',
];

async function state(engine: TidemarkEngine): Promise<unknown> {
  const answers: unknown[] = [engine.loop.tick, engine.loop.now];
  for (const question of QUESTIONS)
    answers.push([question, (await sql(engine, question)).map((row) => JSON.stringify(row)).sort()]);
  const objects = engine.catalog
    .objects()
    .map(({ kind, oid, schema, name, sql }) => ({ kind, oid, schema, name, sql }));
  for (const stream of engine.streams.values())
    answers.push(stream.watermark, [...stream.partitionPositions()], stream.statistics, stream.history.save());
  return [answers, objects.sort((a, b) => a.oid - b.oid), engine.catalog.nextOid];
}

test('nothing is lost over a change of the layout', { timeout: 120_000 }, async () => {
  const { random } = seeded('change of layout');
  const time = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
  let clock = 0;
  const work = async (engine: TidemarkEngine, rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      clock++;
      const at = () => time(Math.max(0, clock - (random(9) === 0 ? 30 : random(4))));
      await sql(
        engine,
        `INSERT INTO t VALUES (${random(60)}, ${random(5)}, '${'x'.repeat(random(60))}', ${random(99)}.5) ON CONFLICT (id) DO UPDATE SET g = excluded.g, n = excluded.n`,
      );
      if (random(4) === 0) await sql(engine, `DELETE FROM t WHERE id = ${random(60)}`);
      await sql(engine, `INSERT INTO clicks VALUES ('${at()}', ${random(9)})`);
      topic('bids').send(
        { partition: random(2), value: random(20) === 0 ? '{"k":' : JSON.stringify({ at: at(), k: random(9) }) },
        { partition: random(2), value: JSON.stringify({ at: at(), k: random(9) }) },
      );
      const id = random(20);
      const name = random(4) === 0 ? null : JSON.stringify({ id, name: `user ${random(99)}` });
      topic('users').send({ partition: id % 2, key: JSON.stringify({ id }), value: name });
      engine.sourceTicks.pump();
      if (i % 15 === 14) await sql(engine, 'CHECKPOINT');
    }
    await engine.journal?.durable();
  };
  const disk = new MemoryDisk();
  let engine = await open(disk);
  await sql(engine, SETUP);
  await work(engine, 60);
  await sql(engine, "INSERT INTO gone VALUES ('in the new one')");
  let before = await state(engine);
  const leftover = join(path, `portable-${'7'.padStart(20, '0')}.new`);
  disk.files.set(leftover, { bytes: Buffer.from('cut'), synced: Buffer.from('cut') });
  await engine.close();
  assert.ok(!disk.files.has(leftover));
  const copies = () => [...disk.files.keys()].filter((name) => name.includes('portable-'));
  assert.equal(copies().length, 1);

  otherLayout(disk);
  engine = await open(disk);
  assert.equal(engine.recovery?.checkpoint, null);
  assert.deepEqual(await state(engine), before);
  // It goes on, and a crash before its first checkpoint is no different.
  await work(engine, 7);
  await sql(
    engine,
    'CREATE TABLE later (a int); DROP VIEW plain CASCADE; CREATE VIEW plain AS SELECT 1 AS x; CREATE MATERIALIZED VIEW joined AS SELECT x, NULL AS name FROM plain',
  );
  before = await state(engine);
  const crashed = disk.crash(() => 0);
  await engine.close();
  engine = await open(crashed);
  assert.equal(engine.recovery?.checkpoint, null);
  assert.deepEqual(await state(engine), before);
  await engine.close();

  // The next orderly end replaces the copy; what is older goes when the log is cut.
  engine = await open(disk);
  await work(engine, 60);
  before = await state(engine);
  assert.deepEqual(copies(), []);
  await engine.close();
  assert.equal(copies().length, 1);
  otherLayout(disk);
  const [name] = copies();
  const copy = disk.files.get(name) as { bytes: Buffer; synced: Buffer };
  engine = await open(disk);
  assert.deepEqual(await state(engine), before);
  await engine.close();

  // Damaged, cut short or missing: refused, with the reason.
  otherLayout(disk);
  for (const how of ['flipped', 'cut', 'gone']) {
    const bytes = Buffer.from(copy.bytes);
    bytes[random(bytes.length)] ^= 1 << random(8);
    for (const other of copies()) disk.files.delete(other);
    if (how === 'flipped') disk.files.set(name, { bytes, synced: bytes });
    const cut = copy.bytes.subarray(0, random(copy.bytes.length));
    if (how === 'cut') disk.files.set(name, { bytes: cut, synced: cut });
    const refused = await openEngine({ openSource: (spec) => topic(spec.options.topic) });
    await assert.rejects(
      openData(refused, { path, disk }),
      (error: { sqlstate: string; fields: { detail: string } }) => {
        assert.equal(error.sqlstate, 'XX001');
        assert.match(
          error.fields.detail,
          /it has layout version 99, this program has \d+ \(a server of its version leaves a copy/,
        );
        if (how !== 'gone') assert.match(error.fields.detail, /The portable copy cannot be used/);
        return true;
      },
    );
    await refused.close();
  }
});

test('state of other operators is not loaded: everything is made anew from the log or the copy', async () => {
  const disk = new MemoryDisk();
  let engine = await open(disk);
  await sql(
    engine,
    'CREATE TABLE a (k int, v int); CREATE MATERIALIZED VIEW sums AS SELECT k, sum(v) AS s FROM a GROUP BY k; INSERT INTO a VALUES (1, 2), (1, 3)',
  );
  await engine.close();
  // As a program that names its operators otherwise would have written it.
  const before = Buffer.from('"op":"aggregate"');
  let found = 0;
  patched(disk, (bytes) => {
    for (let at = bytes.indexOf(before); at >= 0; at = bytes.indexOf(before, at + 1)) {
      bytes.write('"op":"aggregato"', at);
      found++;
    }
    return bytes;
  });
  assert.ok(found > 0, 'keys have another form: say here how to change one');
  const messages: string[] = [];
  engine = await openEngine({ log: (_, message) => messages.push(message) });
  await openData(engine, { path, disk });
  assert.match(messages.join('\n'), /checkpoint \d+ cannot be used: this program would run "sums" by other operators/);
  assert.deepEqual(await sql(engine, 'SELECT * FROM sums'), [['1', '5']]);
  await sql(engine, 'INSERT INTO a VALUES (1, 10); CHECKPOINT');
  await engine.close();
  engine = await open(disk);
  assert.notEqual(engine.recovery?.checkpoint, null);
  assert.deepEqual(await sql(engine, 'SELECT * FROM sums'), [['1', '15']]);
  await engine.close();
});

test('rows of a table that was altered are there once', async () => {
  const disk = new MemoryDisk();
  let engine = await open(disk);
  await sql(
    engine,
    'CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); CREATE MATERIALIZED VIEW v AS SELECT count(*) FROM t',
  );
  await sql(
    engine,
    'ALTER TABLE t RENAME TO u; ALTER TABLE u ALTER a SET NOT NULL; CHECKPOINT; INSERT INTO u VALUES (3)',
  );
  await engine.close();
  otherLayout(disk);
  engine = await open(disk);
  assert.equal(engine.recovery?.checkpoint, null);
  assert.deepEqual(await sql(engine, 'SELECT * FROM u ORDER BY 1'), [['1'], ['2'], ['3']]);
  assert.deepEqual(await sql(engine, 'SELECT * FROM v'), [['3']]);
  await engine.close();
});

test('a copy of layout 14 has the rows of an altered table more than once: they are loaded once', async () => {
  const disk = new MemoryDisk();
  let engine = await open(disk);
  await sql(
    engine,
    `CREATE TABLE t (a int, b text);
     CREATE STREAM clicks (at timestamp, k int, WATERMARK FOR at AS at - INTERVAL '5 seconds');
     INSERT INTO t SELECT x, 'row ' || x FROM generate_series(1, 9000) g(x);
     INSERT INTO clicks VALUES ('2026-01-01 00:01:00', 1); INSERT INTO clicks VALUES ('2026-01-01 00:00:00', 2);
     CREATE MATERIALIZED VIEW v AS SELECT count(*), sum(a) FROM t;
     CREATE MATERIALIZED VIEW w AS SELECT count(*), sum(k) FROM clicks`,
  );
  await sql(
    engine,
    `ALTER TABLE t RENAME TO u; ALTER TABLE u ALTER a SET NOT NULL; ALTER TABLE u ALTER b SET DEFAULT 'none'; ALTER TABLE u ADD PRIMARY KEY (a);
     ALTER STREAM clicks RENAME TO hits; CHECKPOINT; INSERT INTO u VALUES (9001)`,
  );
  const look = async () => [
    await sql(engine, 'SELECT count(*), count(DISTINCT a), max(b) FROM u'),
    await sql(engine, 'SELECT * FROM v'),
    await sql(engine, 'SELECT * FROM w'),
    await sql(engine, "SELECT k FROM tidemark.late('hits')"),
    [...engine.localStreams.values()].map(({ watermark, lateCount }) => [watermark, lateCount]),
  ];
  const before = await look();
  await engine.close();
  otherLayout(disk);
  asOfLayout14(disk);
  engine = await open(disk);
  assert.equal(engine.recovery?.checkpoint, null);
  assert.deepEqual(await look(), before);
  await engine.close();
});

/** Statements whose ALTER must be done again although something that it made or named is gone. */
const GONE_LATER = {
  'an identity that came with a column': `CREATE TABLE t (id int NOT NULL, a int); INSERT INTO t VALUES (1, 2);
     ALTER TABLE t ADD COLUMN z int DEFAULT 5, ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY; ALTER TABLE t DROP COLUMN id`,
  'an identity that came with a CHECK and a default': `CREATE TABLE t (id int NOT NULL, a int); INSERT INTO t VALUES (1, 2);
     ALTER TABLE t ALTER COLUMN a SET DEFAULT 9, ADD CONSTRAINT c CHECK (a > 0), ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
     ALTER TABLE t DROP COLUMN id`,
  'an identity that was altered, and a view': `CREATE TABLE t (id int NOT NULL, a int); INSERT INTO t VALUES (1, 2);
     ALTER TABLE t ADD UNIQUE (a), ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY; ALTER SEQUENCE t_id_seq INCREMENT 7;
     CREATE MATERIALIZED VIEW v AS SELECT id FROM t; ALTER TABLE t DROP COLUMN id CASCADE, ADD COLUMN b int DEFAULT 3`,
  'a sequence of a new column': `CREATE SEQUENCE s; CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2);
     ALTER TABLE t ADD COLUMN b int DEFAULT nextval('s'); DROP SEQUENCE s CASCADE`,
  'a sequence of a new column whose default is another by then': `CREATE SEQUENCE s; CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2);
     ALTER TABLE t ADD COLUMN b int DEFAULT nextval('s'), ALTER COLUMN b SET DEFAULT 4; DROP SEQUENCE s`,
  'a sequence of a default that was taken back': `CREATE SEQUENCE s; CREATE TABLE t (a int); INSERT INTO t VALUES (1);
     ALTER TABLE t ALTER a SET DEFAULT nextval('s'), ALTER a SET DEFAULT 8; DROP SEQUENCE s`,
  'a sequence of a CHECK': `CREATE SEQUENCE s; CREATE TABLE t (a int, CHECK (a > 0 OR nextval('s') > 0)); INSERT INTO t VALUES (1); DROP SEQUENCE s`,
  'tables that defaults are the OIDs of': `CREATE TABLE x (y int); CREATE TABLE z (y int); CREATE TABLE t (a int, b oid DEFAULT 'x'::regclass::oid);
     INSERT INTO t VALUES (1); ALTER TABLE t ADD COLUMN c oid DEFAULT 'z'::regclass::oid; DROP TABLE x, z;
     ALTER TABLE t ALTER b DROP DEFAULT, ALTER c DROP DEFAULT`,
  'a sequence in a schema that went with it': `CREATE SCHEMA other; CREATE SEQUENCE other.s; CREATE TABLE t (a int); INSERT INTO t VALUES (1);
     ALTER TABLE t ADD COLUMN b int DEFAULT nextval('other.s'); DROP SCHEMA other CASCADE`,
  'a sequence that went with its owner': `CREATE TABLE o (k serial); CREATE TABLE t (a int); INSERT INTO t VALUES (1);
     ALTER TABLE t ADD COLUMN b int DEFAULT nextval('o_k_seq'); DROP TABLE o CASCADE`,
  'a sequence that a new table takes the name of': `CREATE SEQUENCE s; CREATE TABLE t (a int); INSERT INTO t VALUES (1);
     ALTER TABLE t ADD COLUMN b int DEFAULT nextval('s'); DROP SEQUENCE s CASCADE; CREATE TABLE s (x int); INSERT INTO s VALUES (1)`,
};

for (const [what, script] of Object.entries(GONE_LATER)) {
  test(`a table that was altered stays what it is when something went later: ${what}`, async () => {
    const disk = new MemoryDisk();
    let engine = await open(disk);
    const look = async () => [
      await sql(engine, 'SELECT * FROM t ORDER BY a'),
      await sql(engine, "SELECT attname, atthasdef FROM pg_attribute WHERE attrelid = 't'::regclass ORDER BY attnum"),
      await sql(engine, "SELECT conname, contype FROM pg_constraint WHERE conrelid = 't'::regclass ORDER BY 1"),
      await sql(engine, 'SELECT relname, relkind FROM pg_class WHERE oid > 16383 ORDER BY 1'),
      await sql(engine, 'EXPLAIN SELECT * FROM t'),
    ];
    await sql(engine, script);
    const before = await look();
    for (let round = 0; round < 2; round++) {
      await sql(engine, 'CHECKPOINT; INSERT INTO t (a) VALUES (100); DELETE FROM t WHERE a = 100');
      await engine.close();
      otherLayout(disk);
      engine = await open(disk);
      assert.equal(engine.recovery?.checkpoint, null);
      assert.deepEqual(await look(), before);
    }
    await sql(engine, 'DROP TABLE t CASCADE');
    assert.deepEqual(
      engine.definitions.save().filter(({ record }) => /\bt\b/.test(record.sql)),
      [],
    );
    await engine.close();
  });
}
