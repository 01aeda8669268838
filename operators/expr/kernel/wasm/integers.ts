/** Integers and numerics: i64, exact in all of its range. What does not fit leaves the row, as an overflow does. */
import { INTEGER_PAIRS } from '../integer_pairs.ts';
import type { Emitter } from './emitter.ts';
import { functions, type Made } from './functions.ts';
import { I64, OP } from './module.ts';
import type { Value } from './values.ts';

const MOST = (1n << 63n) - 1n;
const LEAST = -(1n << 63n);
const BOUNDS: Record<string, bigint> = { int2: 32767n, int4: 2147483647n, int8: MOST };
/** Powers of ten that are integers of 64 bits. */
const MOST_DIGITS = 18;
/** Past this scale PostgreSQL rounds. */
const MOST_SCALE = 1000;

const COMPARE: [string, number][] = [
  ['eq', OP.i64_eq],
  ['ne', OP.i64_ne],
  ['lt', OP.i64_lt_s],
  ['le', OP.i64_le_s],
  ['gt', OP.i64_gt_s],
  ['ge', OP.i64_ge_s],
];

/** Leaves the row when the integer in the local is not within -most - 1 .. most. */
export function within(local: number, most: bigint, code: Emitter): void {
  if (most === MOST) return;
  code.get(local);
  code.i64(most);
  code.op(OP.i64_gt_s);
  code.bailIf();
  code.get(local);
  code.i64(-most - 1n);
  code.op(OP.i64_lt_s);
  code.bailIf();
}

/** Into a local: a + b or a - b, which leaves the row when it overflows. */
function sum(a: Value, b: Value, minus: boolean, code: Emitter): number {
  const result = code.local(I64);
  a.push();
  b.push();
  code.op(minus ? OP.i64_sub : OP.i64_add);
  code.set(result);
  // The result's sign differs from a's, and from that of b (for -, of -b), only when it overflowed.
  a.push();
  code.get(result);
  code.op(OP.i64_xor);
  if (minus) a.push();
  else code.get(result);
  b.push();
  code.op(OP.i64_xor, OP.i64_and);
  code.i64(0n);
  code.op(OP.i64_lt_s);
  code.bailIf();
  return result;
}

/** Pushes a constant times what `push` pushes, or leaves the row. */
function timesConstant(push: () => void, by: bigint, code: Emitter): void {
  if (by !== 0n && by !== 1n) {
    const limit = MOST / (by < 0n ? -by : by);
    push();
    code.i64(limit);
    code.op(OP.i64_gt_s);
    code.bailIf();
    push();
    code.i64(-limit);
    code.op(OP.i64_lt_s);
    code.bailIf();
  }
  push();
  if (by === 1n) return;
  code.i64(by);
  code.op(OP.i64_mul);
}

const integerOf = ({ constant, kind }: Value): bigint | null => {
  if (constant === undefined || constant === null) return null;
  if (kind === 'int') return BigInt(constant as number | bigint);
  return kind === 'numeric' ? (constant as { m: bigint }).m : null;
};

/** Into a local: a * b. By a constant exactly as far as it fits; else both have to fit in 32 bits. */
function product(a: Value, b: Value, code: Emitter): number {
  const result = code.local(I64);
  const [x, y] = [integerOf(a), integerOf(b)];
  if (y !== null) timesConstant(a.push, y, code);
  else if (x !== null) timesConstant(b.push, x, code);
  else {
    for (const { push } of [a, b]) {
      push();
      push();
      code.op(OP.i64_extend32_s, OP.i64_ne);
      code.bailIf();
    }
    a.push();
    b.push();
    code.op(OP.i64_mul);
  }
  code.set(result);
  return result;
}

/** Leaves the row at a division by zero, and where the quotient is too large. */
function divisible(a: Value, b: Value, code: Emitter): void {
  const by = integerOf(b);
  if (by === null || by === 0n) {
    b.push();
    code.op(OP.i64_eqz);
    code.bailIf();
  }
  if (by === null || by === -1n) {
    b.push();
    code.i64(-1n);
    code.op(OP.i64_eq);
    a.push();
    code.i64(LEAST);
    code.op(OP.i64_eq, OP.i32_and);
    code.bailIf();
  }
}

