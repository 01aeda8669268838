/** `tidemark doctor`: a healthy directory is called so, and every kind of damage is found and named. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openDirectory } from '../../src/durable/data_directory.ts';
import { examine } from '../../src/durable/doctor.ts';
import { RECORD } from '../../src/durable/frame.ts';
import { jsonFrame, streamsFrame } from '../../src/durable/records.ts';
import { openData } from '../../src/durable/recovery.ts';
import { readLog } from '../../src/durable/segments.ts';
import { frameOf, TickLog } from '../../src/durable/tick_log.ts';
import { openEngine, Session, sql } from '../engine/harness.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-doctor-'));
after(() => rmSync(root, { recursive: true, force: true }));

const problems = async (path: string) =>
  (await examine(path)).filter((finding) => finding.level === 'problem').map((finding) => finding.text);

test('a used directory is healthy; a flipped bit in it is not, and the place is named', async () => {
  const path = join(root, 'used');
  const engine = await openEngine();
  await openData(engine, { path, segmentBytes: 1000 });
  await sql(
    engine,
    'CREATE TABLE t (a int, b text); CREATE MATERIALIZED VIEW v AS SELECT sum(a) FROM t; CREATE TABLE u (x int); CREATE VIEW w AS SELECT 1 AS a',
  );
  for (let i = 0; i < 30; i++) await sql(engine, `INSERT INTO t VALUES (${i}, 'row ${i}')`);
  await sql(engine, 'DROP TABLE u');
  // All kinds of records that transactions leave.
  const session = new Session(engine, {}, true);
  await session.run(`COMMENT ON TABLE t IS 'x'`);
  session.transaction.savepoint('p');
  for (const text of ['DROP VIEW w', 'ALTER TABLE t RENAME TO renamed', 'GRANT SELECT ON renamed TO PUBLIC'])
    await session.run(text);
  session.transaction.rollbackTo('p');
  await session.run('DROP VIEW w');
  await session.transaction.commit();
  assert.match((await examine(path)).map((f) => f.text).join('\n'), new RegExp(`in use by process ${process.pid}`));
  await engine.close();
  assert.deepEqual(await problems(path), []);
  const segments = readdirSync(join(path, 'log')).filter((name) => name.endsWith('.log'));
  assert.ok(segments.length > 2);
  for (const name of segments) {
    const copy = join(root, 'copy');
    cpSync(path, copy, { recursive: true });
    const file = join(copy, 'log', name);
    const bytes = readFileSync(file);
    bytes[100] ^= 4;
    writeFileSync(file, bytes);
    const found = await problems(copy);
    assert.equal(found.length, 1);
    assert.ok(found[0].includes(file), found[0]);
    rmSync(copy, { recursive: true });
  }
  truncateSync(join(path, 'log', segments[1]), 200);
  assert.equal((await problems(path)).length, 1);
});

test('what transactions drop and rename, in vain or not, is no damage; rows of what a COMMIT has dropped are', async () => {
  const path = join(root, 'transactions');
  const engine = await openEngine();
  await openData(engine, { path });
  await sql(engine, 'CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE VIEW v AS SELECT a FROM t');
  const oid = engine.catalog.objects().find(({ name }) => name === 't')?.oid as number;
  const back = new Session(engine, {}, true);
  await back.run('DROP TABLE t CASCADE');
  await back.run('ALTER TABLE u RENAME TO w');
  back.transaction.rollback();
  const commits = new Session(engine, {}, true);
  await commits.run('INSERT INTO t VALUES (1)');
  await commits.run('DROP TABLE t CASCADE');
  await commits.run('ALTER TABLE u RENAME TO t');
  await commits.transaction.commit();
  await sql(engine, 'INSERT INTO t VALUES (2); DROP TABLE t');
  await engine.close();
  assert.deepEqual(await problems(path), []);
  const directory = await openDirectory(path);
  const { disk, identity, logFolder } = directory;
  const end = await readLog(logFolder, identity, disk, 0n, () => undefined);
  const log = await TickLog.open(logFolder, end, { disk, identity });
  const input = [
    { oid, ranges: [{ partition: 0, from: 0n, to: 1n, records: 1 }], watermark: undefined, columns: undefined },
  ];
  log.append(RECORD.tick, end.tick + 1n, streamsFrame(BigInt(Number.MAX_SAFE_INTEGER), input));
  await log.close();
  directory.release();
  assert.match((await problems(path)).join(), new RegExp(`has input of stream ${oid}, which was dropped before$`));
});

test('checkpoints are verified page by page, and the log must reach back to one', async () => {
  const path = join(root, 'checkpoints');
  const engine = await openEngine();
  await openData(engine, { path, segmentBytes: 1000 });
  await sql(engine, 'CREATE TABLE t (a int, b text)');
  for (let i = 0; i < 60; i++) {
    await sql(engine, `INSERT INTO t VALUES (${i}, '${'x'.repeat(i * 20)}')`);
    if (i % 25 === 24) await sql(engine, 'CHECKPOINT');
  }
  await engine.close();
  const texts = (await examine(path)).map((f) => f.text).join('\n');
  assert.match(texts, /checkpoint 3: tick \d+, record \d+, [1-9]\d* whole pages/);
  assert.deepEqual(await problems(path), []);
  const folder = join(path, 'checkpoints');
  const flip = (name: string) => {
    const bytes = readFileSync(join(folder, name));
    bytes[bytes.length >>> 1] ^= 1;
    writeFileSync(join(folder, name), bytes);
  };
  const names = readdirSync(folder).sort();
  const manifests = names.filter((name) => name.startsWith('manifest'));
  flip(names.filter((name) => name.startsWith('pages')).at(-1) as string);
  assert.match(
    (await problems(path)).join(),
    /checkpoint 3 cannot be used: .*pages-0000000003 is damaged at byte \d+$/,
  );
  for (const name of manifests) flip(name);
  assert.match(
    (await problems(path)).join(),
    /it begins with record \d+, and no usable checkpoint has what was before/,
  );
});

test('records that contradict each other are found though their checksums are right', async () => {
  const path = join(root, 'odd');
  const directory = await openDirectory(path);
  const { disk, identity, logFolder } = directory;
  const end = await readLog(logFolder, identity, disk, 0n, () => undefined);
  const log = await TickLog.open(logFolder, end, { disk, identity });
  const range = (from: bigint, to: bigint) => [
    { oid: 5, ranges: [{ partition: 0, from, to, records: Number(to - from) }], watermark: to, columns: undefined },
  ];
  log.append(RECORD.schema, 0n, jsonFrame({ oid: 5, id: 7, schema: { texts: ['"int"'] } }));
  log.append(RECORD.tick, 1n, streamsFrame(10n, range(0n, 5n)));
  log.append(RECORD.tick, 2n, streamsFrame(9n, range(5n, 6n)));
  log.append(RECORD.tick, 4n, streamsFrame(11n, range(3n, 4n)));
  const settings = {} as never;
  log.append(RECORD.definition, 4n, jsonFrame({ sql: 'DROP TABLE t', made: 0, dropped: [5], settings, now: '12' }));
  log.append(RECORD.tick, 5n, streamsFrame(13n, range(6n, 7n)));
  log.append(RECORD.tick, 6n, frameOf(Buffer.from('not a tick, but long enough')));
  log.append(99, 6n, frameOf(Buffer.alloc(0)));
  await log.close();
  directory.release();
  const found = (await problems(path)).map((text) => text.replace(/; .*, byte \d+/, ''));
  assert.deepEqual(
    found.map((text) => text.replace(/cannot be read: .*/, 'cannot be read')),
    [
      'tick log: record 3 (tick 2) has a clock before that of an earlier record',
      'tick log: record 4 (tick 4) follows tick 2',
      'tick log: record 4 (tick 4) takes offsets 3 to 4 of stream 5, partition 0, after 6',
      'tick log: record 4 (tick 4) moves the watermark of stream 5 back',
      'tick log: record 6 (tick 5) has input of stream 5, which was dropped before',
      'tick log: record 7 (tick 6) cannot be read',
      'tick log: record 8 (tick 6) has the unknown kind 99',
    ],
  );
});

test('what is no data directory is said to be none', async () => {
  assert.match((await problems(root))[0], /is not a data directory/);
});
