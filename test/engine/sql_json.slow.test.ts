/** JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_TABLE, IS JSON and their kin against PostgreSQL: chosen and random queries. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { SqlError } from '../../operators/errors.ts';
import { randomDocument, randomPath } from '../../operators/expr/testing/random_path.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { openEngine, sql } from './harness.ts';

let db: PGlite;
let engine: Awaited<ReturnType<typeof openEngine>>;
before(async () => {
  db = await PGlite.create();
  engine = await openEngine();
});
after(async () => {
  await db.close();
  await engine.close();
});

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Rows as text, or the code and the message of the error. */
async function theirs(query: string): Promise<string> {
  try {
    const { rows } = await db.query<(string | null)[]>(query, [], { rowMode: 'array' });
    return JSON.stringify(rows);
  } catch (e) {
    const { code, message } = e as { code?: string; message: string };
    return `${code} ${message}`;
  }
}

async function ours(query: string): Promise<string> {
  try {
    return JSON.stringify(await sql(engine, query));
  } catch (e) {
    if (!(e instanceof SqlError)) throw e;
    return `${e.sqlstate} ${e.message.replace(/^line \d+: /, '')}`;
  }
}

async function compare(queries: string[], same = (a: string, b: string) => a === b): Promise<void> {
  const differences: string[] = [];
  for (const query of queries) {
    const [a, b] = [await theirs(query), await ours(query)];
    if (!same(a, b)) differences.push(`${query}\n    PostgreSQL ${a}\n    Tidemark   ${b}`);
  }
  assert.deepEqual(differences.slice(0, 20), [], `${differences.length} differ`);
}

const DOCUMENT = `jsonb '{"a": 1.5, "s": "x", "n": "12", "b": true, "z": null, "d": "2024-01-01", "l": [1, 2], "o": {"k": "v"}}'`;

test('clauses of the query functions', async () => {
  const queries: string[] = [];
  const paths = [
    '$.a',
    '$.s',
    '$.n',
    '$.b',
    '$.z',
    '$.d.date()',
    '$.l',
    '$.l[*]',
    '$.o',
    '$.q',
    'strict $.q',
    '$.a / 0',
    '$x',
    '$y.k',
    '$t',
  ];
  const passing = `PASSING 7 AS x, jsonb '{"k": "w"}' AS y, timestamp '2024-05-06 07:08:09' AS t`;
  const types = [
    'text',
    'int',
    'numeric(3,1)',
    'float8',
    'bool',
    'varchar(2)',
    'char(4)',
    'date',
    'timestamptz',
    'jsonb',
    'json',
    'bytea',
    'int[]',
  ];
  for (const path of paths) {
    for (const end of ['', 'ERROR ON ERROR', 'TRUE ON ERROR', 'UNKNOWN ON ERROR']) {
      queries.push(`SELECT JSON_EXISTS(${DOCUMENT}, '${path}' ${passing} ${end})::text`);
    }
    for (const type of types) {
      const from = `${DOCUMENT}, '${path}' ${passing} RETURNING ${type}`;
      queries.push(
        `SELECT JSON_VALUE(${from})::text`,
        `SELECT JSON_VALUE(${from} ERROR ON EMPTY ERROR ON ERROR)::text`,
      );
      queries.push(`SELECT JSON_QUERY(${from})::text`, `SELECT JSON_QUERY(${from} ERROR ON ERROR)::text`);
      queries.push(
        `SELECT JSON_QUERY(${from} WITH WRAPPER)::text`,
        `SELECT JSON_QUERY(${from} WITH CONDITIONAL WRAPPER)::text`,
      );
      queries.push(`SELECT JSON_QUERY(${from} OMIT QUOTES NULL ON EMPTY ERROR ON ERROR)::text`);
    }
    queries.push(
      `SELECT JSON_VALUE(${DOCUMENT}, '${path}' ${passing} RETURNING int DEFAULT 1 + 1 ON EMPTY DEFAULT '5' ON ERROR)::text`,
    );
    queries.push(
      `SELECT JSON_QUERY(${DOCUMENT}, '${path}' ${passing} EMPTY OBJECT ON EMPTY EMPTY ARRAY ON ERROR)::text`,
    );
  }
  await compare(queries);
});

