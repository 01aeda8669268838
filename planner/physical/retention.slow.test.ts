/**
 * Freed state is never missed: each query runs twice through the same ticks, once with and once without what the planner lets watermarks free.
 * Rows are accepted from the watermark on (late ones never come), some have no time, some come twice; tables change at will. The changes of
 * every tick and the errors must be equal; the state that frees is saved and loaded on the way. Then, with times on all rows, the state of a bounded query stays as small as its open windows.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows } from '../../operators/batch/builder.ts';
import { pages } from '../../operators/batch/pages.ts';
import { Dataflow } from '../../operators/dataflow.ts';
import type { Datum } from '../../operators/datum.ts';
import { TIMESTAMP_NEG_INFINITY } from '../../operators/datum.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import type { DataflowPlan } from '../../operators/plan.ts';
import { cold } from '../../operators/state/cold_store.ts';
import { pagesOf, type Saved } from '../../operators/state/saved.ts';
import { MemoryColdStore } from '../../operators/testing/cold_memory.ts';
import { Image } from '../../operators/testing/image.ts';
import { Bag, Random, testSeed } from '../../operators/testing/property.ts';
import { initParser } from '../parse/parse.ts';
import { planQuery } from './index.ts';
import { bindSql, testRelation } from './test_sql.ts';

const SECOND = 1000000n;
const HOUR = 3600n * SECOND;
/** Watermarks are that many units behind; a unit is a second, or two hours for queries by day. */
const DELAY = 4n;
/** A week before the clocks of Berlin change. */
const START = 79n * 24n * HOUR;
const watermark = (column: number) => ({ watermark: { column, delay: DELAY * SECOND } });
const BID = testRelation(1, 'bid', 'auction int8, price int8, ts timestamp, word text', watermark(2));
const AUCTION = testRelation(2, 'auction', 'id int8, ts timestamp, expires timestamp', watermark(1));
const ZONED = testRelation(3, 'zoned', 'k int8, ts timestamptz', watermark(1));
const SIDE = testRelation(4, 'side', 'k int8, n int8, at timestamp');
const ZONE = 'Europe/Berlin';
const RELATIONS = [BID, AUCTION, ZONED, SIDE];

/** bounded: all state is of open windows. keys: some rows a key stay. never: the plan frees nothing. */
type Growth = 'bounded' | 'keys' | 'never';

const TUMBLE = "tumble(bid, ts, interval '10 s')";

