/**
 * Range and multirange types: pg_range, and what the bytes of a value say of its type.
 *
 *   int4range   bounds are int4     int4multirange   its parts are int4range     array types are in array_types.ts
 */
import type { PgMultirange, PgRange } from '../datum.ts';
import { OID } from '../types.ts';

export interface RangeType {
  name: string;
  oid: number;
  multirange: number;
  /** The type of the bounds: no two range types have the same. */
  sub: number;
  /** pg_type name of the bounds' type. */
  subName: string;
}

/** A value's bytes have its place in this list (batch/composite.ts): add behind the last one. */
export const RANGE_TYPES: readonly RangeType[] = [
  { name: 'int4range', oid: OID.int4range, multirange: OID.int4multirange, sub: OID.int4, subName: 'int4' },
  { name: 'numrange', oid: OID.numrange, multirange: OID.nummultirange, sub: OID.numeric, subName: 'numeric' },
  { name: 'tsrange', oid: OID.tsrange, multirange: OID.tsmultirange, sub: OID.timestamp, subName: 'timestamp' },
  {
    name: 'tstzrange',
    oid: OID.tstzrange,
    multirange: OID.tstzmultirange,
    sub: OID.timestamptz,
    subName: 'timestamptz',
  },
  { name: 'daterange', oid: OID.daterange, multirange: OID.datemultirange, sub: OID.date, subName: 'date' },
  { name: 'int8range', oid: OID.int8range, multirange: OID.int8multirange, sub: OID.int8, subName: 'int8' },
];

/** The type of a value. */
export function typeOfRange({ k, sub }: PgRange | PgMultirange): number {
  const type = RANGE_TYPES.find((candidate) => candidate.sub === sub);
  if (type === undefined) throw new Error(`there is no range type over ${sub}`);
  return k === 'range' ? type.oid : type.multirange;
}
