/**
 * A bound that goes over from one side of a join to the other leaves the query's rows as they are: at any time of the clock, for rows around it, without a time, and
 * from both ends of the calendar. Each query says how many bounds are derived for it, so that none is lost unseen and none comes up where nothing follows.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type Datum, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from '../../operators/datum.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { requireZone, toLocal } from '../../operators/expr/datetime/time_zone.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { evaluatePlan } from '../logical/evaluate.ts';
import { conjuncts, someExpr, structureText } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { visitPlan } from '../logical/walk.ts';
import { initParser } from '../parse/parse.ts';
import { bindSql, testRelation } from '../physical/test_sql.ts';
import { carryClock } from './carry_clock.ts';
import { decorrelate } from './decorrelate/index.ts';
import { expandGroupingSets } from './expand_grouping_sets.ts';
import { pushFilters } from './push_filters.ts';
import { isClock, temporalFilters } from './temporal_filter.ts';
import { uniqueIds } from './unique_ids.ts';

const HOUR = 3_600_000_000n;
/** Two days before the clocks of Berlin go forward in 2000. */
const START = 84n * 24n * HOUR;

const stream = { appendOnly: true };
const RELATIONS = [
  testRelation(1, 'o', 'id int4, at timestamptz, ends timestamptz, local timestamp', stream),
  testRelation(2, 'p', 'id int4, at timestamptz, local timestamp', stream),
  testRelation(3, 's', 'id int4, at timestamptz, local timestamp', stream),
  testRelation(4, 't', 'id int4, at timestamptz'),
];

const RECENT = "o.at > now() - interval '1 hour'";
const NEAR = "p.at between o.at - interval '5 min' and o.at + interval '10 min'";