for (const [prefix, left, right, result] of INTEGER_PAIRS) {
  const name = (op: string) => `${prefix}${op}(${left},${right})`;
  const most = BOUNDS[result];
  const done = (local: number, code: Emitter): Made => {
    within(local, most, code);
    code.get(local);
    return { kind: 'int' };
  };
  functions.set(name('pl'), ([a, b], code) => done(sum(a, b, false, code), code));
  functions.set(name('mi'), ([a, b], code) => done(sum(a, b, true, code), code));
  functions.set(name('mul'), ([a, b], code) => done(product(a, b, code), code));
  functions.set(name('div'), ([a, b], code) => {
    divisible(a, b, code);
    const local = code.local(I64);
    a.push();
    b.push();
    code.op(OP.i64_div_s);
    code.set(local);
    return done(local, code);
  });
  for (const [op, instruction] of COMPARE) functions.set(name(op), compare(instruction));
}

function compare(instruction: number) {
  return ([a, b]: Value[], code: Emitter): Made => {
    a.push();
    b.push();
    code.op(instruction);
    return { kind: 'bool' };
  };
}

for (const type of ['date', 'time', 'timestamp', 'timestamptz'])
  for (const [op, instruction] of COMPARE) functions.set(`${type}_${op}(${type},${type})`, compare(instruction));
for (const [op, instruction] of COMPARE) functions.set(`enum_${op}(anyenum,anyenum)`, compare(instruction));

for (const type of ['int2', 'int4', 'int8']) {
  for (const fn of ['mod', `${type}mod`])
    functions.set(`${fn}(${type},${type})`, ([a, b], code) => {
      if (integerOf(b) === null || integerOf(b) === 0n) {
        b.push();
        code.op(OP.i64_eqz);
        code.bailIf();
      }
      a.push();
      b.push();
      code.op(OP.i64_rem_s);
      return { kind: 'int' };
    });
  for (const to of ['int2', 'int4', 'int8'])
    if (to !== type)
      functions.set(`${to}(${type})`, ([a], code) => {
        const local = code.local(I64);
        a.push();
        code.set(local);
        within(local, BOUNDS[to], code);
        code.get(local);
        return { kind: 'int' };
      });
  functions.set(`numeric(${type})`, ([a]) => {
    a.push();
    return { kind: 'numeric', scale: 0 };
  });
}

/** Both mantissas at the greater scale, as values; null where that is too far. */
function aligned(a: Value, b: Value, code: Emitter): [Value, Value] | null {
  const scale = Math.max(a.scale, b.scale);
  const far = scale - Math.min(a.scale, b.scale);
  if (far > MOST_DIGITS) return null;
  const up = (value: Value): Value => {
    if (value.scale === scale) return value;
    const local = code.local(I64);
    timesConstant(value.push, 10n ** BigInt(scale - value.scale), code);
    code.set(local);
    return { kind: 'numeric', push: () => code.get(local), isNull: null, scale };
  };
  return [up(a), up(b)];
}

for (const [op, instruction] of COMPARE)
  functions.set(`numeric_${op}(numeric,numeric)`, ([a, b], code) => {
    const both = aligned(a, b, code);
    return both && compare(instruction)(both, code);
  });

for (const [op, minus] of [
  ['add', false],
  ['sub', true],
] as const)
  functions.set(`numeric_${op}(numeric,numeric)`, ([a, b], code) => {
    const both = aligned(a, b, code);
    if (both === null) return null;
    code.get(sum(both[0], both[1], minus, code));
    return { kind: 'numeric', scale: both[0].scale };
  });

functions.set('numeric_mul(numeric,numeric)', ([a, b], code) => {
  const scale = a.scale + b.scale;
  if (scale > MOST_SCALE) return null;
  code.get(product(a, b, code));
  return { kind: 'numeric', scale };
});
