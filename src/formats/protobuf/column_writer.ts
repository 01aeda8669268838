/**
 * Columns as fields of a proto3 message: the type of a column's field, and what writes its values. What is read back by it (value.ts) is the value again.
 *
 * | column                                      | Protobuf                                                          |
 * |---------------------------------------------|-------------------------------------------------------------------|
 * | boolean, real, double precision             | bool, float, double                                               |
 * | smallint, int; bigint                       | int32; int64                                                      |
 * | bytea                                       | bytes                                                             |
 * | timestamptz, timestamp                      | google.protobuf.Timestamp, of UTC                                 |
 * | arrays                                      | repeated; of one dimension, without NULL                          |
 * | any other: text, numeric, date, json, ...   | string: its text                                                  |
 *
 * All but arrays are optional: NULL is not there. What Protobuf has no value for (an infinite time, one before 0001 or after 9999, NULL in an array or in place of one) throws.
 */
import { type Datum, isPgArray } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { elementType, isArrayType } from '../../../operators/expr/array_types.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { EPOCH_DIFF_MICROS } from '../../../operators/expr/datetime/calendar.ts';
import { outputText } from '../../../operators/expr/io/index.ts';
import { type ColType, OID } from '../../../operators/types.ts';
import { FIXED32, FIXED64, LENGTH, VARINT } from './bytes.ts';
import { ProtobufOutput } from './output.ts';

export interface ColumnWriter {
  /** Before the field's name. */
  declaration: string;
  write(out: ProtobufOutput, value: Datum): void;
}

interface ValueWriter {
  type: string;
  wire: number;
  /** What comes behind the tag. */
  write(out: ProtobufOutput, value: Datum): void;
}

export const TIMESTAMP_FILE = 'google/protobuf/timestamp.proto';
const TIMESTAMP = 'google.protobuf.Timestamp';

const CONTEXT = defaultContext();
const SECOND = 1_000_000n;
/** 0001-01-01 and 10000-01-01 in seconds since 1970. */
const LEAST_SECONDS = -62_135_596_800n;
const LIMIT_SECONDS = 253_402_300_800n;

/** `field`: its number. */
export function columnWriter(type: ColType, field: number): ColumnWriter {
  const isArray = isArrayType(type.oid);
  const writer = valueWriter(isArray ? elementType(type.oid) : type.oid);
  const put = (out: ProtobufOutput, value: Datum) => {
    out.tag(field, writer.wire);
    writer.write(out, value);
  };
  if (isArray) {
    return {
      declaration: `repeated ${writer.type}`,
      write: (out, value) => {
        for (const item of itemsOf(value)) put(out, item);
      },
    };
  }
  return {
    // Messages have presence without saying so.
    declaration: writer.type === TIMESTAMP ? writer.type : `optional ${writer.type}`,
    write: (out, value) => {
      if (value !== null) put(out, value);
    },
  };
}

function itemsOf(value: Datum): Datum[] {
  if (value === null) {
    throw new SqlError('22004', 'an array that is NULL cannot be written in Protobuf', {
      hint: "There it would be an empty one. Say so in the query: coalesce(a, '{}').",
    });
  }
  if (!isPgArray(value)) throw new Error('the value is no array');
  if (value.dims.length > 1) {
    throw new SqlError('22023', 'an array of several dimensions cannot be written in Protobuf');
  }
  if (value.items.includes(null)) {
    throw new SqlError('22004', 'an array with NULL in it cannot be written in Protobuf', {
      hint: 'Take them out in the query: array_remove(a, NULL).',
    });
  }
  return value.items;
}

/** Of values that are not NULL. */
function valueWriter(oid: number): ValueWriter {
  switch (oid) {
    case OID.bool:
      return { type: 'bool', wire: VARINT, write: (out, value) => out.varint(value === true ? 1 : 0) };
    case OID.int2:
    case OID.int4:
      return { type: 'int32', wire: VARINT, write: (out, value) => out.varint(value as number) };
    case OID.int8:
      return { type: 'int64', wire: VARINT, write: (out, value) => out.varint(value as bigint) };
    case OID.float4:
      return { type: 'float', wire: FIXED32, write: (out, value) => out.float(value as number) };
    case OID.float8:
      return { type: 'double', wire: FIXED64, write: (out, value) => out.double(value as number) };
    case OID.bytea:
      return { type: 'bytes', wire: LENGTH, write: (out, value) => out.bytes(value as Uint8Array) };
    case OID.timestamp:
    case OID.timestamptz: {
      const inner = new ProtobufOutput();
      return {
        type: TIMESTAMP,
        wire: LENGTH,
        write: (out, value) => out.bytes(timestampBytes(inner, value as bigint)),
      };
    }
    default:
      return { type: 'string', wire: LENGTH, write: (out, value) => out.string(outputText(value, oid, CONTEXT)) };
  }
}

function timestampBytes(out: ProtobufOutput, time: bigint): Buffer {
  const micros = time + EPOCH_DIFF_MICROS;
  const fraction = ((micros % SECOND) + SECOND) % SECOND;
  const seconds = (micros - fraction) / SECOND;
  if (seconds < LEAST_SECONDS || seconds >= LIMIT_SECONDS) {
    throw new SqlError('22008', 'a timestamp before 0001, after 9999 or infinite cannot be written in Protobuf');
  }
  out.begin();
  if (seconds !== 0n) {
    out.tag(1, VARINT);
    out.varint(seconds);
  }
  if (fraction !== 0n) {
    out.tag(2, VARINT);
    out.varint(Number(fraction) * 1000);
  }
  return out.take();
}
