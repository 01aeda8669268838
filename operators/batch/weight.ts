/**
 * How often a row comes or goes: 32 bits with a sign, everywhere. Sums and products of weights that do not fit are never stored as something else: whoever adds or multiplies asks here,
 * and kernels say it to their caller (addWeights, sumEqual, expandPairs).
 */
import { TooManyEqualRows } from '../errors.ts';

/** The weight, when 32 bits hold it. */
export function fittingWeight(weight: number): number {
  if ((weight | 0) !== weight) throw new TooManyEqualRows();
  return weight;
}
