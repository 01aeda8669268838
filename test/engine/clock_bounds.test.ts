/**
 * Views whose rows leave by the clock, over joins of streams: at every tick they are their query over all input so far, whatever comes late, out of order, without a
 * time, or not at all while the clock goes on; and what they keep is what the last hours brought, on both sides of each join.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '../../planner/parse/parse.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { openEngine, Session, seeded, sql } from './harness.ts';

const MINUTE = 60_000_000n;
const RECENT = "o.at > now() - INTERVAL '1 hour'";
const NEAR = "p.at BETWEEN o.at - INTERVAL '5 minutes' AND o.at + INTERVAL '10 minutes'";

/** All state of these is of the last hours. */
const BOUNDED: Record<string, string> = {
  equal: `SELECT o.id, p.v FROM o JOIN p ON o.id = p.id AND o.at = p.at WHERE ${RECENT}`,
  near: `SELECT o.id, p.v FROM o JOIN p ON o.id = p.id AND ${NEAR} WHERE ${RECENT}`,
  after: `SELECT o.id, p.v FROM o JOIN p ON o.id = p.id AND p.at >= o.at WHERE ${RECENT}`,
  other: `SELECT o.id, p.v FROM o JOIN p ON o.id = p.id AND ${NEAR} WHERE p.at > now() - INTERVAL '30 minutes'`,
  until: `SELECT o.id, p.v FROM o JOIN p ON o.id = p.id AND p.at BETWEEN o.at AND o.ends WHERE p.at > now() - INTERVAL '30 minutes'`,
  padded: `SELECT o.id, p.v FROM o LEFT JOIN p ON o.id = p.id AND ${NEAR} WHERE ${RECENT}`,
  rejected: `SELECT o.id, p.v FROM o LEFT JOIN p ON o.id = p.id AND ${NEAR} WHERE p.at > now() - INTERVAL '1 hour'`,
  exists: `SELECT o.id, o.v FROM o WHERE ${RECENT} AND EXISTS (SELECT 1 FROM p WHERE p.id = o.id AND ${NEAR})`,
  exists_recent: `SELECT o.id, o.v FROM o WHERE EXISTS (SELECT 1 FROM p WHERE p.id = o.id AND ${NEAR} AND p.at > now() - INTERVAL '1 hour')`,
  missing: `SELECT o.id, o.v FROM o WHERE ${RECENT} AND NOT EXISTS (SELECT 1 FROM p WHERE p.id = o.id AND ${NEAR})`,
  among: `SELECT o.id, o.v FROM o WHERE ${RECENT} AND o.id IN (SELECT p.id FROM p WHERE ${NEAR})`,
  chain: `SELECT o.id, p.v, s.v AS w FROM o JOIN p ON o.id = p.id AND p.at >= o.at JOIN s ON s.id = p.id AND s.at >= p.at WHERE ${RECENT}`,
  chain_back: `SELECT o.id, p.v, s.v AS w FROM o JOIN p ON o.id = p.id AND ${NEAR} JOIN s ON s.id = p.id AND p.at >= s.at - INTERVAL '20 minutes' WHERE s.at > now() - INTERVAL '30 minutes'`,
  chain_padded: `SELECT o.id, p.v, s.v AS w FROM o LEFT JOIN p ON o.id = p.id AND p.at >= o.at LEFT JOIN s ON s.id = p.id AND s.at >= p.at WHERE ${RECENT}`,
  grouped: `SELECT o.id, count(*) AS n, max(p.v) AS m, array_agg(p.v ORDER BY p.v) AS each FROM o JOIN p ON o.id = p.id AND ${NEAR} WHERE ${RECENT} GROUP BY o.id`,
  counted: `SELECT o.id, o.v, (SELECT count(*) FROM p WHERE p.id = o.id AND ${NEAR}) AS n FROM o WHERE ${RECENT}`,
  by_minute: `SELECT o.id, n FROM o JOIN (SELECT date_trunc('minute', at) AS m, count(*) AS n, sum(v) AS s FROM p GROUP BY 1) x ON x.m = date_trunc('minute', o.at) WHERE ${RECENT}`,
  windows: `SELECT a.id, b.v FROM TUMBLE(o, at, INTERVAL '10 minutes') a JOIN TUMBLE(p, at, INTERVAL '10 minutes') b ON a.id = b.id AND a.window_start = b.window_start WHERE a.at > now() - INTERVAL '1 hour'`,
  ranked: `SELECT o.id, p.v, row_number() OVER (PARTITION BY o.id ORDER BY p.v, p.at, o.v, o.at) AS n FROM o JOIN p ON o.id = p.id AND ${NEAR} WHERE ${RECENT}`,
  united: `SELECT a.id, p.v FROM (SELECT id, at FROM o UNION SELECT id, at FROM s) a JOIN p ON p.id = a.id AND p.at = a.at WHERE a.at > now() - INTERVAL '1 hour'`,
  self: `SELECT a.id, b.v FROM p a JOIN p b ON a.id = b.id AND b.at > a.at AND b.at < a.at + INTERVAL '5 minutes' WHERE a.at > now() - INTERVAL '1 hour'`,
  today: `SELECT o.id, p.v FROM o JOIN p ON o.id = p.id AND ${NEAR} WHERE o.at >= date_trunc('hour', now()) - INTERVAL '30 minutes'`,
  local: `SELECT o.id, p.v FROM o JOIN p ON o.id = p.id AND p.local BETWEEN o.local AND o.local + INTERVAL '10 minutes' WHERE o.local > now() - INTERVAL '1 hour'`,
};