const QUERIES: [sql: string, growth: Growth][] = [
  [
    `select window_start, window_end, auction, count(*), max(price), string_agg(word, ',') from ${TUMBLE} group by 1, 2, 3`,
    'bounded',
  ],
  [
    `select window_start, count(distinct auction), count(distinct word) filter (where price > 1), sum(price::float8) from ${TUMBLE} group by 1`,
    'bounded',
  ],
  [
    "select window_end, auction, min(price) from hop(bid, ts, interval '2 s', interval '10 s') group by 1, 2",
    'bounded',
  ],
  ["select window_end, avg(price) from cumulate(bid, ts, interval '2 s', interval '10 s') group by 1", 'bounded'],
  [
    "select auction, window_start, window_end, count(*) from session(bid, ts, interval '3 s', auction) group by 1, 2, 3",
    'bounded',
  ],
  ["select auction, window_end, count(*) from session(bid, ts, interval '3 s', auction) group by 1, 2", 'bounded'],
  ["select auction, ts, window_start from session(bid, ts, interval '1 s', auction)", 'bounded'],
  [`select distinct window_start, auction from ${TUMBLE}`, 'bounded'],
  [
    `select * from (select *, row_number() over (partition by window_start order by price desc, auction) rn from (select window_start, auction, price from ${TUMBLE}) q) q where rn <= 2`,
    'bounded',
  ],
  [
    `select window_start, auction, rank() over (partition by window_start order by n desc) from (select window_start, auction, count(*) n from ${TUMBLE} group by 1, 2) q`,
    'bounded',
  ],
  [
    `select a.auction, a.n from (select window_start, auction, count(*) n from ${TUMBLE} group by 1, 2) a join (select window_start, max(n) m from (select window_start, auction, count(*) n from ${TUMBLE} group by 1, 2) q group by 1) b on a.window_start = b.window_start and a.n >= b.m`,
    'bounded',
  ],
  [
    "select b.* from bid b join (select max(price) m, window_end e from tumble(bid, ts, interval '10 s') group by 2) x on b.price = x.m and b.ts between x.e - interval '10 s' and x.e",
    'bounded',
  ],
  [
    "select a.id, b.price from (select * from tumble(auction, ts, interval '10 s')) a join (select * from tumble(bid, ts, interval '10 s')) b on a.id = b.auction and a.window_start = b.window_start and a.window_end = b.window_end",
    'bounded',
  ],
  [
    "select a.id, b.price from (select * from tumble(auction, ts, interval '10 s')) a left join (select * from tumble(bid, ts, interval '10 s')) b on a.id = b.auction and a.window_start = b.window_start",
    'bounded',
  ],
  [
    "select a.id, b.price from (select * from tumble(auction, ts, interval '10 s')) a full join (select * from tumble(bid, ts, interval '10 s')) b on a.id = b.auction and a.window_start = b.window_start",
    'bounded',
  ],
  ['select a.id, b.price from auction a join bid b on a.id = b.auction and b.ts between a.ts and a.expires', 'bounded'],
  [
    "select a.id, b.price from auction a join bid b on a.id = b.auction and b.ts between a.ts and a.ts + interval '8 s'",
    'bounded',
  ],
  [
    "select a.id, b.price from auction a left join bid b on a.id = b.auction and b.ts between a.ts - interval '2 s' and a.ts + interval '8 s'",
    'bounded',
  ],
  [
    "select a.id, b.price from auction a right join bid b on a.id = b.auction and b.ts between a.ts and a.ts + interval '8 s'",
    'bounded',
  ],
  [
    "select a.id, b.price from auction a full join bid b on a.id = b.auction and b.ts between a.ts and a.ts + interval '8 s'",
    'bounded',
  ],
  [
    "select id, ts from auction a where exists (select 1 from bid b where a.id = b.auction and b.ts between a.ts and a.ts + interval '3 s')",
    'bounded',
  ],
  [
    "select id, ts from auction a where not exists (select 1 from bid b where a.id = b.auction and b.ts between a.ts and a.ts + interval '3 s')",
    'bounded',
  ],
  [
    "select a.id, b.price from auction a join bid b on a.id = b.auction and b.ts >= date_trunc('minute', a.ts) and b.ts < date_trunc('minute', a.ts) + interval '1 min'",
    'bounded',
  ],
  [
    "select a.id, b.price from auction a left join bid b on a.id = b.auction and b.ts >= a.ts and date_bin('5 s', b.ts, '2000-01-01') <= date_bin('5 s', a.ts, '2000-01-01')",
    'bounded',
  ],
  // An auction without an end is evidence for no bid ever: bids stay, for each may be the one match of an auction.
  [
    'select a.id, b.price from auction a left join bid b on a.id = b.auction and b.ts between a.ts and a.expires',
    'keys',
  ],
  ['select price, (select max(ts) from auction a where a.ts = b.ts) from bid b', 'bounded'],
  ['select ts from bid b where exists (select 1 from auction a where a.ts = b.ts)', 'bounded'],
  ['select ts from bid b where ts not in (select ts from auction where ts is not null)', 'never'],
  ['select ts from bid union select ts from auction', 'bounded'],
  ['select ts from bid except select ts from auction', 'bounded'],
  ['select ts from bid except all select ts from auction', 'bounded'],
  ['select ts from bid intersect select ts from auction', 'bounded'],
  ['select ts from bid intersect all select ts from auction', 'bounded'],
  ['select b.price, a.id from bid b asof join auction a on b.auction = a.id and b.ts >= a.ts', 'keys'],
  ['select b.price, a.id from bid b asof left join auction a on b.auction = a.id and b.ts > a.ts', 'keys'],
  ["select to_char(ts, 'YYYY-MM-DD HH24:MI') m, count(*), count(distinct auction) from bid group by 1", 'bounded'],
  ["select auction, to_char(ts, 'YYYYMMDDHH24MI') m, max(price) from bid group by 1, 2", 'bounded'],
  ["select to_char(ts, 'HH24:MI') m, count(*) from bid group by 1", 'never'],
  ["select to_char(ts, 'MM-YYYY') m, count(*) from bid group by 1", 'never'],
  ["select date_trunc('minute', ts) m, count(distinct auction) from bid group by 1", 'bounded'],
  ["select date_bin('10 s', ts, '2000-01-01') m, count(*) from zoned group by 1", 'bounded'],
  ['select count(*), max(n) from (select auction, count(*) n from bid group by 1) q', 'never'],
  ['select b.price, s.n from bid b join side s on b.auction = s.k', 'never'],
  ['select b.price, s.n from bid b join side s on b.auction = s.k and s.at = b.ts', 'never'],
  [
    "select a.id, b.price from auction a join bid b on a.id = b.auction and 10 / (b.price - a.id) > 1 and b.ts between a.ts and a.ts + interval '8 s'",
    'never',
  ],
  ['select at, count(*) from side group by 1', 'never'],
  // Joins of what bands give.
  [
    "select a.id, b.price, c.price from auction a left join bid b on a.id = b.auction and b.ts between a.ts and a.ts + interval '4 s' left join bid c on a.id = c.auction and c.ts between a.ts and a.ts + interval '8 s'",
    'bounded',
  ],
  [
    "select date_trunc('minute', a.ts), count(*), count(b.ts), max(c.price) from auction a left join bid b on a.id = b.auction and b.ts between a.ts and a.ts + interval '4 s' left join bid c on a.id = c.auction and c.ts between a.ts - interval '2 s' and a.ts + interval '8 s' group by 1",
    'bounded',
  ],
  [
    "select b.ts, array_agg(a.id order by a.id) from auction a join bid b on a.id = b.auction and b.ts between a.ts and a.ts + interval '4 s' group by 1",
    'bounded',
  ],
  [
    "select ts, count(*) from auction a where not exists (select 1 from bid b where a.id = b.auction and b.ts between a.ts and a.ts + interval '4 s') group by 1",
    'bounded',
  ],
];

