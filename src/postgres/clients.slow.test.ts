/** Real clients against a whole server: node-postgres, pg-cursor, pg-copy-streams, postgres.js, psql and pgbench. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import postgres from 'postgres';
import { type RunningServer, runServer } from '../cli/server.ts';

const run = promisify(execFile);
let server: RunningServer;
let client: pg.Client;
const config = (): pg.ClientConfig => ({
  host: '127.0.0.1',
  port: server.postgres.port,
  user: 'tester',
  database: 'db',
});
const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PGHOST: '127.0.0.1',
  PGPORT: String(server.postgres.port),
  PGUSER: 'tester',
  PGDATABASE: 'db',
  PGOPTIONS: '',
  PSQLRC: '/dev/null',
});

before(async () => {
  server = await runServer({ host: '127.0.0.1', port: 0, version: '0.0.0', threads: 2, log: () => undefined });
  client = new pg.Client(config());
  await client.connect();
  await client.query('create table t (id int primary key, name text, amount numeric(12,2), at timestamptz)');
});
after(async () => {
  await client.end();
  await server.close();
});

test('node-postgres: parameters, named statements, types, errors, transactions', async () => {
  const at = new Date('2024-02-29T12:34:56.789Z');
  const inserted = await client.query('insert into t values ($1, $2, $3, $4), (2, null, null, null)', [
    1,
    "it's",
    '12.50',
    at,
  ]);
  assert.equal(inserted.command, 'INSERT');
  assert.equal(inserted.rowCount, 2);
  for (let i = 0; i < 3; i++) {
    const result = await client.query({ name: 'by-id', text: 'select * from t where id = $1', values: [1] });
    assert.deepEqual(result.rows, [{ id: 1, name: "it's", amount: '12.50', at }]);
    assert.deepEqual(
      result.fields.map(({ dataTypeID, columnID }) => [dataTypeID, columnID]),
      [
        [23, 1],
        [25, 2],
        [1700, 3],
        [1184, 4],
      ],
    );
    assert.equal(result.fields[2].dataTypeModifier, ((12 << 16) | 2) + 4);
  }
  await assert.rejects(client.query('insert into t values (1)'), { code: '23505' });
  await assert.rejects(client.query('select nosuch from t'), { code: '42703', position: '8' });
  await client.query('begin');
  await client.query('delete from t');
  await client.query('rollback');
  assert.equal((await client.query('select count(*) from t')).rows[0].count, '2');
  const two = (await client.query('select 1 as a; select 2 as b')) as unknown as pg.QueryResult[];
  assert.deepEqual(
    two.map(({ rows }) => rows[0]),
    [{ a: 1 }, { b: 2 }],
  );
});

test('node-postgres: notifications, pool, timeouts', async () => {
  const heard = new Promise<pg.Notification>((resolve) => client.once('notification', resolve));
  await client.query('listen news');
  const pool = new pg.Pool({ ...config(), max: 3, statement_timeout: 5000 });
  await pool.query('select pg_notify($1, $2)', ['news', 'hello']);
  const { channel, payload } = await heard;
  assert.deepEqual([channel, payload], ['news', 'hello']);
  assert.equal((await pool.query('show statement_timeout')).rows[0].statement_timeout, '5s');
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => pool.query('select $1::int as n', [i])));
  assert.deepEqual(
    results.map(({ rows }) => rows[0].n),
    Array.from({ length: 20 }, (_, i) => i),
  );
  await pool.end();
});

test('pg-cursor: rows in portions', async () => {
  await client.query('create table numbers (n int primary key)');
  await client.query('insert into numbers select * from generate_series(1, 250)');
  const cursor = client.query(new Cursor('select n from numbers where n > $1 order by n', [10]));
  const sizes: number[] = [];
  for (;;) {
    const rows = await cursor.read(100);
    sizes.push(rows.length);
    if (rows.length === 0) break;
  }
  await cursor.close();
  assert.deepEqual(sizes, [100, 100, 40, 0]);
});

test('pg-copy-streams: in and out', async () => {
  await client.query('create table copied (a int, b text)');
  const lines = Array.from({ length: 5000 }, (_, i) => `${i}\t${i % 7 === 0 ? '\\N' : `row ${i}`}\n`);
  await pipeline(Readable.from(lines), client.query(copyFrom('copy copied from stdin')));
  assert.equal((await client.query('select count(*) from copied')).rows[0].count, '5000');
  const out = await readAll(client.query(copyTo('copy (select * from copied order by a) to stdout')));
  assert.equal(out, lines.join(''));
  await assert.rejects(pipeline(Readable.from(['x\ty\n']), client.query(copyFrom('copy copied from stdin'))), {
    code: '22P02',
  });
  assert.equal((await client.query('select 1 as one')).rows[0].one, 1);
});

test('postgres.js: describe, arrays, transactions, cancel', async () => {
  const sql = postgres({
    host: '127.0.0.1',
    port: server.postgres.port,
    user: 'tester',
    database: 'db',
    max: 2,
    onnotice: () => undefined,
  });
  const rows = await sql`select ${1}::int as a, ${'x'}::text as b, ${[1, 2, 3]}::int[] as c`;
  assert.deepEqual({ ...rows[0] }, { a: 1, b: 'x', c: [1, 2, 3] });
  await sql`create table pj (a int primary key, b text)`;
  await sql`insert into pj ${sql([
    { a: 1, b: 'one' },
    { a: 2, b: 'two' },
  ])}`;
  await assert.rejects(
    sql.begin(async (tx) => {
      await tx`delete from pj`;
      await tx.savepoint((inner) => inner`insert into pj values (1, 'again')`);
      throw new Error('undo');
    }),
    /undo/,
  );
  assert.equal((await sql`select * from pj where a = ANY(${[1, 2]})`).length, 2);
  const got: number[] = [];
  await sql`select n from numbers order by n`.cursor(60, (batch) => {
    got.push(batch.length);
  });
  assert.deepEqual(got, [60, 60, 60, 60, 10]);
  await sql.end();
});

test('SUBSCRIBE over COPY and over a cursor', async () => {
  await client.query('create materialized view sums as select name, sum(amount) as total from t group by name');
  const follower = new pg.Client(config());
  await follower.connect();
  await follower.query('begin; declare c cursor for subscribe sums with (snapshot = false)');
  await client.query("insert into t values (10, 'new', 5, null)");
  const first = await follower.query('fetch all c');
  assert.deepEqual(
    first.rows.map(({ diff, name, total }) => [diff, name, total]),
    [['1', 'new', '5.00']],
  );
  assert.equal((await follower.query("fetch all c with (timeout = '20ms')")).rowCount, 0);
  await follower.query('commit');

  const stream = follower.query(copyTo('copy (subscribe sums with (snapshot = false)) to stdout'));
  const lines: string[] = [];
  stream.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trim().split('\n')));
  stream.on('error', () => undefined);
  await sleep(100);
  await client.query("insert into t values (11, 'new', 1, null)");
  for (let i = 0; i < 500 && lines.length < 2; i++) await sleep(5);
  assert.deepEqual(lines.map((line) => line.split('\t').slice(1).join(' ')).sort(), ['-1 new 5.00', '1 new 6.00']);
  const { pid } = server.postgres.sessions().find(({ query }) => query.startsWith('copy (subscribe'))!;
  const ended = new Promise<Error & { code?: string }>((resolve) => follower.once('error', resolve));
  assert.equal((await client.query('select pg_terminate_backend($1)', [pid])).rows[0].pg_terminate_backend, true);
  await ended;
  await follower.end().catch(() => undefined);
});

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

test('psql: results, \\copy, FETCH_COUNT, \\gdesc, errors', async (t) => {
  if (!has('psql')) {
    t.skip('psql is not installed');
    return;
  }
  const psql = async (script: string, ...args: string[]): Promise<string> => {
    const child = run('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=0', ...args], {
      env: environment(),
      timeout: 20000,
    });
    child.child.stdin?.end(script);
    const { stdout, stderr } = await child;
    return stdout + stderr;
  };
  assert.equal(await psql("select 1, 'x', null, 1.50, true;"), '1|x||1.50|t\n');
  assert.equal(await psql('select 1/0;'), 'ERROR:  division by zero\n');
  assert.equal(
    await psql(
      'create table pq (a int, b text);\n\\copy pq from stdin csv\n1,"a,b"\n2,\n\\.\nselect * from pq order by a;\n\\copy (select * from pq order by a) to stdout csv\n',
    ),
    '1|a,b\n2|\n1,"a,b"\n2,\n',
  );
  const counted = await psql('\\set FETCH_COUNT 100\nselect n from numbers order by n;\n');
  assert.equal(counted.trim().split('\n').length, 250);
  assert.equal(await psql('begin; savepoint a; select 1; rollback to a; commit; show application_name;'), '1\npsql\n');
});

test('pgbench: simple, extended and prepared', async (t) => {
  if (!has('pgbench')) {
    t.skip('pgbench is not installed');
    return;
  }
  await client.query('create table accounts (aid int primary key, balance int)');
  await client.query('insert into accounts select n, 0 from numbers');
  const script = '\\set aid random(1, 250)\nselect balance from accounts where aid = :aid;\n';
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-pgbench-'));
  try {
    const file = join(folder, 'script.sql');
    await writeFile(file, script);
    for (const mode of ['simple', 'extended', 'prepared']) {
      const { stdout } = await run('pgbench', ['-n', '-M', mode, '-c', '4', '-t', '50', '-f', file], {
        env: environment(),
        timeout: 60000,
      });
      assert.match(stdout, /number of transactions actually processed: 200\/200/);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
