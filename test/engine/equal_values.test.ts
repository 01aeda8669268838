/** Values that are equal and look different, as keys of joins, groups, DISTINCT, set operations and indexes, against PostgreSQL. */
import { after, before, test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';

let both: AgainstPostgres;

before(async () => {
  both = await AgainstPostgres.open();
});

after(() => both.close());

/** Types with values, some of which are equal. */
const TYPES: Record<string, string[]> = {
  jsonb: [
    '1',
    '1.0',
    '1.00',
    '10',
    '-0',
    '0.0',
    '"1.0"',
    '"a\\"1.0"',
    '{"a": 1, "b": "x\\\\"}',
    '{"b": "x\\\\", "a": 1.0}',
    '[1.50, "1.50"]',
    '[1.5, "1.50"]',
    '[1.5, "1.5"]',
    'null',
    'true',
  ],
  'numeric[]': ['{1}', '{1.0}', '{1.0,NULL}', '{1,NULL}', '{}', '[0:0]={1}', '{{1,2}}', '{1,2}', '{NaN}', '{10}'],
  'float8[]': ['{0}', '{-0}', '{NaN}', '{Infinity}', '{NULL}', '{1.5}'],
  'interval[]': ['{1 mon}', '{30 days}', '{720:00:00}', '{1 day}'],
  'char(3)[]': ['{a}', '{"a "}', '{" a"}'],
  'jsonb[]': ['{1}', '{1.0}', '{"\\"1.0\\""}'],
  'text[]': ['{1}', '{1.0}', '{a}'],
  interval: ['1 mon', '30 days', '1 day'],
};

test('equal values are equal keys', async () => {
  let made = 0;
  for (const [type, values] of Object.entries(TYPES)) {
    const t = `t${made++}`;
    await both.statement(`CREATE TABLE ${t} (id int, v ${type})`);
    await both.here(`CREATE MATERIALIZED VIEW v${t} AS SELECT count(*) AS n, min(id) AS least FROM ${t} GROUP BY v`);
    const rows = values.map((value, i) => `(${i}, '${value}')`);
    await both.statement(`INSERT INTO ${t} VALUES ${rows.join(', ')}, (100, NULL), (101, NULL)`);
    for (const indexed of [false, true]) {
      // Few rows that ask by key, many that are scanned.
      if (indexed) await both.statement(`CREATE INDEX ${t}_v ON ${t} (v)`);
      await both.statement(`SELECT a.id, b.id FROM ${t} a JOIN ${t} b ON a.v = b.v`);
      await both.statement(
        `SELECT a.id, b.id FROM (VALUES (1, '${values[1]}'::${type})) a(id, v) JOIN ${t} b ON a.v = b.v`,
      );
      await both.statement(`SELECT id FROM ${t} WHERE v = '${values[1]}'`);
      await both.statement(`SELECT id FROM ${t} WHERE v IN ('${values[0]}', '${values[2]}')`);
    }
    await both.statement(`SELECT count(DISTINCT v) FROM ${t}`);
    await both.statement(`SELECT count(*) FROM (SELECT v FROM ${t} EXCEPT SELECT '${values[1]}') x`);
    await both.statement(`SELECT count(*), min(id) FROM ${t} GROUP BY ROW(v, 1)`);
    await both.statement(`DELETE FROM ${t} WHERE id % 3 = 1`);
    await both.sameRows('DELETE', [], { [`v${t}`]: `SELECT count(*), min(id) FROM ${t} GROUP BY v` });
  }
});

test('a row with an equal key is the one that ON CONFLICT changes', async () => {
  let made = 0;
  for (const [type, values] of Object.entries({ ...TYPES, 'char(3)': ['a', 'a  '], float8: ['0', '-0', 'NaN'] })) {
    const t = `u${made++}`;
    await both.statement(`CREATE TABLE ${t} (v ${type} PRIMARY KEY, n int)`);
    for (const value of [...values, ...values])
      await both.statement(`INSERT INTO ${t} VALUES ('${value}', 1) ON CONFLICT (v) DO UPDATE SET n = ${t}.n + 1`);
    await both.statement(`SELECT n, v = '${values[0]}' FROM ${t}`);
    await both.statement(`INSERT INTO ${t} VALUES ('${values[1]}', 1)`);
  }
});
