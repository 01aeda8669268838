/** Enum types on the wire, with both threads: text and binary, parameters of statements, COPY, many rows, and what drivers ask of the catalogs. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { type ClientServer, startServer } from './server.ts';

let server: ClientServer;
let client: pg.Client;

before(async () => {
  server = await startServer();
  client = new pg.Client(server.config);
  await client.connect();
  await client.query(`CREATE TYPE mood AS ENUM ('sad', 'ok', 'tab\tslash\\', 'über');
    CREATE TABLE t (id int PRIMARY KEY, m mood, ms mood[])`);
});
after(async () => {
  await client.end();
  await server.close();
});

const rows = async (text: string, values: unknown[] = []) =>
  (await client.query({ text, values, rowMode: 'array' })).rows;

test('parameters and results', async () => {
  await client.query({ name: 'put', text: 'INSERT INTO t VALUES ($1, $2, $3)', values: [1, 'über', ['sad', 'ok']] });
  await client.query({ name: 'put', text: 'INSERT INTO t VALUES ($1, $2, $3)', values: [2, null, null] });
  assert.deepEqual(await rows('SELECT id FROM t WHERE m = $1', ['über']), [[1]]);
  assert.deepEqual(await rows('SELECT id FROM t WHERE m = ANY ($1)', [['ok', 'über']]), [[1]]);
  assert.deepEqual(await rows('SELECT $1::mood, $2::mood[]', ['ok', ['sad']]), [['ok', '{sad}']]);
  await assert.rejects(client.query('INSERT INTO t VALUES (3, $1)', ['none']), {
    code: '22P02',
    message: 'invalid input value for enum mood: "none"',
  });
  assert.deepEqual(await rows('SELECT m, ms FROM t ORDER BY id'), [
    ['über', '{sad,ok}'],
    [null, null],
  ]);
  const { fields } = await client.query('SELECT m, ms FROM t');
  const oids = await rows("SELECT oid, typarray FROM pg_type WHERE typname = 'mood'");
  assert.deepEqual(oids, [[fields[0].dataTypeID, fields[1].dataTypeID]]);
});

test('binary results and parameters are the label', async () => {
  const query = { text: 'SELECT m FROM t WHERE m = $1', values: [Buffer.from('über')], binary: true, rowMode: 'array' };
  const { rows: found } = await client.query(query as unknown as pg.QueryArrayConfig);
  assert.deepEqual(
    found.map(([m]) => Buffer.from(m as Buffer).toString()),
    ['über'],
  );
});

test('COPY reads and writes labels, whatever they have in them', async () => {
  const labels = ['sad', 'tab\\tslash\\\\', 'ok', 'über'];
  const lines = Array.from({ length: 2000 }, (_, i) => `${i + 10}\t${labels[i % 4]}\t{ok,sad}\n`);
  await pipeline(Readable.from(lines), client.query(copyFrom('COPY t FROM STDIN')));
  const read = async (text: string) => (await buffer(client.query(copyTo(text)))).toString();
  assert.equal(await read('COPY (SELECT * FROM t WHERE id >= 10 ORDER BY id) TO STDOUT'), lines.join(''));
  const bytes = await buffer(client.query(copyTo('COPY (SELECT * FROM t ORDER BY id) TO STDOUT (FORMAT binary)')));
  await client.query('CREATE TABLE u (id int, m mood, ms mood[])');
  await pipeline(Readable.from([bytes]), client.query(copyFrom('COPY u FROM STDIN (FORMAT binary)')));
  assert.deepEqual(await rows('SELECT count(*) FROM t JOIN u ON (t.id, t.m, t.ms) = (u.id, u.m, u.ms)'), [['2001']]);
  await assert.rejects(pipeline(Readable.from(['1\tnone\t\\N\n']), client.query(copyFrom('COPY u FROM STDIN'))), {
    code: '22P02',
  });
  assert.equal(
    await read("COPY (SELECT m FROM t WHERE m = 'über' LIMIT 1) TO STDOUT (FORMAT csv, FORCE_QUOTE *)"),
    '"über"\n',
  );
});

test('many rows, in order, and a label that is added meanwhile', async () => {
  await client.query("INSERT INTO t SELECT i, 'ok' FROM generate_series(10000, 60000) AS g (i)");
  await client.query("ALTER TYPE mood ADD VALUE 'later' BEFORE 'ok'; INSERT INTO t VALUES (9, 'later')");
  const found = await rows('SELECT m FROM t WHERE m IS NOT NULL ORDER BY m');
  const order = ['sad', 'later', 'ok', 'tab\tslash\\', 'über'];
  const seen = [...new Set(found.map(([m]) => m))];
  assert.deepEqual(seen, order);
  assert.equal(found.length, 50_001 + 2001 + 1);
});

test('rows are found by keys of labels, and plans say them', async () => {
  await client.query(`CREATE TABLE k (m mood PRIMARY KEY, n int); INSERT INTO k VALUES ('ok', 1), ('sad', 2)`);
  for (const [m, n] of [
    ['ok', 1],
    ['sad', 2],
    ['ok', 1],
  ])
    assert.deepEqual(
      await client
        .query({ name: 'by key', text: 'SELECT n FROM k WHERE m = $1', values: [m], rowMode: 'array' })
        .then((r) => r.rows),
      [[n]],
    );
  const plan = (await rows("EXPLAIN SELECT n FROM k WHERE m = 'ok'")).flat().join('\n');
  assert.match(plan, /m = 'ok'/);
  assert.match(plan, /lookup \('ok'\)/);
});

test('what drivers ask', async () => {
  // postgres.js and Npgsql in short.
  assert.deepEqual(
    await rows(`SELECT t.typname, array_agg(e.enumlabel ORDER BY e.enumsortorder)::text FROM pg_type t JOIN pg_enum e ON t.oid = e.enumtypid
      JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = ANY (current_schemas(false)) GROUP BY 1`),
    [['mood', '{sad,later,ok,"tab\tslash\\\\",über}']],
  );
  await client.query('PREPARE by_mood (mood, mood[]) AS SELECT count(*) FROM t WHERE m = $1 AND ms = $2');
  assert.deepEqual(await rows("EXECUTE by_mood ('ok', '{ok,sad}')"), [['500']]);
});
