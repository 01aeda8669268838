/**
 * An hour of event time goes by; windows open and close. The views stay equal to their queries over all accepted rows, while the state behind them
 * stays that of the open windows. Views made late, by replay or from stored rows, are no different.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, seeded, sql } from './harness.ts';

const STREAMS = `
  CREATE STREAM person (id BIGINT, name TEXT, at TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '4 seconds');
  CREATE STREAM auction (id BIGINT, seller BIGINT, category BIGINT, at TIMESTAMP, expires TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '4 seconds');
  CREATE STREAM bid (auction BIGINT, bidder BIGINT, price BIGINT, at TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '4 seconds');
`;

/** Nodes of these views all free their state. */
const BOUNDED: Record<string, string> = {
  tumble: `SELECT window_start, window_end, auction, count(*) AS n, max(price) AS m, count(DISTINCT bidder) AS bidders
    FROM TUMBLE(bid, at, INTERVAL '10 seconds') GROUP BY window_start, window_end, auction`,
  hop: `SELECT window_start, auction, sum(price) AS s FROM HOP(bid, at, INTERVAL '5 seconds', INTERVAL '20 seconds') GROUP BY window_start, auction`,
  sessions: `SELECT bidder, window_start, window_end, count(*) AS n FROM SESSION(bid, at, INTERVAL '5 seconds', bidder)
    GROUP BY bidder, window_start, window_end`,
  minutes: `SELECT to_char(at, 'YYYY-MM-DD HH24:MI') AS minute, count(DISTINCT bidder) AS bidders, count(DISTINCT auction) AS auctions
    FROM bid GROUP BY to_char(at, 'YYYY-MM-DD HH24:MI')`,
  best: `SELECT * FROM (SELECT window_start, auction, price, bidder, row_number() OVER (PARTITION BY window_start ORDER BY price DESC, bidder, auction) AS rn
    FROM TUMBLE(bid, at, INTERVAL '10 seconds')) x WHERE rn <= 3`,
  pairs: `SELECT a.id, b.bidder, b.price, a.window_start FROM (SELECT * FROM TUMBLE(auction, at, INTERVAL '20 seconds')) a
    LEFT JOIN (SELECT * FROM TUMBLE(bid, at, INTERVAL '20 seconds')) b ON a.id = b.auction AND a.window_start = b.window_start`,
  soon: `SELECT a.id, b.bidder, b.price FROM auction a LEFT JOIN bid b ON a.id = b.auction AND b.at BETWEEN a.at AND a.at + INTERVAL '15 seconds'`,
  unsold: `SELECT id FROM auction a WHERE NOT EXISTS (SELECT 1 FROM bid b WHERE a.id = b.auction AND b.at BETWEEN a.at AND a.at + INTERVAL '15 seconds')`,
  scores: `SELECT bidder, at, sum(points) AS points, array_agg(points ORDER BY points) AS each FROM (
    SELECT bidder, at, 1 AS points FROM (SELECT bidder, at, price - lag(price) OVER (PARTITION BY bidder ORDER BY at) AS more FROM bid) x WHERE more > 10
    UNION ALL SELECT bidder, at, 2 FROM (
      SELECT bidder, at, count(*) OVER (PARTITION BY bidder ORDER BY at RANGE INTERVAL '10 seconds' PRECEDING) AS n FROM bid) x WHERE n > 3) hit
    GROUP BY bidder, at`,
  moments: `SELECT DISTINCT date_trunc('second', at) AS second FROM bid`,
  // As Nexmark's q5, q7 and q8.
  q5: `SELECT a.auction, a.num FROM
    (SELECT auction, count(*) AS num, window_start AS s FROM HOP(bid, at, INTERVAL '5 seconds', INTERVAL '10 seconds') GROUP BY window_start, auction) a
    JOIN (SELECT max(num) AS maxn, s FROM (SELECT count(*) AS num, window_start AS s FROM HOP(bid, at, INTERVAL '5 seconds', INTERVAL '10 seconds')
      GROUP BY auction, window_start) c GROUP BY s) m ON a.s = m.s AND a.num >= m.maxn`,
  q7: `SELECT b.auction, b.price, b.bidder, b.at FROM bid b
    JOIN (SELECT max(price) AS maxprice, window_end AS e FROM TUMBLE(bid, at, INTERVAL '10 seconds') GROUP BY window_end) m
    ON b.price = m.maxprice WHERE b.at BETWEEN m.e - INTERVAL '10 seconds' AND m.e`,
  q8: `SELECT p.id, p.name, p.s FROM (SELECT id, name, window_start AS s, window_end AS e FROM TUMBLE(person, at, INTERVAL '10 seconds') GROUP BY 1, 2, 3, 4) p
    JOIN (SELECT seller, window_start AS s, window_end AS e FROM TUMBLE(auction, at, INTERVAL '10 seconds') GROUP BY 1, 2, 3) a
    ON p.id = a.seller AND p.s = a.s AND p.e = a.e`,
};

