/**
 * in_range(value, base, offset, sub, less): is value <= (less) or >= base - offset (sub) or base + offset? What RANGE frames of
 * window functions ask. A sum beyond the type counts as infinitely far; a negative offset is 22013.
 */
import type { Decimal } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { compareFloats } from '../compare.ts';
import { add, subtract } from '../decimal/arithmetic.ts';
import { compareDecimal, signOf } from '../decimal/compare.ts';
import { register } from './registry.ts';

function requireOffset(valid: boolean): void {
  if (!valid) throw new SqlError('22013', 'invalid preceding or following size in window function');
}

type Int = number | bigint;

function integerInRange(value: Int, base: Int, offset: Int, sub: boolean, less: boolean): boolean {
  requireOffset(offset >= 0);
  const bound = sub ? BigInt(base) - BigInt(offset) : BigInt(base) + BigInt(offset);
  return less ? BigInt(value) <= bound : BigInt(value) >= bound;
}

for (const [value, offsets] of [
  ['int2', ['int2', 'int4', 'int8']],
  ['int4', ['int2', 'int4', 'int8']],
  ['int8', ['int8']],
] as const) {
  for (const offset of offsets) register(`in_range(${value},${value},${offset},bool,bool)`, integerInRange);
}

function floatInRange(value: number, base: number, offset: number, sub: boolean, less: boolean): boolean {
  requireOffset(offset >= 0);
  if (Number.isNaN(value)) return Number.isNaN(base) || !less;
  if (Number.isNaN(base)) return less;
  // Infinity - Infinity: every value counts as in range on the far side.
  if (offset === Number.POSITIVE_INFINITY && !Number.isFinite(base) && base > 0 === sub) return true;
  const c = compareFloats(value, sub ? base - offset : base + offset);
  return less ? c <= 0 : c >= 0;
}
for (const type of ['float4', 'float8']) register(`in_range(${type},${type},float8,bool,bool)`, floatInRange);

register(
  'in_range(numeric,numeric,numeric,bool,bool)',
  (value: Decimal, base: Decimal, offset: Decimal, sub: boolean, less: boolean) => {
    requireOffset(offset.special !== 'NaN' && signOf(offset) >= 0);
    if (value.special === 'NaN') return base.special === 'NaN' || !less;
    if (base.special === 'NaN') return less;
    if (offset.special && base.special && base.special === (sub ? 'Infinity' : '-Infinity')) return true;
    const c = compareDecimal(value, sub ? subtract(base, offset) : add(base, offset));
    return less ? c <= 0 : c >= 0;
  },
);
