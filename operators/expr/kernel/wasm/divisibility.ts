/**
 * x % c = r and x % c <> r for constants c and r, without a division. For c = d * 2^k with d odd a multiplication by the inverse of d modulo 2^64 makes
 * multiples of d, and only these, their quotients; the rotation moves the bits that a multiple of 2^k does not have to where they are too much:
 *
 *   c divides x   <=>   (x * inverse + bound) rotated right by k  <=  2 * bound / 2^k        without signs; bound: the greatest quotient, a multiple of 2^k
 *
 * A remainder has the sign of what is divided: r > 0 wants x >= r, r < 0 wants x <= r, and then c has to divide x - r. (Warren, Hacker's Delight, 10-17)
 *
 * The remainder itself took 1.4 ns a row of q2 whose column is in no cache, this takes 0.9 (docs/decisions/0431).
 */
import type { Expr } from '../../ir.ts';
import { INTEGER_PAIRS } from '../integer_pairs.ts';
import type { Emitter, Node } from './emitter.ts';
import type { Made } from './functions.ts';
import { OP } from './module.ts';
import type { Value } from './values.ts';

const WORD = 1n << 64n;
const MOST = (1n << 63n) - 1n;

/** Comparisons: whether it is <>. */
const COMPARED: ReadonlyMap<string, boolean> = new Map(
  INTEGER_PAIRS.flatMap(([prefix, left, right]): [string, boolean][] => [
    [`${prefix}eq(${left},${right})`, false],
    [`${prefix}ne(${left},${right})`, true],
  ]),
);
const REMAINDERS: ReadonlySet<string> = new Set(
  ['int2', 'int4', 'int8'].flatMap((type) => ['mod', `${type}mod`].map((fn) => `${fn}(${type},${type})`)),
);

/** How to tell what a number divides; null where it is a power of two. */
export interface Divisor {
  inverse: bigint;
  bound: bigint;
  shift: number;
  most: bigint;
}

/** `size`: at least 1, at most 2^63. */
export function divisorOf(size: bigint): Divisor | null {
  let shift = 0;
  let odd = size;
  for (; (odd & 1n) === 0n; odd >>= 1n) shift++;
  if (odd === 1n) return null;
  // Each step doubles the bits that are right; of an odd number it is its own inverse in the lowest three.
  let inverse = odd;
  for (let bits = 3; bits < 64; bits *= 2) inverse = (inverse * (2n - odd * inverse)) & (WORD - 1n);
  const bound = ((MOST / odd) >> BigInt(shift)) << BigInt(shift);
  return { inverse, bound, shift, most: (2n * bound) >> BigInt(shift) };
}

/** What a constant is, if it is an integer. */
function integer(e: Expr): bigint | null {
  return e.k === 'const' && (typeof e.v === 'number' || typeof e.v === 'bigint') ? BigInt(e.v) : null;
}

/** Pushes whether the size divides what `push` pushes. */
function divides(size: bigint, push: () => void, code: Emitter): void {
  const divisor = divisorOf(size);
  push();
  if (divisor === null) {
    code.i64(size - 1n);
    code.op(OP.i64_and, OP.i64_eqz);
    return;
  }
  code.i64(BigInt.asIntN(64, divisor.inverse));
  code.op(OP.i64_mul);
  code.i64(divisor.bound);
  code.op(OP.i64_add);
  if (divisor.shift > 0) {
    code.i64(BigInt(divisor.shift));
    code.op(OP.i64_rotr);
  }
  code.i64(BigInt.asIntN(64, divisor.most));
  code.op(OP.i64_le_u);
}

/** Null where the call does not compare a remainder in this way, or the remainder is there already. */
export function comparedRemainder(code: Emitter, { fn, args: [of, to] }: Node<'call'>): Value | null {
  const differs = COMPARED.get(fn);
  if (differs === undefined || of.k !== 'call' || !of.strict || !REMAINDERS.has(of.fn) || code.isKnown(of)) return null;
  const [by, rest] = [integer(of.args[1]), integer(to)];
  if (by === null || by === 0n || rest === null) return null;
  const size = by < 0n ? -by : by;
  if (rest >= size || rest <= -size) return null;
  return code.strict([code.emit(of.args[0])], ([x]): Made => {
    const { push } = x;
    if (rest === 0n) divides(size, push, code);
    else {
      const less = () => {
        push();
        code.i64(rest);
        code.op(OP.i64_sub);
      };
      divides(size, less, code);
      push();
      code.i64(rest);
      code.op(rest > 0n ? OP.i64_ge_s : OP.i64_le_s, OP.i32_and);
    }
    if (differs) code.op(OP.i32_eqz);
    return { kind: 'bool' };
  });
}