test('what is refused, and when', async () => {
  await compare([
    `SELECT JSON_VALUE('{"a": 1', '$.a')`,
    `SELECT JSON_VALUE('{"a": 1}'::text, '$.a')`,
    `SELECT JSON_VALUE(NULL, '$.a' DEFAULT 'x' ON EMPTY)`,
    `SELECT JSON_VALUE(jsonb '1', NULL)`,
    `SELECT JSON_VALUE(1, '$')`,
    `SELECT JSON_VALUE(jsonb '1', 5)`,
    `SELECT JSON_VALUE(jsonb '1', '$ +')`,
    `SELECT JSON_VALUE(jsonb '1', '$x')`,
    `SELECT JSON_VALUE(jsonb '1', '$' RETURNING record)`,
    `SELECT JSON_VALUE(jsonb '1', '$' EMPTY ON EMPTY)`,
    `SELECT JSON_QUERY(jsonb '1', '$' TRUE ON EMPTY)`,
    `SELECT JSON_EXISTS(jsonb '1', '$' DEFAULT 1 ON ERROR)`,
    `SELECT JSON_VALUE(jsonb '1', '$.x' DEFAULT x ON EMPTY) FROM (VALUES (3)) t(x)`,
    `SELECT JSON_VALUE(jsonb '1', '$.x' DEFAULT (SELECT 1) ON EMPTY)`,
    `SELECT JSON_VALUE(jsonb '1', '$.x' RETURNING int DEFAULT 'x' ON EMPTY)`,
    `SELECT JSON_QUERY(jsonb '1', '$' WITH WRAPPER OMIT QUOTES)`,
    `SELECT 1 IS JSON`,
    `SELECT JSON(1)`,
    `SELECT JSON_SERIALIZE(1)`,
    `SELECT JSON_SERIALIZE('1' RETURNING int)`,
  ]);
});