const QUERIES: [sql: string, derived: number][] = [
  [`select o.id, p.at from o join p on o.id = p.id where ${RECENT}`, 0],
  [`select o.id, p.at from o join p on o.id = p.id and o.at = p.at where ${RECENT}`, 1],
  [`select o.id, p.at from o join p on o.id = p.id and ${NEAR} where ${RECENT}`, 1],
  [`select o.id, p.at from o join p on ${NEAR} where p.at >= now() - interval '90 min'`, 1],
  [`select o.id, p.at from o join p on o.id = p.id and p.at >= o.at where ${RECENT}`, 1],
  [`select o.id, p.at from o join p on o.id = p.id and p.at <= o.at where ${RECENT}`, 0],
  [`select o.id, p.at from o join p on o.id = p.id and p.at >= o.at where o.at < now() - interval '1 hour'`, 0],
  [`select o.id, p.at from o join p on o.id = p.id and p.at between o.at and o.ends where p.at > now()`, 1],
  [`select o.id, p.at from o left join p on o.id = p.id and ${NEAR} where ${RECENT}`, 1],
  [`select o.id, p.at from o left join p on o.id = p.id and ${NEAR} and p.at > now() - interval '1 hour'`, 0],
  [`select o.id, p.at from p right join o on o.id = p.id and ${NEAR} where ${RECENT}`, 1],
  [`select o.id, p.at from o full join p on o.id = p.id and o.at = p.at`, 0],
  [`select o.id, p.at from o full join p on o.id = p.id and ${NEAR} where ${RECENT}`, 1],
  [`select o.id from o where ${RECENT} and exists (select 1 from p where p.id = o.id and ${NEAR})`, 1],
  [
    `select o.id from o where exists (select 1 from p where p.id = o.id and ${NEAR} and p.at > now() - interval '5 min')`,
    1,
  ],
  [`select o.id from o where ${RECENT} and not exists (select 1 from p where p.id = o.id and ${NEAR})`, 1],
  [`select o.id from o where not exists (select 1 from p where p.id = o.id and ${NEAR} and p.at > now())`, 0],
  [`select o.id from o where ${RECENT} and o.id in (select id from p where ${NEAR})`, 1],
  [`select o.id from o where ${RECENT} and o.id not in (select id from p where ${NEAR})`, 1],
  [`select o.id from o where ${RECENT} and o.at in (select at from p)`, 1],
  // On from there, past joins of other kinds, and back.
  [
    `select o.id from o join p on o.id = p.id and p.at >= o.at join s on s.id = p.id and s.at >= p.at where ${RECENT}`,
    2,
  ],
  [
    `select o.id from o join p on o.id = p.id and ${NEAR} join s on s.id = p.id and p.at >= s.at - interval '1 min' where s.at > now() - interval '90 min'`,
    2,
  ],
  [
    `select o.id, s.id from o left join p on o.id = p.id and p.at >= o.at left join s on s.id = p.id and s.at >= p.at where ${RECENT}`,
    2,
  ],
  [
    `select o.id, s.id from o left join p on o.id = p.id and o.at = p.at join s on s.at = p.at where s.at > now() - interval '1 h'`,
    2,
  ],
  // A contradiction comes to an end.
  [`select o.id from o join p on o.at < p.at - interval '5 min' and p.at < o.at - interval '5 min' where ${RECENT}`, 2],
  // Times that are cut down.
  [`select o.id from o join p on date_trunc('hour', o.at) = date_trunc('hour', p.at) where ${RECENT}`, 1],
  [
    `select o.id, n from o join (select date_trunc('minute', at) m, count(*) n from p group by 1) x on x.m = date_trunc('minute', o.at) where ${RECENT}`,
    1,
  ],
  [
    `select o.id, n from o join (select date_bin('10 min', at, '2000-01-01') m, count(*) n from p group by 1) x on o.at >= x.m and o.at < x.m + interval '10 min' where ${RECENT}`,
    1,
  ],
  [
    `select a.id from tumble(o, at, interval '10 min') a join tumble(p, at, interval '10 min') b on a.id = b.id and a.window_start = b.window_start where a.at > now() - interval '1 h'`,
    1,
  ],
  [
    `select a.id from hop(o, at, interval '5 min', interval '10 min') a join hop(p, at, interval '5 min', interval '10 min') b on a.window_end = b.window_end where a.at > now()`,
    1,
  ],
  [`select a.at from (select at from o union all select at from s) a join p on p.at = a.at where a.at > now()`, 1],
  [`select a.at from (select at from p union select at from s) a join o on o.at = a.at where ${RECENT}`, 2],
  // Its own bound is narrow enough, or is not.
  [`select o.id from o join p on o.id = p.id and ${NEAR} where ${RECENT} and p.at > now() - interval '10 min'`, 1],
  [`select o.id from o join p on o.id = p.id and ${NEAR} where ${RECENT} and p.at > now() - interval '1 day'`, 1],
  [`select o.id from o join p on o.id = p.id and o.at = p.at where ${RECENT} and p.at > now() - interval '1 hour'`, 0],
  // Tables have their own size, groups theirs. Where a condition may fail, pairs out of reach may be errors.
  [`select o.id from o join t on o.id = t.id and o.at = t.at where ${RECENT}`, 0],
  [
    `select o.id from o join (select id, max(at) m from p group by id) x on x.id = o.id and x.m >= o.at where ${RECENT}`,
    0,
  ],
  [`select o.id from o join p on o.at = p.at and 10 / p.id > 1 + o.id where ${RECENT}`, 0],
  // Steps of the clock, days, local times.
  [`select o.id from o join p on o.at = p.at where o.at >= current_date`, 1],
  [`select o.id from o join p on o.at = p.at where date_trunc('month', o.at) = date_trunc('month', now())`, 1],
  [`select o.id from o join p on o.at = p.at where o.at > date_trunc('hour', now()) - interval '90 min'`, 1],
  [`select o.id from o join p on p.at >= o.at - interval '1 day' where o.at > now() - interval '1 day'`, 1],
  [`select o.id from o join p on p.local >= o.local - interval '1 min' where o.local > now() - interval '1 hour'`, 1],
];

before(() => initParser());

/** `ends`: some times are the last moment of the calendar and the first one. Conditions that move those fail. */
function rowsAround(random: Random, now: bigint, columns: string[], ends: boolean): Datum[][] {
  const time = (): Datum => {
    if (random.chance(0.06)) return null;
    if (random.chance(0.03)) return random.chance(0.5) ? TIMESTAMP_INFINITY : TIMESTAMP_NEG_INFINITY;
    if (ends && random.chance(0.06)) return random.chance(0.5) ? 9_223_371_331_199_999_999n : -211_813_488_000_000_000n;
    const unit = [1n, HOUR / 60n, 3n * (HOUR / 60n), HOUR, 12n * HOUR][random.below(5)];
    return now - HOUR + BigInt(random.below(13) - 6) * unit;
  };
  return Array.from({ length: 14 }, () => columns.map((c) => (c === 'id' ? random.below(3) : time())));
}

function conditionsOnTheClock(plan: Logical): number {
  let found = 0;
  visitPlan(plan, (p) => {
    if (p.op === 'filter') found += conjuncts(p.predicate).filter((e) => someExpr(e, isClock)).length;
  });
  return found;
}

const bag = (rows: Datum[][]): string[] => rows.map((r) => structureText(r)).sort();
const seed = testSeed();

