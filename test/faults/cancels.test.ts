/**
 * Statements that take long, ended at random times in all ways that there are, beside checkpoints and kills of the server: each is there whole or not at all, as its client was told, in the tables, in the views
 * over them and after the next start. SEED replays the order of things, not the moments.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type pg from 'pg';
import { seeded } from '../engine/harness.ts';
import { Child, pause, rounds } from './child.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-cancels-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** v by k. */
type Rows = Map<number, number>;

interface Work {
  texts: string[];
  /** What it makes of the rows. */
  done(rows: Rows): Rows;
  /** A relation that it makes. */
  makes?: string;
}

/** What the driver does not say that it has. */
interface Backend {
  processID: number;
  secretKey: number;
  connection: { stream: { destroy(): void } };
}

const ROWS = 4000;
const OTHERS = 600;

function workOf(random: (n: number) => number, round: number): Work {
  const [m, r] = [2 + random(3), random(2)];
  const at = random(ROWS);
  const kept = (rows: Rows, goes: (k: number) => boolean) => new Map([...rows].filter(([k]) => !goes(k)));
  const isIn = (k: number) => k % m === r;
  const add = (rows: Rows, by: number) => new Map([...rows].map(([k, v]) => [k, isIn(k) ? v + by : v]));
  const update = `UPDATE t SET v = t.v + 1 FROM u WHERE t.k % ${m} = ${r} AND t.v + u.w >= 0`;
  const works: (() => Work)[] = [
    () => ({ texts: [update], done: (rows) => add(rows, 1) }),
    () => ({
      texts: [`DELETE FROM t USING u WHERE t.k BETWEEN ${at} AND ${at + 300} AND t.v + u.w >= 0`],
      done: (rows) => kept(rows, (k) => k >= at && k <= at + 300),
    }),
    () => ({
      texts: [
        `INSERT INTO t SELECT i, max(u.w) - ${OTHERS - 1} FROM generate_series(${at}, ${at + 900}) i, u WHERE i + u.w >= 0 GROUP BY i ON CONFLICT (k) DO UPDATE SET v = t.v + 10`,
      ],
      done: (rows) => {
        const out = new Map(rows);
        for (let k = at; k <= at + 900; k++) out.set(k, out.has(k) ? (out.get(k) as number) + 10 : 0);
        return out;
      },
    }),
    () => ({
      texts: [
        `MERGE INTO t USING (SELECT t.k, max(u.w) AS w FROM t, u WHERE t.v + u.w >= 0 GROUP BY t.k) s ON s.k = t.k AND t.k % ${m} = ${r} WHEN MATCHED THEN UPDATE SET v = t.v + 2`,
      ],
      done: (rows) => add(rows, 2),
    }),
    () => ({
      texts: ['BEGIN', update, `DELETE FROM t WHERE k = ${at}`, 'COMMIT'],
      done: (rows) => kept(add(rows, 1), (k) => k === at),
    }),
    () => ({
      texts: [
        `CREATE MATERIALIZED VIEW m${round} AS SELECT t.k, count(*) AS n FROM t, u WHERE t.v + u.w >= 0 GROUP BY t.k`,
      ],
      done: (rows) => rows,
      makes: `m${round}`,
    }),
    () => ({
      texts: [`CREATE TABLE m${round} AS SELECT t.k, count(*) AS n FROM t, u WHERE t.v + u.w >= 0 GROUP BY t.k`],
      done: (rows) => rows,
      makes: `m${round}`,
    }),
  ];
  return works[random(works.length)]();
}

const ENDS = ['request', 'timeout', 'cancel', 'terminate', 'leave', 'kill', 'nothing'] as const;

function cancelRequest(port: number, { processID, secretKey }: Backend): void {
  const message = Buffer.alloc(16);
  for (const [i, n] of [16, 80877102, processID, secretKey].entries()) message.writeInt32BE(n, i * 4);
  const socket = connect(port, '127.0.0.1', () => socket.end(message));
  socket.on('error', () => undefined);
}

