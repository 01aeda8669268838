/** POST /query: every form beside what a Postgres driver is given, statuses, large results, readers that are slow or leave. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { tableFromIPC } from 'apache-arrow';
import pg from 'pg';
import { until } from '../clients/server.ts';
import { ask, type HttpServerForTest, open, post, startHttp } from './http_client.ts';

const options = { timeout: 60_000 };
let server: HttpServerForTest;
let sql: pg.Client;

before(async () => {
  server = await startHttp();
  sql = new pg.Client(server.config);
  await sql.connect();
  await sql.query(`SET datestyle TO iso; CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE TABLE kinds (id int PRIMARY KEY, i2 smallint, i8 bigint, n numeric(30,10), u numeric, f4 real, f8 double precision, b boolean,
      t text, c char(3), d date, tm time, ts timestamp, tz timestamptz, by bytea, j json, jb jsonb, ia int[], ta text[], uu uuid, iv interval, m mood);
    INSERT INTO kinds VALUES
      (1, -32768, 9223372036854775807, 12345678901234567890.0123456789, 0.1000000000000000000000000001, 1.5, 0.1, true, E'a"b\\\\c\\n\\u2028', 'x', '2024-02-29',
        '12:34:56.789', '1969-12-31 23:59:59.999999', '2024-06-01 12:00:00+02', '\\x00ff', '{"a": 1}', '{"b": [1e30]}', '{1,NULL,3}', '{"a,b","",NULL}',
        'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '1 mon 2 days', 'ok'),
      (2, 0, -1, -0.0000000001, -5, 'NaN', '-Infinity', false, '', '', '0044-03-15 BC', '24:00', '0001-01-01', '2024-01-01', '', '[]', 'null', '{}', '{}', NULL, '0', 'sad'),
      (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`);
});
after(async () => {
  await sql.end();
  await server.close();
});

/** As texts, as the server shows them. */
async function texts(query: string): Promise<{ names: string[]; rows: (string | null)[][] }> {
  const plain = { getTypeParser: () => (value: string) => value };
  const { rows, fields } = await sql.query({
    text: query,
    rowMode: 'array',
    types: plain as unknown as pg.CustomTypesConfig,
  });
  return { names: fields.map(({ name }) => name), rows };
}

const ALL = 'SELECT * FROM kinds ORDER BY id';

test('JSON has the values of the driver', options, async () => {
  const { names, rows } = await texts(ALL);
  const { status, json, headers } = await post(server, ALL);
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'application/json; charset=utf-8');
  assert.deepEqual(
    json.columns.map(({ name }: { name: string }) => name),
    names,
  );
  assert.deepEqual(json.columns.map(({ type }: { type: string }) => type).slice(0, 5), [
    'integer',
    'smallint',
    'bigint',
    'numeric(30,10)',
    'numeric',
  ]);
  assert.equal(json.columns[21].type, 'mood');
  assert.equal(json.command, 'SELECT 3');
  const parsed = rows.map((row) =>
    row.map((text, i) => {
      if (text === null) return null;
      const type = json.columns[i].type;
      if (['integer', 'smallint'].includes(type)) return Number(text);
      if (['real', 'double precision'].includes(type)) return Number.isFinite(Number(text)) ? Number(text) : text;
      if (type === 'boolean') return text === 't';
      if (type === 'json' || type === 'jsonb') return JSON.parse(text);
      if (type === 'integer[]') return text === '{}' ? [] : [1, null, 3];
      if (type === 'text[]') return text === '{}' ? [] : ['a,b', '', null];
      return text;
    }),
  );
  assert.deepEqual(json.rows, parsed);
});

test('NDJSON and CSV have the same', options, async () => {
  const { json } = await post(server, ALL);
  const lines = (await post(server, ALL, { accept: 'application/x-ndjson' })).text.trimEnd().split('\n');
  const read = lines.map((line) => JSON.parse(line));
  assert.deepEqual(read[0], { columns: json.columns });
  assert.deepEqual(read.slice(1, -1), json.rows);
  assert.deepEqual(read.at(-1), { command: json.command, tick: json.tick });
  const { text, headers } = await post(server, 'SELECT id, t, c, by FROM kinds ORDER BY id', { accept: 'text/csv' });
  assert.equal(headers['content-type'], 'text/csv; charset=utf-8; header=present');
  assert.equal(text, 'id,t,c,by\n1,"a""b\\c\n\u2028","x  ",\\x00ff\n2,"","   ",\\x\n3,,,\n');
});

