/** What TABLESAMPLE asks of a row (planner/bind/table_sample.ts). */
import { encodeComposite } from '../../batch/composite.ts';
import type { PgRecord } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { oneOf } from '../../state/equal_values.ts';
import { OID } from '../../types.ts';
import { hashBytes } from '../hash.ts';
import { register } from './registry.ts';

/** Rows of which part are taken: 0 to 1. */
function fraction(percent: number | null): number {
  if (percent === null) throw new SqlError('2202H', 'TABLESAMPLE parameter cannot be null');
  if (!(percent >= 0 && percent <= 100)) throw new SqlError('2202H', 'sample percentage must be between 0 and 100');
  return percent / 100;
}

register('sample_fraction(float4)', fraction);

const seedBytes = Buffer.alloc(8);

/** The same for rows that are equal, whatever they look like. */
register('sampled(record,float8,float4)', (row: PgRecord, seed: number | null, percent: number | null) => {
  const part = fraction(percent);
  if (seed === null) throw new SqlError('2202G', 'TABLESAMPLE REPEATABLE parameter cannot be null');
  seedBytes.writeDoubleLE(seed === 0 ? 0 : seed);
  const hash = hashBytes(encodeComposite(oneOf(row, OID.record)), seedBytes.readBigInt64LE() | 1n);
  return Number(hash >> 11n) / 2 ** 53 < part;
});
