/**
 * An Avro value that is no record, array, map or union, as a value of the PostgreSQL type that it is like.
 *
 * | Avro                         | type        |                                                     |
 * |------------------------------|-------------|-----------------------------------------------------|
 * | boolean                      | boolean     |                                                     |
 * | int, long                    | int, bigint |                                                     |
 * | float, double                | real, double precision |                                          |
 * | string, enum                 | text        | UTF-8 without zero bytes                            |
 * | bytes, fixed                 | bytea       |                                                     |
 * | decimal                      | numeric     | with the scale of the schema                        |
 * | date                         | date        |                                                     |
 * | time-millis, -micros         | time        |                                                     |
 * | timestamp-*                  | timestamptz | nanoseconds are cut to the microsecond before       |
 * | local-timestamp-*            | timestamp   |                                                     |
 * | uuid (string, 16 bytes)      | uuid        |                                                     |
 * | duration                     | interval    |                                                     |
 */
import { type Datum, decimal, interval } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { END_DATE, EPOCH_DIFF_DAYS, MIN_DATE } from '../../../operators/expr/datetime/calendar.ts';
import { checked } from '../../../operators/expr/decimal/normal.ts';
import { inputText } from '../../../operators/expr/io/index.ts';
import { uuidOfBytes } from '../../../operators/expr/io/uuid.ts';
import { colType, OID } from '../../../operators/types.ts';
import { timestampOf } from '../cast.ts';
import { textOf } from '../row_error.ts';
import type { AvroBytes } from './bytes.ts';
import type { AvroType } from './schema.ts';

export interface Scalar {
  oid: number;
  read(from: AvroBytes): Datum;
}

const CONTEXT = defaultContext();
const DAY_MICROS = 86_400_000_000n;
/** More digits than a numeric has. */
const MOST_DECIMAL_BYTES = 60_000;

/** Null for what is not scalar, and for null. */
export function scalarOf(type: AvroType): Scalar | null {
  switch (type.k) {
    case 'boolean':
      return { oid: OID.bool, read: (from) => from.readBoolean() };
    case 'float':
      return { oid: OID.float4, read: (from) => from.readFloat() };
    case 'double':
      return { oid: OID.float8, read: (from) => from.readDouble() };
    case 'int':
    case 'long':
      return integerOf(type.k, type.logical);
    case 'string':
      return type.logical === 'uuid' ? { oid: OID.uuid, read: readUuidText } : { oid: OID.text, read: readString };
    case 'enum': {
      const { symbols } = type;
      const read = (from: AvroBytes) => {
        const symbol = symbols[from.readIndex(symbols.length)];
        from.give(symbol.length);
        return symbol;
      };
      return { oid: OID.text, read };
    }
    case 'bytes':
      return bytesOf((from) => from.readLength(), type.logical, type.scale);
    case 'fixed': {
      const { size } = type;
      return bytesOf(() => size, type.logical, type.scale);
    }
    default:
      return null;
  }
}

function integerOf(kind: 'int' | 'long', logical: string | undefined): Scalar {
  switch (logical) {
    case 'date':
      return { oid: OID.date, read: (from) => dateOf(from.readInt()) };
    case 'time-millis':
      return { oid: OID.time, read: (from) => timeOf(BigInt(from.readInt()) * 1000n) };
    case 'time-micros':
      return { oid: OID.time, read: (from) => timeOf(from.readBigInt()) };
    case 'timestamp-millis':
    case 'local-timestamp-millis':
      return { oid: timestampType(logical), read: (from) => timestampOf(from.readBigInt() * 1000n) };
    case 'timestamp-micros':
    case 'local-timestamp-micros':
      return { oid: timestampType(logical), read: (from) => timestampOf(from.readBigInt()) };
    case 'timestamp-nanos':
    case 'local-timestamp-nanos':
      return { oid: timestampType(logical), read: (from) => timestampOf(floorThousands(from.readBigInt())) };
    default:
      if (kind === 'int') return { oid: OID.int4, read: (from) => from.readInt() };
      return { oid: OID.int8, read: (from) => from.readBigInt() };
  }
}

function timestampType(logical: string): number {
  return logical.startsWith('local') ? OID.timestamp : OID.timestamptz;
}

function bytesOf(length: (from: AvroBytes) => number, logical: string | undefined, scale = 0): Scalar {
  const read = (from: AvroBytes): Buffer => {
    const at = from.take(length(from));
    return from.bytes.subarray(at, from.at);
  };
  switch (logical) {
    case 'decimal':
      return {
        oid: OID.numeric,
        read: (from) => {
          from.give(scale);
          return decimalOf(read(from), scale);
        },
      };
    case 'uuid':
      return { oid: OID.uuid, read: (from) => uuidOfBytes(read(from)) };
    case 'duration':
      return { oid: OID.interval, read: (from) => durationOf(read(from)) };
    default:
      return { oid: OID.bytea, read: (from) => new Uint8Array(read(from)) };
  }
}

export function readString(from: AvroBytes): string {
  const at = from.take(from.readLength());
  const text = textOf(from.bytes.subarray(at, from.at));
  if (text.includes('\0')) throw new SqlError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
  return text;
}

function readUuidText(from: AvroBytes): Datum {
  return inputText(readString(from), colType(OID.uuid), CONTEXT);
}

function dateOf(days: number): number {
  const date = days - EPOCH_DIFF_DAYS;
  if (date < MIN_DATE || date >= END_DATE) throw new SqlError('22008', `date out of range: ${days} days`);
  return date;
}

function timeOf(micros: bigint): bigint {
  if (micros < 0n || micros > DAY_MICROS) throw new SqlError('22008', `time out of range: ${micros} microseconds`);
  return micros;
}

function floorThousands(nanos: bigint): bigint {
  const micros = nanos / 1000n;
  return nanos < 0n && micros * 1000n !== nanos ? micros - 1n : micros;
}

/** Big endian, two's complement; no bytes are 0. */
function decimalOf(bytes: Buffer, scale: number): Datum {
  if (bytes.length > MOST_DECIMAL_BYTES) throw new SqlError('22003', 'value overflows numeric format');
  const magnitude = bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`);
  const isNegative = bytes.length > 0 && bytes[0] >= 128;
  return checked(decimal(isNegative ? magnitude - (1n << BigInt(bytes.length * 8)) : magnitude, scale));
}

/** Months, days, milliseconds: unsigned, little endian. */
function durationOf(bytes: Buffer): Datum {
  const [months, days] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
  if (months > 0x7fff_ffff || days > 0x7fff_ffff) throw new SqlError('22008', 'interval out of range');
  return interval(months, days, BigInt(bytes.readUInt32LE(8)) * 1000n);
}
