import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from './batch/arena.ts';
import { batchFromRows } from './batch/builder.ts';
import { pages } from './batch/pages.ts';
import { type Datum, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from './datum.ts';
import type { Tick } from './operator.ts';
import type { PlanNode } from './plan.ts';
import { MergedSessionOperator } from './session_merged.ts';
import { inOrder, partitions } from './testing/naive_order.ts';
import { Bag, checkOperator, Random, testSeed } from './testing/property.ts';
import { colType, OID } from './types.ts';

const seed = testSeed();
const time = colType(OID.timestamp);
const types = [colType(OID.int4), time, colType(OID.text)];
const gap = 10n;

function row(_input: number, random: Random): Datum[] {
  const infinite = random.pick([null, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY]);
  return [
    random.pick([null, 1, 2]),
    random.below(8) === 0 ? infinite : BigInt(random.below(200) - 100),
    random.pick([null, 'a', 'a text longer than twelve bytes']),
  ];
}

function naive(rows: Datum[][], keys: number[]): Datum[][] {
  const known = rows.filter((r) => r[1] !== null && r[1] !== TIMESTAMP_INFINITY && r[1] !== TIMESTAMP_NEG_INFINITY);
  return partitions(known, keys, types).flatMap((group) => {
    const sorted = inOrder(group, [{ col: 1, desc: false, nullsFirst: false }], types);
    const sessions: Datum[][][] = [];
    for (const r of sorted) {
      const session = sessions[sessions.length - 1];
      const last = session?.[session.length - 1];
      if (last !== undefined && (r[1] as bigint) - gap <= (last[1] as bigint)) session.push(r);
      else sessions.push([r]);
    }
    return sessions.flatMap((session) => {
      const end = (session[session.length - 1][1] as bigint) + gap;
      return session.map((r) => [...r, session[0][1], end]);
    });
  });
}

for (const keys of [[0], [], [0, 2]]) {
  test(`session windows by ${keys.length} keys`, () => {
    const node: PlanNode & { op: 'session' } = {
      op: 'session',
      inputs: [],
      types: [...types, time, time],
      names: ['k', 'time', 't', 'window_start', 'window_end'],
      time: 1,
      gap,
      keys,
    };
    checkOperator({ node, inputTypes: [types], row, naive: ([rows]) => naive(rows, keys) }, seed);
  });
}

for (const counted of [false, true]) {
  test(`sessions of rows that never go, their rows ${counted ? 'counted' : 'merged'}`, () => {
    for (const keys of [[0], [], [0, 2]]) {
      const inputTypes = keys.includes(2) ? types : types.filter((_, c) => keys.includes(c) || c === 1);
      const columns = types.map((_, c) => c).filter((c) => keys.includes(c) || c === 1);
      const node: PlanNode & { op: 'session' } = {
        op: 'session',
        inputs: [],
        types: [...inputTypes, time, time, ...(counted ? [colType(OID.int8)] : [])],
        names: [...columns.map((c) => ['k', 'time', 't'][c]), 'window_start', 'window_end', ...(counted ? ['n'] : [])],
        time: columns.indexOf(1),
        gap,
        keys: keys.map((k) => columns.indexOf(k)),
        merged: true,
        counted,
      };
      const picked = (r: Datum[]) => columns.map((c) => r[c]);
      checkOperator(
        {
          node,
          inputTypes: [inputTypes],
          appendOnly: true,
          row: (input, random) => picked(row(input, random)),
          naive: ([rows]) => {
            const whole = rows.map((r) => types.map((_, c) => (columns.includes(c) ? r[columns.indexOf(c)] : null)));
            const shown = naive(whole, keys).map((r) => [...columns.map((c) => (c === 1 ? r[3] : r[c])), r[3], r[4]]);
            return counted ? withCounts(shown) : shown;
          },
        },
        seed,
      );
    }
  });
}

test('sessions of many rows and of months, which no slot can hold', () => {
  const random = new Random(seed);
  const long = 2n ** 39n;
  const node: PlanNode & { op: 'session' } = {
    op: 'session',
    inputs: [],
    types: [types[0], time, time, time, colType(OID.int8)],
    names: ['k', 'time', 'window_start', 'window_end', 'n'],
    time: 1,
    gap: long,
    keys: [0],
    merged: true,
    counted: true,
  };
  const used = pages.usedPages;
  for (let round = 0; round < 20; round++) {
    const arena = new Arena();
    const sessions = new MergedSessionOperator(node, types.slice(0, 2));
    const rows: { key: number; at: bigint; weight: number }[] = [];
    const shown = new Bag();
    for (let tick = 0; tick < 12; tick++) {
      const fresh = Array.from({ length: random.below(6) }, () => ({
        key: random.below(3),
        at: BigInt(random.below(60) - 30) * (long / 4n),
        weight: random.pick([1, 2, 2 ** 21, 2 ** 22 - 1, 2 ** 22]),
      }));
      rows.push(...fresh);
      const data = fresh.map(({ key, at }): Datum[] => [key, at]);
      const weights = fresh.map(({ weight }) => weight);
      const out = sessions.step([batchFromRows(types.slice(0, 2), data, arena, weights)], { arena } as Tick);
      shown.addBatch(out);
      const wanted = new Bag();
      for (const key of [0, 1, 2]) {
        const own = rows.filter((r) => r.key === key).sort((a, b) => Number(a.at - b.at));
        for (let first = 0; first < own.length; ) {
          let last = first;
          while (last + 1 < own.length && own[last + 1].at - own[last].at <= long) last++;
          const n = own.slice(first, last + 1).reduce((sum, r) => sum + r.weight, 0);
          wanted.add([key, own[first].at, own[first].at, own[last].at + long, BigInt(n)], 1);
          first = last + 1;
        }
      }
      assert.deepEqual(shown.texts(), wanted.texts());
      const whole = sessions.integral({ arena } as Tick);
      const all = new Bag();
      all.addBatch(whole);
      assert.deepEqual(all.texts(), wanted.texts());
      sessions.endTick();
      arena.reset();
    }
    sessions.release();
    arena.release();
  }
  assert.equal(pages.usedPages, used);
});

/** Each different row once, with how often it is there. */
function withCounts(rows: Datum[][]): Datum[][] {
  const bag = new Bag();
  for (const r of rows) bag.add(r, 1);
  return [...bag.rows.values()].map(({ row: r, weight }) => [...r, BigInt(weight)]);
}
