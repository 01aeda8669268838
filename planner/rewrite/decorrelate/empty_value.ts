/**
 * What an aggregate gives for no rows at all: NULL for most, another value for those that count.
 */
import { type Datum, decimal } from '../../../operators/datum.ts';
import { type ColType, OID } from '../../../operators/types.ts';

/** Values that are not NULL, by function name. */
const EMPTY: Record<string, number> = {
  count: 0,
  regr_count: 0,
  // Hypothetical-set aggregates rank their argument among no rows.
  rank: 1,
  dense_rank: 1,
  percent_rank: 0,
  cume_dist: 1,
};

/** The result of aggregate `fn` over no rows. */
export function emptyValue(fn: string, type: ColType): Datum {
  const n = EMPTY[fn.slice(0, fn.indexOf('('))];
  if (n === undefined) return null;
  if (type.oid === OID.int8) return BigInt(n);
  return type.oid === OID.numeric ? decimal(BigInt(n)) : n;
}
