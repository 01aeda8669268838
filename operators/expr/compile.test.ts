import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { batchFromRows, readRow, weightOf } from '../batch/builder.ts';
import { type Datum, decimal, interval } from '../datum.ts';
import { MapOperator } from '../map.ts';
import { type ColType, colType, OID } from '../types.ts';
import { defaultContext } from './context.ts';
import './functions/index.ts';
import type { Expr } from './ir.ts';

const seed = Number(process.env.SEED ?? Date.now() % 1000000);
console.log(`# seed ${seed} (set SEED to replay)`);
let state = seed * 2 + 1;
function random(n: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 4294967296) * n);
}
const pick = <T>(list: readonly T[]): T => list[random(list.length)];

const types = [OID.int4, OID.int8, OID.float8, OID.numeric, OID.text, OID.bool, OID.timestamp, OID.int2].map((oid) =>
  colType(oid),
);

const values: Record<number, Datum[]> = {
  [OID.int2]: [null, 0, 1, -1, 32767, -32768, 7],
  [OID.int4]: [null, 0, 1, -1, 2147483647, -2147483648, 123, 46341],
  [OID.int8]: [
    null,
    0n,
    1n,
    -1n,
    9223372036854775807n,
    -9223372036854775808n,
    9007199254740993n,
    9007199254740991n,
    123456789012n,
  ],
  [OID.float8]: [
    null,
    0,
    -0,
    1.5,
    -2.25,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    1e308,
    5e-324,
  ],
  [OID.numeric]: [
    null,
    decimal(0n),
    decimal(908n, 3),
    decimal(-15n, 1),
    decimal(10n ** 30n, 2),
    { k: 'dec', m: 0n, s: 0, special: 'NaN' },
    decimal(9007199254740993n, 4),
  ],
  [OID.text]: [null, '', 'a', 'ab', 'a string that is rather long', 'a string that is rather lonh', 'ünï'],
  [OID.bool]: [null, true, false],
  [OID.timestamp]: [null, 0n, -1n, 820540800123456n, 9223372036854775807n, -9223372036854775808n],
  [OID.interval]: [interval(0, 1, 5n), interval(1, 0, 0n), interval(0, 0, -3600000000n)],
};

/** Functions by result type: name and argument types. */
const functions: [string, number, number[]][] = [
  ['int4pl(int4,int4)', OID.int4, [OID.int4, OID.int4]],
  ['int4mul(int4,int4)', OID.int4, [OID.int4, OID.int4]],
  ['int4div(int4,int4)', OID.int4, [OID.int4, OID.int4]],
  ['int8mi(int8,int8)', OID.int8, [OID.int8, OID.int8]],
  ['int8mul(int8,int8)', OID.int8, [OID.int8, OID.int8]],
  ['int8div(int8,int8)', OID.int8, [OID.int8, OID.int8]],
  ['mod(int8,int8)', OID.int8, [OID.int8, OID.int8]],
  ['int48pl(int4,int8)', OID.int8, [OID.int4, OID.int8]],
  ['int8(int4)', OID.int8, [OID.int4]],
  ['int2(int4)', OID.int2, [OID.int4]],
  ['numeric(int8)', OID.numeric, [OID.int8]],
  ['numeric_mul(numeric,numeric)', OID.numeric, [OID.numeric, OID.numeric]],
  ['numeric_add(numeric,numeric)', OID.numeric, [OID.numeric, OID.numeric]],
  ['float8pl(float8,float8)', OID.float8, [OID.float8, OID.float8]],
  ['float8mul(float8,float8)', OID.float8, [OID.float8, OID.float8]],
  ['float8div(float8,float8)', OID.float8, [OID.float8, OID.float8]],
  ['float8(int8)', OID.float8, [OID.int8]],
  ['int4lt(int4,int4)', OID.bool, [OID.int4, OID.int4]],
  ['int8ge(int8,int8)', OID.bool, [OID.int8, OID.int8]],
  ['int28eq(int2,int8)', OID.bool, [OID.int2, OID.int8]],
  ['float8gt(float8,float8)', OID.bool, [OID.float8, OID.float8]],
  ['numeric_le(numeric,numeric)', OID.bool, [OID.numeric, OID.numeric]],
  ['texteq(text,text)', OID.bool, [OID.text, OID.text]],
  ['text_lt(text,text)', OID.bool, [OID.text, OID.text]],
  ['timestamp_ge(timestamp,timestamp)', OID.bool, [OID.timestamp, OID.timestamp]],
  ['timestamp_pl_interval(timestamp,interval)', OID.timestamp, [OID.timestamp, OID.interval]],
  ['upper(text)', OID.text, [OID.text]],
  ['length(text)', OID.int4, [OID.text]],
];

