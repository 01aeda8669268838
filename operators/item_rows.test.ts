import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from './batch/arena.ts';
import { batchFromRows, readRow, weightOf } from './batch/builder.ts';
import { pages } from './batch/pages.ts';
import { type Datum, decimal, interval, pgArray } from './datum.ts';
import type { SqlError } from './errors.ts';
import { defaultContext } from './expr/context.ts';
import './expr/functions/index.ts';
import { resolveSet } from './expr/functions/registry.ts';
import { bindExpr } from './expr/interpret.ts';
import type { Expr } from './expr/ir.ts';
import { FlatMapOperator } from './flatmap.ts';
import type { PlanNode } from './plan.ts';
import { Bag, Random, rowText, testSeed, times } from './testing/property.ts';
import { testTick } from './testing/tick.ts';
import { type ColType, colType, OID } from './types.ts';

const BESIDE = [OID.int8, OID.text, OID.bool].map((oid) => colType(oid));
const ARRAY = BESIDE.length;
const LONG = 'a text of more than twelve bytes, é';

const texts = ['', 'a', 'null', '"', 'back\\slash', 'x, ]}', 'twelve bytes', LONG];

function json(random: Random, depth: number): string {
  const pick = random.below(depth > 0 ? 7 : 5);
  if (pick === 0) return 'null';
  if (pick === 1) return random.pick(['true', 'false']);
  if (pick === 2) return random.pick(['0', '-1.50', '12345678901234567890']);
  if (pick <= 4) return JSON.stringify(random.pick(texts));
  const items = Array.from({ length: random.below(4) }, () => json(random, depth - 1));
  if (pick === 5) return `[${items.join(', ')}]`;
  return `{${items.map((item, i) => `"${'k'.repeat(i + 1)}": ${item}`).join(', ')}}`;
}

/** Element types with their items; those of the last two are not for the kernel. */
const ELEMENTS: [number, number, (random: Random) => Datum][] = [
  [OID._bool, OID.bool, (random) => random.below(2) === 0],
  [OID._int4, OID.int4, (random) => random.below(100) - 50],
  [OID._date, OID.date, (random) => random.below(10000)],
  [OID._int8, OID.int8, (random) => random.pick([0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)])],
  [OID._timestamptz, OID.timestamptz, (random) => random.pick([0n, 820540800000000n])],
  [OID._float8, OID.float8, (random) => random.pick([0, -0, 1, -7, 0.1, 1e300, Number.NaN, Number.POSITIVE_INFINITY])],
  [
    OID._numeric,
    OID.numeric,
    (random) =>
      random.pick([
        decimal(0n, 0),
        decimal(-150n, 2),
        decimal(999999999999999999n, 3),
        decimal(-(10n ** 18n), 0),
        decimal(10n ** 40n, 5),
        { k: 'dec', m: 0n, s: 0, special: 'NaN' },
      ]),
  ],
  [OID._text, OID.text, (random) => random.pick(texts)],
  [OID._bytea, OID.bytea, (random) => new Uint8Array(random.below(20)).fill(random.below(256))],
  [OID._jsonb, OID.jsonb, (random) => json(random, 1)],
  [OID._uuid, OID.uuid, (random) => `00000000-0000-0000-0000-00000000000${random.below(9)}`],
  [OID._interval, OID.interval, (random) => interval(random.below(3), random.below(3), 5n)],
];

function array(random: Random, elem: number, item: (random: Random) => Datum): Datum {
  if (random.below(6) === 0) return null;
  const items = Array.from({ length: random.below(7) }, () => (random.below(5) === 0 ? null : item(random)));
  if (items.length === 6 && random.below(2) === 0) return { k: 'array', elem, dims: [2, 3], lower: [1, 0], items };
  return pgArray(elem, items);
}

interface Shape {
  fn: string;
  /** Over the row with the last column of this type. */
  arg: Expr;
  value(random: Random): Datum;
  result: ColType;
}