test('lengths, quotes, formats and columns of subqueries', async () => {
  const empty = (type: string, value: string) =>
    `SELECT JSON_VALUE(jsonb '[]', '$[*]' RETURNING ${type} DEFAULT ${value} ON EMPTY)::text`;
  const quotes = ['', 'KEEP QUOTES', 'OMIT QUOTES'];
  const wrappers = ['', 'WITHOUT WRAPPER', 'WITH WRAPPER', 'WITH CONDITIONAL WRAPPER'];
  const table = (columns: string) => `SELECT t::text FROM JSON_TABLE(jsonb '["abc"]', '$' COLUMNS (${columns})) AS t`;
  const pairs = wrappers.flatMap((w) => quotes.map((q) => `${w} ${q}`));
  const types = ['varchar(3)', 'char(3)', 'varchar(4)', 'char(6)', 'numeric(3,1)', 'bit(3)'];
  await compare([
    ...types.flatMap((t) => [
      empty(t, `repeat('1', 4)`),
      empty(t, `repeat('1', 3)`),
      empty(t, `'1111'`),
      empty(t, `'11   '`),
      table(`a ${t} PATH '$.b' DEFAULT '1111' ON EMPTY`),
      `SELECT JSON_VALUE(jsonb '"abc"', '$.a.b' RETURNING ${t} DEFAULT '11' || '11' ON EMPTY)::text`,
      `SELECT JSON_VALUE(jsonb '"1111"', '$' RETURNING ${t} ERROR ON ERROR)::text`,
      `SELECT JSON_OBJECT('a' VALUE 1 RETURNING ${t})::text`,
      `SELECT JSON_ARRAY(12, NULL RETURNING ${t})::text`,
      `SELECT JSON_ARRAY(12, NULL NULL ON NULL RETURNING ${t})::text`,
      `SELECT JSON_ARRAY(SELECT 12345 RETURNING ${t})::text`,
      `SELECT JSON_ARRAYAGG(x RETURNING ${t})::text FROM (VALUES (1), (2)) t(x)`,
      `SELECT JSON_OBJECTAGG(x: x ABSENT ON NULL WITH UNIQUE KEYS RETURNING ${t})::text FROM (VALUES (1), (2)) t(x)`,
      empty(t, '1111'),
      empty(t, `date '2020-01-01'`),
      empty(t, `B'1111'`),
    ]),
    `SELECT JSON_VALUE(jsonb '"1111"', '$' RETURNING varchar(3)[] ERROR ON ERROR)::text`,
    `SELECT JSON_QUERY(jsonb '["1111"]', '$' RETURNING varchar(3)[] ERROR ON ERROR)::text`,
    empty('varchar(3)[]', `'{1111}'`),
    ...pairs.flatMap((p) => [
      `SELECT JSON_QUERY(jsonb '["abc"]', '$[*]' ${p})::text`,
      `SELECT JSON_QUERY(jsonb '["abc"]', '$[*]' RETURNING text ${p})::text`,
      table(`a text PATH '$[0]' ${p}`),
      table(`a jsonb PATH '$[0]' ${p}`),
    ]),
    `SELECT JSON_QUERY(jsonb '1', '$x.a' PASSING '{"a":1}' FORMAT JSON AS x)::text`,
    `SELECT JSON_QUERY(jsonb '1', '$x.a' PASSING '{"a":1}'::text FORMAT JSON AS x)::text`,
    `SELECT JSON_QUERY(jsonb '1', '$x' PASSING '{"a":1}' AS x)::text`,
    `SELECT JSON_QUERY(jsonb '1', '$x' PASSING '{"a":' FORMAT JSON AS x)::text`,
    `SELECT t::text FROM JSON_TABLE(jsonb '1', '$x' PASSING '{"a":1}' FORMAT JSON AS x COLUMNS (a int)) AS t`,
    `SELECT JSON_VALUE(jsonb '1', '$' RETURNING text FORMAT JSON)`,
    `SELECT JSON_QUERY(jsonb '1', '$' RETURNING text FORMAT JSON)`,
    `SELECT JSON_VALUE(jsonb '1', '$' RETURNING int DEFAULT 1 / 0 ON EMPTY NULL ON ERROR ERROR ON EMPTY)`,
    ...[
      'SELECT 1, 2',
      'VALUES (1, 2)',
      'VALUES (1), (2)',
      'SELECT * FROM (VALUES (1, 2)) t(a, b)',
      'SELECT * FROM (VALUES (1)) t(a)',
      'SELECT 1, 2 UNION SELECT 3, 4',
      'SELECT 1 UNION ALL SELECT 3',
      'SELECT FROM (VALUES (1)) t(a)',
      'SELECT t.* FROM (VALUES (1, 2)) t(a, b) ORDER BY a',
      'SELECT a FROM (VALUES (1, 2), (3, 1)) t(a, b) ORDER BY b',
      'WITH w(a, b) AS (VALUES (1, 2)) SELECT * FROM w',
      'WITH w(a, b) AS (VALUES (1, 2)) TABLE w',
      'WITH w(a) AS (VALUES (1)) TABLE w',
    ].map((q) => `SELECT JSON_ARRAY(${q})::text`),
  ]);
  // PostgreSQL has input for this type, Tidemark has none.
  for (const type of ['point', 'point[]']) {
    for (const query of [
      `SELECT JSON_VALUE(jsonb '"(1,2)"', '$' RETURNING ${type})`,
      `SELECT JSON_QUERY(jsonb '"(1,2)"', '$' RETURNING ${type})`,
      `SELECT * FROM JSON_TABLE(jsonb '"(1,2)"', '$' COLUMNS (p ${type} PATH '$'))`,
    ]) {
      await assert.rejects(sql(engine, query), { sqlstate: '0A000' }, query);
    }
  }
});

test('IS JSON, JSON() and JSON_SERIALIZE', async () => {
  const texts = [
    '{"a":1}',
    '{"a":1,"a":2}',
    '[{"b":{"a":1,"a":1}}]',
    '1',
    '"x"',
    'null',
    '[]',
    '',
    '{',
    '{a:1}',
    ' 1 ',
    '"\\ud83d"',
  ];
  const kinds = ['', 'VALUE', 'OBJECT', 'ARRAY', 'SCALAR'].flatMap((k) => [k, `${k} WITH UNIQUE KEYS`]);
  const tests = kinds.flatMap((k) => [`x IS JSON ${k}`, `x IS NOT JSON ${k}`]).map((t) => `(${t})::text`);
  const values = [...texts.map(literal), 'NULL'].map((t) => `(${t}::text)`).join();
  await compare([
    `SELECT ${tests.join()} FROM (VALUES ${values}) t(x)`,
    `SELECT ${tests.join()} FROM (VALUES ('{"a":1}'::jsonb), ('2'), (NULL)) t(x)`,
    `SELECT ${tests.join()} FROM (VALUES ('{"a":1}'::bytea), ('2x')) t(x)`,
    ...texts.flatMap((t) => [
      `SELECT JSON(${literal(t)})::text`,
      `SELECT JSON(${literal(t)} WITH UNIQUE KEYS)::text`,
      `SELECT JSON_SERIALIZE(${literal(t)})`,
      `SELECT JSON_SERIALIZE(${literal(t)} RETURNING varchar(3))`,
    ]),
  ]);
});

