/** What a transaction has made is there after a restart if it was committed, with all its rows, and else nothing of it is: however the server ended, and in whatever moment. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { Session, sql } from '../engine/harness.ts';
import { openOn, overRestarts } from './over_restarts.ts';

/** What there is, in the order in which it was made. */
const names = (engine: TidemarkEngine) => [
  ...engine.catalog.schemas.filter((name) => engine.catalog.schemaOid(name) >= 16384),
  ...engine.catalog.objects().map(({ schema, name }) => `${schema}.${name}`),
];

/** What is said of the tables of before, whose they are, and who may what. */
const said = (engine: TidemarkEngine) =>
  sql(
    engine,
    `SELECT relowner::regrole::text, relacl::text, obj_description(oid) FROM pg_class WHERE relname IN ('old', 'total', 'other') ORDER BY oid`,
  );

const ALTERED = `SELECT attnotnull, (SELECT count(*) FROM pg_attrdef WHERE adrelid = attrelid), (SELECT count(*) FROM pg_constraint WHERE conrelid = attrelid AND contype = 'c')
  FROM pg_attribute WHERE attrelid = 'old'::regclass AND attname = 'a'`;

const MADE =
  `CREATE SCHEMA s; CREATE TYPE s.mood AS ENUM ('sad', 'ok'); CREATE TABLE s.t (a serial PRIMARY KEY, b text UNIQUE, m s.mood DEFAULT 'ok');
  INSERT INTO s.t (b) VALUES ('x'), ('y'); CREATE TABLE s.u (a int REFERENCES s.t); INSERT INTO s.u VALUES (1);
  CREATE VIEW s.plain AS SELECT a, m FROM s.t; CREATE MATERIALIZED VIEW s.kept AS SELECT m, count(*) AS n FROM s.t GROUP BY m; CREATE INDEX ON s.kept (n);
  CREATE TABLE s.copied AS SELECT 7 AS a; CREATE SEQUENCE s.counter; COMMENT ON TABLE s.t IS 'made'; CREATE INDEX late ON old (a);
  ALTER TABLE s.t ADD COLUMN c int DEFAULT 3; ALTER TABLE s.u RENAME TO renamed; INSERT INTO old VALUES (2);
  COMMENT ON TABLE old IS 'changed'; ALTER TABLE old ALTER a SET DEFAULT 5, ADD CONSTRAINT few CHECK (a < 9999), ALTER a SET NOT NULL; GRANT SELECT ON old TO PUBLIC; ALTER TABLE old OWNER TO owning; GRANT CREATE ON DATABASE tidemark TO owning;
  INSERT INTO gone VALUES (3); DROP TABLE gone CASCADE; CREATE TABLE gone (b text); CREATE VIEW over_gone AS SELECT b FROM gone`.split(
    ';',
  );

async function run(session: Session, texts: string[]): Promise<void> {
  for (const text of texts) await session.run(text);
}