/** Something of these grows, or is as large as a table. */
const OTHERS: Record<string, string> = {
  plain: `SELECT o.id, p.v FROM o JOIN p ON o.id = p.id WHERE ${RECENT}`,
  before: `SELECT o.id, p.v FROM o JOIN p ON o.id = p.id AND p.at <= o.at WHERE ${RECENT}`,
  not_in: `SELECT o.id, o.v FROM o WHERE ${RECENT} AND o.id NOT IN (SELECT p.id FROM p WHERE ${NEAR})`,
  padded_recent: `SELECT o.id, p.v FROM o LEFT JOIN p ON o.id = p.id AND ${NEAR} AND p.at > now() - INTERVAL '1 hour'`,
  table_near: `SELECT o.id, t.v FROM o JOIN t ON o.id = t.id AND t.at BETWEEN o.at - INTERVAL '5 minutes' AND o.at + INTERVAL '10 minutes' WHERE ${RECENT}`,
  table_left: `SELECT t.id, p.v FROM t LEFT JOIN p ON p.id = t.id AND p.at BETWEEN t.at AND t.at + INTERVAL '10 minutes' WHERE t.at > now() - INTERVAL '1 hour'`,
  last_near: `SELECT o.id, x.v FROM o JOIN (SELECT DISTINCT ON (id) id, v, at FROM p ORDER BY id, v DESC, at DESC) x ON o.id = x.id AND x.at BETWEEN o.at - INTERVAL '5 minutes' AND o.at + INTERVAL '10 minutes' WHERE ${RECENT}`,
};

/** In a zone that changes its offset one is refused, the other is bounded a day later. */
const { today: _refused, local, ...ELSEWHERE } = BOUNDED;

/** An engine counts what views share in each of them, so those that grow have one of their own. */
const CASES: { zone: string; marks: boolean; queries: Record<string, string>; bounded: boolean }[] = [
  { zone: 'UTC', marks: true, queries: BOUNDED, bounded: true },
  { zone: 'UTC', marks: false, queries: BOUNDED, bounded: true },
  { zone: 'Europe/Berlin', marks: true, queries: ELSEWHERE, bounded: true },
  { zone: 'Europe/Berlin', marks: false, queries: { ...OTHERS, local }, bounded: false },
  { zone: 'UTC', marks: true, queries: OTHERS, bounded: false },
];
const TICKS = 60;