function expression(oid: number, depth: number): Expr {
  const t = colType(oid);
  if (oid === OID.interval) return { k: 'const', v: pick(values[oid]), t };
  if (depth > 0 && random(4) > 0) {
    const choice = random(8);
    if (choice === 0) {
      const whens = [0, 1].map(() => ({ when: expression(OID.bool, depth - 1), then: expression(oid, depth - 1) }));
      return { k: 'case', whens, else: random(2) === 0 ? null : expression(oid, depth - 1), t };
    }
    if (choice === 1) return { k: 'coalesce', args: [expression(oid, depth - 1), expression(oid, depth - 1)], t };
    if (oid === OID.bool && choice < 6) {
      const arg = () => expression(OID.bool, depth - 1);
      switch (choice) {
        case 2:
          return { k: 'and', args: [arg(), arg(), arg()], t };
        case 3:
          return { k: 'or', args: [arg(), arg()], t };
        case 4:
          return { k: 'not', arg: arg(), t };
        default:
          return random(2) === 0
            ? { k: 'isnull', arg: expression(pick(types).oid, depth - 1), negated: random(2) === 0, t }
            : { k: 'istruth', arg: arg(), value: random(2) === 0, negated: random(2) === 0, t };
      }
    }
    const fits = functions.filter(([, result]) => result === oid);
    if (fits.length > 0) {
      const [fn, , args] = pick(fits);
      return { k: 'call', fn, args: args.map((a) => expression(a, depth - 1)), t, strict: true };
    }
  }
  const columns = types.flatMap((c, id) => (c.oid === oid ? [id] : []));
  if (columns.length > 0 && random(3) > 0) return { k: 'col', id: pick(columns), t };
  return { k: 'const', v: pick(values[oid]), t };
}

const text = (value: unknown) =>
  JSON.stringify(value, (_, v) =>
    typeof v === 'bigint'
      ? `${v}n`
      : Object.is(v, -0)
        ? '-0'
        : typeof v === 'number' && !Number.isFinite(v)
          ? String(v)
          : v,
  );

function run(
  filter: Expr | null,
  project: Expr[],
  outTypes: ColType[],
  rows: Datum[][],
  interpreted: boolean,
): string[] {
  const arena = new Arena();
  const out: string[] = [];
  const operator = new MapOperator(filter, project, types, outTypes, interpreted);
  const errors = {
    report: (error: Error, row: Datum[], weight: number) => out.push(`error ${error.message} ${text(row)} ${weight}`),
  };
  const batch = batchFromRows(
    types,
    rows,
    arena,
    rows.map((_, i) => (i % 3) + 1),
  );
  const tick = {
    number: 1n,
    first: true,
    arena,
    evalContext: defaultContext(),
    errors,
    now: 0n,
    watermark: () => null,
  };
  const result = operator.step([batch], tick);
  for (let i = 0; i < result.n; i++) out.push(`${text(readRow(result, i))} ${weightOf(result, i)}`);
  arena.release();
  return out.sort();
}

test('generated kernels give what the interpreter gives', () => {
  for (let round = 0; round < 400; round++) {
    const outTypes = [pick(types), pick(types)];
    const project = outTypes.map((t) => expression(t.oid, 3));
    const filter = random(3) === 0 ? null : expression(OID.bool, 3);
    const rows = Array.from({ length: 20 }, () => types.map((t) => pick(values[t.oid])));
    const wanted = run(filter, project, outTypes, rows, true);
    assert.deepEqual(
      run(filter, project, outTypes, rows, false),
      wanted,
      `round ${round}: ${text({ filter, project })}`,
    );
  }
});