/** Window functions in order of time. Rows without a time stay, and with them what frames read of the rows before. */
const IN_ORDER: [sql: string, growth: Growth][] = [
  ['select auction, ts, price - lag(price) over (partition by auction order by ts, price) from bid', 'keys'],
  ['select auction, ts, lead(ts) over (partition by auction order by ts) from bid', 'keys'],
  [
    'select auction, ts, sum(price) over (partition by auction order by ts rows between 3 preceding and 1 following) from bid',
    'keys',
  ],
  [
    'select ts, first_value(price) over (order by ts rows 2 preceding), lag(word) over (order by ts) from bid',
    'bounded',
  ],
  [
    "select auction, ts, sum(price::float8) over (partition by auction order by ts range interval '5 s' preceding) from bid",
    'bounded',
  ],
  [
    "select ts, count(*) over (order by ts range between '5 s' preceding and '2 s' following exclude ties), max(word) over (order by ts range between '3 s' following and '4 s' following) from bid",
    'bounded',
  ],
  [
    "select ts, count(*) over (order by ts range '5 s' preceding), lag(price) over (order by ts), min(price) over (order by ts rows 4 preceding) from bid",
    'bounded',
  ],
  // What is made of them follows the time as well.
  [
    'select ts, array_agg(d order by d) from (select ts, price - lag(price) over (partition by auction order by ts) d from bid) q group by ts',
    'keys',
  ],
  [
    "select ts, array_agg(n order by n) from (select ts, count(*) over (order by ts range between '5 s' preceding and '2 s' following) n from bid) q group by ts",
    'bounded',
  ],
  ['select ts, row_number() over (partition by auction order by ts) from bid', 'never'],
  ['select ts, sum(price) over (partition by auction order by ts) from bid', 'never'],
  ['select ts, lag(price) over (partition by auction order by ts desc) from bid', 'never'],
  ['select ts, lag(price) over (partition by auction order by ts nulls first) from bid', 'never'],
  ['select ts, lag(price) over (partition by auction order by price, ts) from bid', 'never'],
  ['select ts, lag(price, 2) over (partition by auction order by ts) from bid', 'never'],
];

