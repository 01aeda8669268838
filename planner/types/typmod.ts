/**
 * Type modifiers: the numbers in numeric(10,2), varchar(5), timestamp(3), interval day to second, packed as atttypmod.
 *
 * | type                        | typmod                                                    |
 * |-----------------------------|-----------------------------------------------------------|
 * | varchar(n), char(n)         | n + 4                                                     |
 * | bit(n), bit varying(n)      | n                                                         |
 * | numeric(p, s)               | (p << 16 or the low 11 bits of s) + 4; s may be negative  |
 * | time(p), timestamp(p), ...  | p, at most 6                                              |
 * | interval fields(p)          | fields << 16 or p; 7fff all fields, ffff no precision     |
 */
import { SqlError } from '../../operators/errors.ts';
import { OID } from '../../operators/types.ts';
import { typeByOid } from './catalog.ts';

const VARHDRSZ = 4;
const MAX_CHARACTERS = 10485760;
const MAX_BITS = 83886080;
const MAX_PRECISION = 6;
const ALL_FIELDS = 0x7fff;
const NO_PRECISION = 0xffff;

const MONTH = 1 << 1;
const YEAR = 1 << 2;
const DAY = 1 << 3;
const HOUR = 1 << 10;
const MINUTE = 1 << 11;
const SECOND = 1 << 12;

/** Interval fields by their bits in a typmod. */
const INTERVAL_FIELDS = new Map<number, string>([
  [YEAR, 'year'],
  [MONTH, 'month'],
  [DAY, 'day'],
  [HOUR, 'hour'],
  [MINUTE, 'minute'],
  [SECOND, 'second'],
  [YEAR | MONTH, 'year to month'],
  [DAY | HOUR, 'day to hour'],
  [DAY | HOUR | MINUTE, 'day to minute'],
  [DAY | HOUR | MINUTE | SECOND, 'day to second'],
  [HOUR | MINUTE, 'hour to minute'],
  [HOUR | MINUTE | SECOND, 'hour to second'],
  [MINUTE | SECOND, 'minute to second'],
  [ALL_FIELDS, ''],
]);

/** Bits of `year`, `day to second`, ... in an interval's typmod; undefined when there are no such fields. */
export function intervalFields(words: string): number | undefined {
  for (const [bits, text] of INTERVAL_FIELDS) if (text === words) return bits;
  return undefined;
}

function invalid(message: string): SqlError {
  return new SqlError('22023', message);
}

function lengthTypmod(values: number[], name: string, max: number, extra: number): number {
  if (values.length !== 1) throw invalid('invalid type modifier');
  if (values[0] < 1) throw invalid(`length for type ${name} must be at least 1`);
  if (values[0] > max) throw invalid(`length for type ${name} cannot exceed ${max}`);
  return values[0] + extra;
}

function numericTypmod(values: number[]): number {
  const [precision, scale = 0] = values;
  if (values.length < 1 || values.length > 2) throw invalid('invalid NUMERIC type modifier');
  if (precision < 1 || precision > 1000) {
    throw invalid(`NUMERIC precision ${precision} must be between 1 and 1000`);
  }
  if (scale < -1000 || scale > 1000) throw invalid(`NUMERIC scale ${scale} must be between -1000 and 1000`);
  return ((precision << 16) | (scale & 0x7ff)) + VARHDRSZ;
}

function timeTypmod(values: number[], name: string, zone: string): number {
  if (values.length !== 1) throw invalid('invalid type modifier');
  if (values[0] < 0) throw invalid(`${name}(${values[0]})${zone} precision must not be negative`);
  return Math.min(values[0], MAX_PRECISION);
}

function intervalTypmod(values: number[]): number {
  const [fields, precision] = values;
  if (!INTERVAL_FIELDS.has(fields) || values.length > 2) throw invalid('invalid INTERVAL type modifier');
  if (precision === undefined) return fields === ALL_FIELDS ? -1 : (fields << 16) | NO_PRECISION;
  if (precision < 0) throw invalid(`INTERVAL(${precision}) precision must not be negative`);
  return (fields << 16) | Math.min(precision, MAX_PRECISION);
}

/** The typmod of a type for the numbers written after its name. Throws 22023, 42601 for a type that takes none. */
export function typmodIn(oid: number, values: number[]): number {
  switch (oid) {
    case OID.varchar:
      return lengthTypmod(values, 'varchar', MAX_CHARACTERS, VARHDRSZ);
    case OID.bpchar:
      return lengthTypmod(values, 'char', MAX_CHARACTERS, VARHDRSZ);
    case OID.bit:
      return lengthTypmod(values, 'bit', MAX_BITS, 0);
    case OID.varbit:
      return lengthTypmod(values, 'varbit', MAX_BITS, 0);
    case OID.numeric:
      return numericTypmod(values);
    case OID.time:
      return timeTypmod(values, 'TIME', '');
    case OID.timetz:
      return timeTypmod(values, 'TIME', ' WITH TIME ZONE');
    case OID.timestamp:
      return timeTypmod(values, 'TIMESTAMP', '');
    case OID.timestamptz:
      return timeTypmod(values, 'TIMESTAMP', ' WITH TIME ZONE');
    case OID.interval:
      return intervalTypmod(values);
    default:
      throw new SqlError('42601', `type modifier is not allowed for type "${typeByOid(oid)?.name ?? oid}"`);
  }
}

/** What stands after the type's name: `(10,2)`, `(3) with time zone`, ` day to second(3)`; '' for typmod -1 where there is no zone. */
export function typmodOut(oid: number, typmod: number): string {
  const number = typmod >= 0 ? `(${typmod})` : '';
  switch (oid) {
    case OID.varchar:
    case OID.bpchar:
      return typmod > VARHDRSZ ? `(${typmod - VARHDRSZ})` : '';
    case OID.bit:
    case OID.varbit:
      return number;
    case OID.numeric: {
      const packed = numericPrecision(typmod);
      return packed === null ? '' : `(${packed.precision},${packed.scale})`;
    }
    case OID.time:
    case OID.timestamp:
      return `${number} without time zone`;
    case OID.timetz:
    case OID.timestamptz:
      return `${number} with time zone`;
    case OID.interval: {
      if (typmod < 0) return '';
      const fields = INTERVAL_FIELDS.get((typmod >> 16) & ALL_FIELDS);
      if (fields === undefined) throw new SqlError('XX000', `invalid INTERVAL typmod: 0x${typmod.toString(16)}`);
      const precision = typmod & NO_PRECISION;
      return `${fields === '' ? '' : ` ${fields}`}${precision === NO_PRECISION ? '' : `(${precision})`}`;
    }
    default:
      return '';
  }
}

/** Precision and scale in numeric's typmod; null for none. */
function numericPrecision(typmod: number): { precision: number; scale: number } | null {
  if (typmod < VARHDRSZ) return null;
  const packed = typmod - VARHDRSZ;
  return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 1024) - 1024 };
}
