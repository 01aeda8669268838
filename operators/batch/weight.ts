/**
 * How often a row comes or goes: 32 bits with a sign, everywhere. Sums and products of weights that do not fit are never stored as something else: whoever adds or multiplies asks here,
 * and kernels say it to their caller (addWeights, sumEqual, expandPairs).
 */
import { TooManyEqualRows } from '../errors.ts';
import { kernels } from '../kernels/index.ts';
import { I32 } from './memory.ts';

/** Weights of so many rows are looked at here: a call of a kernel costs more. */
const FEW = 16;

/** The weight, when 32 bits hold it. */
export function fittingWeight(weight: number): number {
  if ((weight | 0) !== weight) throw new TooManyEqualRows();
  return weight;
}

/** Whether n weights at a byte address are all above 0. */
export function allPositive(weights: number, n: number): boolean {
  if (n > FEW) return kernels.allPositive(weights, n) !== 0;
  const first = weights >>> 2;
  for (let i = 0; i < n; i++) if (I32[first + i] <= 0) return false;
  return true;
}