/** Queries by day. */
const BY_DAY: [sql: string, growth: Growth][] = [
  ["select to_char(ts, 'YYYY-MM-DD') d, count(distinct auction), count(*) from bid group by 1", 'bounded'],
  ["select auction, to_char(ts, 'YYYY-MM-DD')::varchar d, max(price) from bid group by 1, 2", 'bounded'],
  ['select ts::date d, count(distinct auction) from bid group by 1', 'bounded'],
  ['select ts::date + 1 d, count(distinct auction) from bid group by 1', 'bounded'],
  ['select ts::date::timestamp d, count(*) from bid group by 1', 'bounded'],
  ["select date_trunc('day', ts) d, count(distinct auction) from bid group by 1", 'bounded'],
  ["select date_bin('1 day', ts, '2000-01-01') d, count(*) from bid group by 1", 'bounded'],
  ["select date_trunc('day', ts) + interval '1 day' d, count(*) from bid group by 1", 'bounded'],
  ["select date_trunc('week', ts) d, count(*), k from zoned group by 1, 3", 'bounded'],
  ["select date_trunc('day', ts) d, count(*), k from zoned group by 1, 3", 'bounded'],
  ["select date_trunc('day', ts, 'America/New_York') d, count(*), k from zoned group by 1, 3", 'bounded'],
  ["select date_trunc('day', ts) - interval '1 day' d, count(*), k from zoned group by 1, 3", 'bounded'],
  ["select to_char(ts, 'YYYY-MM-DD') d, count(*), k from zoned group by 1, 3", 'bounded'],
  ['select ts::date d, count(*), k from zoned group by 1, 3', 'bounded'],
  ['select ts::timestamp d, count(*), k from zoned group by 1, 3', 'bounded'],
  ["select date_trunc('day', ts at time zone 'America/New_York') d, count(*), k from zoned group by 1, 3", 'bounded'],
  ["select ts at time zone 'Asia/Tokyo' d, count(*), auction from bid group by 1, 3", 'bounded'],
  ["select window_start, auction, count(*) from tumble(bid, ts, interval '1 day') group by 1, 2", 'bounded'],
  [
    'select b.price, a.id from (select *, ts::date d from bid) b join (select *, ts::date d from auction) a on b.auction = a.id and b.d = a.d',
    'bounded',
  ],
  [
    "select b.price, a.id from bid b join auction a on b.auction = a.id and b.ts between a.ts and a.ts + interval '1 day'",
    'bounded',
  ],
  [
    "select z.k, y.k from zoned z join zoned y on z.k = y.k and y.ts between z.ts - interval '1 day' and z.ts",
    'bounded',
  ],
  [
    'select b.price, a.id from bid b join auction a on b.auction = a.id and b.ts::date >= a.ts::date and b.ts::date <= a.ts::date',
    'bounded',
  ],
  ["select to_char(ts, 'YYYY-MM-DD') d from bid union select to_char(ts, 'YYYY-MM-DD') from auction", 'bounded'],
  ["select k, ts, count(*) over (partition by k order by ts range interval '1 day' preceding) from zoned", 'bounded'],
  // A text of one format says nothing about one of another.
  ["select to_char(ts, 'YYYY-MM-DD') d from bid union select to_char(ts, 'YYYYMMDD') from auction", 'never'],
  ["select to_char(ts, 'YYYY-MM-DD')::varchar(4) d, count(*) from bid group by 1", 'never'],
];