test('after a kill, an orderly end, from checkpoints, the log, the copy for another layout', async () => {
  let round = 0;
  const engine = await overRestarts(
    `CREATE ROLE owning; CREATE TABLE old (a int); INSERT INTO old VALUES (1); CREATE MATERIALIZED VIEW total AS SELECT sum(a) FROM old;
     CREATE TABLE gone (a int); CREATE VIEW over_gone AS SELECT a FROM gone`,
    async (engine, how) => {
      const committed = Array.from({ length: round }, (_, i) => `made_${i}`);
      assert.equal(engine.catalog.hasOpen, false, how);
      assert.deepEqual(
        names(engine).sort(),
        [
          ...['public.old', 'public.total', 'public.gone', 'public.over_gone'],
          ...committed.flatMap((name) => [`public.${name}`, `public.over_${name}`]),
        ].sort(),
        how,
      );
      for (const name of committed)
        assert.deepEqual(await sql(engine, `SELECT a, n FROM ${name}, over_${name}`), [['1', '1']], how);
      assert.deepEqual(await sql(engine, 'SELECT * FROM total'), [[String(1 + 10 * round)]], how);
      const grants = round === 0 ? null : `{tidemark=arwdDxt/tidemark,owning=${round % 2 === 1 ? 'r' : 'ar'}/tidemark}`;
      assert.deepEqual((await said(engine))[0], ['tidemark', grants, round === 0 ? null : `round ${round - 1}`], how);
      assert.deepEqual(await sql(engine, 'SELECT * FROM over_gone'), round === 0 ? [] : [[String(round - 1)]], how);
      // Rolled back, committed, never ended.
      const back = new Session(engine, {}, true);
      await run(back, MADE);
      back.transaction.rollback();
      const commits = new Session(engine, {}, true);
      await run(
        commits,
        [
          `CREATE TABLE made_${round} (a int); INSERT INTO made_${round} VALUES (1)`,
          `CREATE MATERIALIZED VIEW over_made_${round} AS SELECT count(*) AS n FROM made_${round}`,
          'INSERT INTO old VALUES (10)',
          `COMMENT ON TABLE old IS 'round ${round}'; REVOKE ALL ON old FROM owning; GRANT ${round % 2 === 0 ? 'SELECT' : 'SELECT, INSERT'} ON old TO owning`,
          `DROP TABLE gone CASCADE; CREATE TABLE gone (a int); INSERT INTO gone VALUES (${round})`,
          'CREATE VIEW over_gone AS SELECT a FROM gone',
        ].flatMap((text) => text.split(';')),
      );
      await commits.transaction.commit();
      await run(new Session(engine, {}, true), MADE);
      round++;
    },
  );
  await engine.close();
});

/** The disk as it was when so many bytes of the log had been written. */
function cutAt(disk: MemoryDisk, bytes: number): MemoryDisk {
  const after = disk.crash((_path, unsynced) => unsynced);
  let left = bytes;
  for (const path of segments(after)) {
    const { length } = after.files.get(path)!.bytes;
    if (left <= 0) after.files.delete(path);
    else if (left < length) {
      const part = after.files.get(path)!.bytes.subarray(0, left);
      after.files.set(path, { bytes: Buffer.from(part), synced: Buffer.from(part) });
    }
    left -= length;
  }
  return after;
}

const segments = (disk: MemoryDisk) => [...disk.files.keys()].filter((path) => /\/\d{20}\.log$/.test(path)).sort();
const logBytes = (disk: MemoryDisk) =>
  segments(disk).reduce((sum, path) => sum + (disk.files.get(path)?.bytes.length ?? 0), 0);