function shapes(): Shape[] {
  const column = (oid: number): Expr => ({ k: 'col', id: ARRAY, t: colType(oid) });
  const made: Shape[] = ELEMENTS.map(([oid, elem, item]) => ({
    fn: 'unnest(anyarray)',
    arg: column(oid),
    value: (random) => array(random, elem, item),
    result: colType(elem),
  }));
  for (const [suffix, oid] of [
    ['', OID.jsonb],
    ['_text', OID.text],
  ] as const)
    made.push({
      fn: `jsonb_array_elements${suffix}(jsonb)`,
      arg: column(OID.jsonb),
      value: (random) => {
        if (random.below(8) === 0) return null;
        if (random.below(8) === 0) return json(random, 2);
        return `[${Array.from({ length: random.below(5) }, () => json(random, 2)).join(', ')}]`;
      },
      result: colType(oid),
    });
  for (const separator of [',', ', ', 'é', '', null])
    made.push({
      fn: 'unnest(anyarray)',
      arg: {
        k: 'call',
        fn: 'string_to_array(text,text)',
        strict: false,
        args: [column(OID.text), { k: 'const', v: separator, t: colType(OID.text) }],
        t: colType(OID._text),
      },
      value: (random) =>
        random.pick([null, '', ',', 'a', 'a,b', ', ', 'a, b,c', `${LONG}, ${LONG},`, 'éa,é', 'eins, zwei, drei, vier']),
      result: colType(OID.text),
    });
  // A row whose argument fails.
  made.push({
    fn: 'jsonb_array_elements(jsonb)',
    arg: {
      k: 'cast',
      arg: column(OID.text),
      t: colType(OID.jsonb),
    } as Expr,
    value: (random) => random.pick([null, '[1,2 , "x"]', '[', '{"a":1}', '[]']),
    result: colType(OID.jsonb),
  });
  return made;
}

type Rows = { texts: string[]; failed: string[] };

function reference(shape: Shape, rows: Datum[][], weights: number[], left: boolean, ordinality: boolean): Rows {
  const fn = resolveSet(shape.fn, { argTypes: [shape.arg.t], resultType: shape.result, variadic: false });
  const arg = bindExpr(shape.arg);
  const context = defaultContext();
  const out = new Bag();
  const failed: string[] = [];
  for (const [i, row] of rows.entries())
    try {
      const value = arg(row, context);
      const found = value === null ? [] : [...fn([value], context)];
      if (found.length === 0 && left) out.add([...row, null, ...(ordinality ? [null] : [])], weights[i]);
      for (const [k, made] of found.entries())
        out.add([...row, made[0], ...(ordinality ? [BigInt(k + 1)] : [])], weights[i]);
    } catch (error) {
      failed.push(`${(error as SqlError).sqlstate} ${rowText(row)} ${weights[i]}`);
    }
  return { texts: out.texts(), failed: failed.sort() };
}

test('items of arrays by columns are those of the functions, row by row, whole and in pieces', () => {
  const random = new Random(testSeed());
  const used = pages.usedPages;
  const [arena, pieces] = [new Arena(1), new Arena(1)];
  for (const shape of shapes()) {
    const input = [...BESIDE, colType((shape.arg.k === 'col' ? shape.arg.t : colType(OID.text)).oid)];
    for (let round = 0; round < times(40); round++) {
      const [left, ordinality] = [random.below(2) === 0, random.below(2) === 0];
      const types = [...input, shape.result, ...(ordinality ? [colType(OID.int8)] : [])];
      const node: PlanNode & { op: 'flatmap' } = {
        op: 'flatmap',
        inputs: [0],
        types,
        names: types.map(() => 'c'),
        fn: shape.fn,
        args: [shape.arg],
        ordinality,
        left,
      };
      const rows = Array.from({ length: random.below(30) }, () => [
        random.pick([null, BigInt(random.below(9))]),
        random.pick([null, 'x', LONG]),
        random.pick([null, true, false]),
        shape.value(random),
      ]);
      const weights = rows.map(() => random.pick([1, 1, 3, -1]));
      const wanted = reference(shape, rows, weights, left, ordinality);
      for (const most of [null, 1 + random.below(9)]) {
        const operator = new FlatMapOperator(node, input);
        const out = new Bag();
        const failed: string[] = [];
        const report = (error: SqlError, row: Datum[], weight: number) =>
          failed.push(`${error.sqlstate} ${rowText(row)} ${weight}`);
        const tick = testTick(arena, { errors: { report } });
        const batch = batchFromRows(input, rows, arena, weights);
        const made =
          most === null
            ? [operator.step([batch], tick)]
            : operator.stepPieces([batch], tick, { arena: pieces, rows: most });
        for (const piece of made) {
          assert.ok(piece.n <= (most ?? piece.n));
          for (let i = 0; i < piece.n; i++) out.add(readRow(piece, i), weightOf(piece, i));
          pieces.reset();
        }
        const label = `${shape.fn} of ${rowText([shape.arg.t.oid])} left ${left} ordinality ${ordinality} most ${most}`;
        assert.deepEqual(out.texts(), wanted.texts, label);
        assert.deepEqual(failed.sort(), wanted.failed, label);
        operator.release();
        arena.reset();
      }
    }
  }
  arena.release();
  pieces.release();
  assert.equal(pages.usedPages, used, 'pages are given back');
});
