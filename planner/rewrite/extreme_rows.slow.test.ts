/**
 * The joins that become a Top-N (extreme_rows.ts), over streams: after every tick the operators' rows are those that the reference interpreter gives for
 * the plan as it was bound. Times cluster around the ends of windows, values tie; some are NULL.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Datum } from '../../operators/datum.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';

import { initParser } from '../parse/parse.ts';
import { planQuery } from '../physical/index.ts';
import { bindSql, interpret, runPlan, testRelation } from '../physical/test_sql.ts';

const SECOND = 1000000n;
const ROUNDS = Number(process.env.ROUNDS ?? 6);
const BID = testRelation(1, 'bid', 'auction int8, price int8, ts timestamp, word text', {
  watermark: { column: 2, delay: 4000000n },
});
const ZONED = testRelation(2, 'zoned', 'auction int8, price int8, ts timestamptz, word text', {
  watermark: { column: 2, delay: 4000000n },
});
const RELATIONS = [BID, ZONED];

/** `plan`: the joins and Top-Ns that it is planned as. */
const QUERIES: [name: string, sql: string, plan: string][] = [
  [
    'the highest of a window, bounded by its end',
    "select b.* from bid b join (select max(price) m, window_end e from tumble(bid, ts, interval '10 s') group by window_end) x on b.price = x.m where b.ts between x.e - interval '10 s' and x.e",
    'join topn',
  ],
  [
    'the least of a window, bounded by its start, the extremes first',
    "select b.*, x.m, x.s from (select min(price) m, window_start s from tumble(zoned, ts, interval '10 s') group by window_start) x join zoned b on b.price = x.m and b.ts >= x.s and b.ts <= x.s + interval '10 s'",
    'join topn',
  ],
  [
    'no window but its own can match',
    "select b.*, x.m from bid b join (select max(price) m, window_start s, window_end e from tumble(bid, ts, interval '10 s') group by window_start, window_end) x on b.price = x.m where b.ts > x.s and b.ts < x.e",
    'join topn',
  ],
  [
    'per key and window',
    "select b.*, x.m from bid b join (select max(price) m, auction a, window_end e from tumble(bid, ts, interval '10 s') group by auction, window_end) x on b.price = x.m and b.auction = x.a where b.ts between x.e - interval '10 s' and x.e",
    'join topn',
  ],
  [
    'hopping windows',
    "select b.*, x.e from bid b join (select max(price) m, window_end e from hop(bid, ts, interval '5 s', interval '10 s') group by window_end) x on b.price = x.m where b.ts between x.e - interval '10 s' and x.e",
    'join topn',
  ],
  [
    'bounds that reach other windows',
    "select b.*, x.e from bid b join (select max(price) m, window_end e from tumble(bid, ts, interval '10 s') group by window_end) x on b.price = x.m where b.ts between x.e - interval '11 s' and x.e",
    'join',
  ],
  [
    'the busiest of a window',
    "select a.auction, a.n, a.s, x.m from (select auction, count(*) n, window_start s from hop(bid, ts, interval '5 s', interval '10 s') group by window_start, auction) a join (select max(n) m, s from (select count(*) n, window_start s from hop(bid, ts, interval '5 s', interval '10 s') group by auction, window_start) q group by s) x on a.s = x.s and a.n >= x.m",
    'topn',
  ],
  [
    'the least of the greatest, which grow the wrong way',
    'select a.auction, a.n from (select auction, word, max(price) n from bid group by auction, word) a join (select min(n) m, word from (select auction, word, max(price) n from bid group by auction, word) q group by word) x on a.word = x.word and a.n = x.m',
    'join',
  ],
  [
    'the greatest of the greatest, of all',
    'select a.auction, a.n, x.m from (select auction, max(price) n from bid group by auction) a join (select max(n) m from (select auction, max(price) n from bid group by auction) q) x on a.n = x.m',
    'topn',
  ],
  [
    'by key',
    'select b.*, x.m, x.w from bid b join (select max(price) m, word w from bid group by word) x on b.word = x.w and b.price = x.m',
    'topn',
  ],
  [
    'by expressions, filtered alike, with another condition',
    "select b.p, x.m from (select price + 1 p, auction % 2 k, ts from bid where word <> 'c') b join (select min(p) m, k from (select auction % 2 k, price + 1 p from bid where word <> 'c') q group by k) x on b.k = x.k and b.p <= x.m and b.ts < '2000-01-01 00:00:21'",
    'join',
  ],
  [
    'filtered otherwise',
    'select b.*, x.m from bid b join (select max(price) m, word w from bid where auction > 1 group by word) x on b.word = x.w and b.price = x.m',
    'join',
  ],
  [
    'the greatest text of all',
    'select b.auction, b.word, x.m from bid b join (select max(word) m from bid) x on b.word = x.m',
    'topn',
  ],
];

const seed = testSeed();

before(() => initParser());

function randomRow(random: Random): Datum[] {
  const time = (): bigint => BigInt(random.below(4)) * 5n * SECOND + BigInt(random.below(3)) * (SECOND - 1n);
  return [
    BigInt(random.below(3)),
    random.chance(0.1) ? null : BigInt(random.below(4)),
    random.chance(0.1) ? null : time(),
    random.chance(0.1) ? null : 'abc'[random.below(3)],
  ];
}

for (const [name, sql, ops] of QUERIES) {
  test(`${name} (SEED=${seed})`, () => {
    const query = bindSql(sql, RELATIONS, 'view');
    const { plan } = planQuery(query, { mode: 'view' });
    const planned = plan.nodes.flatMap((n) => (n.op === 'join' || n.op === 'topn' ? [n.op] : []));
    assert.equal(planned.sort().join(' '), ops);
    const cols = query.columns.map((c) => c.col);
    for (let round = 0; round < ROUNDS; round++) {
      const random = new Random(seed + round);
      const ticks = Array.from({ length: 5 }, () =>
        Array.from({ length: random.below(8) }, (): [number, Datum[], number] => [
          1 + random.below(2),
          randomRow(random),
          1 + random.below(2),
        ]),
      );
      for (let n = 1; n <= ticks.length; n++) {
        const seen = ticks.slice(0, n);
        const rows = (oid: number) =>
          seen.flat().flatMap(([o, row, weight]) => (o === oid ? Array<Datum[]>(weight).fill(row) : []));
        const wanted = interpret(query.plan, cols, new Map([1, 2].map((oid) => [oid, rows(oid)])));
        const found = runPlan(plan, cols.length, RELATIONS, seen);
        assert.deepEqual(found, wanted, `SEED=${seed + round}, tick ${n}`);
      }
    }
  });
}
