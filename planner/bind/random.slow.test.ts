/**
 * Random queries, valid and wrong: the binder must describe each as PostgreSQL does (columns and types, or the error with its
 * position), and the rows of the plan must be PostgreSQL's. SEED=n replays a run, QUERIES=n sets its length.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { testSeed } from '../../operators/testing/property.ts';
import type { CatalogReader } from '../catalog_reader.ts';
import { initParser, testCatalog } from './test_catalog.ts';
import { describeHere, describeThere } from './test_describe.ts';
import { Generator } from './test_generate.ts';
import { loadTables, rowsHere, rowsThere, type Tables } from './test_results.ts';

const seed = testSeed();
const count = Number(process.env.QUERIES ?? 400);

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

/** Errors that depend on the order in which rows are looked at, or that only running gives. */
function isRunTime(rows: string[]): boolean {
  return rows.length === 1 && /^error (22|21)/.test(rows[0]);
}

test(`random queries as in PostgreSQL (SEED=${seed})`, { timeout: 300_000 }, async () => {
  const wrong: string[] = [];
  let valid = 0;
  for (let i = 0; i < count; i++) {
    const { sql, open } = new Generator(seed + i).query();
    const [here, there] = [describeHere(catalog, sql), await describeThere(db, sql)];
    if (JSON.stringify(here) !== JSON.stringify(there)) {
      wrong.push(`SEED=${seed + i} ${sql}\n  here:  ${JSON.stringify(here)}\n  there: ${JSON.stringify(there)}`);
      continue;
    }
    if (here.error !== undefined || open) continue;
    valid++;
    const [ours, theirs] = [rowsHere(catalog, tables, sql), await rowsThere(db, sql)];
    if (ours.join('\n') === theirs.join('\n') || isRunTime(theirs) || isRunTime(ours)) continue;
    wrong.push(
      `SEED=${seed + i} ${sql}\n  here:  ${ours.slice(0, 8).join(' ; ')}\n  there: ${theirs.slice(0, 8).join(' ; ')}`,
    );
  }
  console.log(`SEED=${seed}: ${count} queries, ${valid} with rows compared`);
  assert.equal(wrong.length, 0, `${wrong.length} queries differ\n${wrong.slice(0, 40).join('\n')}`);
});
