/** Enum values beside numbers in the same order: each query over random rows gives the same, as a view made before the rows, one made behind them, and read once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, seeded, sql } from './harness.ts';

const { random } = seeded('enum values in the order of numbers');
/** Declared in an order that is none of their texts'. */
const LABELS = ['walnut', 'fig', 'elm', 'oak', 'ash', 'yew'];

/** x: the column; {n}: value n. */
const QUERIES = [
  'SELECT id, x FROM t WHERE x > {1} AND x <= {4}',
  'SELECT id FROM t WHERE x = {2} OR x IS NULL OR x <> y',
  'SELECT x, count(*), min(y), max(y) FROM t GROUP BY x',
  'SELECT max(x), min(x), count(DISTINCT x) FROM t WHERE y <> {0}',
  'SELECT a.id, b.id AS other FROM t a JOIN t b ON a.x = b.y AND a.id + 1 = b.id',
  'SELECT id, row_number() OVER (PARTITION BY y ORDER BY x DESC, id), lag(x) OVER (ORDER BY x, id) FROM t',
  'SELECT id, CASE WHEN x < y THEN x ELSE y END, COALESCE(x, {3}), GREATEST(x, y), LEAST(x, {3}), NULLIF(x, {1}) FROM t',
  'SELECT x, id FROM t ORDER BY x DESC NULLS LAST, id LIMIT 7',
  'SELECT DISTINCT x, y FROM t',
  'SELECT x FROM t UNION SELECT y FROM t',
  'SELECT x FROM t EXCEPT SELECT y FROM t WHERE id < 300',
  'SELECT id FROM t WHERE x IN ({1}, {5}) AND y = ANY (ARRAY[{0}, {1}, {2}])',
  'SELECT id FROM t WHERE x >= ALL (SELECT y FROM t AS o WHERE o.id < 3 AND o.y IS NOT NULL)',
  'SELECT DISTINCT ON (y) y, x, id FROM t ORDER BY y, x DESC, id',
  'SELECT array_agg(x ORDER BY x, id), y FROM t GROUP BY y',
];

/** A query over the enum columns, and over the numbers. */
const asLabels = (query: string) =>
  query.replace(/\b([xy])\b/g, 'm$1').replace(/\{(\d)\}/g, (_, n) => `'${LABELS[n]}'::tree`);
const asNumbers = (query: string) => query.replace(/\b([xy])\b/g, 'n$1').replace(/\{(\d)\}/g, '$1');

test('enum values in the order of numbers', async () => {
  const engine = await openEngine();
  // Two of the labels come between others, and one before all.
  await sql(
    engine,
    `CREATE TYPE tree AS ENUM ('fig', 'oak', 'yew');
     ALTER TYPE tree ADD VALUE 'walnut' BEFORE 'fig'; ALTER TYPE tree ADD VALUE 'ash' AFTER 'oak'; ALTER TYPE tree ADD VALUE 'elm' BEFORE 'oak';
     CREATE TABLE t (id int PRIMARY KEY, mx tree, my tree NOT NULL, nx int, ny int NOT NULL); CREATE INDEX ON t (mx); CREATE INDEX ON t (nx)`,
  );
  const numbersOf = (rows: (string | null)[][]) =>
    rows.map((row) =>
      row.map((v) => v?.replace(/[a-z]+/g, (w) => (LABELS.includes(w) ? String(LABELS.indexOf(w)) : w)) ?? null),
    );
  const sorted = (rows: unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
  for (const [i, query] of QUERIES.entries()) await sql(engine, `CREATE MATERIALIZED VIEW m${i} AS ${asLabels(query)}`);
  const value = (n: number | null) => (n === null ? 'NULL, NULL' : `'${LABELS[n]}', ${n}`);
  let id = 0;
  for (let round = 0; round < 4; round++) {
    const rows = Array.from({ length: 400 }, () => {
      const [x, y] = [random(7), random(6)];
      const [[mx, nx], [my, ny]] = [x === 6 ? null : x, y].map((n) => value(n).split(', '));
      return `(${id++}, ${mx}, ${my}, ${nx}, ${ny})`;
    });
    await sql(engine, `INSERT INTO t VALUES ${rows.join()}`);
    const other = random(6);
    await sql(
      engine,
      `UPDATE t SET mx = '${LABELS[other]}', nx = ${other} WHERE id % 13 = ${random(13)}; DELETE FROM t WHERE id % 7 = ${random(7)}`,
    );
    for (const [i, query] of QUERIES.entries()) {
      const wanted = sorted(await sql(engine, asNumbers(query)));
      assert.deepEqual(sorted(numbersOf(await sql(engine, asLabels(query)))), wanted, query);
      assert.deepEqual(sorted(numbersOf(await sql(engine, `SELECT * FROM m${i}`))), wanted, `view: ${query}`);
    }
  }
  await engine.close();
});
