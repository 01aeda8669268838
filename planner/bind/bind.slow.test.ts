/**
 * The binder against PostgreSQL: every line of testdata/queries.sql and testdata/errors.sql is described by both; names and types of
 * the columns and parameters, or SQLSTATE, text and position of the error, must agree.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { createSql, initParser, testCatalog } from './test_catalog.ts';
import { type Description, describeHere, describeThere } from './test_describe.ts';

let db: PGlite;

before(async () => {
  await initParser();
  db = await PGlite.create();
  await db.exec(createSql());
});

after(() => db.close());

/** The statements of a data file: one a line, `--` starts a comment line. */
function lines(file: string): string[] {
  return readFileSync(new URL(`./testdata/${file}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((l) => l.trim() !== '' && !l.startsWith('--'));
}

for (const file of ['queries.sql', 'errors.sql', 'changes.sql']) {
  test(`${file}: same description as PostgreSQL`, { timeout: 120_000 }, async () => {
    const catalog = testCatalog();
    const wrong: { sql: string; here: Description; there: Description }[] = [];
    for (const sql of lines(file)) {
      const there = await describeThere(db, sql);
      const here = describeHere(catalog, sql);
      if (JSON.stringify(here) !== JSON.stringify(there)) wrong.push({ sql, here, there });
    }
    const text = wrong
      .map((w) => [w.sql, `  here:  ${show(w.here)}`, `  there: ${show(w.there)}`].join('\n'))
      .join('\n');
    assert.equal(wrong.length, 0, `${wrong.length} statements differ\n${text}`);
  });
}

function show(d: Description): string {
  return JSON.stringify(d);
}
