/** Views over a plain view that gets more columns by CREATE OR REPLACE go on seeing those that they were made with, as in PostgreSQL (PGlite): now, by the text that is shown, and after a restart. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { openData } from '../../src/durable/recovery.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, sql } from './harness.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-replaced-'));
after(() => rmSync(root, { recursive: true, force: true }));

const MADE = `
  CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 7), (2, 8);
  CREATE TABLE u (a int, b int); INSERT INTO u VALUES (1, 70), (3, 90);
  CREATE VIEW v AS SELECT a FROM t`;
const OVER = {
  star: 'SELECT * FROM v',
  behind: `SELECT *, 'x' AS x FROM v`,
  joined: 'SELECT * FROM v NATURAL JOIN u',
  using: 'SELECT u.* , v.* FROM u JOIN v AS v(c) ON v.c = u.a',
  unsaid: 'SELECT b FROM v, u WHERE v.a = u.a',
};
const REPLACED = `CREATE OR REPLACE VIEW v AS SELECT a, b, a + b AS c FROM t;
  CREATE VIEW later AS SELECT * FROM v; CREATE OR REPLACE VIEW v AS SELECT a, b, a + b AS c, 0 AS d FROM t`;
/** Each after those that it reads. */
const NAMES = [...Object.keys(OVER), 'later', 'outer_star'];
const SCRIPT = [
  MADE,
  ...Object.entries(OVER).map(([name, query]) => `CREATE VIEW "${name}" AS ${query}`),
  'CREATE VIEW outer_star AS SELECT *, 1 AS one FROM behind',
  REPLACED,
].join(';\n');

const asked = (name: string) => `SELECT to_json(q)::text AS row FROM "${name}" AS q ORDER BY 1`;

async function shown(engine: TidemarkEngine): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const name of NAMES) found.push([name, await sql(engine, asked(name))]);
  return found;
}

/** What is there once all views over v are made again by the text that is shown of them. */
async function recreated(engine: TidemarkEngine): Promise<unknown[]> {
  const texts = NAMES.map((name) => engine.catalog.find('public', name)?.sql ?? '');
  await sql(engine, `DROP VIEW ${NAMES.map((name) => `"${name}"`).join(', ')}`);
  for (const text of texts) await sql(engine, text);
  return shown(engine);
}

test('views over a view that gets more columns keep those that they saw', async () => {
  const there = await PGlite.create();
  await there.exec(SCRIPT);
  const wanted: unknown[] = [];
  for (const name of NAMES)
    wanted.push([name, (await there.query<unknown[]>(asked(name), [], { rowMode: 'array' })).rows]);
  await there.close();
  const path = join(root, 'data');
  const first = await openEngine();
  await openData(first, { path, checkpoints: null });
  await sql(first, SCRIPT);
  assert.deepEqual(await shown(first), wanted);
  await first.close();
  const again = await openEngine();
  await openData(again, { path, checkpoints: null });
  assert.deepEqual(await shown(again), wanted, 'from the log');
  assert.deepEqual(await recreated(again), wanted, 'by the texts that are shown');
  await again.close();
});
