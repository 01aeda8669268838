/** The committed catalog rows are those of the PostgreSQL that the tests run; if not, run planner/types/generate.ts again. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { generateTables, tablePath, tableText } from './generate.ts';

test('generated catalog rows are up to date', async () => {
  for (const table of await generateTables()) {
    const committed = readFileSync(tablePath(table.relation), 'utf8');
    const stale = `${table.relation}.json is stale: node --import tsx planner/types/generate.ts`;
    assert.ok(tableText(table) === committed, stale);
  }
});
