/** Statements for which there is nothing to do say so only of what is there: a name with a slip in it is an error, as in PostgreSQL. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import { openEngine, Session, sql } from './harness.ts';

test('what maintenance names is there, and REFRESH names a materialized view', async () => {
  const engine = await openEngine();
  engine.system.catalogs = new PgCatalog(engine);
  await sql(
    engine,
    'CREATE SCHEMA s; CREATE TABLE s.t (a int PRIMARY KEY); CREATE INDEX i ON s.t (a); CREATE MATERIALIZED VIEW v AS SELECT a FROM s.t; CREATE VIEW plain AS SELECT 1 AS a',
  );
  const session = new Session(engine, {}, true);
  const fine = [
    ...[
      'REFRESH MATERIALIZED VIEW v',
      'REFRESH MATERIALIZED VIEW CONCURRENTLY public.v',
      'VACUUM',
      'VACUUM (FULL) s.t, v (a)',
    ],
    ...[
      'ANALYZE',
      'ANALYZE s.t (a)',
      'ANALYZE pg_catalog.pg_class',
      'ANALYZE pg_type',
      'LOCK TABLE s.t, v IN SHARE MODE',
      'CLUSTER',
    ],
    ...['CLUSTER s.t USING t_pkey', 'REINDEX TABLE s.t', 'REINDEX INDEX s.i', 'REINDEX SCHEMA s'],
  ];
  for (const text of fine) await session.run(text);
  const missing = [
    ...[
      'REFRESH MATERIALIZED VIEW w',
      'REFRESH MATERIALIZED VIEW s.v',
      'VACUUM s.t, w',
      'ANALYZE t',
      'LOCK TABLE v, w',
    ],
    ...['CLUSTER w USING t_pkey', 'REINDEX TABLE w', 'REINDEX INDEX i'],
  ];
  for (const text of missing) await assert.rejects(session.run(text), { sqlstate: '42P01' }, text);
  for (const name of ['s.t', 'plain', 'pg_catalog.pg_class'])
    await assert.rejects(session.run(`REFRESH MATERIALIZED VIEW ${name}`), {
      sqlstate: '42809',
      message: `"${name.split('.').at(-1)}" is not a materialized view`,
    });
  session.transaction.rollback();
  await engine.close();
});
