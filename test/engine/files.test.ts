/** Streams and keyed tables over files: order, formats, files that come later, what is malformed, has changed or is gone. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, sql } from './harness.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-files-'));
after(() => rmSync(root, { recursive: true, force: true }));

let folder = '';
let count = 0;
beforeEach(() => {
  folder = join(root, String(count++));
  mkdirSync(folder);
});

/** As if written a while ago. */
function put(name: string, content: string | Uint8Array): void {
  const path = join(folder, name);
  writeFileSync(path, content);
  utimesSync(path, 1_700_000_000, 1_700_000_000);
}

/** Runs ticks until the condition holds. */
async function until(
  engine: TidemarkEngine,
  holds: () => Promise<boolean>,
  what: () => Promise<unknown>,
): Promise<void> {
  for (const end = Date.now() + 20_000; ; await sleep(2)) {
    while (engine.sourceTicks.pump());
    if (await holds()) return;
    assert.ok(Date.now() < end, JSON.stringify(await what()));
  }
}

async function rowsAre(engine: TidemarkEngine, query: string, rows: (string | null)[][]): Promise<void> {
  const found = () => sql(engine, query);
  const wanted = JSON.stringify(rows);
  await until(engine, async () => JSON.stringify(await found()) === wanted, found);
}

const STATUS = 'SELECT connector, "position", lag, status FROM tidemark.sources';

test('all files of a pattern, in the order of their names, one after the other', async () => {
  const engine = await openEngine();
  put('b.csv', '3,c\n4,d\n');
  put('a.csv', '1,a\r\n2,"b\n""b"""');
  put('c.csv.gz', gzipSync('5,\n'));
  put('empty.csv', '');
  put('.hidden.csv', '99,x\n');
  put('d.txt', '99,x\n');
  await sql(
    engine,
    `CREATE STREAM s (a int, b text) INCLUDE KEY AS file, OFFSET AS o, TIMESTAMP AS at
       WITH (connector = 'files', path = '${folder}/[a-e]*.csv*', format = 'csv');
     CREATE MATERIALIZED VIEW v AS SELECT *, count(*) OVER () AS n FROM s`,
  );
  await rowsAre(engine, `SELECT o, a, b, replace(file, '${folder}/', '') FROM v WHERE n = 5 ORDER BY o`, [
    ['0', '1', 'a', 'a.csv'],
    ['1', '2', 'b\n"b"', 'a.csv'],
    ['2', '3', 'c', 'b.csv'],
    ['3', '4', 'd', 'b.csv'],
    ['4', '5', null, 'c.csv.gz'],
  ]);
  assert.deepEqual(await sql(engine, 'SELECT DISTINCT at FROM v'), [['2023-11-14 22:13:20+00']]);
  await rowsAre(engine, STATUS, [['files', '5', '0', 'running']]);
  // All that were there at the start are all.
  put('az.csv', '6,e\n');
  // A view of later sees the same.
  await sql(engine, 'CREATE MATERIALIZED VIEW w AS SELECT sum(a) AS n FROM s');
  await rowsAre(engine, 'SELECT n FROM w', [['15']]);
  assert.deepEqual(await sql(engine, 'SELECT count(*) FROM s'), [['5']]);
  await engine.close();
});

test('lines of JSON, and what is malformed, with its file and row', async () => {
  const engine = await openEngine();
  put('1.json', '\ufeff{"a":1,"b":{"x":[1,2]}}\n\n  \n{"a":"2"}\n{"a":x}');
  put('2.json', '{"a":4.5}\n{"a":5,"b":"z"}\n\xff\n');
  await sql(
    engine,
    `CREATE STREAM s (a int, b jsonb DEFAULT '0') WITH (connector = 'files', path = '${folder}/*');
     CREATE MATERIALIZED VIEW v AS SELECT * FROM s`,
  );
  await rowsAre(engine, 'SELECT * FROM v ORDER BY a', [
    ['1', '{"x": [1, 2]}'],
    ['2', '0'],
    ['5', '"z"'],
  ]);
  const errors = `SELECT replace(topic, '${folder}/', ''), "offset", sqlstate, column_name, convert_from(message, 'UTF8') FROM tidemark.errors('s') ORDER BY 1, 2`;
  await rowsAre(engine, errors, [
    ['1.json', '3', '22P02', null, '{"a":x}'],
    ['2.json', '1', '22P02', 'a', '{"a":4.5}'],
    ['2.json', '3', '22P02', null, 'ÿ'],
  ]);
  await engine.close();
});

test('headers, options of csv, an open quote', async () => {
  const engine = await openEngine();
  put('1.csv', "a|b\n1|'x|\\''\n2|NULL\n");
  put('2.csv', "a|b\n3|'open\n4|x\n");
  const stream = (name: string, header: string, path: string) =>
    `CREATE STREAM ${name} (a int, b text) WITH (connector = 'files', path = '${folder}/${path}', format = 'csv', header = '${header}', delimiter = '|', quote = '''', escape = '\\', null = 'NULL')`;
  await sql(engine, `${stream('s', 'match', '*')}; CREATE MATERIALIZED VIEW v AS SELECT * FROM s`);
  await rowsAre(engine, 'SELECT * FROM v ORDER BY a', [
    ['1', "x|'"],
    ['2', null],
  ]);
  await rowsAre(engine, `SELECT reason, "offset" FROM tidemark.errors('s')`, [['unterminated CSV quoted field', '1']]);
  put('3.csv', 'a|c\n1|x');
  await assert.rejects(sql(engine, stream('t', 'match', '3.csv')), {
    message: `line 1: could not read file "${folder}/3.csv": column name mismatch in its header line, field 2: got "c", expected "b"`,
  });
  await engine.close();
});

