/** Values near the limits of their parts, in views and in what makes arrays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';

test('rows are ordered by documents that are too large to be read', async (t) => {
  const engine = await openEngine({ automatic: true });
  t.after(() => engine.close());
  await sql(engine, 'CREATE TABLE ids (id int); CREATE TABLE documents (part jsonb)');
  await sql(engine, 'INSERT INTO documents SELECT jsonb_agg(1) FROM generate_series(1, 110000)');
  await sql(
    engine,
    `CREATE MATERIALIZED VIEW made AS SELECT jsonb_agg(part) AS j FROM ids, documents GROUP BY id % 2;
     CREATE MATERIALIZED VIEW least AS SELECT jsonb_typeof(j) AS type FROM (SELECT j FROM made UNION ALL SELECT '[[1]]' ORDER BY j LIMIT 1) first;
     CREATE MATERIALIZED VIEW lengths AS SELECT array_agg(length(j::text) ORDER BY j DESC) AS lengths FROM made;
     CREATE INDEX ON made (j)`,
  );
  const lengths = (...parts: number[]) => [[`{${parts.map((n) => n * 330_000 + (n - 1) * 2 + 2).join()}}`]];
  await sql(engine, 'INSERT INTO ids SELECT generate_series(1, 25)');
  assert.deepEqual(await sql(engine, 'SELECT * FROM lengths'), lengths(13, 12));
  assert.deepEqual(await sql(engine, 'SELECT * FROM least'), [['array']]);
  await sql(engine, 'DELETE FROM ids WHERE id > 3');
  assert.deepEqual(await sql(engine, 'SELECT * FROM lengths'), lengths(2, 1));
  assert.deepEqual(await sql(engine, 'SELECT jsonb_array_length(j) FROM made ORDER BY j'), [['1'], ['2']]);
});

test('an aggregate that had too many items is right when it has fewer', async (t) => {
  const engine = await openEngine({ automatic: true });
  t.after(() => engine.close());
  await sql(
    engine,
    `CREATE TABLE ids (id int); CREATE TABLE parts (part int[]);
     INSERT INTO parts SELECT array_agg(1) FROM generate_series(1, 1000000);
     CREATE MATERIALIZED VIEW agg AS SELECT count(*) AS n, array_agg(part) AS items FROM ids, parts`,
  );
  for (const n of [3, 5, 2, 5, 4]) {
    await sql(engine, `DELETE FROM ids; INSERT INTO ids SELECT generate_series(1, ${n})`);
    const expected = n > 4 ? [] : [[String(n), String(n * 1_000_000)]];
    assert.deepEqual(await sql(engine, 'SELECT n, cardinality(items) FROM agg'), expected);
  }
});

test('nothing makes an array of more items than it may have', async (t) => {
  const engine = await openEngine();
  t.after(() => engine.close());
  const most = "array_fill(1, '{4194304}')";
  const list = "repeat('a,', 4200000)";
  for (const made of [
    `${most} || 1`,
    `1 || ${most}`,
    `${most} || ${most}`,
    `array_append(${most}, 1)`,
    `array_prepend(1, ${most})`,
    `ARRAY[${most}, ${most}]`,
    `string_to_array(${list}, ',')`,
    `string_to_array(${list}, NULL)`,
    `string_to_array(${list}, ',', '')`,
    `regexp_split_to_array(${list}, ',')`,
  ])
    await assert.rejects(sql(engine, `SELECT cardinality(${made})`), { sqlstate: '54000' }, made);
  assert.deepEqual(await sql(engine, `SELECT cardinality(${most})`), [['4194304']]);
  for (const rows of [`string_to_table(${list}, ',')`, `string_to_table(${list}, ',', '')`])
    assert.deepEqual(await sql(engine, `SELECT count(*) FROM ${rows}`), [['4200001']]);
});
