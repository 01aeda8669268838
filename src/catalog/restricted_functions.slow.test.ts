/** Which functions PUBLIC may not call, and who may, in PostgreSQL. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { allProcs } from '../../planner/types/catalog.ts';
import { aclOfFunction } from './restricted_functions.ts';
import { BOOTSTRAP, Roles } from './roles.ts';

test('they are those of PostgreSQL', async (t) => {
  const db = await PGlite.create();
  t.after(() => db.close());
  const { rows } = await db.query<{ oid: number; names: string[] }>(
    `SELECT p.oid::int AS oid, array_agg(grantee::regrole::text ORDER BY grantee) AS names
       FROM pg_proc p, aclexplode(proacl) WHERE p.oid < 16384 GROUP BY p.oid`,
  );
  const theirs = new Map(rows.map(({ oid, names }) => [oid, names]));
  const roles = new Roles(() => undefined);
  for (const { oid, name } of allProcs()) {
    const acl = aclOfFunction(roles, name);
    const ours = acl?.map(({ grantee }) => (grantee === BOOTSTRAP ? 'postgres' : roles.get(grantee)?.name));
    assert.deepEqual(ours, theirs.get(oid), name);
  }
});