async function stateOf(engine: TidemarkEngine): Promise<Map<string, number>> {
  const rows = await sql(engine, 'SELECT name, state_rows FROM tidemark.views');
  return new Map(rows.map(([name, state]) => [name as string, Number(state)]));
}

for (const { zone, marks, queries, bounded } of CASES) {
  const title = `views ${bounded ? 'that the clock bounds' : 'that it does not'}, ${marks ? 'with' : 'without'} watermarks, in ${zone}`;
  test(title, { timeout: 600_000 }, async () => {
    const { random, seed } = seeded('views by the clock');
    // An hour before the clocks of Berlin go forward.
    const time = { now: 84n * 1440n * MINUTE + 1440n * MINUTE };
    const engine = await openEngine({ clock: () => time.now });
    // A session has one transaction, which reads one tick.
    const run = (text: string) => new Session(engine, { TimeZone: zone }).run(text);
    try {
      const mark = marks ? ", WATERMARK FOR at AS at - INTERVAL '40 minutes'" : '';
      for (const [name, more] of [
        ['o', ', ends timestamptz'],
        ['p', ''],
        ['s', ''],
      ])
        await sql(engine, `CREATE STREAM ${name} (id int, v int, at timestamptz, local timestamp${more}${mark})`);
      await sql(engine, 'CREATE TABLE t (k int PRIMARY KEY, id int, v int, at timestamptz)');
      for (const [name, query] of Object.entries(queries)) await run(`CREATE MATERIALIZED VIEW ${name} AS ${query}`);
      const shown = new Map<string, number>();
      const compare = async (when: string) => {
        for (const [name, query] of Object.entries(queries)) {
          const expected = (await run(query)).map((row) => row.join('|')).sort();
          const found = (await run(`SELECT * FROM ${name}`)).map((row) => row.join('|')).sort();
          assert.deepEqual(found, expected, `${name} at ${when}, seed ${seed}`);
          shown.set(name, (shown.get(name) ?? 0) + expected.length);
        }
      };
      for (let tick = 0; tick < TICKS; tick++) {
        time.now += random(8) === 0 ? 0n : BigInt(random(8)) * MINUTE + BigInt(random(3));
        // Some are old, or far ahead of the clock; few have no time; some have one that never comes, where no watermark would go past it.
        const moment = () => {
          if (random(25) === 0) return null;
          if (!bounded && !marks && tick < 5 && random(20) === 0) return 'infinity';
          const away = random(12) === 0 ? -90 + random(120) : random(9) - 6;
          const whole = (time.now / MINUTE + BigInt(away)) * MINUTE;
          return String(random(4) === 0 ? whole + BigInt(random(3)) : whole);
        };
        const instant = (m: string | null) =>
          m === null
            ? 'NULL'
            : m === 'infinity'
              ? "'infinity'"
              : `TIMESTAMPTZ '2000-01-01 00:00:00Z' + ${m} * INTERVAL '1 us'`;
        const id = () => Math.floor(tick / 4) + random(3);
        // Streams have ids and times in common.
        const common = Array.from({ length: 2 }, () => [id(), instant(moment())] as const);
        for (const stream of ['o', 'p', 's']) {
          const rows = Array.from({ length: random(5) }, () => {
            const [key, at] = random(2) === 0 ? common[random(2)] : [id(), instant(moment())];
            const local = at.startsWith('TIMESTAMPTZ') ? `(${at}) AT TIME ZONE '${zone}'` : at;
            const ends = at.startsWith('TIMESTAMPTZ') ? `${at} + INTERVAL '${random(20)} minutes'` : at;
            return `(${key}, ${random(9)}, ${at}, ${local}${stream === 'o' ? `, ${ends}` : ''})`;
          });
          if (rows.length > 0) await sql(engine, `INSERT INTO ${stream} VALUES ${rows.join(', ')}`);
        }
        const key = random(12);
        await sql(engine, `DELETE FROM t WHERE k = ${key}`);
        await sql(engine, `INSERT INTO t VALUES (${key}, ${id()}, ${random(9)}, ${instant(moment())})`);
        await compare(`tick ${tick}`);
      }
      for (const name of Object.keys(queries))
        assert.ok((shown.get(name) as number) > 0, `${name} shows rows (seed ${seed})`);
      const before = await stateOf(engine);
      // Nothing comes any more, but the clock goes on.
      time.now += 240n * MINUTE;
      await sql(engine, 'DELETE FROM t');
      await compare('the end');
      const after = await stateOf(engine);
      for (const name of Object.keys(queries)) {
        assert.ok((before.get(name) as number) > 0, `${name} has state (seed ${seed})`);
        if (bounded) assert.equal(after.get(name), 0, `${name} (seed ${seed})`);
      }
      if (!bounded) assert.ok((after.get('plain') as number) > 10);
    } finally {
      await engine.close();
    }
  });
}