const CASES: [sql: string, growth: Growth, unit: bigint][] = [
  ...[...QUERIES, ...IN_ORDER].map(([sql, growth]): [string, Growth, bigint] => [sql, growth, SECOND]),
  ...BY_DAY.map(([sql, growth]): [string, Growth, bigint] => [sql, growth, 2n * HOUR]),
];

before(async () => {
  await initParser();
  // What is made once for the process, before pages are counted.
  compare(QUERIES[0][0], seed, 2, true, SECOND);
});

interface Source {
  clock: bigint;
  watermark: bigint | null;
}

/** A few rows at or above the watermark; some without a time. */
function accept(random: Random, source: Source, nulls: boolean, unit: bigint): Datum[] {
  const times = Array.from({ length: random.below(6) }, (): Datum => {
    if (nulls && random.chance(0.1)) return null;
    if (nulls && source.watermark === null && random.chance(0.1)) return TIMESTAMP_NEG_INFINITY;
    const low = source.watermark ?? source.clock;
    const time = low + BigInt(random.below(20)) * (unit / 2n);
    if (time > source.clock) source.clock = time;
    return time;
  });
  return times.flatMap((time) => (random.chance(0.2) ? [time, time] : [time]));
}

/** One plan, maintained. */
class Run {
  flow: Dataflow;
  readonly plan: DataflowPlan;
  readonly image = new Image();
  readonly arena = new Arena();
  readonly errors = new Bag();

  constructor(plan: DataflowPlan) {
    this.plan = plan;
    this.flow = new Dataflow(plan);
  }

  /** Saves the state, drops it and goes on with what was saved. */
  reload(): void {
    const saved = deserialize(serialize(this.flow.save())) as Saved;
    const stored = (cold.store as MemoryColdStore).save();
    this.image.start(pagesOf(saved));
    this.image.finish();
    this.flow.release();
    (cold.store as MemoryColdStore).load(stored);
    this.image.load();
    this.flow = new Dataflow(this.plan);
    this.flow.load(saved);
  }

  tick(number: number, rows: Map<number, [Datum[], number][]>, reached: Map<number, bigint | null>): string[] {
    const delta = (oid: number) => {
      const own = rows.get(oid) ?? [];
      const types = RELATIONS.find((r) => r.oid === oid)!.columns.map((c) => c.type);
      return batchFromRows(
        types,
        own.map((r) => r[0]),
        this.arena,
        own.map((r) => r[1]),
      );
    };
    const out = this.flow.step(delta, {
      number: BigInt(number),
      arena: this.arena,
      evalContext: defaultContext({ timeZone: ZONE }),
      errors: { report: (error, row, weight) => this.errors.add([error.sqlstate, ...row], weight) },
      now: 0n,
      watermark: (oid) => reached.get(oid) ?? null,
    });
    const change = new Bag();
    change.addBatch(out);
    this.flow.endTick();
    this.arena.reset();
    if (number % 3 > 0) for (const index of this.flow.coldStates()) index.chill(Number.POSITIVE_INFINITY);
    return change.texts();
  }

  stateRows(): number {
    return this.flow.figures().reduce((sum, f) => sum + f.stateRows, 0);
  }

  stateBytes(): number {
    return this.flow.figures().reduce((sum, f) => sum + f.stateBytes, 0);
  }

  release(): void {
    this.flow.release();
    this.arena.release();
  }
}

function sideChanges(random: Random, live: Datum[][], unit: bigint): [Datum[], number][] {
  const changes: [Datum[], number][] = [];
  if (live.length > 0 && random.chance(0.4)) changes.push([live.splice(random.below(live.length), 1)[0], -1]);
  if (live.length < 8 && random.chance(0.5)) {
    const row = [BigInt(random.below(3)), BigInt(random.below(4)), START + BigInt(random.below(40)) * unit];
    live.push(row);
    changes.push([row, 1]);
  }
  return changes;
}

interface Figures {
  rows: number;
  bytes: number;
}

