/** MERGE beside PostgreSQL: which clause a row takes, what is returned, what the table and a view over it hold, and what is refused. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';
import { seeded, sql } from './harness.ts';

const TABLES = ['t', 's'];
const PER_GROUP = 'SELECT v, count(*) AS n, sum(n) AS s FROM t GROUP BY v';

let db: AgainstPostgres;

before(async () => {
  db = await AgainstPostgres.open();
  await db.script(`
    CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 7, v text NOT NULL);
    CREATE TABLE s (id int, n int, v text)`);
  await sql(db.engine, `CREATE MATERIALIZED VIEW per_group AS ${PER_GROUP}`);
});

after(() => db.close());

const sameTables = (query: string) => db.sameRows(query, TABLES, { per_group: PER_GROUP });

async function refill(): Promise<void> {
  for (const table of TABLES) await db.statement(`DELETE FROM ${table}`);
  await db.statement("INSERT INTO t VALUES (1, 10, 'a'), (2, 20, 'b'), (3, NULL, 'c')");
  await db.statement("INSERT INTO s VALUES (2, 5, 'x'), (3, 6, 'y'), (4, NULL, 'z'), (NULL, 1, 'w')");
}

const STATEMENTS = [
  'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = s.n, v = s.v',
  'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND s.n = 5 THEN DELETE WHEN MATCHED THEN UPDATE SET v = t.v || s.v WHEN NOT MATCHED AND s.id IS NOT NULL THEN INSERT VALUES (s.id, s.n, s.v) RETURNING merge_action(), t.*',
  'MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED AND s.id > 0 THEN INSERT (v, id) VALUES (s.v, s.id) RETURNING *',
  'MERGE INTO t AS a USING (SELECT id, max(n) AS n FROM s GROUP BY id) b ON a.id = b.id WHEN MATCHED THEN UPDATE SET (n, v) = (b.n, DEFAULT || a.v)',
  'MERGE INTO t AS a USING (SELECT id, max(n) AS n FROM s GROUP BY id) b ON a.id = b.id WHEN MATCHED THEN UPDATE SET (n, v) = (b.n, upper(a.v)) RETURNING b.n, a.v',
  'MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING merge_action(), t.id, s.id',
  "MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED BY SOURCE AND t.n > 5 THEN UPDATE SET v = 'gone' WHEN NOT MATCHED BY TARGET AND s.id = 4 THEN INSERT (id, v) VALUES (4, s.v) WHEN MATCHED THEN DO NOTHING RETURNING merge_action(), *",
  'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND t.n / (s.n - 5) > 0 THEN DELETE',
  'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND s.n = 5 THEN DO NOTHING WHEN MATCHED THEN UPDATE SET n = 1 / (s.n - 5)',
  'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND EXISTS (SELECT 1 FROM s z WHERE z.n > t.n) THEN DELETE WHEN MATCHED THEN UPDATE SET n = (SELECT max(n) FROM s)',
  'MERGE INTO t USING generate_series(1, 5) AS g(i) ON t.id = g.i WHEN MATCHED THEN UPDATE SET n = g.i WHEN NOT MATCHED THEN INSERT VALUES (g.i, DEFAULT, $$new$$) RETURNING merge_action(), t.id, t.n',
  'MERGE INTO t USING s ON false WHEN NOT MATCHED AND s.id = 4 THEN INSERT (id, v) VALUES (s.id + 5, s.v) WHEN NOT MATCHED BY SOURCE AND t.id = 1 THEN DELETE',
  'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = 0 RETURNING old.n, new.n, upper(merge_action())',
  'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE RETURNING old.n, new.n, t.n',
  'WITH w AS (SELECT id, n FROM s WHERE n > 5) MERGE INTO t USING w ON t.id = w.id WHEN MATCHED THEN DELETE RETURNING t.id',
  'WITH m AS (MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE RETURNING merge_action() AS a, t.id) SELECT a, count(*), sum(id) FROM m GROUP BY a',
  'WITH m AS (MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE RETURNING t.id AS i) INSERT INTO s SELECT i, i, $$moved$$ FROM m',
  // Refused.
  'MERGE INTO t USING s ON t.id = s.id + 0 * t.id OR s.id IS NOT NULL AND t.id = 2 WHEN MATCHED THEN DELETE',
  'MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.n, s.v)',
  'MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (1, s.n, s.v)',
  'MERGE INTO t USING s ON t.id = s.id AND s.id = 2 WHEN MATCHED THEN UPDATE SET v = NULL',
  'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE WHEN MATCHED THEN DELETE',
  'MERGE INTO t USING t ON true WHEN MATCHED THEN DELETE',
  'MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (t.id, s.n, s.v)',
  'MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED BY SOURCE AND s.n > 1 THEN DELETE',
  'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND count(*) > 1 THEN DELETE',
  'MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (1, 2)',
  'MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, nothing) VALUES (1, 2)',
  'MERGE INTO t USING nothing ON true WHEN MATCHED THEN DELETE',
  'UPDATE t SET n = 1 RETURNING merge_action()',
];

for (const query of STATEMENTS) {
  test(query, async () => {
    await refill();
    await db.statement(query);
    await sameTables(query);
  });
}

test('random merges', async () => {
  const { random } = seeded('MERGE');
  const number = () => ['NULL', String(random(8))][Math.min(random(6), 1)];
  const clause = (kind: string): string => {
    const [seen, match] = kind.split(':');
    const condition = () => {
      const column = seen === 'both' ? ['t.n', 's.n', 't.id'][random(3)] : `${seen}.${['n', 'id'][random(2)]}`;
      return `${column} ${['<', '>', '='][random(3)]} ${random(8)}`;
    };
    const actions =
      seen === 's'
        ? ['INSERT VALUES (s.id, s.n, coalesce(s.v, $$?$$))', 'DO NOTHING']
        : ['DELETE', `UPDATE SET n = ${seen === 'both' ? 's.n + 1' : 't.n - 1'}, v = t.v || $$!$$`, 'DO NOTHING'];
    return `WHEN ${match} AND ${condition()} THEN ${actions[random(actions.length)]}`;
  };
  for (let i = 0; i < 80; i++) {
    if (i % 10 === 0) await refill();
    await db.statement('DELETE FROM s');
    const rows = Array.from(
      { length: 1 + random(6) },
      (_, n) => `(${n * 2 + random(2)}, ${number()}, 'v${random(3)}')`,
    );
    await db.statement(`INSERT INTO s VALUES ${rows.join(', ')}`);
    const clauses = ['both:MATCHED', 's:NOT MATCHED', 't:NOT MATCHED BY SOURCE', 'both:MATCHED', 's:NOT MATCHED'];
    const taken = clauses.filter(() => random(2) === 0).map(clause);
    if (taken.length === 0) continue;
    const query = `MERGE INTO t USING s ON t.id = s.id ${taken.join(' ')} RETURNING merge_action(), *`;
    await db.statement(query);
    await sameTables(query);
  }
});

test('a value that is another each time is the one that is stored', async () => {
  await db.script(`
    CREATE TABLE made (id serial, u uuid DEFAULT gen_random_uuid(), n int);
    MERGE INTO made USING generate_series(1, 3) AS g(n) ON made.n = g.n WHEN NOT MATCHED THEN INSERT (n) VALUES (g.n) RETURNING id;
    SELECT id FROM made`);
  const rows = await sql(
    db.engine,
    `WITH m AS (MERGE INTO made USING generate_series(4, 6) AS g(n) ON made.n = g.n WHEN NOT MATCHED THEN INSERT (id, n) VALUES (g.n, g.n)
      WHEN NOT MATCHED BY SOURCE THEN UPDATE SET u = gen_random_uuid() RETURNING made.id, made.u) SELECT id, u FROM m ORDER BY id`,
  );
  assert.deepEqual(await sql(db.engine, 'SELECT id, u FROM made ORDER BY id'), rows);
});

test('columns that were dropped', async () => {
  await db.script(`
    CREATE TABLE cut (x int, id int, y text, n int, CHECK (n < 100));
    INSERT INTO cut VALUES (1, 1, 'a', 10), (2, 2, 'b', 20), (3, 3, 'c', 30);
    ALTER TABLE cut DROP COLUMN x;
    MERGE INTO cut USING s ON cut.id = s.id WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED AND s.id = 4 THEN INSERT VALUES (4, 'd', 40) RETURNING old.n, new.n, cut.*;
    SELECT * FROM cut;
    ALTER TABLE cut DROP COLUMN y, ADD COLUMN z int DEFAULT 9;
    MERGE INTO cut USING s ON cut.id = s.id AND s.id = 2 WHEN MATCHED THEN UPDATE SET z = 8, n = 99 + s.id;
    MERGE INTO cut USING s ON cut.id = s.id WHEN MATCHED THEN UPDATE SET z = 8 WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING *;
    SELECT * FROM cut;
    ALTER TABLE cut DROP COLUMN id;
    MERGE INTO cut USING (VALUES (8)) AS k(z) ON cut.z = k.z WHEN MATCHED AND n > 5 THEN DELETE WHEN MATCHED THEN DO NOTHING RETURNING *;
    SELECT * FROM cut`);
});
