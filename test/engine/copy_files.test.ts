/** COPY from and to files of the server: all formats there and back, errors in PostgreSQL's words, files that are whole or not there. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { SqlError } from '../../operators/errors.ts';
import { parse } from '../../planner/parse/parse.ts';
import { copyFromFile } from '../../src/postgres/copy/copy_from_file.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { openEngine, sql } from './harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'tidemark-copy-'));
let engine: TidemarkEngine;
before(async () => {
  engine = await openEngine();
});
after(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

const COLUMNS =
  'i2 int2, i8 int8, f4 float4, f8 float8, n numeric, d numeric(38,10), ts timestamp, tz timestamptz, dt date, tm time, s text, c char(4), "by" bytea, b bool, u uuid, j json, jb jsonb, l int[], ls text[], ld numeric(6,2)[], iv interval, r int4range';
const ROW = `(-1, -9223372036854775808, 0.1, 'NaN', 1e30, '-1234567890123456789012345678.0123456789', '1969-12-31 23:59:59.999999', '2026-01-01 00:00:00+02', '1900-01-01', '23:59:59.999999', E'a\\tä"\\\\\\n', 'x',
  '\\x00ff', true, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1}', '{"b":[1,null]}', '{1,NULL}', '{"NULL",NULL,"a,\\"b"}', '{1.5,-0.01}', '1 mon 2 days 03:04:05', '[1,5)')`;

test('there and back', async () => {
  await sql(
    engine,
    `CREATE TABLE t (${COLUMNS}); INSERT INTO t VALUES ${ROW}, (${Array(22).fill('NULL').join(', ')}); INSERT INTO t (i2, s, ls, "by") SELECT g, '', '{}', '' FROM generate_series(1, 3000) g`,
  );
  const wanted = await sql(engine, 'SELECT * FROM t ORDER BY i2');
  for (const options of ['FORMAT text', 'FORMAT csv, HEADER', 'FORMAT binary', 'FORMAT parquet']) {
    const path = join(folder, 'all');
    await sql(
      engine,
      `CREATE TABLE back (${COLUMNS}); COPY t TO '${path}' (${options}); COPY back FROM '${path}' (${options})`,
    );
    assert.deepEqual(await sql(engine, 'SELECT * FROM back ORDER BY i2'), wanted, options);
    await sql(engine, 'DROP TABLE back');
    assert.equal(statSync(path).mode & 0o777, 0o644 & ~process.umask());
  }
  assert.deepEqual(readdirSync(folder), ['all']);
});

test('no rows, and some columns', async () => {
  const path = join(folder, 'none');
  for (const format of ['text', 'binary', 'parquet']) {
    await sql(engine, `COPY (SELECT 1 AS a WHERE false) TO '${path}' (FORMAT ${format})`);
    await sql(engine, `CREATE TABLE none (a int); COPY none FROM '${path}' (FORMAT ${format})`);
    assert.deepEqual(await sql(engine, 'SELECT * FROM none'), [], format);
    await sql(engine, 'DROP TABLE none');
  }
  await sql(engine, `COPY (SELECT 2 AS b, 'x' AS more, 1 AS a) TO '${path}' (FORMAT parquet)`);
  await sql(
    engine,
    `CREATE TABLE parts (a int, b int, c int DEFAULT 7); COPY parts (a, b) FROM '${path}' (FORMAT parquet) WHERE a = 1`,
  );
  assert.deepEqual(await sql(engine, 'SELECT * FROM parts'), [['1', '2', '7']]);
});

test('what a file took the place of is there until then, and after an error', async () => {
  const path = join(folder, 'kept');
  const link = join(folder, 'link');
  writeFileSync(path, 'before');
  symlinkSync(path, link);
  await assert.rejects(
    sql(engine, `COPY (SELECT 1 / (3000 - g) FROM generate_series(1, 4000) g) TO '${path}'`),
    /division by zero/,
  );
  assert.equal(readFileSync(path, 'utf8'), 'before');
  await sql(engine, `COPY (SELECT 1) TO '${link}'`);
  assert.equal(readFileSync(path, 'utf8'), '1\n');
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('who may read a file stays as it was', async () => {
  const path = join(folder, 'secret');
  writeFileSync(path, 'before', { mode: 0o600 });
  await sql(engine, `COPY (SELECT 1) TO '${path}'`);
  assert.equal(readFileSync(path, 'utf8'), '1\n');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  rmSync(path);
});

test('errors', async () => {
  mkdirSync(join(folder, 'd'));
  writeFileSync(join(folder, 'bad'), '1\nx\n');
  await sql(engine, 'CREATE TABLE e (a int)');
  const refused = async (text: string, sqlstate: string, message: string, context?: string) => {
    await assert.rejects(
      sql(engine, text),
      (error: { sqlstate: string; message: string; fields: { context?: string } }) => {
        assert.equal(error.message.replaceAll(folder, '').replace(/^line 1: /, ''), message);
        assert.equal(error.sqlstate, sqlstate);
        if (context !== undefined) assert.equal(error.fields.context, context);
        return true;
      },
    );
  };
  await refused("COPY e TO 'here'", '42602', 'relative path not allowed for COPY to file');
  await refused(
    `COPY e FROM '${folder}/no'`,
    '58P01',
    'could not open file "/no" for reading: No such file or directory',
  );
  await refused(
    `COPY e TO '${folder}/no/x'`,
    '58P01',
    'could not open file "/no/x" for writing: No such file or directory',
  );
  await refused(`COPY e FROM '${folder}/d'`, '42809', '"/d" is a directory');
  await refused(`COPY e TO '${folder}/d'`, '42809', 'could not open file "/d" for writing: Is a directory');
  await refused(
    `COPY e FROM '${folder}/bad'`,
    '22P02',
    'invalid input syntax for type integer: "x"',
    'COPY e, line 2, column a: "x"',
  );
  assert.deepEqual(await sql(engine, 'SELECT * FROM e'), []);
  const parquet = `TO '${folder}/p' (FORMAT parquet)`;
  await refused(
    `COPY (SELECT date 'infinity' AS a) ${parquet}`,
    '22008',
    'column "a", row 1: infinity is no time of a Parquet file',
  );
  await refused(
    `COPY (SELECT 'NaN'::numeric(4,2) AS a) ${parquet}`,
    '22003',
    'column "a", row 1: NaN is no decimal number of a Parquet file',
  );
  await refused(
    `COPY (SELECT ARRAY[[1]] AS a) ${parquet}`,
    '0A000',
    'column "a", row 1: an array of 2 dimensions is no list',
  );
  await refused(`COPY (SELECT 1 AS a, 2 AS a) ${parquet}`, '42701', 'column "a" is there more than once');
  await refused('COPY e TO STDOUT (FORMAT parquet)', '0A000', 'COPY FORMAT parquet is for files of the server');
  await refused(`COPY e ${parquet.replace(')', ', HEADER)')}`, '42601', 'cannot specify HEADER in PARQUET mode');
  await refused(
    `COPY e FROM '${folder}/bad' (FORMAT parquet)`,
    '22P04',
    'could not read Parquet file "/bad": it is no Parquet file: it has 4 bytes',
  );
  await sql(engine, `COPY (SELECT 'x' AS a) ${parquet}`);
  await refused(
    `COPY e FROM '${folder}/p' (FORMAT parquet)`,
    '22P02',
    'invalid input syntax for type integer: "x"',
    'COPY e, line 1, column a: "x"',
  );
  await sql(engine, 'CREATE TABLE f (z int)');
  await refused(`COPY f FROM '${folder}/p' (FORMAT parquet)`, '22P04', 'file "/p" has no column "z"');
  await refused("COPY e FROM PROGRAM 'true'", '0A000', 'COPY from or to a program is not supported');
});

test('COPY of a Parquet file can be cancelled before the file is open', async () => {
  const path = join(folder, 'none');
  writeFileSync(path, 'this is none');
  const cancelled = new SqlError('57014', 'cancelled');
  const session = localSession(engine);
  const [statement] = parse(`COPY e FROM '${path}' (FORMAT parquet)`);
  const result = await engine.execute(
    engine.prepare(statement, [], session),
    [],
    session,
    new AbortController().signal,
  );
  assert.ok(result.kind === 'copyIn');
  const cancellation = { check: () => undefined, wait: () => Promise.reject(cancelled) };
  await assert.rejects(copyFromFile(path, 'e', result, session.evalContext, cancellation), cancelled);
  session.transaction.rollback();
});
