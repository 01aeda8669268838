/** numeric(precision, scale): the typmod's encoding and what it does to a value. Scale may be negative or above precision. */
import type { Decimal } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { round } from './arithmetic.ts';
import { digitCount } from './normal.ts';

const VARHDRSZ = 4;

/** Precision and scale of a numeric typmod (not -1). */
export function numericTypmod(typmod: number): { precision: number; scale: number } {
  const t = typmod - VARHDRSZ;
  return { precision: (t >> 16) & 0xffff, scale: ((t & 0x7ff) ^ 1024) - 1024 };
}

/** The typmod of numeric(precision, scale). */
export function makeNumericTypmod(precision: number, scale: number): number {
  return ((precision << 16) | (scale & 0x7ff)) + VARHDRSZ;
}

/** Rounds to the typmod's scale; a value with too many digits before the point is 22003. */
export function applyNumericTypmod(d: Decimal, typmod: number): Decimal {
  if (typmod < VARHDRSZ || d.special === 'NaN') return d;
  const { precision, scale } = numericTypmod(typmod);
  if (d.special) {
    throw new SqlError('22003', 'numeric field overflow', {
      detail: `A field with precision ${precision}, scale ${scale} cannot hold an infinite value.`,
    });
  }
  const r = round(d, scale);
  const maxDigits = precision - scale;
  if (r.m !== 0n && digitCount(r.m) - r.s > maxDigits) {
    const limit = maxDigits === 0 ? '1' : `10^${maxDigits}`;
    throw new SqlError('22003', 'numeric field overflow', {
      detail: `A field with precision ${precision}, scale ${scale} must round to an absolute value less than ${limit}.`,
    });
  }
  return r;
}
