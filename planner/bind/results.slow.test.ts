/**
 * Whole meaning: every query of testdata/queries.sql is bound, its plan is run by the reference evaluator, and the rows are compared
 * with PostgreSQL's over the same tables. Order is left out (a plan is a bag); queries that depend on the clock, or are
 * marked `describe only`, are skipped.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import type { CatalogReader } from '../catalog_reader.ts';
import { initParser, testCatalog } from './test_catalog.ts';
import { loadTables, rowsHere, rowsThere, type Tables } from './test_results.ts';

let db: PGlite;
let tables: Tables;
let catalog: CatalogReader;

before(async () => {
  await initParser();
  catalog = testCatalog();
  db = await PGlite.create();
  tables = await loadTables(db, catalog);
});

after(() => db.close());

/** Not fixed by the data: the clock, the session, parameters, system columns, random values. */
const OPEN =
  /\$\d|now\(|current_|local|random|clock_|session_user|\buser\b|version\(|tableoid|regclass|pg_typeof|pg_backend|'now'|gen_random|describe only/i;

function lines(file: string): string[] {
  return readFileSync(new URL(`./testdata/${file}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((l) => l.trim() !== '' && !l.startsWith('--') && !OPEN.test(l));
}

test('queries.sql: same rows as PostgreSQL', { timeout: 120_000 }, async () => {
  const wrong: string[] = [];
  for (const sql of lines('queries.sql')) {
    const [ours, theirs] = [rowsHere(catalog, tables, sql), await rowsThere(db, sql)];
    if (ours.join('\n') === theirs.join('\n')) continue;
    wrong.push(`${sql}\n  here:  ${ours.slice(0, 6).join(' ; ')}\n  there: ${theirs.slice(0, 6).join(' ; ')}`);
  }
  assert.equal(wrong.length, 0, `${wrong.length} queries differ\n${wrong.join('\n')}`);
});
