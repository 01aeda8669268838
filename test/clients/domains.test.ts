/** Domains on the wire, with both threads: results and parameters are of what lies under them, in text and binary, and COPY checks. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { type ClientServer, startServer } from './server.ts';

let server: ClientServer;
let client: pg.Client;

before(async () => {
  server = await startServer();
  client = new pg.Client(server.config);
  await client.connect();
  await client.query(`CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE DOMAIN posint AS int CHECK (VALUE > 0);
    CREATE DOMAIN needed AS posint NOT NULL DEFAULT 9;
    CREATE DOMAIN good AS mood CHECK (VALUE > 'sad'::mood);
    CREATE TABLE t (id int PRIMARY KEY, p posint, n needed, ps posint[], g good)`);
});
after(async () => {
  await client.end();
  await server.close();
});

const rows = async (text: string, values: unknown[] = []) =>
  (await client.query({ text, values, rowMode: 'array' })).rows;

test('a result is described and sent as what lies under the domain', async () => {
  const put = { name: 'put', text: 'INSERT INTO t VALUES ($1, $2, $3, $4, $5)' };
  await client.query({ ...put, values: [1, 5, 6, [7, 8], 'ok'] });
  for (const [values, code] of [
    [[2, -5, 6, [7], 'ok'], '23514'],
    [[2, 5, null, [7], 'ok'], '23502'],
    [[2, 5, 6, [7, -1], 'ok'], '23514'],
    [[2, 5, 6, null, 'sad'], '23514'],
  ] as const)
    await assert.rejects(client.query({ ...put, values: [...values] }), { code });
  const { fields } = await client.query('SELECT * FROM t');
  const [[mood]] = await rows("SELECT 'mood'::regtype::oid::int8");
  assert.deepEqual(
    fields.map(({ dataTypeID }) => dataTypeID),
    [23, 23, 23, 1007, Number(mood)],
  );
  assert.deepEqual(await rows('SELECT * FROM t'), [[1, 5, 6, [7, 8], 'ok']]);
  const raw = { getTypeParser: () => (value: unknown) => value };
  const binary = {
    text: 'SELECT p FROM t WHERE p = $1::posint',
    values: [5],
    binary: true,
    rowMode: 'array',
    types: raw,
  };
  assert.deepEqual((await client.query(binary as unknown as pg.QueryArrayConfig)).rows, [['\x00\x00\x00\x05']]);
  await assert.rejects(rows('SELECT $1::posint', [-1]), { code: '23514' });
});

test('an error names the domain, its schema and the constraint', async () => {
  const bad = { code: '23514', schema: 'public', dataType: 'posint', constraint: 'posint_check' };
  await assert.rejects(rows('INSERT INTO t (id, p) VALUES (7, -1)'), bad);
  await assert.rejects(rows('SELECT ARRAY[1, $1]::posint[]', [-1]), bad);
  // Of a domain over another: the one that was asked for.
  await assert.rejects(rows('SELECT (-1)::needed'), { ...bad, dataType: 'needed' });
  const missing = { code: '23502', schema: 'public', dataType: 'needed', constraint: undefined };
  await assert.rejects(rows('INSERT INTO t (id, n) VALUES (7, NULL)'), missing);
});

test('a plan that is older than the constraint checks it', async () => {
  const query = { name: 'cast', text: 'SELECT $1::posint + 0 AS v', rowMode: 'array' as const };
  assert.deepEqual((await client.query({ ...query, values: [77] })).rows, [[77]]);
  await client.query('ALTER DOMAIN posint ADD CONSTRAINT small CHECK (VALUE < 50)');
  await assert.rejects(client.query({ ...query, values: [77] }), { code: '23514', constraint: 'small' });
  await client.query('ALTER DOMAIN posint DROP CONSTRAINT small');
  assert.deepEqual((await client.query({ ...query, values: [77] })).rows, [[77]]);
});

test('COPY checks what it reads, and fills in defaults', async () => {
  const copy = async (columns: string, lines: string) => {
    await pipeline(Readable.from([lines]), client.query(copyFrom(`COPY t (${columns}) FROM STDIN`)));
  };
  await copy('id, p', '10\t3\n11\t\\N\n');
  assert.deepEqual(await rows('SELECT id, p, n FROM t WHERE id > 9 ORDER BY id'), [
    [10, 3, 9],
    [11, null, 9],
  ]);
  await assert.rejects(copy('id, p', '12\t3\n13\t-3\n'), { code: '23514' });
  await assert.rejects(copy('id, n', '12\t\\N\n'), { code: '23502' });
  await assert.rejects(copy('id, ps', '12\t{1,-1}\n'), { code: '23514' });
  await client.query('ALTER DOMAIN needed DROP DEFAULT');
  await assert.rejects(copy('id', '12\n'), { code: '23502' });
  assert.deepEqual(await rows('SELECT count(*)::int FROM t'), [[3]]);
});

test('many rows, a cursor and a subscription', async () => {
  await client.query('CREATE MATERIALIZED VIEW v AS SELECT p, count(*) AS n FROM t GROUP BY p');
  await client.query('INSERT INTO t (id, p, n) SELECT i, i % 7 + 1, 1 FROM generate_series(100, 20099) i');
  assert.deepEqual(await rows('SELECT count(*)::int, sum(p)::int FROM t WHERE id >= 100'), [[20000, 79999]]);
  assert.deepEqual(await rows('SELECT count(*)::int FROM v WHERE p < 8'), [[7]]);
  assert.equal((await rows('SELECT p FROM t')).length, 20003);
  await client.query('UPDATE t SET p = p + 1 WHERE id >= 100');
  await assert.rejects(client.query('UPDATE t SET p = p - 3 WHERE id >= 100'), { code: '23514' });
});

test('what drivers and dumps ask of the catalogs', async () => {
  const found =
    await rows(`SELECT t.typnotnull, format_type(t.typbasetype, t.typtypmod), pg_get_expr(t.typdefaultbin, 'pg_type'::regclass), t.typdefault,
    CASE WHEN t.typcollation <> u.typcollation THEN t.typcollation ELSE 0 END
    FROM pg_type t LEFT JOIN pg_type u ON t.typbasetype = u.oid WHERE t.typname = 'needed'`);
  assert.deepEqual(found, [[true, 'posint', null, null, 0]]);
  const constraints = await rows(`SELECT conname, pg_get_constraintdef(oid), convalidated, contype FROM pg_constraint
    WHERE contypid IN ('posint'::regtype, 'needed'::regtype) ORDER BY conname`);
  assert.deepEqual(constraints, [
    ['needed_not_null', 'NOT NULL', true, 'n'],
    ['posint_check', 'CHECK ((VALUE > 0))', true, 'c'],
  ]);
  assert.deepEqual(
    await rows(
      "SELECT domain_name, data_type FROM information_schema.domains WHERE domain_schema = 'public' ORDER BY 1",
    ),
    [
      ['good', 'USER-DEFINED'],
      ['needed', 'USER-DEFINED'],
      ['posint', 'integer'],
    ],
  );
});
