/**
 * Comparisons of an integer times a constant become comparisons of the integer, which need no product for each row:
 *
 *   0.908 * price > 1000000      price > floor(1000000 / 0.908)         -2 * x >= 7      x <= floor(7 / -2)
 *
 * For integers x and c > 0, with t = b / c:  x > t and x <= t go by floor(t), x < t and x >= t by ceil(t); c < 0 turns the comparison around. Products of numerics are exact and
 * do not overflow, integers know neither NaN nor infinity, so both forms are the same for all x, NULL too. Equality stays: a t that is no integer would have to
 * become FALSE or NULL. So does a comparison with a bound that is no value of the integer's type.
 */
import type { Decimal } from '../../operators/datum.ts';
import { digitCount, MAX_DISPLAY_SCALE, pow10 } from '../../operators/expr/decimal/normal.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { OID } from '../../operators/types.ts';
import { commutatorOf, compareBy } from '../analyse/functions.ts';
import { constant, rewriteExpr } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { mapExprsDeep } from '../logical/walk.ts';

type Order = 'lt' | 'le' | 'gt' | 'ge';

const ORDER = /^numeric_(lt|le|gt|ge)\(numeric,numeric\)$/;
const TURNED: Record<Order, Order> = { lt: 'gt', le: 'ge', gt: 'lt', ge: 'le' };

/** Per type: the name of its comparisons and the largest value. */
const INTEGERS = new Map<number, { name: string; most: bigint }>([
  [OID.int4, { name: 'int4', most: 2n ** 31n - 1n }],
  [OID.int8, { name: 'int8', most: 2n ** 63n - 1n }],
]);

/** Of a factor: products of more might be too long for a numeric, which is an error. */
const MOST_DIGITS = 1000;

/** Simplifies comparisons in every expression of a plan. */
export function unscaleComparisons(plan: Logical): Logical {
  return mapExprsDeep(plan, (e) => rewriteExpr(e, unscaleComparison));
}

/** The same node where it is no such comparison. */
export function unscaleComparison(e: Expr): Expr {
  if (e.k !== 'call' || !ORDER.test(e.fn)) return e;
  const [left, right] = e.args;
  if (decimalOf(left) !== null) return ordered(commutatorOf(e.fn), right, left) ?? e;
  return ordered(e.fn, left, right) ?? e;
}

/** The comparison `fn` of a product with a bound; null where it is none of those above. */
function ordered(fn: string | null, product: Expr, bound: Expr): Expr | null {
  const order = ORDER.exec(fn ?? '')?.[1] as Order | undefined;
  const scaled = scaledInteger(product);
  const b = decimalOf(bound);
  if (order === undefined || scaled === null || b === null) return null;
  const integer = INTEGERS.get(scaled.of.t.oid);
  if (integer === undefined) return null;
  const { by } = scaled;
  const numerator = b.m * pow10(by.s);
  const denominator = by.m * pow10(b.s);
  const turned = denominator < 0n ? TURNED[order] : order;
  const t =
    turned === 'gt' || turned === 'le' ? floorDivided(numerator, denominator) : -floorDivided(-numerator, denominator);
  if (t > integer.most || t < -integer.most) return null;
  const value = scaled.of.t.oid === OID.int4 ? Number(t) : t;
  return compareBy(
    `${integer.name}${turned}(${integer.name},${integer.name})`,
    scaled.of,
    constant(value, scaled.of.t),
  );
}

/** `of * by` as numeric, where `of` is an integer; by a factor whose products are exact. */
function scaledInteger(e: Expr): { of: Expr; by: Decimal } | null {
  if (e.k !== 'call' || e.fn !== 'numeric_mul(numeric,numeric)') return null;
  const [left, right] = e.args;
  const leftFactor = decimalOf(left);
  const [by, cast] = leftFactor === null ? [decimalOf(right), left] : [leftFactor, right];
  if (by === null || by.m === 0n || by.s > MAX_DISPLAY_SCALE || digitCount(by.m) > MOST_DIGITS) return null;
  if (cast.k !== 'call' || !/^numeric\(int[48]\)$/.test(cast.fn)) return null;
  return { of: cast.args[0], by };
}

/** A constant that is a number; NaN and the infinities are none. */
function decimalOf(e: Expr): Decimal | null {
  if (e.k !== 'const' || e.v === null || e.t.oid !== OID.numeric) return null;
  const value = e.v as Decimal;
  return value.special === undefined ? value : null;
}

/** Rounded down. */
function floorDivided(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}
