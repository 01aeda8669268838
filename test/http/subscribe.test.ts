/** /subscribe: ticks as events, each change once over reconnects, kills and restarts of the server; readers that are slow or leave. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { until } from '../clients/server.ts';
import { ask, EventReader, type HttpServerForTest, open, startHttp } from './http_client.ts';

const options = { timeout: 120_000 };
const data = mkdtempSync(join(tmpdir(), 'tidemark-http-'));
let server: HttpServerForTest;
let sql: pg.Client;

async function start(): Promise<void> {
  server = await startHttp({ data });
  sql = new pg.Client(server.config);
  await sql.connect();
}

async function stop(): Promise<void> {
  await sql.end();
  await server.close();
}

before(async () => {
  await start();
  await sql.query(`CREATE TABLE t (a int PRIMARY KEY, n numeric);
    INSERT INTO t VALUES (1, 1.50), (2, NULL);
    CREATE MATERIALIZED VIEW sums AS SELECT a % 2 AS odd, sum(n) AS sum, count(*) AS count FROM t GROUP BY 1`);
});
after(async () => {
  await stop();
  rmSync(data, { recursive: true, force: true });
});

test('the rows, then each tick as one event', options, async () => {
  const reader = await EventReader.open(server, 'SELECT a, n FROM t;');
  await until('the rows', () => reader.events.length === 2);
  const [columns, rows] = reader.events;
  assert.deepEqual(columns.data, {
    columns: [
      { name: 'a', type: 'integer' },
      { name: 'n', type: 'numeric' },
    ],
  });
  assert.equal(rows.data.snapshot, true);
  assert.equal(rows.id, rows.data.tick);
  assert.deepEqual(new Set(rows.data.changes.map(JSON.stringify)), new Set(['[1,[1,"1.50"]]', '[1,[2,null]]']));
  await sql.query('BEGIN; INSERT INTO t VALUES (3, 7); UPDATE t SET n = 2 WHERE a = 1; COMMIT');
  await until('the change', () => reader.events.length === 3);
  const change = reader.events[2];
  assert.equal(change.data.snapshot, undefined);
  assert.equal(change.id, change.data.tick);
  assert.equal(change.data.changes.length, 3);
  reader.close();
  await until('the session is gone', () => server.sessions('http') === 0);
});

test('an empty view has its beginning; SUBSCRIBE itself, and POST', options, async () => {
  await sql.query('CREATE TABLE empty (x text)');
  const reader = await EventReader.open(server, 'subscribe empty');
  await until('the beginning', () => reader.events.length === 2);
  assert.deepEqual([reader.events[1].data.snapshot, reader.events[1].data.changes], [true, []]);
  reader.close();
  const posted = new EventReader(
    await open(server, '/subscribe', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"sql": "TABLE empty"}',
    }),
  );
  await until('the beginning', () => posted.events.length === 2);
  await sql.query("INSERT INTO empty VALUES (E'two\\n\\nlines \\u2028')");
  await until('the change', () => posted.events.length === 3);
  assert.deepEqual(posted.changes[0].slice(1), [1, ['two\n\nlines \u2028']]);
  posted.close();
});

/** What a client has that applies each change once. */
class Copy {
  readonly rows = new Map<string, number>();
  readonly ticks: bigint[] = [];
  lastEventId: string | null = null;
  #taken = 0;

