/** Forms that the generator begins to write and gives up in the middle of: what it knew inside of them is forgotten, and the blocks around them end where they should. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../batch/arena.ts';
import { BatchBuilder, batchFromRows, readRow } from '../../batch/builder.ts';
import { type Datum, decimal, interval, pgArray } from '../../datum.ts';
import { colType, OID } from '../../types.ts';
import { defaultContext } from '../context.ts';
import '../functions/index.ts';
import { evaluate } from '../interpret.ts';
import type { Expr } from '../ir.ts';
import { compileMap } from './compile.ts';

const int4 = colType(OID.int4);
const bool = colType(OID.bool);
const types = [int4, colType(OID.numeric), colType(OID.interval)];
const [a, n, i]: Expr[] = types.map((t, id) => ({ k: 'col', id, t }));
const call = (fn: string, ...args: Expr[]): Expr => ({ k: 'call', fn, args, t: int4, strict: true });
const one: Expr = { k: 'const', v: 1, t: int4 };

/** n IN (1, 10^30): the second is no number of a double. */
const listed: Expr = {
  k: 'anyall',
  all: false,
  fn: 'numeric_eq(numeric,numeric)',
  left: n,
  right: { k: 'const', v: pgArray(OID.numeric, [decimal(1n, 0), decimal(10n ** 30n, 0)]), t: colType(OID._numeric) },
  t: bool,
};

/** GREATEST of intervals, which no template compares. */
const greatest: Expr = {
  k: 'extreme',
  greatest: true,
  args: [i, i],
  lt: 'interval_lt(interval,interval)',
  t: types[2],
};

const rows: Datum[][] = [
  [1, decimal(1n, 0), interval(1, 0, 0n)],
  [2, decimal(5n, 1), null],
  [null, null, interval(0, 1, 0n)],
];

for (const [what, given] of [
  ['a list', listed],
  ['GREATEST', { k: 'isnull', arg: greatest, negated: false, t: bool } as Expr],
] as const)
  test(`what is computed in an arm of CASE beside ${what} is not known behind the CASE`, () => {
    const sum = call('int4pl(int4,int4)', a, one);
    // The arm computes the sum; the next column needs it, too.
    const first = { when: { ...call('int4gt(int4,int4)', sum, one), t: bool }, then: one };
    const then: Expr = { k: 'case', whens: [first, { when: given, then: one }], else: a, t: int4 };
    const when: Expr = { k: 'isnull', arg: a, negated: true, t: bool };
    const arm: Expr = { k: 'case', whens: [{ when, then }], else: null, t: int4 };
    const project = [arm, sum];
    const outTypes = [int4, int4];
    const kernel = compileMap(null, project, types, outTypes);
    assert.ok(kernel !== null);
    const arena = new Arena();
    const out = new BatchBuilder(outTypes, arena);
    const made = kernel(batchFromRows(types, rows, arena), out, defaultContext(), () => assert.fail('given up'));
    const wanted = rows.map((row) => project.map((e) => evaluate(e, row, defaultContext())));
    assert.deepEqual(
      rows.map((_, row) => readRow(made, row)),
      wanted,
    );
    arena.release();
    kernel.release();
  });
