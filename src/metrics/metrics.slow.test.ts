/** What GET /metrics gives, read by the rules of Prometheus' text format, is what the relations say. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { type RunningServer, runServer, type ServerSettings } from '../cli/server.ts';
import { exposition, type Family } from './exposition.ts';

interface Parsed {
  types: Map<string, string>;
  /** By `name{label="value",...}` with values unescaped. */
  samples: Map<string, number>;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';

/** Throws at what the format does not allow: version 0.0.4, by its grammar. */
function parse(text: string): Parsed {
  const types = new Map<string, string>();
  const samples = new Map<string, number>();
  const helped = new Set<string>();
  let family = '';
  assert.ok(text.endsWith('\n'), 'the last line ends');
  for (const line of text.slice(0, -1).split('\n')) {
    const help = new RegExp(`^# HELP (${NAME}) ((?:[^\\\\]|\\\\\\\\|\\\\n)*)$`).exec(line);
    if (help !== null) {
      assert.ok(!helped.has(help[1]), `one HELP for ${help[1]}`);
      helped.add(help[1]);
      continue;
    }
    const type = new RegExp(`^# TYPE (${NAME}) (counter|gauge)$`).exec(line);
    if (type !== null) {
      assert.ok(!types.has(type[1]), `the lines of ${type[1]} are together`);
      family = type[1];
      types.set(family, type[2]);
      continue;
    }
    const sample = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (-?[0-9.]+(?:e[-+]?[0-9]+)?)$`).exec(line);
    assert.ok(sample !== null, `a sample: ${line}`);
    assert.equal(sample[1], family, 'samples follow the TYPE of their family');
    const labels = [...(sample[2] ?? '').matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^\\"\n]|\\\\|\\"|\\n)*)"(?:,|$)/g)];
    assert.equal(labels.map(([all]) => all).join(''), sample[2] ?? '', `labels: ${line}`);
    const values = labels.map(([, label, value]) => {
      const plain = value.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
      return `${label}=${JSON.stringify(plain)}`;
    });
    const key = values.length === 0 ? family : `${family}{${values.join(',')}}`;
    assert.ok(!samples.has(key), `one sample of ${key}`);
    samples.set(key, Number(sample[3]));
  }
  return { types, samples };
}

interface Answer {
  status: number;
  type: string | undefined;
  allow: string | undefined;
  text: string;
}

function ask(server: RunningServer, path = '/metrics', method = 'GET'): Promise<Answer> {
  const { port } = server.metrics as { port: number };
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => {
        const { 'content-type': type, allow } = response.headers;
        resolve({ status: response.statusCode ?? 0, type, allow, text });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

function start(settings: Partial<ServerSettings> = {}): Promise<RunningServer> {
  return runServer({
    host: '127.0.0.1',
    port: 0,
    version: '1.2.3',
    metrics: { host: '127.0.0.1', port: 0 },
    log: (level, message) => assert.notEqual(level, 'error', message),
    ...settings,
  });
}

async function client(server: RunningServer): Promise<pg.Client> {
  const made = new pg.Client({ host: '127.0.0.1', port: server.postgres.port, user: 'u', database: 'd' });
  await made.connect();
  return made;
}

test('text: families without a sample are left out, what would end a line or a label is escaped', () => {
  const text = [
    {
      name: 'a_total',
      type: 'counter',
      help: 'first\\line\nsecond "line"',
      samples: [{ labels: {}, value: 2n ** 63n }],
    },
    { name: 'empty', type: 'gauge', help: 'none', samples: [] },
    { name: 'b', type: 'gauge', help: 'x', samples: [{ labels: { n: 'a"b\\c\nd', m: '' }, value: -1.5 }] },
  ]
    .map((family) => exposition(family as Family))
    .join('');
  assert.equal(
    text,
    '# HELP a_total first\\\\line\\nsecond "line"\n# TYPE a_total counter\na_total 9223372036854775808\n' +
      '# HELP b x\n# TYPE b gauge\nb{n="a\\"b\\\\c\\nd",m=""} -1.5\n',
  );
  assert.deepEqual([...parse(text).samples.keys()], ['a_total', 'b{n="a\\"b\\\\c\\nd",m=""}']);
});

test('the figures are those of SQL', async () => {
  const data = mkdtempSync(join(tmpdir(), 'tidemark-metrics-'));
  const server = await start({ data });
  const sql = await client(server);
  try {
    await sql.query(`create table t (a int primary key, b text); create schema "od""d\\x";
      insert into t select n, 'x' || n from generate_series(1, 100) n;
      create stream s (v int, at timestamp, watermark for at as at - interval '1 second');
      create table "od""d\\x"."t\n2" (a int);
      create materialized view v as select b, 10 / (a - 7) as c from t;
      create materialized view "od""d\\x".v as select count(*) from t;
      create stream auction (id bigint, date_time timestamp, watermark for date_time as date_time - interval '4 seconds')
        with (connector = 'nexmark', table = 'auction', events_per_second = '10000', events = '1000');
      create materialized view auctions as select id from auction;
      create sink out from v with (connector = 'blackhole');
      create subscription sub for v`);
    await sql.query("insert into s values (1, '2026-01-01 00:00:10'), (2, '2026-01-01 00:00:20')");
    await sql.query("insert into s values (3, '2026-01-01 00:00:05')");
    await sql.query('insert into t values (200, null)');
    await sql.query('checkpoint');
    const rows = async (text: string) => (await sql.query({ text, rowMode: 'array' })).rows as unknown[][];
    // Of 1000 events 60 are auctions; nothing moves after them.
    const given60 = async () => (await rows("select rows from tidemark.sources where name = 'auction'"))[0][0] === '60';
    for (const until = Date.now() + 30_000; !(await given60()); )
      assert.ok(Date.now() < until, JSON.stringify(await rows('select * from tidemark.sources')));
    const { status, type, text } = await ask(server);
    assert.equal(status, 200);
    assert.equal(type, 'text/plain; version=0.0.4; charset=utf-8');
    const { types, samples } = parse(text);
    const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    for (const [name, kind] of types) {
      assert.ok(page.includes(`\`${name}\``), `${name} is in docs/metrics.md`);
      assert.match(name, /^tidemark_/);
      assert.equal(kind === 'counter', name.endsWith('_total'), name);
    }
    const of = (name: string, labels: Record<string, string> = {}) => {
      const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
      const key = `tidemark_${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`}`;
      assert.ok(samples.has(key), `${key} in\n${text}`);
      return samples.get(key);
    };
    assert.equal(of('build_info', { version: '1.2.3' }), 1);
    assert.equal(of('tick'), Number((await rows('select tidemark_tick()'))[0][0]));
    const views = await rows(
      'select name, rows, bytes, cold_bytes, state_rows, state_bytes, errors from tidemark.views where rows = 100',
    );
    assert.equal(views.length, 1);
    const [[, ...figures]] = views;
    const view = { schema: 'public', view: 'v' };
    assert.deepEqual(
      ['rows', 'bytes', 'cold_bytes', 'state_rows', 'state_bytes', 'errors_total'].map((name) =>
        of(`view_${name}`, view),
      ),
      figures.map(Number),
    );
    assert.equal(of('view_error_rows', view), (await rows("select * from tidemark.errors('v')")).length);
    assert.equal(of('view_rows_in_total', view), 101);
    assert.equal(of('view_rows_out_total', view), 100);
    assert.equal(of('view_rows', { schema: 'od"d\\x', view: 'v' }), 1);
    assert.equal(of('table_rows', { schema: 'public', table: 't' }), 101);
    assert.equal(of('table_rows', { schema: 'od"d\\x', table: 't\n2' }), 0);
    assert.equal(
      of('late_rows_total', { schema: 'public', stream: 's' }),
      (await rows("select * from tidemark.late('s')")).length,
    );
    const source = { schema: 'public', source: 'auction' };
    const [[given, bytes, errors, late, watermark]] = await rows(
      "select rows, bytes, errors, late, extract(epoch from watermark)::float8 from tidemark.sources where name = 'auction'",
    );
    assert.ok(Number(given) > 0);
    assert.equal(of('source_rows_total', source), Number(given));
    assert.equal(of('source_bytes_total', source), Number(bytes));
    assert.equal(of('source_errors_total', source), Number(errors));
    assert.equal(of('late_rows_total', { schema: 'public', stream: 'auction' }), Number(late));
    assert.equal(of('source_watermark_seconds', source), watermark);
    for (const [partition, position, lag] of await rows(
      "select partition, position, lag from tidemark.sources where name = 'auction'",
    )) {
      const own = { ...source, partition: String(partition) };
      assert.equal(of('source_position', own), Number(position));
      if (lag !== null) assert.equal(of('source_lag_messages', own), Number(lag));
      assert.equal(of('source_running', own), 1);
    }
    const [[sunk, queued, tick]] = await rows('select rows, queued, tick from tidemark.sinks');
    const sink = { schema: 'public', sink: 'out' };
    assert.deepEqual(
      [of('sink_rows_total', sink), of('sink_queued_ticks', sink), of('sink_tick', sink)],
      [sunk, queued, tick].map(Number),
    );
    assert.equal(of('sink_running', sink), 1);
    for (const [kind, size] of await rows(
      "select kind, bytes from tidemark.memory where kind in ('rows of tables and views', 'operators')",
    ))
      assert.equal(of('memory_bytes', { kind: kind as string }), Number(size));
    assert.ok(samples.has('tidemark_memory_used_bytes'));
    assert.equal(of('connections', { state: 'idle' }), 1);
    assert.equal(of('connections', { state: 'active' }), 0);
    assert.equal(of('checkpoints_total'), 1);
    assert.equal(of('checkpoint_failures_total'), 0);
    assert.ok((of('checkpoint_age_seconds') as number) >= 0);
    assert.ok((of('log_bytes_total') as number) > (of('log_since_checkpoint_bytes') as number));
    assert.equal(of('log_open'), 1);
    assert.equal(
      of('subscription_kept_bytes', { schema: 'public', subscription: 'sub' }),
      Number((await rows('select bytes from tidemark.subscriptions'))[0][0]),
    );
  } finally {
    await sql.end();
    await server.close();
    rmSync(data, { recursive: true, force: true });
  }
});

test('nothing else is served, and a client that says nothing does not hold up the end', async () => {
  const server = await start();
  const port = server.metrics?.port as number;
  for (const path of ['/', '/metrics/', '/metricsx', '/../etc/passwd'])
    assert.equal((await ask(server, path)).status, 404);
  for (const method of ['POST', 'HEAD', 'DELETE', 'OPTIONS']) {
    const { status, allow } = await ask(server, '/metrics', method);
    assert.deepEqual([status, allow], [405, 'GET']);
  }
  assert.equal((await ask(server, '/metrics?x=1')).status, 200);
  parse((await ask(server)).text);
  const silent = connect(port, '127.0.0.1');
  await new Promise((resolve) => silent.once('connect', resolve));
  silent.write('GET /metrics HTTP/1.1\r\n');
  const hung = new Promise((resolve) => silent.once('close', resolve));
  silent.on('error', () => undefined);
  await server.close();
  await hung;
});

test('an address that is taken ends the start', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  await assert.rejects(start({ metrics: { host: '127.0.0.1', port } }), { code: 'EADDRINUSE' });
  taken.close();
});