for (const timeZone of ['UTC', 'Europe/Berlin']) {
  for (const [i, [sql, derived]] of QUERIES.entries()) {
    if (timeZone !== 'UTC' && /current_date|date_trunc\('(month|hour)', now/.test(sql)) continue;
    test(`${timeZone}: ${sql}`, () => {
      const plan = uniqueIds(bindSql(sql, RELATIONS, 'view').plan).plan;
      const pushed = pushFilters(decorrelate(pushFilters(expandGroupingSets(plan))));
      const carried = carryClock(pushed, timeZone);
      assert.equal(conditionsOnTheClock(carried) - conditionsOnTheClock(pushed), derived);
      temporalFilters(carried, { timeZone });
      let rows = 0;
      const contradicts = sql.includes("p.at < o.at - interval '5 min'");
      // Few of the seeds give no pair in so many rounds to the narrowest of the queries.
      for (let round = 0; round < 25 || (rows === 0 && !contradicts && round < 500); round++) {
        const random = new Random(seed + 1000 * i + round);
        const now = START + BigInt(random.below(72)) * HOUR + BigInt(random.below(60)) * (HOUR / 60n);
        const tables = new Map(
          RELATIONS.map((r) => [
            r.oid,
            rowsAround(
              random,
              now,
              r.columns.map((c) => c.name),
              r.name === 'p' && timeZone === 'UTC',
            ),
          ]),
        );
        const context = defaultContext({ timeZone, now });
        const expected = evaluatePlan(pushed, { tables, context });
        const found = evaluatePlan(carried, { tables, context });
        assert.deepEqual(bag(found.rows), bag(expected.rows), `round ${round}`);
        rows += expected.rows.length;
      }
      assert.equal(rows > 0, !contradicts);
    });
  }
}

/** Times of UTC, or microseconds since 2000; `local` of them are those of the zone. Each pair of rows matches at the time of the clock. */
const CHANGED_OFFSETS: [what: string, zone: string, now: string, sql: string, o: string, p: string][] = [
  [
    'days over the date line',
    'Pacific/Apia',
    '2012-01-08 10:30',
    "select 1 from o join p on p.at >= o.at + interval '130 days' where o.at > now() - interval '3096 hours'",
    '2011-09-01 11:00',
    '2012-01-08 10:00',
  ],
  [
    'local times over the date line',
    'Pacific/Apia',
    '2012-01-08 10:30',
    "select 1 from o join p on p.local >= o.local + interval '130 days' where o.local > now() - interval '3096 hours'",
    '2011-09-01 11:00',
    '2012-01-08 10:00',
  ],
  [
    'the clock moved by days over the date line',
    'Pacific/Apia',
    '2011-09-01 10:30',
    "select 1 from o join p on p.at = o.at where o.at > now() + interval '130 days'",
    '2012-01-08 10:00',
    '2012-01-08 10:00',
  ],
  // In the year 285000. Moved by 10000 years it would leave the calendar.
  [
    'a distance of 10000 years',
    'UTC',
    '2012-01-01 00:00',
    "select 1 from o join p on o.at >= p.at and p.at >= o.at - interval '3652425 days' where o.at > now()",
    '8930000000000000000',
    '8930000000000000000',
  ],
  // Midnight came twice: the day of the first half hour begins at the second one.
  [
    'a day that begins after its time',
    'Atlantic/Azores',
    '2000-10-29 01:45',
    "select 1 from o join p on date_trunc('day', p.at) >= o.at where o.at > now() - interval '1 hour'",
    '2000-10-29 00:59',
    '2000-10-29 00:30',
  ],
  [
    'a bound of a day that begins after its time',
    'Atlantic/Azores',
    '2000-10-29 01:45',
    "select 1 from o join p on p.at = o.at where date_trunc('day', o.at) > now() - interval '1 hour'",
    '2000-10-29 00:30',
    '2000-10-29 00:30',
  ],
];

for (const [what, timeZone, now, sql, o, p] of CHANGED_OFFSETS) {
  test(`${timeZone}: ${what}`, () => {
    const zone = requireZone(timeZone);
    const at = (utc: string): bigint =>
      /^\d+$/.test(utc) ? BigInt(utc) : BigInt(Date.parse(`${utc}Z`) - Date.UTC(2000, 0, 1)) * 1000n;
    const tables = new Map<number, Datum[][]>([
      [1, [[1, at(o), null, toLocal(zone, at(o))]]],
      [2, [[1, at(p), toLocal(zone, at(p))]]],
    ]);
    const pushed = pushFilters(decorrelate(pushFilters(uniqueIds(bindSql(sql, RELATIONS, 'view').plan).plan)));
    const carried = carryClock(pushed, timeZone);
    temporalFilters(carried, { timeZone });
    const context = defaultContext({ timeZone, now: at(now) });
    assert.equal(evaluatePlan(pushed, { tables, context }).rows.length, 1, 'the rows match');
    assert.equal(evaluatePlan(carried, { tables, context }).rows.length, 1, 'and are found');
  });
}
