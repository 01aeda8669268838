/** A server with little memory: what does not fit gets 53200 and leaves nothing behind, sources wait, reads go on, and so does everything when there is room. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, test } from 'node:test';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { Child, pause } from './child.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-memory-'));
after(() => rmSync(root, { recursive: true, force: true }));

const LIMIT = { options: ['--memory-limit', '64MB'] };

/** Runs a statement; gives the SQLSTATE that it was refused with, or null. */
async function refusal(client: pg.Client, text: string): Promise<string | null> {
  return client.query(text).then(
    () => null,
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
}

const used = async (child: Child): Promise<number> =>
  Number((await child.rows("SELECT bytes FROM tidemark.memory WHERE kind = 'used'"))[0][0]);

/** Resolves when the condition holds. */
async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await condition()); await pause(50)) {
    assert.ok(Date.now() < end, `not within a minute: ${what}`);
  }
}

test('statements that do not fit', { timeout: 300_000 }, async (t) => {
  const data = join(root, 'statements');
  let child = await Child.start(data, LIMIT);
  t.after(() => child.kill());
  let client = await child.connect();
  assert.deepEqual((await client.query('SHOW memory_limit')).rows, [{ memory_limit: '64MB' }]);
  await client.query(`CREATE TABLE t (a int, s text); CREATE TABLE u (a int PRIMARY KEY, d int);
    CREATE MATERIALIZED VIEW by_d AS SELECT d, count(*)::int AS n, sum(length(s))::int AS l FROM t JOIN u USING (a) GROUP BY d;
    CREATE MATERIALIZED VIEW long AS SELECT a, s FROM t WHERE length(s) > 300;
    INSERT INTO u SELECT i, i % 7 FROM generate_series(0, 99) i`);
  const insert = (n: number, length: number) =>
    `INSERT INTO t SELECT i % 100, repeat('x', ${length}) FROM generate_series(1, ${n}) i`;
  /** What the table and the views must have. */
  const model = { rows: 0, bytes: 0, long: 0 };
  const added = (n: number, length: number) => {
    model.rows += n;
    model.bytes += n * length;
    if (length > 300) model.long++;
  };
  const check = async (when: string) => {
    const [[rows, bytes, long]] = await child.rows(
      `SELECT (SELECT sum(n) FROM by_d)::int, (SELECT sum(l) FROM by_d)::int, (SELECT count(*) FROM long)::int`,
    );
    assert.deepEqual({ rows, bytes, long }, model, when);
    const [[tableRows, tableBytes]] = await child.rows('SELECT count(*)::int, sum(length(s))::int FROM t');
    assert.deepEqual([tableRows, tableBytes], [model.rows, model.bytes], `table, ${when}`);
  };
  // Rows of equal content are one row with a weight, so every statement has texts of its own.
  let length = 100;
  for (let code: string | null = null; code === null; length++) {
    code = await refusal(client, `${insert(2000, length).replace('repeat(', `i || '-${length}-' || repeat(`)}`);
    if (code !== null) assert.equal(code, '53200');
    else {
      const text = (i: number) => `${i}-${length}-`.length + length;
      for (let i = 1; i <= 2000; i++) added(1, text(i));
    }
    assert.ok(length < 1000);
  }
  await check('full');
  for (const statement of [
    insert(300_000, 90).replace('repeat(', 'i || repeat('),
    'SELECT x.s, y.s FROM t x, t y ORDER BY 1, 2',
    'CREATE MATERIALIZED VIEW pairs AS SELECT x.s AS s, y.s AS r FROM t x JOIN t y USING (a)',
    'CREATE TABLE copy AS SELECT x.s AS s, y.s AS r FROM t x JOIN t y USING (a)',
    "UPDATE t SET s = s || repeat('y', 2000)",
    'BEGIN; DELETE FROM t WHERE a = 1; UPDATE t SET s = repeat(s, 40); COMMIT',
  ]) {
    assert.equal(await refusal(client, statement), '53200', statement);
    await client.query('ROLLBACK');
    await check(statement);
  }
  const lines = function* () {
    for (let i = 0; i < 1_000_000; i++) yield `${i}\t${'x'.repeat(100)}${i}\n`;
  };
  await assert.rejects(pipeline(Readable.from(lines()), client.query(copyFrom('COPY t FROM STDIN'))), {
    code: '53200',
  });
  await check('COPY');
  assert.ok((await used(child)) <= 64 << 20);
  const before = model.rows;
  for (let a = 10; a < 100; a += 2) {
    const gone = await client.query(`DELETE FROM t WHERE a BETWEEN ${a} AND ${a + 1} RETURNING length(s) AS l`);
    for (const { l } of gone.rows) {
      model.rows--;
      model.bytes -= l;
      if (l > 300) model.long--;
    }
  }
  assert.ok(model.rows < before / 5);
  await check('deleted');
  await client.query(insert(1, 5000));
  added(1, 5000);
  await check('going on');
  await client.end();
  await child.kill();
  child = await Child.start(data, LIMIT);
  await check('after a kill');
  client = await child.connect();
  await client.query(insert(1, 5001));
  added(1, 5001);
  await check('after a kill, going on');
  await client.end();
  await child.kill('SIGTERM');
});

test('sources are held near the limit, say so, and go on when there is room', { timeout: 300_000 }, async (t) => {
  const data = join(root, 'sources');
  let child = await Child.start(data, LIMIT);
  t.after(() => child.kill());
  const client = await child.connect();
  await client.query('CREATE TABLE ballast (i int, s text)');
  for (let i = 0; i < 15000; i += 3000)
    await client.query(
      `INSERT INTO ballast SELECT i, repeat('b', 1000) || i FROM generate_series(${i + 1}, ${i + 3000}) i`,
    );
  await client.query(`CREATE STREAM bid (auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time TIMESTAMP, extra TEXT)
      WITH (connector = 'nexmark', table = 'bid', events = '2000000');
    -- What a DISTINCT has seen cannot go to disk; no bid equals another.
    CREATE MATERIALIZED VIEW all_bids AS SELECT DISTINCT auction, bidder, price, url, date_time, extra FROM bid;
    CREATE MATERIALIZED VIEW per_channel AS SELECT channel, count(*)::int AS n FROM bid GROUP BY channel`);
  const status = async () => (await client.query('SELECT status FROM tidemark.sources')).rows[0].status;
  const figures = async () => {
    const { rows } = await client.query(
      `SELECT (SELECT position FROM tidemark.sources)::int AS position, (SELECT count(*) FROM all_bids)::int AS bids,
        (SELECT sum(n) FROM per_channel)::int AS counted`,
    );
    return rows[0] as { position: number; bids: number; counted: number };
  };
  await until('held', async () => (await status()) === 'held: memory');
  assert.match(child.output, /memory: .* sources are held/);
  const held = await figures();
  assert.ok(held.position > 0);
  assert.deepEqual([held.bids, held.counted], [held.position, held.position]);
  assert.ok((await used(child)) <= 64 << 20);
  // Reads and what makes room go on; the source stays where it is until then.
  assert.equal((await client.query('SELECT count(*)::int AS n FROM ballast')).rows[0].n, 15000);
  assert.deepEqual(await figures(), held);
  await client.query('DROP TABLE ballast');
  await until('more bids', async () => (await figures()).position > held.position + 1000);
  assert.match(child.output, /memory: .* sources go on/);
  await until('held again', async () => (await status()) === 'held: memory');
  const again = await figures();
  assert.deepEqual([again.bids, again.counted], [again.position, again.position]);
  await client.end();
  await child.kill();
  child = await Child.start(data, LIMIT);
  const [[position, bids, counted]] = await child.rows(
    'SELECT (SELECT position FROM tidemark.sources)::int, (SELECT count(*) FROM all_bids)::int, (SELECT sum(n) FROM per_channel)::int',
  );
  assert.deepEqual([bids, counted], [position, position]);
  await child.kill('SIGTERM');
});