/** Over the view `tumble`: what is known of its columns goes on. */
const LAYERED: Record<string, string> = {
  most: 'SELECT window_start, max(n) AS n, sum(m) AS s FROM tumble GROUP BY window_start',
  shares: `SELECT t.window_start, t.auction, b.price, t.n FROM tumble t JOIN (SELECT * FROM TUMBLE(bid, at, INTERVAL '10 seconds')) b
    ON t.window_start = b.window_start AND t.auction = b.auction`,
};

/** Here a row an auction stays: nothing says that its id does not come again. The rest is bounded. */
const BY_AUCTION: Record<string, string> = {
  q4: `SELECT category, avg(final) AS average FROM (SELECT max(b.price) AS final, a.category FROM auction a JOIN bid b
    ON a.id = b.auction AND b.at BETWEEN a.at AND a.expires GROUP BY a.id, a.category) q GROUP BY category`,
  q9: `SELECT * FROM (SELECT a.id, a.at, b.bidder, b.price, row_number() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.at, b.bidder) AS rn
    FROM auction a JOIN bid b ON a.id = b.auction AND b.at BETWEEN a.at AND a.expires) x WHERE rn <= 1`,
};

const VIEWS = { ...BOUNDED, ...LAYERED, ...BY_AUCTION };
/** Seconds of event time a tick, and ticks. */
const STEP = 10;
const TICKS = 3600 / STEP;

interface Figures {
  rows: number;
  bytes: number;
}

/** State of a view's operators and indexes, those left out that keep a row an auction. */
function stateOf(engine: TidemarkEngine, name: string): Figures {
  const view = [...engine.loop.views()].find((v) => v.name === name);
  assert.ok(view !== undefined);
  const figures = view.figures();
  const sum = { rows: 0, bytes: 0 };
  view.flow.plan.nodes.forEach(({ op, frees }, i) => {
    if (name in BY_AUCTION && (op === 'aggregate' || op === 'topn') && frees === undefined) return;
    sum.rows += figures[i].stateRows;
    sum.bytes += figures[i].stateBytes;
  });
  return sum;
}

/** Rows of one tick: most are new, some are a few seconds old, a few are late. */
function rowsAt(second: number, random: (n: number) => number): { person: string[]; auction: string[]; bid: string[] } {
  const time = (s: number) => `TIMESTAMP '2026-03-01 00:00:00' + INTERVAL '${s} seconds'`;
  const age = () => (random(30) === 0 ? 20 : random(10) / 2);
  const at = () => Math.max(0, second + random(10) / 2 - age());
  const id = () => Math.floor(second / 10) + random(4);
  const many = (n: number, row: () => string) => Array.from({ length: n }, row);
  return {
    person: many(2, () => `(${id()}, 'a name of more than twelve bytes ${random(9)}', ${time(at())})`),
    auction: many(3, () => {
      const begin = at();
      return `(${id()}, ${id()}, ${random(3)}, ${time(begin)}, ${time(begin + 5 + random(20))})`;
    }),
    bid: many(15, () => `(${id()}, ${random(8)}, ${random(50)}, ${random(100) === 0 ? 'NULL' : time(at())})`),
  };
}

test('state stays that of the open windows, rows those of all input', { timeout: 300_000 }, async () => {
  const { random, seed } = seeded('an hour of windows');
  const engine = await openEngine({ clock: () => 0n });
  try {
    await sql(engine, STREAMS);
    const create = async (suffix: string) => {
      for (const [name, query] of Object.entries(VIEWS))
        await sql(engine, `CREATE MATERIALIZED VIEW ${name}${suffix} AS ${query}`);
    };
    await create('');
    const states = new Map(Object.keys(VIEWS).map((name) => [name, [] as Figures[]]));
    for (let tick = 0; tick < TICKS; tick++) {
      const rows = rowsAt(tick * STEP, random);
      for (const [table, values] of Object.entries(rows))
        await sql(engine, `INSERT INTO ${table} VALUES ${values.join(', ')}`);
      if (tick === TICKS / 2) await create('_later');
      if (tick % 30 === 29) for (const [name, list] of states) list.push(stateOf(engine, name));
    }
    assert.notDeepEqual(await sql(engine, "SELECT count(*) FROM tidemark.late('bid')"), [['0']]);
    for (const [name, query] of Object.entries(VIEWS)) {
      const wanted = await sorted(engine, query);
      assert.ok(wanted.length > 2, `${name} has rows`);
      assert.deepEqual(await sorted(engine, `SELECT * FROM ${name}`), wanted, `${name} (seed ${seed})`);
      assert.deepEqual(
        await sorted(engine, `SELECT * FROM ${name}_later`),
        wanted,
        `${name}, made later (seed ${seed})`,
      );
      const list = states.get(name) as Figures[];
      for (const of of ['rows', 'bytes'] as const) {
        const values = list.map((f) => f[of]);
        const [early, late] = [Math.max(...values.slice(0, 3)), Math.max(...values.slice(3))];
        assert.ok(
          late <= 1.5 * early + (of === 'rows' ? 50 : 8192),
          `${name} (seed ${seed}), ${of}: ${values.join(' ')}`,
        );
      }
    }
  } finally {
    await engine.close();
  }
});