test('JSON_TABLE and JSON_ARRAY of a query', async () => {
  const document = `jsonb '[{"a": 1, "c": [1, 2], "d": [5]}, {"a": "x", "c": []}, {"b": 3, "A b": [7]}]'`;
  const table = (columns: string, path = "'$[*]'", end = '') =>
    `SELECT t::text FROM JSON_TABLE(${document}, ${path} COLUMNS (${columns}) ${end}) AS t`;
  await compare([
    table(`id FOR ORDINALITY, a int, t text PATH '$.a', e bool EXISTS PATH '$.b', i int EXISTS PATH '$.b'`),
    table(`a int DEFAULT -1 ON EMPTY DEFAULT -2 ON ERROR, "A b" jsonb, w jsonb PATH '$.c[*]' WITH WRAPPER`),
    table(`a int ERROR ON EMPTY`),
    table(`a int ERROR ON ERROR`),
    table(`a int`, "'$[*]'", 'ERROR ON ERROR'),
    table(`c text ERROR ON ERROR`),
    table(`c int[], q text FORMAT JSON PATH '$.a', o text PATH '$.a' OMIT QUOTES`),
    table(`c int EXISTS, z text EXISTS, y int EXISTS PATH 'strict $.y' TRUE ON ERROR`),
    table(
      `a text, NESTED '$.c[*]' COLUMNS (n FOR ORDINALITY, c int PATH '$'), NESTED PATH '$.d[*]' AS dd COLUMNS (d int PATH '$')`,
    ),
    table(`NESTED '$.c' COLUMNS (NESTED '$[*]' COLUMNS (v int PATH '$'), k text PATH '$.type()')`),
    table(`a int`, "'strict $.q'"),
    table(`a int`, "'strict $.q'", 'ERROR ON ERROR'),
    table(`NESTED 'strict $.q' COLUMNS (a int)`),
    table(`a int PATH '$.a + $x'`, "'$[*] ? (exists(@.a))' PASSING 10 AS x"),
    table(`a int, a text`),
    table(`a int, NESTED '$.c' AS a COLUMNS (b int)`),
    table(`a int EXISTS EMPTY ON ERROR`),
    table(`a int TRUE ON EMPTY`),
    table(`a jsonb TRUE ON EMPTY`),
    table(`a int`, "'$[*]'", 'NULL ON ERROR'),
    table(`a int PATH '$ +'`),
    `SELECT t::text FROM JSON_TABLE(NULL::jsonb, '$' COLUMNS (a int)) AS t`,
    `SELECT t::text FROM JSON_TABLE('{"a": 2}', '$' COLUMNS (a int)) AS t(b)`,
    `SELECT b::text FROM JSON_TABLE('{"a": 2}', '$' COLUMNS (a int)) AS t(b)`,
    `SELECT a::text, json_table.b::text FROM JSON_TABLE('{"a": 2, "b": 1}', '$' COLUMNS (a int, b int))`,
    `SELECT x::text, a::text FROM (VALUES (jsonb '[1, 2]'), ('[]'), (NULL), ('[3]')) v(x)
       LEFT JOIN JSON_TABLE(x, '$[*] ? (@ < $n)' PASSING jsonb_array_length(x) + 1 AS n COLUMNS (a int PATH '$')) j ON true ORDER BY 1, 2`,
    `SELECT JSON_ARRAY(SELECT a FROM (VALUES (3), (NULL), (1)) t(a) ORDER BY a)::text`,
    `SELECT JSON_ARRAY(VALUES (1) RETURNING jsonb)::text`,
    `SELECT JSON_ARRAY(SELECT 1 WHERE false)::text`,
    `SELECT JSON_ARRAY(SELECT '[1]' FORMAT JSON)::text`,
    `SELECT JSON_ARRAY(SELECT 1, 2)::text`,
    `SELECT JSON_QUERY(jsonb '1', 'strict $.a' RETURNING int EMPTY ARRAY ON ERROR)::text`,
  ]);
});

