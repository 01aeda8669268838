/**
 * Statements that drivers, ORMs and tools send to the catalogs, as captured from them, must parse, bind, plan and run. The captures lie
 * beside the tree and are read in place; without them the test is skipped.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Datum } from '../../../operators/datum.ts';
import { pgArray } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { OID } from '../../../operators/types.ts';
import { parse } from '../../../planner/parse/parse.ts';
import { scanPostgres } from '../../../planner/parse/pg_parser.ts';
import { localSession } from '../../runtime/local_session.ts';
import { CatalogUnderTest } from './testing/catalog_under_test.ts';

const CAPTURES = new URL('../../../../shared/client-queries/', import.meta.url);

/** Objects that the captured sessions had. */
const SETUP = `
  CREATE TABLE t (id int PRIMARY KEY, name varchar(10) DEFAULT 'x', amount numeric(10,2), ts timestamptz, tags text[], doc jsonb,
    u uuid, ok bool, f4 real, f8 float8, b bytea, d date, iv interval);
  CREATE TABLE o (m int, p text);
  CREATE SCHEMA s2;
  CREATE TABLE s2.x (a int, b text);
  CREATE VIEW v AS SELECT id, name FROM t;
  CREATE MATERIALIZED VIEW mv AS SELECT name, count(*) AS n FROM t GROUP BY name;
  CREATE INDEX i ON t (name);
`;

const ASKS_CATALOG = /pg_|information_schema|::\s*"?reg|current_schema/i;
const RUN = new Set(['select', 'insert', 'update', 'delete']);

/** Answered with the session, which runs here have not; or about objects that the captured server had and this one has not. */
const EXPECTED = [
  /^0A000 function pg_(sleep|notify) is not supported$/,
  /^42601 syntax error at or near "(CREATE|START|DROP)_REPLICATION/,
  /^42704 unrecognized configuration parameter/,
  /^42883 function "f" does not exist$/,
];

function statements(text: string): string[] {
  const bytes = Buffer.from(text);
  const ends = scanPostgres(text).filter((t) => t.text === ';');
  const starts = [0, ...ends.map((t) => t.end)];
  return starts.map((from, i) => bytes.subarray(from, ends[i]?.start).toString().trim()).filter((s) => s !== '');
}

/** A value for a parameter of each type that the captures use. */
function sample(type: number): Datum {
  switch (type) {
    case OID.text:
    case OID.name:
    case OID.varchar:
      return 't';
    case OID.oid:
    case OID.regclass:
      return 16384;
    case OID.int2:
    case OID.int4:
      return 1;
    case OID.int8:
      return 1n;
    case OID.bool:
      return true;
    case OID._oid:
      return pgArray(OID.oid, [OID.int4, OID._text, 3904]);
    default:
      return null;
  }
}

/** Every statement once, with the file that it was first seen in. */
function captured(): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of readdirSync(CAPTURES)) {
    const text = readFileSync(new URL(file, CAPTURES), 'utf8');
    // A log of replication commands is no SQL.
    if (/START_REPLICATION SLOT \S+ LOGICAL \d+\/\d+[A-Z]/.test(text)) continue;
    for (const sql of statements(text)) if (ASKS_CATALOG.test(sql) && !found.has(sql)) found.set(sql, file);
  }
  return found;
}

async function run(db: CatalogUnderTest, sql: string): Promise<void> {
  const session = localSession(db.engine);
  try {
    for (const statement of parse(sql)) {
      const inner = statement.k === 'prepare' ? statement.inner : statement;
      if (!RUN.has(inner.k)) continue;
      const prepared = db.engine.prepare(inner, [], session);
      const params = prepared.paramTypes.map(sample);
      const result = await db.engine.execute(prepared, params, session, new AbortController().signal);
      if (result.kind === 'rows') while ((await result.rows.next(1000)) !== null);
    }
  } finally {
    session.transaction.rollback();
  }
}

const skip = existsSync(CAPTURES) ? false : 'no captured statements beside the tree';

test('captured statements run', { skip }, async () => {
  const db = await CatalogUnderTest.open(SETUP);
  const failures: string[] = [];
  let count = 0;
  try {
    for (const [sql, file] of captured()) {
      count++;
      try {
        await run(db, sql);
      } catch (error) {
        const text = error instanceof SqlError ? `${error.sqlstate} ${error.message}` : String(error);
        if (!EXPECTED.some((e) => e.test(text))) failures.push(`${file}: ${text}\n  ${sql.slice(0, 400)}`);
      }
    }
  } finally {
    await db.close();
  }
  console.log(`# ${count} captured statements`);
  assert.deepEqual(failures, []);
});
