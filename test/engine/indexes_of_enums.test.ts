/** Indexes over expressions and conditions that say labels of a type, or name it: what keeps the type as it is, and what goes with it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';

test('what an index says of a type is not changed below it', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    `CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
     CREATE TABLE t (id int, m mood, b bool);
     CREATE INDEX said ON t (id) WHERE m = 'ok';
     INSERT INTO t VALUES (1, 'ok', true), (2, 'sad', true)`,
  );
  // It would be another label's condition when the text is bound again.
  await assert.rejects(sql(engine, "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'"), { sqlstate: '0A000' });
  await sql(engine, "ALTER TYPE mood RENAME VALUE 'happy' TO 'glad'; ALTER TYPE mood RENAME TO moods");
  await sql(engine, 'ALTER TABLE t ALTER id TYPE bigint');
  assert.deepEqual(await sql(engine, "SELECT id FROM t WHERE id = 1 AND m = 'ok'"), [['1']]);
  await sql(engine, "CREATE INDEX named ON t ((CASE WHEN b THEN 'ok'::moods END))");
  await assert.rejects(sql(engine, 'ALTER TYPE moods RENAME TO feelings'), { sqlstate: '0A000' });
  await sql(engine, 'DROP INDEX named; ALTER TYPE moods RENAME TO mood');
  await sql(engine, "ALTER TABLE t ADD CONSTRAINT c CHECK (m <> 'glad'::mood)");
  await assert.rejects(sql(engine, 'ALTER TYPE mood RENAME TO feelings'), { sqlstate: '0A000' });
  await engine.close();
});

test('an index that needs a type goes with it, but not by itself', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    `CREATE TYPE mood AS ENUM ('sad', 'ok');
     CREATE TABLE t (id int, m mood, b bool);
     CREATE INDEX own ON t (id) WHERE m = 'ok';
     CREATE INDEX other ON t ((CASE WHEN b THEN 'ok'::mood END));
     CREATE TABLE u (LIKE t INCLUDING INDEXES);
     ALTER TABLE t DROP COLUMN m; ALTER TABLE u DROP COLUMN m`,
  );
  const indexes = () => engine.catalog.objects().flatMap(({ kind, name }) => (kind === 'index' ? [name] : []));
  const before = indexes();
  assert.equal(before.length, 2);
  await assert.rejects(sql(engine, 'DROP TYPE mood'), { sqlstate: '2BP01' });
  assert.deepEqual(indexes(), before);
  await sql(engine, 'DROP TYPE mood CASCADE');
  assert.deepEqual(indexes(), []);
  await sql(engine, 'INSERT INTO t VALUES (1, true); INSERT INTO u VALUES (1, true)');
  await engine.close();
});
