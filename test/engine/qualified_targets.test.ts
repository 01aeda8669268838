/** `schema.table.column` of the table that a statement changes: in RETURNING and in ON CONFLICT DO UPDATE, as SQLAlchemy writes it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';

test('the schema may stand before the name of the changed table, unless it has an alias', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE SCHEMA s; CREATE TABLE s.r (id int PRIMARY KEY, x int)');
  for (const [statement, rows] of [
    ['INSERT INTO s.r VALUES (1, 2) RETURNING s.r.id, s.r.*', [['1', '1', '2']]],
    [
      'INSERT INTO s.r VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET x = excluded.x + s.r.x WHERE s.r.x < 9 RETURNING s.r.x',
      [['7']],
    ],
    ['UPDATE s.r SET x = s.r.x + 1 RETURNING s.r.x', [['8']]],
    [
      'MERGE INTO s.r USING (SELECT 1 AS k) q ON s.r.id = q.k WHEN MATCHED THEN UPDATE SET x = s.r.x + q.k RETURNING s.r.x',
      [['9']],
    ],
    ['DELETE FROM s.r WHERE s.r.id = 1 RETURNING s.r.x', [['9']]],
  ] as const)
    assert.deepEqual(await sql(engine, statement), rows, statement);
  for (const statement of [
    'INSERT INTO s.r AS r VALUES (1, 2) RETURNING s.r.id',
    'INSERT INTO s.r AS r VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET x = s.r.x',
    'UPDATE s.r AS r SET x = 1 RETURNING s.r.x',
    'INSERT INTO s.r VALUES (1, 2) RETURNING public.r.id',
  ])
    await assert.rejects(sql(engine, statement), { sqlstate: '42P01' }, statement);
});