test('Arrow has the same, read back by its library', options, async () => {
  const asked = await fetch(`${server.base}/query`, {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain', Accept: 'application/vnd.apache.arrow.stream' },
    body: ALL,
  });
  assert.equal(asked.headers.get('content-type'), 'application/vnd.apache.arrow.stream');
  const table = tableFromIPC(new Uint8Array(await asked.arrayBuffer()));
  assert.deepEqual(
    table.schema.fields.map(({ name, type }) => `${name} ${type}`),
    [
      'id Int32',
      'i2 Int16',
      'i8 Int64',
      'n Decimal[30e+10]',
      'u Utf8',
      'f4 Float32',
      'f8 Float64',
      'b Bool',
      't Utf8',
      'c Utf8',
      'd Date32<DAY>',
      'tm Time64<MICROSECOND>',
      'ts Timestamp<MICROSECOND>',
      'tz Timestamp<MICROSECOND, UTC>',
      'by Binary',
      'j Utf8',
      'jb Utf8',
      'ia List<Int32>',
      'ta List<Utf8>',
      'uu Utf8',
      'iv Utf8',
      'm Utf8',
    ],
  );
  const { rows } = await texts(ALL);
  const column = (name: string) => {
    const found = table.getChild(name);
    assert.ok(found !== null, name);
    return found;
  };
  const values = (name: string) => Array.from({ length: 3 }, (_, i) => column(name).get(i));
  const data = (name: string) => table.batches[0].getChild(name)?.data[0].values as ArrayLike<number | bigint>;
  const nth = (i: number) => rows.map((row) => row[i]);
  assert.deepEqual(values('i2'), [-32768, 0, null]);
  assert.deepEqual(values('i8'), [9223372036854775807n, -1n, null]);
  const words = data('n') as Uint32Array;
  const units = (i: number) =>
    BigInt.asIntN(
      128,
      [3, 2, 1, 0].reduce((sum, w) => (sum << 32n) | BigInt(words[i * 4 + w]), 0n),
    );
  assert.deepEqual([units(0), units(1)], [123456789012345678900123456789n, -1n]);
  assert.equal(column('n').get(2), null);
  assert.deepEqual(values('u'), nth(4));
  assert.deepEqual(values('f4'), [1.5, Number.NaN, null]);
  assert.deepEqual(values('f8'), [0.1, Number.NEGATIVE_INFINITY, null]);
  assert.deepEqual(values('b'), [true, false, null]);
  for (const [i, name] of [
    [8, 't'],
    [9, 'c'],
    [15, 'j'],
    [16, 'jb'],
    [19, 'uu'],
    [20, 'iv'],
    [21, 'm'],
  ] as const)
    assert.deepEqual(values(name), nth(i), name);
  assert.equal(data('d')[0], Date.UTC(2024, 1, 29) / 86_400_000);
  assert.equal(data('d')[1], new Date('-000043-03-15T00:00:00Z').getTime() / 86_400_000);
  assert.deepEqual([...(data('tm') as BigInt64Array)].slice(0, 2), [45_296_789_000n, 86_400_000_000n]);
  assert.equal(data('ts')[0], -1n);
  assert.equal(data('tz')[0], BigInt(Date.UTC(2024, 5, 1, 10)) * 1000n);
  assert.deepEqual([...values('by')[0]], [0, 255]);
  assert.deepEqual([...values('ia')[0]], [1, null, 3]);
  assert.deepEqual([...values('ta')[0]], ['a,b', '', null]);
  assert.deepEqual([[...values('ia')[1]], values('ia')[2]], [[], null]);
});

