/**
 * Monotone columns hold: rows are accepted from the watermark on, and then every change of the result, insertion or retraction, has
 * its monotone columns at or above watermark - lag (above it when strict).
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows, readRow, weightOf } from '../../operators/batch/builder.ts';
import { Dataflow } from '../../operators/dataflow.ts';
import type { Datum } from '../../operators/datum.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { structureText } from '../logical/expressions.ts';

import { initParser } from '../parse/parse.ts';
import { planQuery } from '../physical/index.ts';
import { bindSql, isMissing, testRelation } from '../physical/test_sql.ts';

const SECOND = 1000000n;
const DELAY = 4n * SECOND;
const BID = testRelation(1, 'bid', 'auction int8, price int8, ts timestamp', {
  watermark: { column: 2, delay: DELAY },
});
const AUCTION = testRelation(2, 'auction', 'id int8, ts timestamp, expires timestamp', {
  watermark: { column: 1, delay: DELAY },
});
const RELATIONS = [BID, AUCTION];

const QUERIES: [sql: string, monotone: string[]][] = [
  ['select ts, price from bid', ['ts']],
  ["select ts + interval '3 s' as later, ts - interval '1 s' as sooner from bid", ['later', 'sooner']],
  ["select date_trunc('minute', ts) as m, count(*) from bid group by 1", ['m']],
  ["select date_bin('5 s', ts, '2000-01-01') as b, max(price) from bid group by 1", ['b']],
  [
    "select window_start, window_end, count(*) from tumble(bid, ts, interval '10 s') group by 1, 2",
    ['window_start', 'window_end'],
  ],
  [
    "select window_start, auction, count(*) from hop(bid, ts, interval '2 s', interval '10 s') group by 1, 2",
    ['window_start'],
  ],
  ["select window_end, sum(price) from cumulate(bid, ts, interval '2 s', interval '10 s') group by 1", ['window_end']],
  [
    "select window_start, window_end, count(*) from session(bid, ts, interval '3 s', auction) group by auction, 1, 2",
    ['window_end'],
  ],
  ["select distinct window_end from tumble(bid, ts, interval '10 s')", ['window_end']],
  ['select a.ts as t, b.ts as u from auction a join bid b on id = auction and a.ts = b.ts', ['t', 'u']],
  ['select a.ts as t, b.ts as u from auction a join bid b on id = auction', []],
  ['select a.ts as t, b.ts as u from auction a left join bid b on id = auction and a.ts = b.ts', ['t']],
  ['select ts from bid b where exists (select 1 from auction a where a.ts = b.ts)', ['ts']],
  [
    "select a.ts as t, b.ts as u from auction a join bid b on id = auction and b.ts between a.ts and a.ts + interval '3 s'",
    ['t', 'u'],
  ],
  [
    "select a.ts as t, b.ts as u from auction a left join bid b on id = auction and b.ts between a.ts and a.ts + interval '3 s'",
    ['t'],
  ],
  [
    "select a.ts as t, b.ts as u from auction a right join bid b on id = auction and b.ts > a.ts - interval '1 s' and b.ts < a.ts + interval '3 s'",
    ['u'],
  ],
  [
    "select a.ts as t, b.ts as u from auction a full join bid b on id = auction and b.ts between a.ts and a.ts + interval '3 s'",
    [],
  ],
  // Only the bid is never much before the auction.
  ["select a.ts as t, b.ts as u from auction a join bid b on id = auction and b.ts >= a.ts - interval '2 s'", ['u']],
  ['select a.ts as t, b.ts as u from auction a join bid b on id = auction and b.ts between a.ts and a.expires', ['u']],
  [
    "select ts from auction a where not exists (select 1 from bid b where id = auction and b.ts between a.ts and a.ts + interval '3 s')",
    ['ts'],
  ],
  [
    "select a.ts as t, b.ts as u, c.ts as v from auction a left join bid b on id = b.auction and b.ts between a.ts and a.ts + interval '3 s' left join bid c on id = c.auction and c.ts between a.ts and a.ts + interval '6 s'",
    ['t'],
  ],
  ['select ts from bid union all select ts from auction', ['ts']],
  ['select ts from bid union select ts from auction', ['ts']],
  ['select ts from bid except select ts from auction', ['ts']],
  [
    'select ts, rn from (select *, row_number() over (partition by ts order by price, auction) rn from bid) q where rn <= 2',
    ['ts'],
  ],
  [
    'select ts from (select *, row_number() over (partition by auction order by price, ts) rn from bid) q where rn <= 2',
    [],
  ],
  ['select ts, sum(price) over (partition by ts) from bid', ['ts']],
  ['select ts, lag(price) over w, row_number() over w from bid window w as (partition by auction order by ts)', ['ts']],
  ['select ts, sum(price) over (partition by auction order by ts, price) from bid', ['ts']],
  ['select ts, rank() over (order by ts), avg(price) over (order by ts rows 2 preceding) from bid', ['ts']],
  [
    "select ts, count(*) over (partition by auction order by ts range between interval '9 s' preceding and interval '2 s' following) from bid",
    ['ts'],
  ],
  [
    "select ts from (select *, max(price) over (partition by auction order by ts range interval '1 s' preceding exclude ties) m from bid) q where m > 1",
    ['ts'],
  ],
  ['select ts, lead(price) over (partition by auction order by ts) from bid', []],
  ['select ts, lag(price, -1) over (partition by auction order by ts) from bid', []],
  ['select ts, lag(price) over (partition by auction order by ts desc) from bid', []],
  ['select ts, lag(price) over (partition by auction order by ts nulls first) from bid', []],
  ['select ts, lag(price) over (partition by auction order by price, ts) from bid', []],
  ['select ts, sum(price) over (order by ts rows between current row and 1 following) from bid', []],
  ['select ts, sum(price) over (partition by auction) from bid', []],
  ['select ts, percent_rank() over (order by ts) from bid', []],
  ['select expires from auction', []],
];

before(() => initParser());

interface Source {
  clock: bigint;
  watermark: bigint | null;
}

/** A few rows at or above the watermark. */
function accept(random: Random, source: Source): bigint[] {
  return Array.from({ length: random.below(6) }, () => {
    const low = source.watermark ?? source.clock;
    const time = low + BigInt(random.below(20)) * (SECOND / 2n);
    if (time > source.clock) source.clock = time;
    return time;
  });
}

