import { test } from 'node:test';
import { type Datum, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from './datum.ts';
import type { PlanNode } from './plan.ts';
import { inOrder, partitions } from './testing/naive_order.ts';
import { Bag, checkOperator, type Random, testSeed } from './testing/property.ts';
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

/** Each different row once, with how often it is there. */
function withCounts(rows: Datum[][]): Datum[][] {
  const bag = new Bag();
  for (const r of rows) bag.add(r, 1);
  return [...bag.rows.values()].map(({ row: r, weight }) => [...r, BigInt(weight)]);
}
