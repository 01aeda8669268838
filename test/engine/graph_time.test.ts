/**
 * Views that depend on the clock and on watermarks, made and dropped at random ticks over the same streams: each is what an engine has in which it
 * was there from the first row on and shares nothing that was folded in later. Over a topic later views are filled by replay; over a stream that keeps its
 * rows from those and from what live operators have.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, seeded, sql } from './harness.ts';
import { MessageSource } from './message_source.ts';

const STREAM = `CREATE STREAM s (id int, k int, v int, at timestamptz, WATERMARK FOR at AS at - INTERVAL '2 seconds')`;
const TOPIC = `${STREAM} WITH (connector = 'kafka', brokers = 'memory', topic = 't')`;
const WINDOWS = `SELECT window_start, k, count(*) AS n, sum(v) AS total FROM TUMBLE(s, at, INTERVAL '5 seconds') GROUP BY window_start, k`;
const LARGE = `SELECT window_start, k, max(v) AS most FROM TUMBLE(s, at, INTERVAL '10 seconds') WHERE v > 1 GROUP BY window_start, k`;
const SEEN = `SELECT DISTINCT k, window_start FROM TUMBLE(s, at, INTERVAL '5 seconds') WHERE v < 2`;
const SEEN_VALUES = `SELECT DISTINCT k, window_start, v FROM TUMBLE(s, at, INTERVAL '5 seconds')`;
const RECENT = `SELECT k, v FROM s WHERE at > now() - INTERVAL '7 seconds'`;
const DISTINCT_KEYS = `SELECT DISTINCT window_start, k FROM TUMBLE(s, at, INTERVAL '5 seconds')`;
const DISTINCT_VALUES = `SELECT DISTINCT window_start, v FROM TUMBLE(s, at, INTERVAL '5 seconds')`;
const QUERIES = [
  WINDOWS,
  `${WINDOWS} EMIT ON WINDOW CLOSE`,
  `SELECT window_start, max(n) AS most FROM (${WINDOWS}) w GROUP BY window_start EMIT ON WINDOW CLOSE`,
  `SELECT a.window_start, a.k, a.n, b.total FROM (${WINDOWS}) a JOIN (${WINDOWS}) b ON a.window_start = b.window_start AND a.k = b.k + 1`,
  `SELECT a.k, a.v, b.n FROM s a JOIN (${WINDOWS}) b ON a.k = b.k AND a.at = b.window_start`,
  // They read the same two indexes, from which windows are gone.
  ...['JOIN', 'LEFT JOIN', 'FULL JOIN'].map(
    (kind) =>
      `SELECT a.window_start, a.k, a.n, b.most FROM (${WINDOWS}) a ${kind} (${LARGE}) b ON a.window_start = b.window_start AND a.k = b.k`,
  ),
  // What was seen lies in an index of theirs.
  ...['JOIN', 'LEFT JOIN'].map(
    (kind) =>
      `SELECT a.k, a.window_start, b.v FROM (${SEEN}) a ${kind} (${SEEN_VALUES}) b ON a.k = b.k AND a.window_start = b.window_start`,
  ),
  SEEN,
  RECENT,
  `SELECT k, count(*) AS n, max(v) AS m FROM (${RECENT}) r GROUP BY k`,
  `SELECT r.k, r.v, w.n FROM (${RECENT}) r JOIN (${WINDOWS}) w ON r.k = w.k`,
  `SELECT window_start, window_end, k, count(*) AS n FROM SESSION(s, at, INTERVAL '2 seconds', k) GROUP BY window_start, window_end, k`,
  `SELECT DISTINCT window_start, k FROM HOP(s, at, INTERVAL '2 seconds', INTERVAL '6 seconds')`,
  `SELECT * FROM (SELECT window_start, k, v, row_number() OVER (PARTITION BY window_start ORDER BY v DESC, k, id) AS rank
     FROM TUMBLE(s, at, INTERVAL '5 seconds')) q WHERE rank <= 2`,
  DISTINCT_KEYS,
  `SELECT a.window_start, a.k FROM (${DISTINCT_KEYS}) a JOIN (${DISTINCT_VALUES}) b ON a.k = b.v AND a.window_start = b.window_start`,
  `SELECT a.window_start, a.k, b.n FROM (${DISTINCT_KEYS}) a JOIN (${WINDOWS}) b ON a.k = b.k AND a.window_start = b.window_start`,
  `SELECT a.window_start, a.k FROM (${DISTINCT_KEYS}) a JOIN (SELECT DISTINCT k, at FROM s) b ON a.k = b.k AND a.window_start = b.at`,
  `SELECT a.k, a.v, b.v AS w FROM s a JOIN s b ON a.k = b.k AND b.at BETWEEN a.at - INTERVAL '1 second' AND a.at`,
];

interface Row {
  id: number;
  k: number;
  v: number;
  at: Date;
}

/** An engine with the stream, and what gives it rows. */
async function opened(stream: string, time: { now: bigint }) {
  const source = new MessageSource();
  const engine = await openEngine({ clock: () => time.now, openSource: () => source });
  await sql(engine, stream);
  const give = async (rows: Row[]) => {
    if (stream === TOPIC) source.send(...rows.map((row) => ({ value: JSON.stringify(row) })));
    else if (rows.length > 0) {
      const values = rows.map(({ id, k, v, at }) => `(${id}, ${k}, ${v}, '${at.toISOString()}')`);
      await sql(engine, `INSERT INTO s VALUES ${values.join(', ')}`);
    }
    engine.sourceTicks.pump();
    // The watermark moves after a tick; the next one shows what it closed.
    engine.sourceTicks.pump();
  };
  return { engine, give };
}