const seed = testSeed();

for (const [sql, expected] of QUERIES) {
  test(`${sql} (SEED=${seed})`, (t) => {
    const random = new Random(seed);
    const query = planQuery(bindSql(sql, RELATIONS, 'view'), { mode: 'view' });
    const facts = query.facts[query.plan.root].monotone;
    const found = query.columns.filter((_, i) => facts[i] !== null).map((c) => c.name);
    assert.deepEqual(found, expected);
    let flow: Dataflow;
    try {
      flow = new Dataflow(query.plan);
    } catch (error) {
      if (!isMissing(error)) throw error;
      t.diagnostic((error as Error).message);
      return;
    }
    const arena = new Arena();
    const sources = new Map<number, Source>(RELATIONS.map((r) => [r.oid, { clock: 0n, watermark: null }]));
    for (let tick = 0; tick < 40; tick++) {
      const reached = new Map([...sources].map(([oid, s]) => [oid, s.watermark]));
      const rows = new Map<number, Datum[][]>([
        [1, accept(random, sources.get(1)!).map((ts) => [BigInt(random.below(3)), BigInt(random.below(4)), ts])],
        [2, accept(random, sources.get(2)!).map((ts) => [BigInt(random.below(3)), ts, ts + SECOND])],
      ]);
      const delta = (oid: number) => {
        const columns = RELATIONS.find((r) => r.oid === oid)!.columns.map((c) => c.type);
        return batchFromRows(columns, rows.get(oid)!, arena);
      };
      const out = flow.step(delta, {
        number: BigInt(tick),
        arena,
        evalContext: defaultContext(),
        errors: { report: (error) => assert.fail(error.message) },
        now: 0n,
        watermark: (oid) => reached.get(oid) ?? null,
      });
      const change = new Map<string, { row: Datum[]; weight: number }>();
      for (let i = 0; i < out.n; i++) {
        const row = readRow(out, i);
        const key = structureText(row);
        change.set(key, { row, weight: (change.get(key)?.weight ?? 0) + weightOf(out, i) });
      }
      for (const { row, weight } of change.values()) {
        if (weight === 0) continue;
        facts.forEach((fact, c) => {
          if (fact === null || row[c] === null) return;
          const marks = fact.sources.map((oid) => reached.get(oid) ?? null);
          if (marks.includes(null)) return;
          const [mark] = (marks as bigint[]).sort((a, b) => (a < b ? -1 : 1));
          const least = mark - fact.lag;
          const value = row[c] as bigint;
          assert.ok(
            fact.strict ? value > least : value >= least,
            `tick ${tick}: ${query.columns[c].name} ${value} below ${least}`,
          );
        });
      }
      flow.endTick();
      arena.reset();
      for (const source of sources.values()) {
        const next = source.clock - DELAY;
        if (source.watermark === null || next > source.watermark) source.watermark = next;
      }
    }
    flow.release();
    arena.release();
  });
}
