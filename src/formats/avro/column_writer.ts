/**
 * Columns as Avro: the schema of a column's type, and what writes its values. What is read back by such a schema (value.ts) is the value again.
 *
 * | column                                | Avro                                                   |
 * |---------------------------------------|--------------------------------------------------------|
 * | boolean, real, double precision       | boolean, float, double                                 |
 * | smallint, int; bigint                 | int; long                                              |
 * | numeric(p, s)                         | decimal(p, s) in bytes                                 |
 * | bytea                                 | bytes                                                  |
 * | date, time                            | date, time-micros                                      |
 * | timestamptz, timestamp                | timestamp-micros, local-timestamp-micros               |
 * | uuid                                  | uuid in a string                                       |
 * | arrays                                | array; of one dimension                                |
 * | any other: text, json, numeric, ...   | string: its text                                       |
 *
 * All may be null: unions with null first. What Avro has no value for (an infinite time, a numeric that is NaN) throws.
 */
import { type Datum, type Decimal, isPgArray, type PgArray } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { elementType, isArrayType } from '../../../operators/expr/array_types.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import {
  EPOCH_DIFF_DAYS,
  EPOCH_DIFF_MICROS,
  isFiniteDate,
  isFiniteTimestamp,
} from '../../../operators/expr/datetime/calendar.ts';
import { pow10 } from '../../../operators/expr/decimal/normal.ts';
import { numericTypmod } from '../../../operators/expr/decimal/typmod.ts';
import { outputText } from '../../../operators/expr/io/index.ts';
import { type ColType, colType, OID } from '../../../operators/types.ts';
import type { AvroOutput } from './output.ts';

export interface ColumnWriter {
  /** As JSON. */
  schema: unknown;
  write(out: AvroOutput, value: Datum): void;
}

const CONTEXT = defaultContext();

export function columnWriter(type: ColType): ColumnWriter {
  const { schema, write } = valueWriter(type);
  return {
    schema: ['null', schema],
    write(out, value) {
      out.long(value === null ? 0 : 1);
      if (value !== null) write(out, value);
    },
  };
}

/** Of values that are not NULL. */
function valueWriter(type: ColType): ColumnWriter {
  const { oid } = type;
  switch (oid) {
    case OID.bool:
      return { schema: 'boolean', write: (out, value) => out.byte(value === true ? 1 : 0) };
    case OID.int2:
    case OID.int4:
      return { schema: 'int', write: (out, value) => out.long(value as number) };
    case OID.int8:
      return { schema: 'long', write: (out, value) => out.long(value as bigint) };
    case OID.float4:
      return { schema: 'float', write: (out, value) => out.float(value as number) };
    case OID.float8:
      return { schema: 'double', write: (out, value) => out.double(value as number) };
    case OID.bytea:
      return { schema: 'bytes', write: (out, value) => out.bytes(value as Uint8Array) };
    case OID.date:
      return { schema: { type: 'int', logicalType: 'date' }, write: (out, value) => out.long(daysOf(value as number)) };
    case OID.time:
      return { schema: { type: 'long', logicalType: 'time-micros' }, write: (out, value) => out.long(value as bigint) };
    case OID.timestamp:
    case OID.timestamptz: {
      const logicalType = oid === OID.timestamp ? 'local-timestamp-micros' : 'timestamp-micros';
      return { schema: { type: 'long', logicalType }, write: (out, value) => out.long(microsOf(value as bigint)) };
    }
    case OID.numeric:
      return numericWriter(type);
    default:
      return isArrayType(oid) ? arrayWriter(type) : textWriter(oid);
  }
}

function textWriter(oid: number): ColumnWriter {
  return {
    schema: oid === OID.uuid ? { type: 'string', logicalType: 'uuid' } : 'string',
    write: (out, value) => out.string(outputText(value, oid, CONTEXT)),
  };
}

function daysOf(date: number): number {
  if (!isFiniteDate(date)) throw new SqlError('22008', 'an infinite date cannot be written in Avro');
  return date + EPOCH_DIFF_DAYS;
}

function microsOf(time: bigint): bigint {
  if (!isFiniteTimestamp(time)) throw new SqlError('22008', 'an infinite timestamp cannot be written in Avro');
  return time + EPOCH_DIFF_MICROS;
}

function numericWriter(type: ColType): ColumnWriter {
  const { precision, scale } = type.typmod === -1 ? { precision: 0, scale: -1 } : numericTypmod(type.typmod);
  // Avro has no scale below 0, or above the precision.
  if (scale < 0 || scale > precision) return textWriter(OID.numeric);
  return {
    schema: { type: 'bytes', logicalType: 'decimal', precision, scale },
    write: (out, value) => out.bytes(twosComplement(unscaled(value as Decimal, scale))),
  };
}

function unscaled({ m, s, special }: Decimal, scale: number): bigint {
  if (special !== undefined) throw new SqlError('22003', `${special} cannot be written as an Avro decimal`);
  return s <= scale ? m * pow10(scale - s) : m / pow10(s - scale);
}

/** Big endian, as short as it can be. */
function twosComplement(value: bigint): Buffer {
  let bytes = 1;
  while (BigInt.asIntN(bytes * 8, value) !== value) bytes++;
  const hex = BigInt.asUintN(bytes * 8, value).toString(16);
  return Buffer.from(hex.padStart(bytes * 2, '0'), 'hex');
}

function arrayWriter(type: ColType): ColumnWriter {
  const item = columnWriter(colType(elementType(type.oid), type.typmod));
  return {
    schema: { type: 'array', items: item.schema },
    write(out, value) {
      if (!isPgArray(value)) throw new Error('the value is no array');
      const { dims, items } = value as PgArray;
      if (dims.length > 1) throw new SqlError('22023', 'an array of several dimensions cannot be written in Avro');
      if (items.length > 0) {
        out.long(items.length);
        for (const one of items) item.write(out, one);
      }
      out.long(0);
    },
  };
}