async function sorted(engine: TidemarkEngine, query: string): Promise<string[]> {
  return (await sql(engine, query)).map((row) => row.join('|')).sort();
}

test('a view filled by replay, while others go on, equals one made first', { timeout: 300_000 }, async () => {
  const engine = await openEngine({ tickRows: 50 });
  const bids = `CREATE STREAM bid (auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time TIMESTAMP, extra TEXT,
    WATERMARK FOR date_time AS date_time - INTERVAL '1 second') WITH (connector = 'nexmark', table = 'bid', events = '6000', seed = '3', event_time_rate = '20')`;
  const auctions = `CREATE STREAM auction (id BIGINT, item_name TEXT, description TEXT, initial_bid BIGINT, reserve BIGINT, date_time TIMESTAMP, expires TIMESTAMP,
    seller BIGINT, category BIGINT, extra TEXT, WATERMARK FOR date_time AS date_time - INTERVAL '1 second')
    WITH (connector = 'nexmark', table = 'auction', events = '6000', seed = '3', event_time_rate = '20')`;
  const queries: [name: string, query: string][] = [
    [
      'w',
      "SELECT window_start, auction, count(*) AS n, count(DISTINCT bidder) AS b FROM TUMBLE(bid, date_time, INTERVAL '10 seconds') GROUP BY 1, 2",
    ],
    [
      's',
      "SELECT bidder, window_end, count(*) AS n FROM SESSION(bid, date_time, INTERVAL '5 seconds', bidder) GROUP BY bidder, window_end",
    ],
    [
      'j',
      'SELECT a.id, b.price FROM auction a JOIN bid b ON a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires',
    ],
    [
      'l',
      "SELECT w.auction, w.n, b.price FROM w JOIN (SELECT * FROM TUMBLE(bid, date_time, INTERVAL '10 seconds')) b ON w.window_start = b.window_start AND w.auction = b.auction",
    ],
    ['m', 'SELECT window_start, max(n) AS n FROM w GROUP BY window_start'],
  ];
  try {
    await sql(engine, `${bids}; ${auctions}`);
    const create = async (suffix: string) => {
      for (const [name, query] of queries) await sql(engine, `CREATE MATERIALIZED VIEW ${name}${suffix} AS ${query}`);
    };
    const compare = async (suffix: string) => {
      for (const [name, query] of queries) {
        const wanted = await sorted(engine, query);
        assert.ok(wanted.length > 5, name);
        assert.deepEqual(await sorted(engine, `SELECT * FROM ${name}${suffix}`), wanted, `${name}${suffix}`);
      }
    };
    await create('');
    for (let tick = 1; engine.sourceTicks.pump(); tick++) {
      if (tick !== 40 && tick !== 80) continue;
      await create(`_${tick}`);
      await compare(`_${tick}`);
    }
    await create('_end');
    for (const suffix of ['', '_40', '_80', '_end']) await compare(suffix);
  } finally {
    await engine.close();
  }
});

test('a silent side of a join is freed by the other one’s progress, and a dropped reader leaves the rest as it is', async () => {
  const engine = await openEngine();
  const join = (columns: string, end: string) =>
    `SELECT ${columns} FROM auction a JOIN bid b ON a.id = b.auction AND b.at BETWEEN a.at AND ${end}`;
  const rows = async (view: string) =>
    Number((await sql(engine, `SELECT state_rows FROM tidemark.views WHERE name = '${view}'`))[0][0]);
  try {
    await sql(engine, STREAMS);
    await sql(engine, `CREATE MATERIALIZED VIEW short AS ${join('a.id, b.price', 'a.expires')}`);
    await sql(engine, `CREATE MATERIALIZED VIEW long AS ${join('a.id, b.bidder', "a.at + INTERVAL '1 day'")}`);
    await sql(
      engine,
      'CREATE MATERIALIZED VIEW always AS SELECT a.id, b.price FROM auction a JOIN bid b ON a.id = b.auction',
    );
    await sql(
      engine,
      `INSERT INTO auction SELECT g, 1, 1, TIMESTAMP '2026-01-01' + g * INTERVAL '1 second', TIMESTAMP '2026-01-01 00:01:00' FROM generate_series(0, 99) g`,
    );
    const bid = (at: string) =>
      sql(engine, `INSERT INTO bid VALUES (7, 1, 1, TIMESTAMP '2026-01-01' + INTERVAL '${at}')`);
    await bid('30 seconds');
    await bid('2 minutes');
    assert.equal(await rows('short'), 1);
    assert.ok((await rows('long')) > 100);
    await sql(engine, 'DROP MATERIALIZED VIEW long');
    await bid('2 days');
    // Bids after the auctions' watermark wait for auctions.
    assert.equal(await rows('short'), 2);
    assert.equal(await rows('always'), 103);
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM always'), [['3']]);
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM short'), [['1']]);
  } finally {
    await engine.close();
  }
});