test('constructors with clauses', async () => {
  await compare([
    `SELECT t::text FROM (select json_object('a' value 1, 'b' value null absent on null)) AS t`,
    `SELECT t::text FROM (select json_object('a' value 1, 'b' value null)) AS t`,
    `SELECT t::text FROM (select json_object('a' value 1, 'a' value 2 with unique keys)) AS t`,
    `SELECT t::text FROM (select json_object('a' value 1, 'a' value 2 with unique keys returning jsonb)) AS t`,
    `SELECT t::text FROM (select json_object('a' value 1, 'a' value null absent on null with unique keys returning jsonb)) AS t`,
    `SELECT t::text FROM (select json_object('a' value null, 'a' value 1 absent on null with unique keys)) AS t`,
    `SELECT t::text FROM (select json_object('a' value 1, 'a' value null absent on null with unique keys)) AS t`,
    `SELECT t::text FROM (select json_object('a' value 1, 'a' value 2 returning jsonb)) AS t`,
    `SELECT t::text FROM (select json_object('a' value 1, 'b' value null absent on null returning jsonb)) AS t`,
    `SELECT t::text FROM (select json_object(null value 1)) AS t`,
    `SELECT t::text FROM (select json_object(null value 1 returning jsonb)) AS t`,
    `SELECT t::text FROM (select json_object(null value null absent on null)) AS t`,
    `SELECT t::text FROM (select json_object('a' value '[1]' format json, 'b': true)) AS t`,
    `SELECT t::text FROM (select json_object()) AS t`,
    `SELECT t::text FROM (select json_object(returning jsonb)) AS t`,
    `SELECT t::text FROM (select json_array(1, null, 'x')) AS t`,
    `SELECT t::text FROM (select json_array(1, null, 'x' null on null)) AS t`,
    `SELECT t::text FROM (select json_array(1, null, 'x' returning jsonb)) AS t`,
    `SELECT t::text FROM (select json_array(null)) AS t`,
    `SELECT t::text FROM (select json_array()) AS t`,
    `SELECT t::text FROM (select json_array(returning jsonb)) AS t`,
    `SELECT t::text FROM (select json_array('[1]' format json, '[1]')) AS t`,
    `SELECT t::text FROM (select json_array(x, y) from (values (1, null::int), (null, 3)) t(x, y)) AS t`,
    `SELECT t::text FROM (select json_object('a' value x, 'b' value y absent on null returning text) from (values (1, null::int), (null, 3)) t(x, y)) AS t`,
    `SELECT t::text FROM (select json_object('a' value 1 returning int)) AS t`,
  ]);
});

test('random paths', async () => {
  const r = new Random(testSeed());
  const passing = `PASSING 3 AS x, 'a' AS y, jsonb '{"a": [1]}' AS z`;
  const ends = ['', '', 'ERROR ON ERROR', 'NULL ON EMPTY ERROR ON ERROR'];
  const queries = Array.from({ length: Number(process.env.ROUNDS ?? 800) }, () => {
    const from = `jsonb ${literal(randomDocument(r, 3))}, ${literal(randomPath(r))} ${passing}`;
    switch (r.below(3)) {
      case 0:
        return `SELECT JSON_EXISTS(${from} ${r.pick(['', 'ERROR ON ERROR', 'UNKNOWN ON ERROR'])})::text`;
      case 1:
        return `SELECT JSON_VALUE(${from} ${r.pick(['', 'RETURNING int', 'RETURNING numeric', 'RETURNING date'])} ${r.pick(ends)})::text`;
      default:
        return `SELECT JSON_QUERY(${from} ${r.pick(['', 'RETURNING text', 'RETURNING int'])} ${r.pick(['', 'WITH WRAPPER', 'WITH CONDITIONAL WRAPPER'])} ${r.pick(ends)})::text`;
    }
  });
  // Of errors the code counts.
  await compare(queries, (a, b) => a === b || (!a.startsWith('[') && a.slice(0, 5) === b.slice(0, 5)));
});