test('a power cut at any byte: all of a commit or nothing', async () => {
  const disk = new MemoryDisk();
  const engine = await openOn(disk);
  await sql(
    engine,
    'CREATE ROLE owning; CREATE TABLE old (a int); CREATE TABLE other (a int); CREATE TABLE gone (a int); CREATE MATERIALIZED VIEW over_gone AS SELECT a FROM gone; INSERT INTO gone VALUES (7)',
  );
  const before = names(engine);
  const saidBefore = await said(engine);
  const began = logBytes(disk);
  assert.ok(began > 0);
  const session = new Session(engine, {}, true);
  await run(session, MADE);
  session.transaction.savepoint('1');
  await run(session, ['CREATE TABLE s.gone (a int)', 'CREATE VIEW s.over AS SELECT * FROM s.gone']);
  await run(session, [`COMMENT ON TABLE old IS 'not this'`, 'GRANT INSERT ON other TO owning']);
  session.transaction.rollbackTo('1');
  await engine.journal?.durable();
  const open = logBytes(disk);
  await session.transaction.commit();
  const whole = names(engine);
  const saidWhole = await said(engine);
  assert.deepEqual(saidWhole, [
    ['owning', '{owning=arwdDxt/owning,=r/owning}', 'changed'],
    ['tidemark', null, null],
  ]);
  assert.equal(whole.filter((name) => name === 'public.gone').length, 1);
  const ended = logBytes(disk);
  const written = cutAt(disk, ended);
  await engine.close();
  const seen = new Set<boolean>();
  const at = (bytes: number, holds: boolean | null) => ({ bytes, holds });
  const inBetween = Array.from({ length: 20 }, (_, i) => Math.floor(began + ((open - began) * i) / 20));
  const ofCommit = Array.from({ length: 20 }, (_, i) => Math.floor(open + ((ended - open) * i) / 20));
  for (const { bytes, holds } of [
    ...inBetween.map((bytes) => at(bytes, false)),
    ...ofCommit.map((bytes) => at(bytes, null)),
    at(ended, true),
  ]) {
    const again = await openOn(cutAt(written, bytes));
    const found = names(again);
    const isThere = found.includes('s.t');
    seen.add(isThere);
    if (holds !== null) assert.equal(isThere, holds, `${bytes} of ${began}, ${open}, ${ended}`);
    assert.equal(again.catalog.hasOpen, false);
    assert.deepEqual(found, isThere ? whole : before);
    assert.deepEqual(await said(again), isThere ? saidWhole : saidBefore);
    assert.deepEqual(await sql(again, ALTERED), isThere ? [['t', '1', '1']] : [['f', '0', '0']]);
    assert.equal(again.catalog.rights.database.acl === null, !isThere);
    assert.deepEqual(await sql(again, 'SELECT a FROM old'), isThere ? [['2']] : []);
    assert.deepEqual(await sql(again, 'SELECT * FROM over_gone'), isThere ? [] : [['7']]);
    if (isThere) assert.deepEqual(await sql(again, 'SELECT m, n FROM s.kept'), [['ok', '2']]);
    await again.close();
  }
  assert.deepEqual(seen, new Set([false, true]));
});

test("privileges and owners of what others have open are nobody else's to give", async () => {
  const disk = new MemoryDisk();
  let engine = await openOn(disk);
  await sql(engine, 'CREATE SCHEMA s; CREATE ROLE r; CREATE TABLE s.old (a int)');
  const open = new Session(engine, {}, true);
  await run(open, ['CREATE TABLE s.t (a serial)', 'CREATE SCHEMA made', 'CREATE TABLE made.t (a int)']);
  await run(open, ['ALTER TABLE made.t OWNER TO r']);
  await sql(engine, 'GRANT SELECT ON ALL TABLES IN SCHEMA s TO r; GRANT SELECT ON ALL SEQUENCES IN SCHEMA s TO r');
  for (const text of [
    'GRANT SELECT ON ALL TABLES IN SCHEMA made TO r',
    'GRANT USAGE ON SCHEMA made TO r',
    'ALTER SCHEMA made OWNER TO r',
    'ALTER DEFAULT PRIVILEGES IN SCHEMA made GRANT SELECT ON TABLES TO r',
  ])
    await assert.rejects(sql(engine, text), { sqlstate: '3F000' }, text);
  for (const text of ['DROP OWNED BY r', 'DROP OWNED BY r CASCADE'])
    await assert.rejects(sql(engine, text), { sqlstate: '55P03' }, text);
  await run(open, ['GRANT USAGE ON SCHEMA made TO r', 'GRANT INSERT ON ALL TABLES IN SCHEMA made TO r']);
  await open.transaction.commit();
  const rights = () =>
    sql(
      engine,
      "SELECT relname, relacl::text FROM pg_class WHERE relnamespace::regnamespace::text IN ('s', 'made') ORDER BY oid",
    );
  const known = await rights();
  assert.deepEqual(known, [
    ['old', '{tidemark=arwdDxt/tidemark,r=r/tidemark}'],
    ['t', null],
    ['t_a_seq', null],
    ['t', '{r=arwdDxt/r}'],
  ]);
  await engine.close();
  engine = await openOn(disk);
  assert.deepEqual(await rights(), known);
  await engine.close();
});
