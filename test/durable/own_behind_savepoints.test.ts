/**
 * What is done at once to something that the transaction made before a savepoint stays after ROLLBACK TO, and says names that were given, or were free, only behind it: the server starts again from
 * the statements alone.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import { Session, sql } from '../engine/harness.ts';
import { openOn, startedFromCopy } from './over_restarts.ts';

const SHOWN = `SELECT relname, relkind::text, relowner::regrole::text, relacl::text, obj_description(oid), (SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0)
  FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i' ORDER BY oid`;

for (const [what, before, texts] of [
  ['its own new name', '', ['ALTER TABLE x RENAME TO y', 'ALTER TABLE y ADD COLUMN b int']],
  [
    "another's new name",
    'CREATE TABLE u (a int PRIMARY KEY)',
    ['ALTER TABLE u RENAME TO y', 'ALTER TABLE x ADD FOREIGN KEY (a) REFERENCES y'],
  ],
  ['a new name in a view', '', ['ALTER TABLE x RENAME TO y', 'CREATE OR REPLACE VIEW v AS SELECT a FROM y']],
  [
    'the name of a table that was dropped',
    'CREATE TABLE u (a int PRIMARY KEY)',
    ['DROP TABLE u', 'CREATE TABLE u (a int PRIMARY KEY)', 'ALTER TABLE x ADD FOREIGN KEY (a) REFERENCES u'],
  ],
  [
    'the name of a type that was dropped',
    `CREATE TYPE e AS ENUM ('old')`,
    ['DROP TYPE e', `CREATE TYPE e AS ENUM ('new')`, 'ALTER TABLE x ADD COLUMN m e'],
  ],
  [
    'the name of a table that was dropped, in a view',
    'CREATE TABLE u (a int)',
    ['DROP TABLE u', 'CREATE TABLE u (a int)', 'CREATE OR REPLACE VIEW v AS SELECT a FROM u'],
  ],
] as [string, string, string[]][])
  test(`ROLLBACK TO behind what says ${what}`, async () => {
    const disk = new MemoryDisk();
    let engine = await openOn(disk);
    if (before !== '') await sql(engine, before);
    const a = new Session(engine, {}, true);
    await a.run('CREATE TABLE x (a int)');
    await a.run('CREATE VIEW v AS SELECT 1 AS a');
    a.transaction.savepoint('p');
    for (const text of texts) await a.run(text);
    a.transaction.rollbackTo('p');
    await a.transaction.commit();
    const seen = await sql(engine, SHOWN);
    engine = await startedFromCopy(engine, disk);
    assert.deepEqual(await sql(engine, SHOWN), seen);
    await engine.close();
  });

test('what was changed behind a savepoint does not count after what is done at once', async () => {
  const disk = new MemoryDisk();
  let engine = await openOn(disk);
  await sql(engine, 'CREATE ROLE reading; CREATE ROLE owning');
  const a = new Session(engine, {}, true);
  await a.run('CREATE TABLE x (a int)');
  a.transaction.savepoint('p');
  for (const text of ['GRANT SELECT ON x TO reading', `COMMENT ON TABLE x IS 'said'`, 'ALTER TABLE x RENAME TO y'])
    await a.run(text);
  a.transaction.release('p');
  await a.run('ALTER TABLE y OWNER TO owning, ADD COLUMN b int');
  await a.run('ALTER TABLE y RENAME TO z');
  await a.run('CREATE VIEW v AS SELECT a FROM z');
  await a.run('ALTER TABLE z RENAME TO last');
  await a.transaction.commit();
  const seen = await sql(engine, SHOWN);
  assert.deepEqual(seen, [
    ['last', 'r', 'owning', '{owning=arwdDxt/owning,reading=r/owning}', 'said', 'a,b'],
    ['v', 'v', 'tidemark', null, null, 'a'],
  ]);
  engine = await startedFromCopy(engine, disk);
  assert.deepEqual(await sql(engine, SHOWN), seen);
  await engine.close();
});
