/** Statements as people write them who come from other systems: what each ends with says what to write here. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { SqlError } from '../../operators/errors.ts';
import { functionHint, settingHint, typeHint } from './other_systems.ts';
import { initParser, parse } from './parse.ts';

before(initParser);

function refusal(sql: string): SqlError {
  try {
    parse(sql);
  } catch (error) {
    if (error instanceof SqlError) return error;
    throw error;
  }
  throw new Error(`it was read: ${sql}`);
}

const CASES: [sql: string, hint: RegExp][] = [
  ['CREATE MATERIALIZED VIEW v AS SELECT a FROM t EMIT CHANGES', /leave EMIT CHANGES out/],
  ['SELECT * FROM t emit\n changes', /SUBSCRIBE/],
  ['CREATE TABLE c AS SELECT a, count(*) FROM t GROUP BY a EMIT FINAL', /EMIT ON WINDOW CLOSE/],
  ["SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(at), INTERVAL '10' MINUTES))", /no DESCRIPTOR/],
  ['SELECT a, count(*) FROM t WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY a', /^Windows stand in FROM/],
  ['SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY a ORDER BY b MEASURES c AS d PATTERN (x y))', /no MATCH_RECOGNIZE/],
  ['SELECT * FROM t QUALIFY row_number() OVER (ORDER BY a) = 1', /no QUALIFY/],
  ['SELECT * FROM a JOIN b WITHIN 5 MINUTES ON a.id = b.id', /band of time/],
  ["CREATE TABLE t (a int) WITH ('connector' = 'kafka', 'topic' = 'x')", /stand without quotes/],
  ["CREATE STREAM t (a int) WITH (connector = 'kafka', properties.bootstrap.server = 'h:9092')", /option brokers/],
  ["CREATE TABLE t (a int, at timestamp METADATA FROM 'timestamp')", /INCLUDE KEY/],
  ['CREATE STREAM t (a int, at AS PROCTIME())', /DEFAULT now\(\)/],
  ['CREATE STREAM t (a bigint KEY, b text)', /INCLUDE KEY/],
  ['CREATE STREAM t (a int, b STRUCT<x int>)', /jsonb/],
  ['CREATE STREAM t (a int, b ARRAY<text>)', /text\[\]/],
  ['CREATE STREAM t (a int, b MAP<text, int>)', /jsonb/],
  ["CREATE CONNECTION k TO KAFKA (BROKER 'h:9092')", /options of each stream/],
  ["CREATE SECRET s AS 'x'", /options of each stream/],
  ["CREATE SINK s FROM v INTO KAFKA CONNECTION k (TOPIC 'x')", /CREATE SINK name FROM view WITH/],
  ["CREATE TABLE t (a int) WITH (connector = 'kafka') FORMAT PLAIN ENCODE JSON", /format = 'json'/],
  ['CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT 1', /RENAME TO/],
  ['TAIL v', /SUBSCRIBE/],
  ["SELECT 1; PRINT 'topic'", /SUBSCRIBE/],
  ['DESCRIBE t', /information_schema/],
  ['SHOW CREATE TABLE t', /information_schema/],
  ['SHOW MATERIALIZED VIEWS', /tidemark\.views/],
  ['SELECT `a` FROM t', /double quotes/],
  ['CREATE STREAM s AS SELECT * FROM t', /CREATE MATERIALIZED VIEW keeps/],
];

test('statements of other systems', () => {
  for (const [sql, hint] of CASES) assert.match(refusal(sql).fields.hint ?? '', hint, sql);
});

test('other errors of syntax are as they were', () => {
  const plain = [
    ...['SELEC 1', 'SELECT 1 FROM', 'SELECT a FROM t WHERE', 'CREATE TABLE t (a int,)', 'CREATE STREAM s (a int'],
    ...[
      'CREATE INDEX ON t (a) key',
      'SELECT 1; SELECT (',
      "INSERT INTO t (key) VALUES ('x'",
      'SELECT 1 AS window AS b',
    ],
  ];
  for (const sql of plain) assert.equal(refusal(sql).fields.hint, undefined, sql);
});

test('the place stays that of the error, in characters of the whole text', () => {
  const { fields, message } = refusal("SELECT 'ä😀'; TAIL v");
  assert.equal(message, 'syntax error at or near "TAIL"');
  assert.equal(fields.position, 14);
});

test('names of functions, types and lists', () => {
  assert.match(functionHint('tumble_start') ?? '', /window_start/);
  assert.match(functionHint('mz_now') ?? '', /now\(\)/);
  assert.equal(functionHint('toString'), undefined);
  assert.equal(typeHint('string'), 'Use text.');
  assert.equal(typeHint('constructor'), undefined);
  assert.match(settingHint('TABLES') ?? '', /information_schema/);
  assert.equal(settingHint('work_mem'), undefined);
});