test('Arrow: many batches, no rows, no columns, what has no place', options, async () => {
  const arrow = async (text: string) => {
    const asked = await fetch(`${server.base}/query`, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain', Accept: 'application/vnd.apache.arrow.stream' },
      body: text,
    });
    return { status: asked.status, bytes: new Uint8Array(await asked.arrayBuffer()) };
  };
  const many = tableFromIPC((await arrow('SELECT g, array[g, NULL] a FROM generate_series(1, 50000) g')).bytes);
  assert.equal(many.numRows, 50000);
  assert.ok(many.batches.length > 3);
  for (const i of [0, 8191, 8192, 49999]) {
    assert.equal(many.getChild('g')?.get(i), i + 1);
    assert.deepEqual([...(many.getChild('a')?.get(i) ?? [])], [i + 1, null]);
  }
  const none = tableFromIPC((await arrow('SELECT id, t FROM kinds WHERE false')).bytes);
  assert.deepEqual([none.numRows, none.schema.fields.length], [0, 2]);
  const statement = tableFromIPC((await arrow("SET application_name TO 'x'")).bytes);
  assert.deepEqual([statement.numRows, statement.schema.fields.length], [0, 0]);
  for (const text of ["SELECT 'infinity'::timestamp", "SELECT 'NaN'::numeric(5,2)", "SELECT '{{1}}'::int[]"]) {
    const { status, bytes } = await arrow(text);
    assert.equal(status, 400, text);
    assert.equal(JSON.parse(Buffer.from(bytes).toString()).error.sqlstate, '22000');
  }
});

test('parameters, changes, and the tick that they are in', options, async () => {
  const made = await post(server, 'CREATE TABLE p (a int8 PRIMARY KEY, n numeric)');
  assert.deepEqual([made.status, made.json.columns, made.json.command], [200, null, 'CREATE TABLE']);
  const inserted = await post(server, 'INSERT INTO p VALUES ($1, $2) RETURNING *', {
    params: ['9007199254740993', '0.10'],
  });
  assert.deepEqual(inserted.json.rows, [['9007199254740993', '0.10']]);
  const raw = await ask(server, '/query', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"sql": "SELECT $1::bigint, $2::numeric", "params": [9007199254740993, 0.10]}',
  });
  assert.deepEqual(raw.json.rows, [['9007199254740993', '0.10']]);
  const read = await post(server, 'SELECT count(*) FROM p');
  assert.deepEqual(read.json.rows, [['1']]);
  assert.ok(BigInt(read.json.tick) >= BigInt(inserted.json.tick));
  const past = await sql.query({ text: `SELECT count(*) FROM p AS OF ${inserted.json.tick}`, rowMode: 'array' });
  assert.deepEqual(past.rows, [['1']]);
  for (const changing of [
    'WITH x AS (INSERT INTO changed VALUES (1) RETURNING a) SELECT * FROM x',
    'WITH x AS (SELECT 2) INSERT INTO changed SELECT * FROM x RETURNING a',
  ]) {
    await post(server, 'CREATE TABLE changed (a int)');
    const { tick } = (await post(server, changing)).json;
    const has = await sql.query({ text: `SELECT count(*) FROM changed AS OF ${tick}`, rowMode: 'array' });
    assert.deepEqual(has.rows, [['1']], changing);
    await post(server, 'DROP TABLE changed');
  }
  const twin = await post(server, '/* both */ SELECT tidemark_tick()');
  assert.equal(twin.json.rows[0][0], twin.json.tick);
});

test('errors: what is wrong, where, and a status', options, async () => {
  const cases: [sql: string, status: number, sqlstate: string][] = [
    ['SELECT * FROM nowhere', 400, '42P01'],
    ['SELECT 1/0', 400, '22012'],
    ['INSERT INTO kinds (id) VALUES (1)', 409, '23505'],
    ['SELECT 1; SELECT 2', 400, '42601'],
    ['COPY kinds TO STDOUT', 400, '0A000'],
    ['COPY kinds FROM STDIN', 400, '0A000'],
    ['SELECT $1::int', 400, '08P01'],
    ['/* all */ SUBSCRIBE kinds', 400, '0A000'],
  ];
  for (const [text, status, sqlstate] of cases) {
    const asked = await post(server, text);
    assert.deepEqual([asked.status, asked.json.error.sqlstate], [status, sqlstate], text);
  }
  assert.deepEqual((await post(server, 'SELECT * FRO kinds')).json.error, {
    sqlstate: '42601',
    message: 'syntax error at or near "FRO"',
    position: 10,
  });
  const { json } = await post(server, 'INSERT INTO kinds (id) VALUES (1)');
  assert.equal(json.error.detail, 'Key (id)=(1) already exists.');
  assert.equal((await post(server, 'SELECT 1', { accept: 'image/png' })).status, 406);
  const empty = await post(server, '');
  assert.deepEqual([empty.status, empty.json.columns], [200, null]);
});

