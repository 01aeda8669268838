/** UPDATE and DELETE whose rows go by columns against the same with RETURNING, which looks at each row: tables, views over them, counts, errors. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { times } from '../../operators/testing/property.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, Session, seeded, sql } from './harness.ts';
import { outcome, sameRows } from './twin_tables.ts';

const { random, seed } = seeded('column changes');
const LOOKED = ['bag_@', 'keyed_@', 'checked_@', 'sums_@'];
const COLUMNS = 'g int, v numeric, t text, n int NOT NULL, x float8';

let engine: TidemarkEngine;

before(async () => {
  engine = await openEngine();
  for (const table of ['a', 'b'])
    await sql(
      engine,
      `CREATE TABLE bag_${table} (${COLUMNS}); CREATE TABLE keyed_${table} (id serial PRIMARY KEY, ${COLUMNS});
       CREATE TABLE checked_${table} (id int PRIMARY KEY, ${COLUMNS}, twice int GENERATED ALWAYS AS (n * 2) STORED, CHECK (g < 9));
       CREATE MATERIALIZED VIEW sums_${table} AS SELECT g, count(*), sum(v) AS v, sum(n) AS n, max(t) AS t FROM bag_${table} GROUP BY g`,
    );
});

const pick = <T>(items: T[]) => items[random(items.length)];

function insert(table: string): string {
  const row = () =>
    `${pick(['NULL', '1', '2', '3'])}, ${pick(['NULL', '1.50', '2', '1e30', "'NaN'"])}, ${pick(['NULL', "'a'", "'a text of more than twelve bytes'"])}, ${random(5)}, ${pick(['NULL', '1.5', '-0.0'])}`;
  const rows = Array.from({ length: 1 + random(6) }, () => `(${row()})`).join(', ');
  if (table !== 'checked') return `INSERT INTO ${table}_@ (g, v, t, n, x) VALUES ${rows}`;
  return `INSERT INTO checked_@ (id, g, v, t, n, x) SELECT ${random(1000)} * 10 + row_number() OVER (), * FROM (VALUES ${rows}) r(g, v, t, n, x) ON CONFLICT DO NOTHING`;
}

function change(): string {
  const table = pick(['bag', 'keyed', 'keyed', 'checked']);
  const where = pick([
    '',
    ' WHERE g = 1',
    ' WHERE n > 2 OR v IS NULL',
    " WHERE t LIKE 'a%'",
    ' WHERE g IN (SELECT max(g) FROM bag_@)',
  ]);
  if (random(3) === 0) return insert(table);
  if (random(4) === 0) return `DELETE FROM ${table}_@${where === '' ? ' WHERE n = 0' : where}`;
  const set = pick([
    'v = v + 1, t = t || n',
    'g = n',
    'n = n + 1, g = coalesce(g, 0) + 1',
    'n = nullif(n, 3)',
    'x = -x, v = NULL',
    table === 'bag' ? 'g = g' : 'id = id + 10000',
    '(g, v) = (n, g)',
  ]);
  return `UPDATE ${table}_@ SET ${set}${where}`;
}

test('rows by columns are rows one by one', async () => {
  for (let round = 0; round < times(40); round++) {
    const session = new Session(engine);
    const savepoints = random(2) === 0;
    for (let step = 0; step < 8; step++) {
      const text = change();
      if (savepoints) session.transaction.savepoint('s');
      const [a, b] = [
        await outcome(session, text.replaceAll('@', 'a')),
        await outcome(session, `${text.replaceAll('@', 'b')} RETURNING *`),
      ];
      const label = `round ${round}, step ${step}, seed ${seed}: ${text}`;
      assert.equal(a, b, label);
      if (a !== 'done') {
        if (!savepoints) break;
        session.transaction.rollbackTo('s');
      }
      await sameRows((query) => session.run(query), LOOKED, label);
    }
    if (random(4) === 0) session.transaction.rollback();
    else await session.transaction.commit();
    await sameRows((query) => sql(engine, query), LOOKED, `round ${round}, seed ${seed}`);
  }
});
