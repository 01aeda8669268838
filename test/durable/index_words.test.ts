/** What CREATE INDEX says beside its columns is there after each way in which a server comes back to its data. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../engine/harness.ts';
import { overRestarts } from './over_restarts.ts';

test('words of indexes over restarts', { timeout: 120_000 }, async () => {
  const script = `
    CREATE TABLE t (id int, a int, b text, c text, gone int, j jsonb);
    INSERT INTO t SELECT i, i % 10, 'b' || i, 'c', i, '{}' FROM generate_series(1, 100) i;
    CREATE INDEX plain ON t (a);
    CREATE INDEX ordered ON t (a DESC NULLS LAST, b text_pattern_ops) INCLUDE (c) WITH (fillfactor = 70);
    CREATE INDEX lost ON t (a) INCLUDE (gone);
    CREATE INDEX computed ON t (lower(b) COLLATE "C" DESC) INCLUDE (gone);
    CREATE UNIQUE INDEX one ON t (id NULLS FIRST) INCLUDE (c);
    CREATE INDEX inverted ON t USING gin (j jsonb_path_ops);
    CREATE MATERIALIZED VIEW v AS SELECT a, count(*) AS n FROM t GROUP BY a;
    CREATE INDEX hashed ON v USING hash (n);
    CREATE TABLE alike (x int, LIKE t INCLUDING INDEXES);
    ALTER TABLE t DROP COLUMN gone;
    ALTER TABLE t RENAME c TO d;
    ALTER TABLE alike DROP COLUMN x`;
  let next = 1000;
  const engine = await overRestarts(script, async (engine, how) => {
    const definitions = await sql(
      engine,
      "SELECT replace(indexdef, ' INDEX ' || indexname, '') FROM pg_indexes WHERE tablename IN ('t', 'v') ORDER BY indexname",
    );
    assert.deepEqual(
      definitions.flat(),
      [
        'CREATE ON public.v USING hash (n)',
        'CREATE ON public.t USING gin (j jsonb_path_ops)',
        'CREATE UNIQUE ON public.t USING btree (id NULLS FIRST) INCLUDE (d)',
        "CREATE ON public.t USING btree (a DESC NULLS LAST, b text_pattern_ops) INCLUDE (d) WITH (fillfactor='70')",
        'CREATE ON public.t USING btree (a)',
      ],
      how,
    );
    const alike = await sql(engine, "SELECT indexdef FROM pg_indexes WHERE tablename = 'alike' ORDER BY indexname");
    assert.equal(alike.length, 6, how);
    assert.ok(
      alike.some(([text]) =>
        text?.endsWith("(a DESC NULLS LAST, b text_pattern_ops) INCLUDE (c) WITH (fillfactor='70')"),
      ),
    );
    const id = next++;
    await sql(engine, `INSERT INTO t VALUES (${id}, 7, 'b', 'c', '{}')`);
    await assert.rejects(sql(engine, `INSERT INTO t VALUES (${id}, 7, 'b', 'other', '{}')`), { sqlstate: '23505' });
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM t WHERE a = 7'), [[String(10 + next - 1000)]], how);
  });
  await engine.close();
});
