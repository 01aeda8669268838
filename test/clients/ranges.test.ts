/** Ranges on the wire, with both threads: text and binary, parameters of statements, COPY, JSON, and what drivers ask of the catalogs. */
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
  await client.query('CREATE TABLE t (id int PRIMARY KEY, r int4range, n numrange, m int8multirange, a daterange[])');
});
after(async () => {
  await client.end();
  await server.close();
});

const rows = async (text: string, values: unknown[] = []) =>
  (await client.query({ text, values, rowMode: 'array' })).rows;

test('parameters and results', async () => {
  const put = { name: 'put', text: 'INSERT INTO t VALUES ($1, $2, $3, $4, $5)' };
  await client.query({ ...put, values: [1, '[1,5]', '(1.5,]', '{[1,2],[3,4]}', ['[2020-01-01,2020-01-02]', null]] });
  await client.query({ ...put, values: [2, null, 'empty', '{}', []] });
  assert.deepEqual(await rows('SELECT * FROM t ORDER BY id'), [
    [1, '[1,6)', '(1.5,)', '{[1,5)}', '{"[2020-01-01,2020-01-03)",NULL}'],
    [2, null, 'empty', '{}', '{}'],
  ]);
  assert.deepEqual(await rows('SELECT id FROM t WHERE r @> $1::int', [5]), [[1]]);
  assert.deepEqual(await rows('SELECT id FROM t WHERE r && $1', ['[5,9]']), [[1]]);
  assert.deepEqual(await rows('SELECT id FROM t WHERE r = ANY ($1)', [['[1,5]', 'empty']]), [[1]]);
  await assert.rejects(rows('SELECT $1::int4range', ['[5,1)']), { code: '22000' });
  await assert.rejects(rows('SELECT $1::int4range', ['[5;1)']), {
    code: '22P02',
    detail: 'Missing comma after lower bound.',
  });
});

test('binary results and parameters', async () => {
  const sent = Buffer.from('02' + '00000004' + '00000001' + '00000004' + '00000005', 'hex');
  // All of the bytes here are ASCII, which the driver takes for text.
  const query = async (text: string, values: unknown[]) => {
    const config = { text, values, binary: true, rowMode: 'array' } as unknown as pg.QueryArrayConfig;
    return (await client.query(config)).rows.map((row) => row.map((value) => Buffer.from(value as string)));
  };
  const found = await query('SELECT $1::int4range, $2::numrange, $3::int4multirange', [
    sent,
    Buffer.from([1]),
    Buffer.concat([Buffer.from('0000000100000011', 'hex'), sent]),
  ]);
  assert.deepEqual(found, [[sent, Buffer.from([1]), Buffer.concat([Buffer.from('0000000100000011', 'hex'), sent])]]);
  // Both bounds in: 1 to 5 becomes 1 to 6.
  const canonical = await query('SELECT $1::int4range', [Buffer.concat([Buffer.from([6]), sent.subarray(1)])]);
  assert.equal(canonical[0][0].readInt32BE(13), 6);
  for (const [bytes, code] of [
    [sent.subarray(0, 16), '08P01'],
    [Buffer.concat([sent, Buffer.from([0])]), '22P03'],
    [Buffer.alloc(0), '08P01'],
  ] as const)
    await assert.rejects(query('SELECT $1::int4range', [bytes]), { code });
  await assert.rejects(query('SELECT $1::int4multirange', [Buffer.from('7fffffff', 'hex')]), { code: '08P01' });
});

test('COPY in text and binary', async () => {
  const lines = Array.from(
    { length: 1000 },
    (_, i) => `${i + 10}\t[${i},${i + 3}]\t(${i}.50,)\t{[1,3),[${i + 5},)}\t\\N\n`,
  );
  const copied = (line: string) =>
    line.replace(/\[(\d+),(\d+)\]/, (_, from: string, to: string) => `[${from},${Number(to) + 1})`);
  await pipeline(Readable.from(lines), client.query(copyFrom('COPY t FROM STDIN')));
  const out = await buffer(client.query(copyTo('COPY (SELECT * FROM t WHERE id >= 10 ORDER BY id) TO STDOUT')));
  assert.equal(out.toString(), lines.map(copied).join(''));
  const binary = await buffer(client.query(copyTo('COPY (SELECT * FROM t ORDER BY id) TO STDOUT (FORMAT binary)')));
  await client.query('CREATE TABLE again (LIKE t)');
  await pipeline(Readable.from([binary]), client.query(copyFrom('COPY again FROM STDIN (FORMAT binary)')));
  assert.deepEqual(await rows('SELECT * FROM again EXCEPT SELECT * FROM t'), []);
  assert.deepEqual(await rows('SELECT count(*)::int FROM again'), [[1002]]);
});

test('catalogs', async () => {
  const { fields } = await client.query('SELECT r, n, m, a FROM t');
  assert.deepEqual(
    fields.map((f) => f.dataTypeID),
    [3904, 3906, 4536, 3913],
  );
  assert.deepEqual(
    await rows(`SELECT a.attname, format_type(a.atttypid, a.atttypmod), t.typtype, rngsubtype::regtype::text FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_range ON rngtypid = t.oid WHERE attrelid = 't'::regclass AND attnum > 1 ORDER BY attnum`),
    [
      ['r', 'int4range', 'r', 'integer'],
      ['n', 'numrange', 'r', 'numeric'],
      ['m', 'int8multirange', 'm', null],
      ['a', 'daterange[]', 'b', null],
    ],
  );
  assert.deepEqual(
    await rows("SELECT data_type FROM information_schema.columns WHERE table_name = 't' AND column_name = 'r'"),
    [['int4range']],
  );
});
