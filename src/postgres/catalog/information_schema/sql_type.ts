/**
 * A type in the words of the SQL standard: the columns that information_schema repeats wherever something has a type.
 *
 *   varchar(10)   character varying, character_maximum_length 10, character_octet_length 40
 *   numeric(10,2) numeric, numeric_precision 10, numeric_precision_radix 10, numeric_scale 2
 *   timestamp(3)  timestamp without time zone, datetime_precision 3
 */
import { type ColType, OID, typeObjectOf, typeObjectOid } from '../../../../operators/types.ts';
import { namespaceName, PG_CATALOG, typeByOid } from '../../../../planner/types/catalog.ts';
import { formatType } from '../../../../planner/types/type_name.ts';
import { userTypeOf } from '../../../../planner/types/user_types.ts';
import type { CatalogRow } from '../catalog_relation.ts';

/** Bytes of the header that varchar's and numeric's typmods count. */
const HEADER = 4;
/** What character_octet_length says of text without a limit. */
const UNLIMITED_OCTETS = 1 << 30;
const UTF8_MAX_BYTES = 4;
const DEFAULT_FRACTION = 6;
const FULL_PRECISION = 0xffff;

const INTEGER_BITS: Record<number, number> = { [OID.int2]: 16, [OID.int4]: 32, [OID.int8]: 64 };
const FLOAT_BITS: Record<number, number> = { [OID.float4]: 24, [OID.float8]: 53 };
const TIMES = new Set<number>([OID.time, OID.timetz, OID.timestamp, OID.timestamptz]);

/** character_*, numeric_*, datetime_precision and interval_type of a type that is no domain. */
export function typeLimits({ oid, typmod }: ColType): CatalogRow {
  switch (oid) {
    case OID.varchar:
    case OID.bpchar:
      if (typmod === -1) return { character_octet_length: UNLIMITED_OCTETS };
      return {
        character_maximum_length: typmod - HEADER,
        character_octet_length: (typmod - HEADER) * UTF8_MAX_BYTES,
      };
    case OID.text:
      return { character_octet_length: UNLIMITED_OCTETS };
    case OID.bit:
    case OID.varbit:
      return typmod === -1 ? {} : { character_maximum_length: typmod };
    case OID.numeric:
      return numericLimits(typmod);
    case OID.date:
      return { datetime_precision: 0 };
    case OID.interval:
      return intervalLimits(typmod);
  }
  if (oid in INTEGER_BITS) {
    return { numeric_precision: INTEGER_BITS[oid], numeric_precision_radix: 2, numeric_scale: 0 };
  }
  if (oid in FLOAT_BITS) return { numeric_precision: FLOAT_BITS[oid], numeric_precision_radix: 2 };
  return TIMES.has(oid) ? { datetime_precision: typmod < 0 ? DEFAULT_FRACTION : typmod } : {};
}

function numericLimits(typmod: number): CatalogRow {
  if (typmod === -1) return { numeric_precision_radix: 10 };
  const digits = typmod - HEADER;
  return {
    numeric_precision: (digits >> 16) & 0xffff,
    numeric_precision_radix: 10,
    // PostgreSQL shows a negative scale as the eleven bits that it is kept in.
    numeric_scale: digits & 0xffff,
  };
}

function intervalLimits(typmod: number): CatalogRow {
  const precision = typmod & 0xffff;
  const fields = formatType(OID.interval, typmod).replace(/^interval ?/, '');
  return {
    datetime_precision: typmod < 0 || precision === FULL_PRECISION ? DEFAULT_FRACTION : precision,
    interval_type: /^[a-z]/.test(fields) ? fields.toUpperCase() : null,
  };
}

/** data_type: ARRAY, USER-DEFINED, or the name without its length. */
export function dataTypeName(oid: number): string {
  const type = typeByOid(oid);
  if (type?.isArray) return 'ARRAY';
  return type?.namespace === PG_CATALOG ? formatType(oid) : 'USER-DEFINED';
}

/** data_type of a domain over such a type. */
export function domainTypeName(base: ColType): string {
  return typeObjectOf(base) === 0 ? formatType(base.oid) : 'USER-DEFINED';
}

/** typeLimits() of a domain over such a type. */
export function domainLimits(base: ColType): CatalogRow {
  return base.domain === undefined ? typeLimits(base) : {};
}

function schemaOf(oid: number, namespace: number): string | null {
  const user = typeObjectOid(oid) === 0 ? undefined : userTypeOf(oid);
  return user?.schema ?? namespaceName(namespace) ?? null;
}

/** udt_catalog, udt_schema, udt_name under a prefix (`type_` for routines). */
export function udt(oid: number, database: string, prefix = ''): CatalogRow {
  const type = typeByOid(oid);
  return {
    [`${prefix}udt_catalog`]: database,
    [`${prefix}udt_schema`]: schemaOf(oid, type?.namespace ?? 0),
    [`${prefix}udt_name`]: type?.name ?? null,
  };
}