/** Runs the plan with and without freeing; gives the state of both at every 20th tick. */
function compare(
  sql: string,
  seed: number,
  ticks: number,
  nulls: boolean,
  unit: bigint,
): [freed: Figures[], kept: Figures[]] {
  const random = new Random(seed);
  const { plan } = planQuery(bindSql(sql, RELATIONS, 'view'), { mode: 'view', timeZone: ZONE });
  const whole = { ...plan, nodes: plan.nodes.map((node) => ({ ...node, frees: undefined })) };
  const store = new MemoryColdStore();
  cold.store = store;
  const runs = [new Run(plan), new Run(whole)];
  const figures: [Figures[], Figures[]] = [[], []];
  const sources = new Map<number, Source>([1, 2, 3].map((oid) => [oid, { clock: START, watermark: null }]));
  const side: Datum[][] = [];
  for (let tick = 1; tick <= ticks; tick++) {
    const reached = new Map([...sources].map(([oid, s]) => [oid, s.watermark]));
    // A source may be silent for long while the others go on.
    // One that is far ahead waits for the others: what pairs their rows is bounded by how far they are apart.
    const behind = [...sources.values()].reduce((a, b) => (b.clock < a.clock ? b : a)).clock;
    const times = (oid: number) => {
      const source = sources.get(oid)!;
      const held = source.clock > behind + 30n * unit;
      return held || random.chance(0.3) ? [] : accept(random, source, nulls, unit);
    };
    const few = (n: number): Datum => (nulls && random.chance(0.1) ? null : BigInt(random.below(n)));
    const rows = new Map<number, [Datum[], number][]>([
      [1, times(1).map((ts) => [[few(3), few(4), ts, random.chance(0.5) ? 'a' : 'a word of many letters'], 1])],
      [
        2,
        times(2).map((ts) => {
          const end = typeof ts === 'bigint' && ts >= 0n ? ts + BigInt(random.below(20)) * unit : null;
          return [[few(3), ts, end], 1];
        }),
      ],
      [3, times(3).map((ts) => [[few(3), ts], 1])],
      [4, sideChanges(random, side, unit)],
    ]);
    const [freed, kept] = runs.map((run) => run.tick(tick, rows, reached));
    assert.deepEqual(freed, kept, `tick ${tick} of SEED=${seed}`);
    assert.deepEqual(runs[0].errors.texts(), runs[1].errors.texts(), `errors, tick ${tick} of SEED=${seed}`);
    for (const source of sources.values()) {
      const next = source.clock - DELAY * unit;
      if (source.watermark === null || next > source.watermark) source.watermark = next;
    }
    if (tick % 7 === 0) runs[0].reload();
    if (tick % 20 !== 0) continue;
    runs.forEach((run, i) => {
      figures[i].push({ rows: run.stateRows(), bytes: run.stateBytes() });
    });
  }
  for (const run of runs) run.release();
  assert.equal(store.places, 0);
  cold.store = null;
  return figures;
}

const seed = testSeed();

for (const [sql, growth, unit] of CASES) {
  test(`${sql} (SEED=${seed})`, () => {
    const used = pages.usedPages;
    compare(sql, seed, 40, true, unit);
    const [freed, kept] = compare(sql, seed + 1, 100, false, unit);
    assert.equal(pages.usedPages, used);
    const last = freed.length - 1;
    if (growth === 'never') {
      assert.deepEqual(freed, kept);
      return;
    }
    assert.ok(freed[last].rows * 1.3 < kept[last].rows, `${freed[last].rows} rows are kept of ${kept[last].rows}`);
    if (growth !== 'bounded') return;
    const most = (values: Figures[], of: keyof Figures): number => Math.max(...values.map((f) => f[of]));
    const [early, late] = [freed.slice(0, 3), freed.slice(3)];
    assert.ok(most(late, 'rows') <= 2 * most(early, 'rows') + 20, `rows: ${freed.map((f) => f.rows).join(' ')}`);
    assert.ok(most(late, 'bytes') <= 2 * most(early, 'bytes') + 4096, `bytes: ${freed.map((f) => f.bytes).join(' ')}`);
  });
}