test('files that come later', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    `CREATE STREAM s (a int) WITH (connector = 'files', path = '${folder}/**/*.json', watch = 'true', watch_interval = '20');
     CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n, sum(a) AS s FROM s`,
  );
  put('2.json', '{"a":1}\n');
  await rowsAre(engine, 'SELECT * FROM v', [['1', '1']]);
  mkdirSync(join(folder, 'in'));
  put('in/1.tmp', '{"a":10}\n');
  renameSync(join(folder, 'in/1.tmp'), join(folder, 'in/1.json'));
  await rowsAre(engine, 'SELECT * FROM v', [['2', '11']]);
  // Written now: taken when it has rested.
  writeFileSync(join(folder, '3.json'), '{"a":100}\n{"a":');
  appendFileSync(join(folder, '3.json'), '1000}\n');
  await rowsAre(engine, 'SELECT * FROM v', [['4', '1111']]);
  // What is read and goes, goes; what is read and changes is not read again.
  rmSync(join(folder, '2.json'));
  appendFileSync(join(folder, '3.json'), '{"a":5}\n');
  put('4.json', '{"a":10000}\n');
  await rowsAre(engine, 'SELECT * FROM v', [['5', '11111']]);
  await rowsAre(engine, STATUS, [['files', '5', '0', 'running']]);
  await assert.rejects(sql(engine, 'CREATE MATERIALIZED VIEW w AS SELECT a FROM s'), {
    sqlstate: '58P01',
    message: `line 1: file "${folder}/2.json" is gone, and has not been read to its end`,
  });
  await engine.close();
});

test('a keyed table takes rows by key in the order of the files', async () => {
  const engine = await openEngine();
  put('1.json', '{"id":1,"a":"x"}\n{"id":2,"a":"y"}\n');
  put('2.json', '{"id":1,"a":"z"}\n{"a":"no key"}\n');
  await sql(
    engine,
    `CREATE TABLE t (id int PRIMARY KEY, a text) WITH (connector = 'files', path = '${folder}/*', envelope = 'upsert')`,
  );
  await rowsAre(engine, `SELECT * FROM t ORDER BY id`, [
    ['1', 'z'],
    ['2', 'y'],
  ]);
  await rowsAre(engine, `SELECT "offset", sqlstate, column_name FROM tidemark.errors('t')`, [['2', '23502', 'id']]);
  await assert.rejects(
    sql(
      engine,
      `CREATE TABLE u (id int PRIMARY KEY) WITH (connector = 'files', path = '${folder}/*', format = 'csv', envelope = 'upsert')`,
    ),
    /envelope = 'upsert' reads format = 'json', 'avro', 'protobuf' and 'parquet', not 'csv'/,
  );
  await engine.close();
});

test('late rows are those behind the watermark, whatever file they are in', async () => {
  const engine = await openEngine({ tickRows: 1 });
  put('1.json', '{"at":"2026-01-01 00:00:10"}\n{"at":"2026-01-01 00:00:20"}\n');
  put('2.json', '{"at":"2026-01-01 00:00:15"}\n{"at":"2026-01-01 00:00:30"}\n');
  await sql(
    engine,
    `CREATE STREAM s (at timestamp, WATERMARK FOR at AS at - INTERVAL '0 seconds') WITH (connector = 'files', path = '${folder}/*', idle_timeout = '1 hour');
     CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n, max(at) AS at FROM s`,
  );
  await rowsAre(engine, 'SELECT n, at FROM v', [['3', '2026-01-01 00:00:30']]);
  assert.deepEqual(await sql(engine, `SELECT at FROM tidemark.late('s')`), [['2026-01-01 00:00:15']]);
  await engine.close();
});

test('history from files, then what is live', async () => {
  const engine = await openEngine();
  put('1.parquet', await archived(engine));
  await sql(
    engine,
    `CREATE STREAM archive (id int, s text) WITH (connector = 'files', path = '${folder}/*.parquet', format = 'parquet');
     CREATE STREAM live (id int, s text);
     CREATE VIEW events AS SELECT id, s FROM archive UNION ALL SELECT id, s FROM live;
     CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n, sum(id) AS s FROM events;
     INSERT INTO live VALUES (4, 'd')`,
  );
  await rowsAre(engine, 'SELECT * FROM v', [['4', '10']]);
  await engine.close();
});

async function archived(engine: TidemarkEngine): Promise<Buffer> {
  const path = join(root, 'archive');
  await sql(engine, `COPY (SELECT g AS id, 'x' AS s FROM generate_series(1, 3) g) TO '${path}' (FORMAT parquet)`);
  return readFileSync(path);
}

test('what is refused', async () => {
  const engine = await openEngine();
  put('bad.parquet', 'id\n1\n');
  const stream = (options: string) => sql(engine, `CREATE STREAM s (id int) WITH (connector = 'files', ${options})`);
  const refused = (options: string, sqlstate: string, message: RegExp) =>
    assert.rejects(stream(options), { sqlstate, message });
  await refused("format = 'csv'", '22023', /needs the option "path"/);
  await refused("path = 'a/b'", '22023', /invalid value for option "path": "a\/b"/);
  await refused(`path = '${folder}', topic = 't'`, '22023', /unrecognized option "topic" for connector "files"/);
  await refused(`path = '${folder}/*', header = 'true'`, '22023', /option "header" is for format = 'csv'/);
  await refused(`path = '${folder}/*', format = 'avro'`, '22023', /invalid value for option "format": "avro"/);
  await refused(`path = '${folder}'`, '58P01', new RegExp(`no file matches "${folder}"`));
  await refused(`path = '${folder}/*', format = 'parquet'`, '58030', /bad.parquet": it is no Parquet file/);
  await refused(`path = '${folder}/*', start = 'latest'`, '22023', /unrecognized option "start"/);
  await engine.close();
});
