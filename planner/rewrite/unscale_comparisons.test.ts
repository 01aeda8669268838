/** Comparisons of random products with random bounds: the same for integers around the bound, before and after. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Datum, decimal } from '../../operators/datum.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { NAN } from '../../operators/expr/decimal/normal.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';

import { colType, OID } from '../../operators/types.ts';
import { BOOL, constant, INT4 } from '../logical/expressions.ts';
import { call } from '../logical/test_plans.ts';
import { unscaleComparison } from './unscale_comparisons.ts';

const NUMERIC = colType(OID.numeric);
const INT8 = colType(OID.int8);
const ORDERS = ['lt', 'le', 'gt', 'ge'];

/** `of * by`, or `by * of`, beside the bound on one side or the other. */
function comparison(order: string, of: Expr, by: Expr, bound: Expr, [swap, turn]: [boolean, boolean]): Expr {
  const cast = call(`numeric(${of.t.oid === OID.int4 ? 'int4' : 'int8'})`, [of], NUMERIC);
  const product = call('numeric_mul(numeric,numeric)', swap ? [by, cast] : [cast, by], NUMERIC);
  return call(`numeric_${order}(numeric,numeric)`, turn ? [bound, product] : [product, bound], BOOL);
}

const number = (m: bigint, s: number): Expr => constant(decimal(m, s), NUMERIC);

test('both forms give the same for integers around the bound', () => {
  const seed = testSeed();
  const random = new Random(seed);
  let rewritten = 0;
  for (let i = 0; i < 4000; i++) {
    const wide = random.chance(0.5);
    const column: Expr = { k: 'col', id: 0, t: wide ? INT8 : INT4 };
    const [by, bound] = [
      { m: BigInt(random.below(4001) - 2000), s: random.below(4) },
      { m: BigInt(random.below(2_000_001) - 1_000_000), s: random.below(4) },
    ];
    const sides: [boolean, boolean] = [random.chance(0.5), random.chance(0.5)];
    const before = comparison(ORDERS[random.below(4)], column, number(by.m, by.s), number(bound.m, bound.s), sides);
    const after = unscaleComparison(before);
    assert.equal(after === before, by.m === 0n, `SEED=${seed}: ${i}`);
    if (after !== before) rewritten++;
    const near = by.m === 0n ? 0n : (bound.m * 10n ** BigInt(by.s)) / (by.m * 10n ** BigInt(bound.s));
    for (const x of [near - 2n, near - 1n, near, near + 1n, near + 2n, 0n, null]) {
      const row: Datum[] = [x === null || wide ? x : Number(x)];
      assert.equal(
        evaluate(after, row, defaultContext()),
        evaluate(before, row, defaultContext()),
        `SEED=${seed}: ${i}, ${x}`,
      );
    }
  }
  assert.ok(rewritten > 3000);
});

test('what has no integer bound stays', () => {
  const price: Expr = { k: 'col', id: 0, t: INT4 };
  const stays = (e: Expr) => assert.equal(unscaleComparison(e), e);
  const both: [boolean, boolean] = [false, false];
  stays(comparison('eq', price, number(5n, 1), number(10n, 0), both));
  stays(comparison('gt', price, number(1n, 3), number(1n << 31n, 0), both));
  stays(comparison('gt', price, number(10n ** 1000n, 0), number(1n, 0), both));
  stays(comparison('gt', price, constant(NAN, NUMERIC), number(1n, 0), both));
  stays(comparison('gt', price, number(5n, 1), constant(NAN, NUMERIC), both));
  stays(comparison('gt', price, number(5n, 1), constant(null, NUMERIC), both));
});