/** The statement's notices, each with its hint. */
async function noticesOf(engine: TidemarkEngine, text: string): Promise<string[]> {
  const found: string[] = [];
  const session = localSession(engine);
  const heard = {
    ...session,
    notice: (_severity: string, _code: string, message: string, fields?: { hint?: string }) =>
      void found.push(`${message} | ${fields?.hint ?? ''}`),
  };
  await engine.execute(engine.prepare(parse(text)[0], [], heard), [], heard, new AbortController().signal);
  return found;
}

test('a side of a join that now() does not reach is told of, and shown by EXPLAIN', async () => {
  const engine = await openEngine();
  const streams = `CREATE STREAM o (id int, at timestamptz); CREATE STREAM q (id int, noted timestamptz, at timestamptz, WATERMARK FOR at AS at);
    CREATE STREAM bare (id int); CREATE TABLE t (id int, at timestamptz); CREATE MATERIALIZED VIEW last AS SELECT DISTINCT ON (id) * FROM q ORDER BY id, at DESC`;
  try {
    await sql(engine, streams);
    let views = 0;
    const made = (query: string) => noticesOf(engine, `CREATE MATERIALIZED VIEW v${views++} AS ${query}`);
    assert.deepEqual(await made(`SELECT o.id FROM o JOIN q ON o.id = q.id WHERE ${RECENT}`), [
      `all rows of "q" are kept: now() bounds the other side of the join alone | Bound q.at by now(), too, or say in the join's condition how long before the other side's time it may be, such as q.at >= other.time - INTERVAL '1 hour'.`,
    ]);
    assert.deepEqual(await made(`SELECT o.id FROM o WHERE ${RECENT} AND id IN (SELECT id FROM bare)`), [
      `all rows of "bare" are kept: now() bounds the other side of the join alone | Bound a time of "bare", too: it has none, which a column with DEFAULT now() would be.`,
    ]);
    // Nothing said of the times would help where the condition may fail, or is NOT IN.
    for (const query of [
      `SELECT o.id FROM o JOIN q ON o.id = q.id AND q.at = o.at AND 8 / (o.id - q.id) > 1 WHERE ${RECENT}`,
      `SELECT o.id FROM o WHERE ${RECENT} AND id NOT IN (SELECT id FROM q)`,
    ])
      assert.deepEqual(await made(query), [
        'all rows of "q" are kept: now() bounds the other side of the join alone | Bound q.at by now(), too.',
      ]);
    // An older row may be the last one.
    assert.deepEqual(await made(`SELECT o.id FROM o ASOF JOIN q ON o.id = q.id AND o.at >= q.at WHERE ${RECENT}`), [
      'all rows of "q" are kept: now() bounds the other side of the join alone | ',
    ]);
    for (const query of [
      `SELECT o.id FROM o JOIN q ON o.id = q.id AND q.at >= o.at WHERE ${RECENT}`,
      `SELECT o.id FROM o JOIN q ON o.id = q.id WHERE ${RECENT} AND q.at > now() - INTERVAL '1 day'`,
      `SELECT o.id FROM o JOIN t ON o.id = t.id WHERE ${RECENT}`,
      `SELECT o.id FROM o JOIN last ON o.id = last.id WHERE ${RECENT}`,
      `SELECT o.id, n FROM o JOIN (SELECT id, count(*) AS n FROM q GROUP BY id) x ON o.id = x.id WHERE ${RECENT}`,
      'SELECT o.id FROM o JOIN q ON o.id = q.id',
      `SELECT o.id FROM o LEFT JOIN q ON o.id = q.id AND q.at > now() - INTERVAL '1 hour'`,
    ])
      assert.deepEqual(await made(query), [], query);

    const joinOf = async (query: string) => {
      const lines = (await sql(engine, `EXPLAIN ${query}`)).map(([line]) => line as string);
      return (lines.find((line) => line.includes('Join ')) as string)
        .replace(/.* · frees: /, '')
        .replace(/ · shared with .*/, '');
    };
    const keeps = (streams: string) =>
      `keeps every row of ${streams}: bound the time by now(), or to a constant distance from the other side's`;
    const view = (query: string) => `CREATE MATERIALIZED VIEW seen AS ${query}`;
    for (const [query, expected] of [
      [
        `SELECT a.id FROM o a JOIN o b ON a.at = b.at`,
        'never · keeps every row of o: they would go if o.at followed a watermark',
      ],
      [
        `SELECT o.id FROM o JOIN q ON ${NEAR.replaceAll('p.', 'q.')}`,
        'left at watermark - 10 min (q), right never · keeps every row of q: they would go if o.at followed a watermark',
      ],
      [
        `SELECT o.id FROM o JOIN q ON q.noted = o.at`,
        'never · keeps every row of o and q: they would go if o.at and q.noted followed watermarks',
      ],
      [
        `SELECT o.id FROM o JOIN q ON ${NEAR.replaceAll('p.', 'q.')} AND 8 / (o.id - q.id) > 1`,
        'never · keeps every row of o and q: bound the time by now()',
      ],
      [`SELECT o.id FROM o JOIN t ON o.id = t.id`, 'never · keeps every row of o: bound the time by now()'],
      [`SELECT o.id FROM o JOIN last ON o.id = last.id`, 'never · keeps every row of o: bound the time by now()'],
      [`SELECT t.id FROM t JOIN t u ON u.id = t.id`, 'never'],
      [`SELECT o.id FROM o JOIN (VALUES (1), (2)) x(id) ON o.id = x.id`, 'never'],
    ])
      assert.equal(await joinOf(view(query)), expected, query);
    // Reads keep nothing.
    assert.equal(await joinOf('SELECT o.id FROM o JOIN t ON o.id = t.id'), 'never');
    assert.equal(
      await joinOf(view(`SELECT o.id FROM o JOIN q ON o.id = q.id WHERE ${RECENT}`)),
      `left when now() passes, right never · ${keeps('q')}`,
    );
    assert.equal(
      await joinOf(view(`SELECT o.id FROM o JOIN q ON o.id = q.id AND q.at >= o.at WHERE ${RECENT}`)),
      'when now() passes',
    );
    assert.equal(await joinOf(view('SELECT o.id FROM o JOIN q ON o.id = q.id')), `never · ${keeps('o and q')}`);
    assert.equal(
      await joinOf(view(`SELECT o.id FROM o JOIN t ON o.id = t.id AND t.at = o.at WHERE ${RECENT}`)),
      'left when now() passes, right never',
    );
  } finally {
    await engine.close();
  }
});
