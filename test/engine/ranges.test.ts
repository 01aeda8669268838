/** Ranges in streams of every text format and in sinks, in views that settings reach, and with what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';
import { MessageSource } from './message_source.ts';

const ROW = { id: 1, r: '[1,3]', l: ['[2020-01-01 00:00+00,)', null] };
const COLUMNS = 'id int, r int4range, l tstzrange[]';
const SHOWN = ['1', '[1,4)', '{"[\\"2020-01-01 00:00:00+00\\",)",NULL}'];

/** What is made, a good message and a bad one, and the row of the good one. */
const CASES: Record<string, [string, string, string, (string | null)[]]> = {
  json: [`STREAM t (${COLUMNS})`, JSON.stringify(ROW), '{"r":"[3,1)"}', SHOWN],
  debezium_json: [
    `TABLE t (${COLUMNS}, PRIMARY KEY (id))`,
    JSON.stringify({ after: ROW, op: 'c' }),
    '{"after":{"id":2,"r":"[3,1)"},"op":"c"}',
    SHOWN,
  ],
  csv: [`STREAM t (${COLUMNS})`, '1,"[1,3]","{""[2020-01-01 00:00+00,)"",NULL}"', '2,"[3,1)",', SHOWN],
  raw: ['STREAM t (r int4range)', '(0,3]', '[3,1)', ['[1,4)']],
};

for (const [format, [made, good, bad, row]] of Object.entries(CASES)) {
  test(`ranges in ${format}`, async () => {
    const source = new MessageSource();
    const engine = await openEngine({ openSource: () => source });
    try {
      await sql(engine, `CREATE ${made} WITH (connector = 'kafka', brokers = 'm', topic = 't', format = '${format}')`);
      await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT * FROM t');
      source.send({ value: good }, { value: bad });
      while (engine.sourceTicks.pump());
      assert.deepEqual(await sql(engine, 'SELECT * FROM v'), [row]);
      assert.deepEqual(await sql(engine, "SELECT sqlstate, reason, column_name FROM tidemark.errors('t')"), [
        ['22000', 'range lower bound must be less than or equal to range upper bound', 'r'],
      ]);
    } finally {
      await engine.close();
    }
  });
}

test('an error row of a view has its ranges as text', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (a numrange, b nummultirange)');
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT a + numrange(10, 11) AS c, b FROM t');
  await sql(engine, "INSERT INTO t VALUES ('[1,2)', '{[3.0,4)}')");
  assert.deepEqual(await sql(engine, "SELECT reason, row FROM tidemark.errors('v')"), [
    ['result of range union would not be contiguous', '{"[1,2)","{[3.0,4)}"}'],
  ]);
  await sql(engine, "UPDATE t SET a = '[9,10)'");
  assert.deepEqual(await sql(engine, 'SELECT * FROM v'), [['[9,11)', '{[3.0,4)}']]);
  await engine.close();
});

test('defaults, checks, generated columns, ALTER and indexes have ranges', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    `CREATE TABLE t (a int, b int, r int4range GENERATED ALWAYS AS (int4range(a, b, '[]')) STORED, d daterange DEFAULT '[2020-01-01,)', CHECK (NOT isempty(d)));
     INSERT INTO t (a, b) VALUES (1, 3), (5, 5);
     ALTER TABLE t ADD n numrange DEFAULT '[1.50,2)';
     ALTER TABLE t ALTER d DROP DEFAULT;
     ALTER TABLE t ALTER d TYPE datemultirange USING d::datemultirange;
     CREATE INDEX ON t (lower(r)); CREATE UNIQUE INDEX ON t (r)`,
  );
  assert.deepEqual(await sql(engine, 'SELECT * FROM t ORDER BY a'), [
    ['1', '3', '[1,4)', '{[2020-01-01,)}', '[1.50,2)'],
    ['5', '5', '[5,6)', '{[2020-01-01,)}', '[1.50,2)'],
  ]);
  assert.deepEqual(await sql(engine, 'SELECT a FROM t WHERE lower(r) = 5'), [['5']]);
  assert.deepEqual(await sql(engine, "SELECT a FROM t WHERE r = '[1,3]'"), [['1']]);
  await assert.rejects(sql(engine, 'INSERT INTO t (a, b) VALUES (5, 5)'), { sqlstate: '23505' });
  await assert.rejects(sql(engine, 'INSERT INTO t (a, b) VALUES (5, 3)'), { sqlstate: '22000' });
  await assert.rejects(sql(engine, "INSERT INTO t (a, b, d) VALUES (6, 6, '{}')"), { sqlstate: '23514' });
  await engine.close();
});

test('a text that hangs on settings or the clock is no value that is kept', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (s text, r tstzrange)');
  await assert.rejects(sql(engine, 'CREATE INDEX ON t ((r::text))'), { sqlstate: '42P17' });
  await assert.rejects(sql(engine, "CREATE MATERIALIZED VIEW v AS SELECT s FROM t WHERE r && '[now,)'"), {
    sqlstate: '0A000',
  });
  await engine.close();
});

test('types of ranges are not made, and keys that forbid overlaps are refused', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (a int, r int4range)');
  for (const refused of [
    'CREATE TYPE f AS RANGE (subtype = float8)',
    'CREATE TABLE u (r int4range, EXCLUDE USING gist (r WITH &&))',
    'CREATE TABLE u (a int, r int4range, PRIMARY KEY (a, r WITHOUT OVERLAPS))',
    'CREATE TABLE u (a int, r int4range, UNIQUE (a, r WITHOUT OVERLAPS))',
    'ALTER TABLE t ADD UNIQUE (a, r WITHOUT OVERLAPS)',
    'CREATE TABLE u (a int, r int4range, FOREIGN KEY (a, PERIOD r) REFERENCES t (a, PERIOD r))',
  ])
    await assert.rejects(sql(engine, refused), { sqlstate: '0A000' }, refused);
  await engine.close();
});
