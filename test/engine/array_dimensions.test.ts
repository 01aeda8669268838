/** An array has at most six dimensions, whatever makes it: PostgreSQL's errors, in its order where more than one is due. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';

const DEEP = "'{{{{{{1}}}}}}'::int[]";
const SEVEN = 'number of array dimensions (7) exceeds the maximum allowed (6)';
const OTHER_SHAPE = 'cannot accumulate arrays of different dimensionality';

const REFUSED: [sqlstate: string, message: string, queries: string[]][] = [
  [
    '54000',
    SEVEN,
    [
      `SELECT array_agg(a) FROM (VALUES (${DEEP})) v(a)`,
      `SELECT array_agg(a) OVER () FROM (VALUES (${DEEP})) v(a)`,
      `SELECT array_agg(a ORDER BY o) FROM (VALUES (${DEEP}, 1), (NULL, 2)) v(a, o)`,
      `SELECT ARRAY(SELECT ${DEEP})`,
      `SELECT ARRAY[${DEEP}, NULL]`,
      `SELECT ARRAY['{}'::int[], ${DEEP}]`,
      `SELECT array_fill(1, '{1,1,1,1,1,1,0}')`,
      `SELECT (${DEEP})[1][1][1][1][1][1][1]`,
      `SELECT (${DEEP})[1:1][1][1][1][1][1][1] WHERE false`,
      `SELECT j FROM jsonb_to_record('{"j": [[[[[[[1]]]]]]]}') AS r(j int[])`,
      `SELECT j FROM json_to_record('{"j": [[[[[[[]]]]]]]}') AS r(j int[])`,
    ],
  ],
  [
    '54000',
    'number of array dimensions exceeds the maximum allowed (6)',
    [`SELECT '{{{{{{{1}}}}}}}'::int[]`, `SELECT '${'[1:1]'.repeat(7)}={{{{{{{1}}}}}}}'::int[]`],
  ],
  [
    '54000',
    'array lower bound is too large: 2147483646',
    [`SELECT array_append('[2147483646:2147483646]={1}'::int[], 1)`],
  ],
  ['22003', 'integer out of range', [`SELECT array_prepend(1, '[-2147483648:-2147483648]={1}'::int[])`]],
  [
    '2202E',
    OTHER_SHAPE,
    [
      `SELECT array_agg(a ORDER BY o) FROM (VALUES ('[2:3]={1,2}'::int[], 1), ('{3,4}', 2)) v(a, o)`,
      `SELECT array_agg(a ORDER BY o) FROM (VALUES ('{1}'::int[], 1), ('{}', 2)) v(a, o)`,
    ],
  ],
  [
    '22004',
    'cannot accumulate null arrays',
    [`SELECT array_agg(a ORDER BY o) FROM (VALUES ('{}'::int[], 2), (NULL, 1)) v(a, o)`],
  ],
];

test('a seventh dimension is refused', async (t) => {
  const engine = await openEngine();
  t.after(() => engine.close());
  for (const [sqlstate, message, queries] of REFUSED)
    for (const query of queries)
      await assert.rejects(sql(engine, query), { sqlstate, message: `line 1: ${message}` }, query);
});

test('six are not', async (t) => {
  const engine = await openEngine();
  t.after(() => engine.close());
  const five = "'[2:2][3:3][1:1][1:1][1:1]={{{{{1}}}}}'::int[]";
  const six = '[1:1][2:2][3:3][1:1][1:1][1:1]';
  for (const [made, dims] of [
    [`(SELECT array_agg(a) FROM (VALUES (${five})) v(a))`, six],
    [`ARRAY[${five}]`, six],
    [`ARRAY(SELECT ${five})`, six],
    [`${DEEP} || ${DEEP}`, '[1:2][1:1][1:1][1:1][1:1][1:1]'],
    [`array_append('[2147483644:2147483645]={1,2}'::int[], 1)`, '[2147483644:2147483646]'],
    [`array_prepend(1, '[-2147483647:-2147483647]={1}'::int[])`, '[-2147483647:-2147483646]'],
  ])
    assert.deepEqual(await sql(engine, `SELECT array_dims(${made})`), [[dims]], made);
});

test('a view over groups that get arrays of six dimensions is right when these have gone', async (t) => {
  const engine = await openEngine({ automatic: true });
  t.after(() => engine.close());
  await sql(
    engine,
    `CREATE TABLE parts (g int, part int[]);
     CREATE MATERIALIZED VIEW stacked AS SELECT g, array_agg(part) AS items FROM parts GROUP BY g`,
  );
  const rows = () => sql(engine, 'SELECT * FROM stacked ORDER BY g');
  const both = [
    ['1', '{{1}}'],
    ['2', '{{2}}'],
  ];
  await sql(engine, "INSERT INTO parts VALUES (1, '{1}'), (2, '{2}')");
  assert.deepEqual(await rows(), both);
  await sql(engine, `INSERT INTO parts VALUES (1, ${DEEP})`);
  assert.deepEqual(await rows(), [['2', '{{2}}']]);
  await sql(engine, `DELETE FROM parts WHERE g = 1; INSERT INTO parts VALUES (1, ${DEEP})`);
  assert.deepEqual(await rows(), [['2', '{{2}}']]);
  await sql(engine, "DELETE FROM parts WHERE g = 1; INSERT INTO parts VALUES (1, '{1}')");
  assert.deepEqual(await rows(), both);
});
