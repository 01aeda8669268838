/** SQL/JSON paths in queries, and in views that are kept while documents come, change and go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomDocument } from '../../operators/expr/testing/random_path.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { openEngine, sql } from './harness.ts';

const EVENTS = `CREATE TABLE events (id int PRIMARY KEY, doc jsonb, floor int);
  INSERT INTO events VALUES
    (1, '{"user": "ann", "items": [{"sku": "a", "price": 10, "at": "2024-01-01"}, {"sku": "b", "price": 2.5}]}', 5),
    (2, '{"user": "bob", "items": []}', 5),
    (3, '{"user": "eve", "items": [{"sku": "a", "price": "x"}]}', 0)`;

test('functions and operators in queries', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, EVENTS);
    const rows: [string, (string | null)[][]][] = [
      ["SELECT id FROM events WHERE doc @? '$.items[*] ? (@.price > 5)' ORDER BY id", [['1']]],
      ["SELECT id FROM events WHERE doc @@ '$.items.size() == 0'", [['2']]],
      ["SELECT jsonb_path_query(doc, '$.items[*].sku') FROM events ORDER BY id", [['"a"'], ['"b"'], ['"a"']]],
      [
        "SELECT id, p FROM events, jsonb_path_query(doc, '$.items[*].price') WITH ORDINALITY AS t(p, n) WHERE n = 2",
        [['1', '2.5']],
      ],
      [
        `SELECT e.id, p FROM events e LEFT JOIN LATERAL jsonb_path_query(doc, '$.items[*] ? (@.price >= $least).price',
           jsonb_build_object('least', floor)) AS p ON true ORDER BY 1`,
        [
          ['1', '10'],
          ['2', null],
          ['3', null],
        ],
      ],
      ["SELECT jsonb_path_query_array(doc, '$.items.price', silent => true) FROM events WHERE id = 1", [['[10, 2.5]']]],
      ["SELECT jsonb_path_query_first(doc, '$.items.price') FROM events WHERE id = 2", [[null]]],
      ["SELECT jsonb_path_exists(doc, '$.items.at.date()') FROM events ORDER BY id", [['t'], ['f'], ['f']]],
      [
        `SELECT JSON_VALUE(doc, '$.user'), JSON_QUERY(doc, '$.items.sku' WITH WRAPPER), JSON_EXISTS(doc, '$.items[1]'), doc IS JSON ARRAY
           FROM events ORDER BY id LIMIT 2`,
        [
          ['ann', '["a", "b"]', 't', 'f'],
          ['bob', null, 'f', 'f'],
        ],
      ],
      [
        `SELECT id, t.* FROM events, JSON_TABLE(doc, '$.items[*]' COLUMNS (n FOR ORDINALITY, sku text, price int DEFAULT -1 ON ERROR)) t
           ORDER BY 1, 2`,
        [
          ['1', '1', 'a', '10'],
          ['1', '2', 'b', '-1'],
          ['3', '1', 'a', '-1'],
        ],
      ],
      ['SELECT JSON_ARRAY(id, floor, NULL), JSON_ARRAY(SELECT 1) FROM events WHERE id = 1', [['[1, 5]', '[1]']]],
      ["SELECT '$.a[ * ]'::jsonpath", [['$."a"[*]']]],
    ];
    for (const [query, expected] of rows) assert.deepEqual(await sql(engine, query), expected, query);
    await assert.rejects(sql(engine, "SELECT * FROM events WHERE doc @? '$.a ['"), {
      sqlstate: '42601',
      message: 'line 1: syntax error at end of jsonpath input',
      fields: { position: 35 },
    });
    await assert.rejects(sql(engine, "SELECT '$' = '$'::jsonpath"), { sqlstate: '42883' });
  } finally {
    await engine.close();
  }
});

test('a column of paths', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, `${EVENTS}; CREATE TABLE rules (name text, path jsonpath)`);
    await sql(
      engine,
      `CREATE MATERIALIZED VIEW hits AS SELECT name, id FROM rules JOIN events ON doc @? path;
       INSERT INTO rules VALUES ('many', '$ ? (@.items.size() > 1)'), ('e', '$ ? (@.user starts with "e")')`,
    );
    assert.deepEqual(await sql(engine, 'SELECT * FROM hits ORDER BY 1'), [
      ['e', '3'],
      ['many', '1'],
    ]);
    await sql(engine, "DELETE FROM rules WHERE name = 'e'");
    assert.deepEqual(await sql(engine, 'SELECT * FROM hits'), [['many', '1']]);
    assert.deepEqual(await sql(engine, 'SELECT path FROM rules'), [['$?(@."items".size() > 1)']]);
  } finally {
    await engine.close();
  }
});

test('paths that are shown otherwise than stored, and arrays of paths', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE p (id int PRIMARY KEY, path jsonpath, list jsonpath[])');
    await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT id, path, list[2] AS second FROM p');
    await sql(engine, `INSERT INTO p VALUES (1, '$ == 1 || $ == 2 || $ == 3', '{$, $.a}'), (2, '$', NULL)`);
    await sql(engine, "UPDATE p SET path = '(exists($)).type()' WHERE id = 2");
    assert.deepEqual(await sql(engine, 'SELECT * FROM v ORDER BY id'), [
      ['1', '(($ == 1 || $ == 2) || $ == 3)', '$."a"'],
      ['2', 'exists ($).type()', null],
    ]);
    assert.deepEqual(await sql(engine, "SELECT jsonb_path_query('2', path) FROM p ORDER BY id"), [
      ['true'],
      ['"boolean"'],
    ]);
    await sql(engine, 'DELETE FROM p WHERE id = 1');
    assert.deepEqual(await sql(engine, 'SELECT id FROM v'), [['2']]);
  } finally {
    await engine.close();
  }
});

const QUERIES = [
  `SELECT id, p FROM docs, jsonb_path_query(doc, '$.**{1 to 2} ? (@.type() == "number")') AS p`,
  `SELECT jsonb_path_query(doc, '$[*]', silent => true) AS p, count(*) FROM docs GROUP BY 1`,
  `SELECT id, jsonb_path_query_array(doc, '$.a ? (@ > $n)', jsonb_build_object('n', n)) AS a,
     jsonb_path_query_first(doc, 'strict $.b', silent => true) AS b FROM docs`,
  `SELECT count(*) FROM docs WHERE doc @? '$.** ? (@ like_regex "^A" flag "i")' OR doc @@ '$.b == 1'`,
  `SELECT d.id, e.id AS other FROM docs d JOIN docs e ON d.n = e.n AND jsonb_path_match(d.doc, 'exists($.a)') AND e.doc @? '$.b'`,
  `SELECT JSON_VALUE(doc, '$.a' RETURNING int DEFAULT -1 ON ERROR) AS a, count(*), max(n) FROM docs GROUP BY 1`,
  `SELECT id, JSON_QUERY(doc, '$.** ? (@ > $n)' PASSING n AS n WITH WRAPPER) AS q, doc IS JSON OBJECT AS o FROM docs
     WHERE JSON_EXISTS(doc, '$.*')`,
  `SELECT id, t.* FROM docs, JSON_TABLE(doc, '$.*' PASSING n AS n COLUMNS (i FOR ORDINALITY, a text PATH '$.a', b int PATH '$n',
     NESTED '$[*]' COLUMNS (x int PATH '$' DEFAULT 0 ON ERROR))) AS t`,
  `SELECT d.id, t.v, count(*) FROM docs d LEFT JOIN JSON_TABLE(d.doc, '$.**' COLUMNS (v numeric PATH '$ ? (@.type() == "number")')) t
     ON t.v > d.n GROUP BY 1, 2`,
  // Errors of rows are listed, not told.
  `SELECT id, jsonb_path_query(doc, 'strict $.a') AS a FROM docs`,
  `SELECT n, sum((jsonb_path_query_first(doc, '$.a.double()', silent => true) #>> '{}')::numeric) AS s FROM docs GROUP BY n`,
];

test('views equal their queries while documents are inserted, updated and deleted', async () => {
  const r = new Random(testSeed());
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE docs (id int PRIMARY KEY, n int, doc jsonb)');
    for (const [i, query] of QUERIES.entries()) await sql(engine, `CREATE MATERIALIZED VIEW v${i} AS ${query}`);
    const literal = (): string => {
      const document = r.below(10) === 0 ? null : randomDocument(r, 3);
      return document === null ? 'NULL' : `'${document.replaceAll("'", "''")}'`;
    };
    const rows = new Set<number>();
    for (let round = 0; round < 60; round++) {
      const id = r.below(30);
      if (!rows.has(id)) {
        await sql(engine, `INSERT INTO docs VALUES (${id}, ${r.below(3)}, ${literal()})`);
        rows.add(id);
      } else if (r.below(2) === 0) {
        await sql(engine, `UPDATE docs SET doc = ${literal()}, n = ${r.below(3)} WHERE id = ${id}`);
      } else {
        await sql(engine, `DELETE FROM docs WHERE id = ${id}`);
        rows.delete(id);
      }
      if (round % 6 !== 5) continue;
      for (const [i, query] of QUERIES.entries()) {
        const sorted = (list: (string | null)[][]) => list.map((row) => JSON.stringify(row)).sort();
        const failed = await sql(engine, `SELECT sqlstate FROM tidemark.errors('v${i}')`);
        // A query fails where its view lists the row.
        if (failed.length > 0) {
          const codes = failed.map(([code]) => code);
          await assert.rejects(sql(engine, query), (e: { sqlstate: string }) => codes.includes(e.sqlstate));
          continue;
        }
        assert.deepEqual(sorted(await sql(engine, `SELECT * FROM v${i}`)), sorted(await sql(engine, query)), query);
      }
    }
  } finally {
    await engine.close();
  }
});
