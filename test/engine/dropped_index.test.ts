/** An index that operators read is dropped where there is no room for another one: they go on with it, and views stay right. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import { openEngine, sql } from './harness.ts';

after(() => {
  budget.limit = Number.POSITIVE_INFINITY;
});

test('DROP INDEX in a full memory', { timeout: 60_000 }, async () => {
  const before = pages.usedPages;
  const engine = await openEngine();
  await sql(
    engine,
    `CREATE TABLE t (a int, s text); CREATE TABLE u (a int, d int); CREATE INDEX i ON t (a);
     INSERT INTO t SELECT i, repeat('x', 100) || i FROM generate_series(1, 20000) i`,
  );
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT t.a, t.s, u.d FROM u JOIN t ON t.a = u.a');
  await sql(engine, 'CREATE MATERIALIZED VIEW w AS SELECT t.s, u.d FROM u JOIN t ON t.a = u.d WHERE u.d > 5');
  const check = async (when: string) => {
    const rows = async (text: string) => (await sql(engine, text)).map((row) => row.join('|')).sort();
    assert.deepEqual(
      await rows('SELECT * FROM v'),
      await rows('SELECT t.a, t.s, u.d FROM u JOIN t ON t.a = u.a'),
      when,
    );
    assert.deepEqual(
      await rows('SELECT * FROM w'),
      await rows('SELECT t.s, u.d FROM u JOIN t ON t.a = u.d WHERE u.d > 5'),
      when,
    );
  };
  await sql(engine, 'INSERT INTO u VALUES (1, 2), (7, 19999)');
  await check('before');
  const used = pages.usedPages;
  budget.limit = pages.usedBytes + budget.outsideBytes + (1 << 20);
  await sql(engine, 'DROP INDEX i');
  budget.limit = Number.POSITIVE_INFINITY;
  assert.ok(pages.usedPages - used < 16, `${pages.usedPages - used} pages more`);
  await check('dropped');
  await sql(
    engine,
    "INSERT INTO t VALUES (3, 'three'); INSERT INTO u VALUES (3, 7), (4, 20000); DELETE FROM t WHERE a = 7",
  );
  await check('gone on');
  await sql(
    engine,
    'CREATE INDEX j ON t (a); DELETE FROM t WHERE a = 1; DROP INDEX j; INSERT INTO u VALUES (20000, 8)',
  );
  await check('made and dropped again');
  await engine.close();
  assert.equal(pages.usedPages, before);
});