  /** Takes what a connection brought that has ended. */
  take(reader: EventReader): void {
    for (const { event, data } of reader.events) {
      if (event !== 'message') continue;
      assert.ok(data.snapshot !== true || this.#taken === 0, 'rows come once');
      this.#taken++;
      this.ticks.push(BigInt(data.tick));
      for (const [diff, row] of data.changes) {
        const key = JSON.stringify(row);
        const weight = (this.rows.get(key) ?? 0) + diff;
        if (weight === 0) this.rows.delete(key);
        else this.rows.set(key, weight);
      }
    }
    this.lastEventId = reader.lastEventId;
  }
}

test(
  'each change once: over lost connections, an orderly restart, and ticks while nobody listened',
  options,
  async () => {
    const numbers = new Random(testSeed());
    const random = (n: number) => numbers.below(n);
    const followed: [query: string, copy: Copy][] = [
      ['SUBSCRIBE sums', new Copy()],
      ['SELECT odd, sum * 2 AS twice FROM sums WHERE count > 1', new Copy()],
      ['TABLE t', new Copy()],
    ];
    const change = async () => {
      const a = 10 + random(40);
      await sql.query(
        `INSERT INTO t VALUES (${a}, ${random(1000)} / 10.0) ON CONFLICT (a) DO UPDATE SET n = excluded.n`,
      );
      if (random(3) === 0) await sql.query(`DELETE FROM t WHERE a = ${10 + random(40)}`);
    };
    for (let round = 0; round < 8; round++) {
      if (round === 3 || round === 6) {
        await stop();
        await start();
        await change();
      }
      const readers = await Promise.all(
        followed.map(([query, { lastEventId }]) => EventReader.open(server, query, lastEventId)),
      );
      for (let n = 0; n < 10; n++) await change();
      const { rows } = await sql.query('SELECT tidemark_tick() AS tick');
      // The last rounds are read to their end; others are cut wherever they are.
      const whole = round >= 6;
      if (whole)
        await until('all ticks', () =>
          readers.every(({ lastEventId }) => lastEventId !== null && BigInt(lastEventId) >= BigInt(rows[0].tick)),
        );
      else await until('the beginning', () => readers.every(({ events }) => events.length > 0));
      readers.forEach((reader, i) => {
        reader.close();
        followed[i][1].take(reader);
      });
    }
    for (const [query, copy] of followed) {
      const rowsOf = query.replace(/^SUBSCRIBE/, 'TABLE');
      const { json } = await ask(server, '/query', {
        method: 'POST',
        headers: { 'Content-Type': 'text/plain' },
        body: rowsOf,
      });
      assert.deepEqual(
        [...copy.rows].map(([row, weight]) => `${weight} ${row}`).sort(),
        json.rows.map((row: unknown) => `1 ${JSON.stringify(row)}`).sort(),
        query,
      );
      assert.ok(
        copy.ticks.every((tick, i) => i === 0 || tick > copy.ticks[i - 1]),
        `${query}: ticks go on`,
      );
    }
  },
);

test('the end of the server is an event; a new one goes on', options, async () => {
  const reader = await EventReader.open(server, 'TABLE t');
  await until('the rows', () => reader.events.length === 2);
  await stop();
  await until('the end', () => reader.ended);
  const last = reader.events.at(-1);
  assert.deepEqual([last?.event, last?.data.error.sqlstate], ['failure', '57P01']);
  await start();
  const again = await EventReader.open(server, 'TABLE t', reader.lastEventId);
  await sql.query('INSERT INTO t VALUES (1000, 1)');
  await until('the change', () => again.changes.length > 0);
  assert.deepEqual(
    again.changes.map(([, diff, row]) => [diff, row]),
    [[1, [1000, '1']]],
  );
  again.close();
});

test('ticks without changes move Last-Event-ID', options, async () => {
  await sql.query('CREATE TABLE other (x int)');
  const reader = await EventReader.open(server, 'TABLE empty');
  await until('the beginning', () => reader.events.length === 2);
  const first = reader.lastEventId;
  await sql.query('INSERT INTO other VALUES (1)');
  await until('a beat', () => reader.lastEventId !== first);
  assert.equal(reader.events.length, 2);
  reader.close();
});

test('a reader that takes nothing holds up nobody, and gets all when it does', options, async () => {
  await sql.query('CREATE TABLE wide (a int, t text)');
  const response = await open(server, `/subscribe?sql=${encodeURIComponent('TABLE wide')}`);
  response.pause();
  for (let n = 0; n < 20; n++)
    await sql.query(`INSERT INTO wide SELECT g, repeat('x', 500) FROM generate_series(1, 2000) g`);
  const reader = new EventReader(response);
  response.resume();
  await until('all changes', () => reader.changes.length === 40_000, 60_000);
  reader.close();
});

test('what cannot be followed has a status, and its place in what was sent', options, async () => {
  const follow = (query: string, headers = {}) =>
    ask(server, `/subscribe?sql=${encodeURIComponent(query)}`, { headers });
  const wrong = await follow('SELECT * FROM nowhere');
  assert.deepEqual([wrong.status, wrong.json.error.sqlstate, wrong.json.error.position], [400, '42P01', 15]);
  assert.equal((await follow('DELETE FROM t')).status, 400);
  assert.equal((await ask(server, '/subscribe')).status, 400);
  assert.equal((await follow('TABLE t', { 'Last-Event-ID': 'x' })).status, 400);
  const future = await follow('TABLE t', { 'Last-Event-ID': '99999999' });
  assert.equal(future.status, 400, future.text);
  await sql.query("CREATE TABLE forgets (x int) WITH (retention = '0')");
  await sql.query('INSERT INTO forgets VALUES (1)');
  const past = await follow('TABLE forgets', { 'Last-Event-ID': '1' });
  assert.ok([400, 409].includes(past.status), past.text);
});