for (const [kind, stream] of [
  ['a topic', TOPIC],
  ['kept rows', STREAM],
])
  test(`views over time, made and dropped while rows come of ${kind}`, { timeout: 300_000 }, (t) => compare(stream, t));

async function compare(stream: string, t: TestContext): Promise<void> {
  const { seed, random } = seeded('graph over time');
  const rounds = Number(process.env.ROUNDS ?? 4);
  let compared = 0;
  let shared = 0;
  for (let round = 0; round < rounds; round++) {
    const time = { now: 0n };
    const both = await Promise.all([opened(stream, time), opened(stream, time)]);
    const [all, some] = both.map(({ engine }) => engine);
    try {
      for (const [i, query] of QUERIES.entries()) await sql(all, `CREATE MATERIALIZED VIEW v${i} AS ${query}`);
      // Keeps the clock of the second engine ticking, as the views over now() do that of the first.
      await sql(
        some,
        'CREATE TABLE tick (at timestamptz); CREATE MATERIALIZED VIEW clock AS SELECT * FROM tick WHERE at > now()',
      );
      const live = new Set<number>();
      let id = 0;
      for (let step = 0; step < 40; step++) {
        const i = random(QUERIES.length);
        if (random(2) === 0) {
          if (live.has(i)) {
            await sql(some, `DROP MATERIALIZED VIEW v${i}`);
            live.delete(i);
          } else {
            await sql(some, `CREATE MATERIALIZED VIEW v${i} AS ${QUERIES[i]}`);
            live.add(i);
          }
        }
        time.now += BigInt(random(2_000_000));
        const rows = Array.from({ length: random(4) }, (): Row => {
          const at = Number(time.now) / 1e6 - random(3);
          return { id: id++, k: random(3), v: random(5), at: new Date(946684800000 + at * 1000) };
        });
        for (const { give } of both) await give(rows);
        for (const v of live) {
          const rows = async (engine: TidemarkEngine) => (await sql(engine, `SELECT * FROM v${v}`)).map(String).sort();
          assert.deepEqual(
            await rows(some),
            await rows(all),
            `SEED=${seed} round ${round} step ${step}: ${QUERIES[v]}`,
          );
          compared++;
        }
        for (const node of some.loop.graph.nodes()) if (node.spec.op !== 'source' && node.flows.size > 1) shared++;
      }
    } finally {
      await all.close();
      await some.close();
    }
  }
  t.diagnostic(`${compared} views compared`);
  assert.ok(compared > rounds * 50 && shared > 0, `${compared} compared, ${shared} shared`);
}