test('an error behind the first rows is in the answer, or cuts it off', options, async () => {
  const failing = `SELECT g, repeat('x', 100) t, 1 / (200000 - g) FROM generate_series(1, 250000) g`;
  const whole = await post(server, failing);
  assert.equal(whole.json.error.sqlstate, '22012');
  if (whole.status === 200) assert.ok(whole.json.rows.length > 0);
  const lines = await post(server, failing, { accept: 'application/x-ndjson' });
  assert.equal(JSON.parse(lines.text.trimEnd().split('\n').at(-1) as string).error.sqlstate, '22012');
  const csv = await post(server, failing, { accept: 'text/csv' }).then(
    ({ status }) => status,
    (error: Error) => error.message,
  );
  assert.ok(csv === 400 || csv === 'aborted', String(csv));
});

test('a large result to a slow reader is whole, and is not held in memory', options, async () => {
  const rows = 300_000;
  // A client has its answer a moment before its session has ended.
  await until('earlier sessions end', () => server.sessions('http') === 0);
  const response = await open(server, '/query', {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain', Accept: 'application/x-ndjson' },
    body: `SELECT g, repeat('x', 100) t FROM generate_series(1, ${rows}) g`,
  });
  // Nothing is read: it stands still, and others go on.
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(server.sessions('http'), 1);
  assert.deepEqual((await post(server, 'SELECT 1')).json.rows, [[1]]);
  const { rows: found } = await sql.query("SELECT state FROM pg_stat_activity WHERE query LIKE 'SELECT g, repeat%'");
  assert.deepEqual(found, [{ state: 'active' }]);
  let lines = 0;
  let last = '';
  for await (const part of response.setEncoding('utf8')) {
    const cut = (last + part).split('\n');
    last = cut.pop() as string;
    lines += cut.length;
    if (last === '') last = '';
  }
  assert.equal(lines, rows + 2);
  await until('its session ends', () => server.sessions('http') === 0);
});

test('who leaves ends the statement', options, async () => {
  const response = await open(server, '/query', {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain', Accept: 'application/x-ndjson' },
    body: "SELECT g, repeat('x', 1000) t FROM generate_series(1, 10000000) g",
  });
  response.destroy();
  await until('the session is gone', () => server.sessions('http') === 0);
  const controller = new AbortController();
  const sleeping = fetch(`${server.base}/query`, {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain' },
    body: 'SELECT pg_sleep(600)',
    signal: controller.signal,
  });
  await until('it runs', () => server.sessions('http') === 1);
  controller.abort();
  await assert.rejects(sleeping);
  await until('it runs no more', () => server.sessions('http') === 0);
});

test('pg_cancel_backend and statement_timeout end a statement', options, async () => {
  const sleeping = post(server, 'SELECT pg_sleep(600)');
  await until('it runs', async () => {
    const { rows } = await sql.query(
      "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'http' AND state = 'active'",
    );
    return rows.length === 1;
  });
  const { status, json } = await sleeping;
  assert.deepEqual([status, json.error.sqlstate], [504, '57014']);
  await sql.query('CREATE ROLE hasty LOGIN');
  await sql.query("ALTER ROLE hasty SET statement_timeout = '50ms'");
  const Authorization = `Basic ${Buffer.from('hasty:').toString('base64')}`;
  const late = await post(server, 'SELECT pg_sleep(600)', { headers: { Authorization } });
  assert.match(late.json.error.message, /statement timeout/);
});