test('statements that are ended at any time, in any way', { timeout: 600_000 }, async (t) => {
  const { random } = seeded('cancels');
  const data = join(root, 'data');
  let child = await Child.start(data);
  t.after(() => child.kill());
  let rows: Rows = new Map(Array.from({ length: ROWS }, (_, k) => [k, k % 7]));
  const made = new Set<string>();
  await child.rows('CREATE TABLE t (k int PRIMARY KEY, v int)');
  await child.rows('CREATE TABLE u (w int)');
  await child.rows(`INSERT INTO u SELECT i FROM generate_series(0, ${OTHERS - 1}) i`);
  await child.rows('CREATE MATERIALIZED VIEW sums AS SELECT v, count(*)::int AS n FROM t GROUP BY v');
  await child.rows('CREATE MATERIALIZED VIEW pairs AS SELECT count(*)::int AS n FROM t, u WHERE t.v * 10 > u.w');
  await child.rows(`INSERT INTO t SELECT i, i % 7 FROM generate_series(0, ${ROWS - 1}) i`);

  /** The first of these that the table has. */
  const check = async (possible: Rows[], what: string): Promise<Rows> => {
    const found = new Map((await child.rows('SELECT k, v FROM t')) as [number, number][]);
    const same = (a: Rows) => a.size === found.size && [...a].every(([k, v]) => found.get(k) === v);
    const one = possible.find(same);
    assert.ok(one !== undefined, `${what}: ${found.size} rows that are neither those of before nor those of after`);
    const counts = new Map<number, number>();
    let pairs = 0;
    for (const v of one.values()) {
      counts.set(v, (counts.get(v) ?? 0) + 1);
      pairs += Math.min(OTHERS, Math.max(0, v * 10));
    }
    const sorted = (list: unknown[][]) => list.map((row) => row.join()).sort();
    assert.deepEqual(sorted(await child.rows('SELECT v, n FROM sums')), sorted([...counts]), `sums, ${what}`);
    assert.deepEqual(await child.rows('SELECT n FROM pairs'), [[pairs]], `pairs, ${what}`);
    return one;
  };
  const existing = async () =>
    new Set((await child.rows("SELECT relname FROM pg_class WHERE relname ~ '^m[0-9]+$'")).flat() as string[]);

  const ended = new Map<string, number>();
  for (let round = 0; round < rounds(40, 600); round++) {
    const work = workOf(random, round);
    const way = ENDS[random(ENDS.length)];
    const after = random(4) === 0 ? random(20) : random(500);
    const what = `round ${round}, ${way} after ${after} ms: ${work.texts.join('; ')}`;
    const client = (await child.connect()) as unknown as pg.Client & Backend;
    if (way === 'timeout') await client.query(`SET statement_timeout = ${after + 1}`);
    const other = await child.connect();
    if (random(3) === 0) other.query('CHECKPOINT').catch(() => undefined);
    /** What the server said last to who was asking nothing, between two statements. */
    let said: string | undefined;
    client.on('error', (error: Error & { code?: string }) => {
      said ??= error.code;
    });
    /** Null: it has happened. */
    const outcome = (async () => {
      try {
        for (const text of work.texts) await client.query(text);
        return null;
      } catch (error) {
        return (error as { code?: string }).code ?? said ?? 'lost';
      }
    })();
    const end = {
      request: () => cancelRequest(child.port, client),
      timeout: () => undefined,
      nothing: () => undefined,
    };
    const asked = pause(after).then(async () => {
      if (way in end) end[way as keyof typeof end]();
      else if (way === 'leave') client.connection.stream.destroy();
      else if (way === 'kill') await child.kill();
      else await other.query(`SELECT pg_${way}_backend(${client.processID})`).catch(() => undefined);
    });
    const failed = await outcome;
    await asked;
    const key = `${way} ${failed ?? 'done'}`;
    ended.set(key, (ended.get(key) ?? 0) + 1);
    if (way !== 'leave' && way !== 'kill')
      assert.ok(['57014', '57P01', '57P03', null].includes(failed), `${what}: ${failed}`);
    if (way === 'kill' || random(6) === 0) {
      await child.kill();
      child = await Child.start(data);
    } else {
      // Who has left goes on: COMMIT or what stands alone is there, or not yet.
      if (way === 'leave')
        for (let left = true; left; await pause(20))
          left = (await child.rows(`SELECT 1 FROM pg_stat_activity WHERE pid = ${client.processID}`)).length > 0;
      await client.end().catch(() => undefined);
      await other.end().catch(() => undefined);
    }
    const then = work.done(rows);
    // Of a statement that has just happened a session that is terminated tells nothing.
    const isKnown = failed === null || failed === '57014';
    rows = await check(failed === null ? [then] : isKnown ? [rows] : [rows, then], what);
    const there = await existing();
    if (work.makes !== undefined) {
      if (isKnown) assert.equal(there.has(work.makes), failed === null, what);
      if (there.has(work.makes)) {
        const isSame = await child.rows(
          `SELECT count(*) FROM (SELECT k, n FROM ${work.makes} EXCEPT SELECT t.k, count(*) FROM t, u WHERE t.v + u.w >= 0 GROUP BY t.k) d`,
        );
        assert.deepEqual(isSame, [['0']], what);
        made.add(work.makes);
      }
    }
    assert.deepEqual(there, made, what);
    for (const name of made)
      await child.rows(
        `DROP ${(await child.rows(`SELECT relkind FROM pg_class WHERE relname = '${name}'`))[0][0] === 'r' ? 'TABLE' : 'MATERIALIZED VIEW'} ${name}`,
      );
    made.clear();
  }
  console.log(`# ${[...ended].map(([key, n]) => `${key}: ${n}`).join(', ')}`);
  await child.kill();
  child = await Child.start(data);
  await check([rows], 'the end');
});

test('a signal ends a server that is in the midst of a statement, and of a tick that nobody can end', {
  timeout: 120_000,
}, async (t) => {
  const data = join(root, 'signal');
  let child = await Child.start(data);
  t.after(() => child.kill());
  await child.rows('CREATE TABLE t (k int PRIMARY KEY, v int)');
  await child.rows('INSERT INTO t SELECT i, i FROM generate_series(1, 30000) i');
  for (const text of [
    'UPDATE t SET v = a.v FROM t a, t b WHERE a.v + b.v < t.v - 1000000',
    'CREATE MATERIALIZED VIEW w AS SELECT count(*) FROM t a, t b, t c WHERE a.v + b.v + c.v < 0',
    // One call of a function hears nothing: the process ends as it stands.
    "SELECT length(regexp_replace(repeat('abcdefgh', 30000000), '((a|b)+|c)*d', '', 'g'))",
  ]) {
    const client = await child.connect();
    const failed = client.query(text).then(
      () => 'done',
      (error: { code?: string }) => error.code ?? 'lost',
    );
    await pause(1000);
    child.signal('SIGTERM');
    await child.ended();
    const code = await failed;
    assert.ok(code === '57P01' || code === 'lost', `${code}: ${text}`);
    child = await Child.start(data);
    assert.deepEqual(await child.rows('SELECT count(*)::int, sum(v)::int FROM t'), [[30000, 450015000]]);
    assert.deepEqual(await child.rows("SELECT 1 FROM pg_class WHERE relname = 'w'"), []);
  }
});
