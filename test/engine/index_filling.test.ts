/** CREATE INDEX over many rows goes in slices: ticks and other statements have their turn, and the index is that of the rows as they are when it appears. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages } from '../../operators/batch/pages.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { cancelled, openEngine, seeded, sql } from './harness.ts';

const ROWS = 30_000;

async function filled(): Promise<TidemarkEngine> {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, g int, s text)');
  await sql(engine, `INSERT INTO t SELECT i, i % 500, 'text of some length ' || i FROM generate_series(1, ${ROWS}) i`);
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT g, id, s FROM t WHERE id % 2 = 0');
  return engine;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

let lastId = ROWS;

/** Changes rows of t in a tick each, as long as `going` and for 20 ticks at the least. */
async function change(engine: TidemarkEngine, random: (below: number) => number, going: () => boolean): Promise<void> {
  for (let ticks = 0; going() || ticks < 20; ticks++) {
    const id = 1 + random(ROWS);
    await sql(engine, `UPDATE t SET g = ${random(600)} WHERE id BETWEEN ${id} AND ${id + 3}`);
    await sql(engine, `DELETE FROM t WHERE id = ${1 + random(ROWS)}`);
    await sql(engine, `INSERT INTO t VALUES (${++lastId}, ${random(600)}, 'a new row of the table ${lastId}')`);
    await turn();
  }
}

test('an index that was filled while ticks went on has the rows of the present', async () => {
  const used = pages.usedPages;
  const engine = await filled();
  const { random } = seeded('index filling');
  try {
    const before = engine.loop.tick;
    let filledAt = 0n;
    const making = Promise.all([
      sql(engine, 'CREATE INDEX t_g ON t (g)'),
      sql(engine, 'CREATE INDEX t_g_again ON t (g)'),
      sql(engine, 'CREATE INDEX v_g ON v (g)'),
      sql(engine, 'CREATE UNIQUE INDEX t_s ON t (s)'),
    ]).finally(() => {
      filledAt = engine.loop.tick;
    });
    await change(engine, random, () => filledAt === 0n);
    await making;
    assert.ok(filledAt > before, 'ticks go on meanwhile');
    await change(engine, random, () => false);
    for (const table of ['t', 'v']) {
      const all = await sql(engine, `SELECT g, id, s FROM ${table} ORDER BY id`);
      for (let g = 0; g < 600; g += 7) {
        const found = await sql(engine, `SELECT g, id, s FROM ${table} WHERE g = ${g} ORDER BY id`);
        assert.deepEqual(
          found,
          all.filter((row) => row[0] === String(g)),
        );
      }
    }
    await assert.rejects(sql(engine, `INSERT INTO t SELECT ${ROWS * 2}, 1, s FROM t LIMIT 1`), { sqlstate: '23505' });
    await sql(engine, 'DROP INDEX t_g; DROP INDEX t_g_again');
  } finally {
    await engine.close();
  }
  assert.equal(pages.usedPages, used);
});

test('a unique index that cannot be, one whose relation goes away and one that is cancelled leave nothing behind', async () => {
  const used = pages.usedPages;
  const engine = await filled();
  try {
    await assert.rejects(sql(engine, 'CREATE UNIQUE INDEX u ON t (g)'), { sqlstate: '23505' });

    // What comes meanwhile counts too.
    const late = assert.rejects(sql(engine, 'CREATE UNIQUE INDEX u ON t (s)'), { sqlstate: '23505' });
    await sql(engine, `INSERT INTO t VALUES (0, 1, 'text of some length 77')`);
    await late;
    // A NULL is no key.
    await sql(engine, 'UPDATE t SET s = NULL WHERE id <= 5000');
    await sql(engine, 'CREATE UNIQUE INDEX u ON t (s)');
    await sql(engine, 'DROP INDEX u');

    await cancelled(engine, 'CREATE INDEX i ON t (s)');
    assert.equal(engine.catalog.find('public', 'i'), undefined);

    const orphan = assert.rejects(sql(engine, 'CREATE INDEX i ON v (s)'), /dropped/);
    await sql(engine, 'DROP MATERIALIZED VIEW v');
    await orphan;
  } finally {
    await engine.close();
  }
  assert.equal(pages.usedPages, used);
});
