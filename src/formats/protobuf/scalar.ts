/**
 * A Protobuf value that is not made of others, as a value of the PostgreSQL type that it is like.
 *
 * | Protobuf                                        | type                   |                                                        |
 * |-------------------------------------------------|------------------------|--------------------------------------------------------|
 * | bool                                            | boolean                |                                                        |
 * | int32, sint32, sfixed32                         | int                    |                                                        |
 * | int64, sint64, sfixed64, uint32, fixed32        | bigint                 |                                                        |
 * | uint64, fixed64                                 | numeric                |                                                        |
 * | float, double                                   | real, double precision |                                                        |
 * | string, enum                                    | text                   | UTF-8 without zero bytes; a number without a label is its digits |
 * | bytes                                           | bytea                  |                                                        |
 * | google.protobuf.Timestamp                       | timestamptz            | nanoseconds are cut to the microsecond before          |
 * | google.protobuf.Duration                        | interval               | nanoseconds are cut                                    |
 * | google.protobuf.Int32Value and the like         | that of the value      |                                                        |
 * | google.type.Date, google.type.TimeOfDay         | date, time             |                                                        |
 * | confluent.type.Decimal                          | numeric                |                                                        |
 *
 * read() has the bytes of the value before it: those of a string or message all, a number's first.
 */
import { type Datum, decimal, interval } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { checked } from '../../../operators/expr/decimal/normal.ts';
import { inputText } from '../../../operators/expr/io/index.ts';
import { colType, OID } from '../../../operators/types.ts';
import { timestampOf } from '../cast.ts';
import { charactersOf } from '../row_error.ts';
import { malformed, ProtobufBytes } from './bytes.ts';
import { wireOf } from './scan.ts';
import type { FieldType, Message, ScalarKind } from './schema.ts';

export interface Scalar {
  oid: number;
  read(from: ProtobufBytes): Datum;
}

const CONTEXT = defaultContext();
/** More digits than a numeric has. */
const MOST_DECIMAL_BYTES = 60_000;
const MOST_DECIMAL_SCALE = 16_383;
const GREATEST_NANOS = 999_999_999n;
/** Of a Duration, in seconds. */
const GREATEST_DURATION = 315_576_000_000n;

const PLAIN: Record<ScalarKind, Scalar> = {
  double: { oid: OID.float8, read: (from) => oneNaN(from.bytes.readDoubleLE(from.take(8))) },
  float: { oid: OID.float4, read: (from) => oneNaN(from.bytes.readFloatLE(from.take(4))) },
  int32: { oid: OID.int4, read: readInt32 },
  sint32: { oid: OID.int4, read: readZigzag32 },
  sfixed32: { oid: OID.int4, read: (from) => from.readFixed32() },
  uint32: { oid: OID.int8, read: (from) => BigInt(readInt32(from) >>> 0) },
  fixed32: { oid: OID.int8, read: (from) => BigInt(from.readFixed32() >>> 0) },
  int64: { oid: OID.int8, read: readInt64 },
  sint64: { oid: OID.int8, read: readZigzag64 },
  sfixed64: { oid: OID.int8, read: readFixed64 },
  uint64: { oid: OID.numeric, read: (from) => decimal(BigInt.asUintN(64, readInt64(from))) },
  fixed64: { oid: OID.numeric, read: (from) => decimal(BigInt.asUintN(64, readFixed64(from))) },
  bool: { oid: OID.bool, read: readBool },
  string: { oid: OID.text, read: readString },
  bytes: { oid: OID.bytea, read: (from) => new Uint8Array(readBytes(from)) },
};

const WRAPPED: Record<string, ScalarKind> = {
  DoubleValue: 'double',
  FloatValue: 'float',
  Int64Value: 'int64',
  UInt64Value: 'uint64',
  Int32Value: 'int32',
  UInt32Value: 'uint32',
  BoolValue: 'bool',
  StringValue: 'string',
  BytesValue: 'bytes',
};

/** Null for messages, and for maps. */
export function scalarOf(type: FieldType): Scalar | null {
  switch (type.k) {
    case 'message':
      return scalarMessage(type.message);
    case 'map':
      return null;
    case 'enum': {
      const { labels } = type;
      return { oid: OID.text, read: (from) => labelOf(labels, from) };
    }
    default:
      return PLAIN[type.k];
  }
}

/** Of the message google.protobuf.Int32Value and the like; null for others. */
export function wrappedKind({ name }: Message): ScalarKind | null {
  const short = name.startsWith('google.protobuf.') ? name.slice('google.protobuf.'.length) : '';
  return Object.hasOwn(WRAPPED, short) ? WRAPPED[short] : null;
}

function scalarMessage(message: Message): Scalar | null {
  switch (message.name) {
    case 'google.protobuf.Timestamp':
      return { oid: OID.timestamptz, read: (from) => timestampOfParts(readSecondsAndNanos(from)) };
    case 'google.protobuf.Duration':
      return { oid: OID.interval, read: (from) => durationOfParts(readSecondsAndNanos(from)) };
    case 'google.type.Date':
      return { oid: OID.date, read: readDate };
    case 'google.type.TimeOfDay':
      return { oid: OID.time, read: readTime };
    case 'confluent.type.Decimal':
      return { oid: OID.numeric, read: readDecimal };
    default: {
      const kind = wrappedKind(message);
      return kind === null ? null : { oid: PLAIN[kind].oid, read: (from) => readWrapped(from, kind) };
    }
  }
}

/** One NaN for all: slots are compared as bytes. */
function oneNaN(x: number): number {
  return Number.isNaN(x) ? Number.NaN : x;
}

export function readInt32(from: ProtobufBytes): number {
  from.readVarint();
  return from.lo;
}

function readZigzag32(from: ProtobufBytes): number {
  from.readVarint();
  return (from.lo >>> 1) ^ -(from.lo & 1);
}

function readInt64(from: ProtobufBytes): bigint {
  from.readVarint();
  return from.signed();
}

function readZigzag64(from: ProtobufBytes): bigint {
  const value = BigInt.asUintN(64, readInt64(from));
  return (value >> 1n) ^ -(value & 1n);
}

function readFixed64(from: ProtobufBytes): bigint {
  from.readFixed64();
  return from.signed();
}

function readBool(from: ProtobufBytes): boolean {
  from.readVarint();
  return (from.lo | from.hi) !== 0;
}

export function readBytes(from: ProtobufBytes): Buffer {
  return from.bytes.subarray(from.take(from.end - from.at), from.at);
}

export function readString(from: ProtobufBytes): string {
  return charactersOf(readBytes(from), null);
}

function labelOf(labels: Map<number, string>, from: ProtobufBytes): string {
  const number = readInt32(from);
  const label = labels.get(number);
  if (label === undefined) return String(number);
  from.give(label.length);
  return label;
}

/** Calls back at the value of each field of a message that has one of these numbers and wire types. */
function eachField(from: ProtobufBytes, wires: number[], value: (number: number) => void): void {
  while (from.at < from.end) {
    from.nextTag();
    const { number, wire } = from;
    const end = from.skip();
    const expected = wires[number];
    if (expected === undefined) continue;
    if (wire !== expected) throw malformed(`field ${number} has wire type ${wire}, and its type has ${expected}`);
    from.within(from.bytes, from.contentAt, end, () => value(number));
  }
}

/** Nothing is at 0. */
const SECONDS_AND_NANOS = [-1, 0, 0];

/** As a Timestamp and a Duration have them. */
export interface SecondsAndNanos {
  seconds: bigint;
  nanos: bigint;
}

export function readSecondsAndNanos(from: ProtobufBytes): SecondsAndNanos {
  let seconds = 0n;
  let nanos = 0n;
  eachField(from, SECONDS_AND_NANOS, (number) => {
    if (number === 1) seconds = readInt64(from);
    else nanos = BigInt(readInt32(from));
  });
  return { seconds, nanos };
}

export function checkTimestamp({ nanos }: SecondsAndNanos): void {
  if (nanos < 0n || nanos > GREATEST_NANOS) throw new SqlError('22008', `timestamp out of range: ${nanos} nanoseconds`);
}

export function checkDuration({ seconds, nanos }: SecondsAndNanos): void {
  const greatest = seconds < 0n ? -seconds : seconds;
  const fraction = nanos < 0n ? -nanos : nanos;
  const sameSign = seconds === 0n || nanos === 0n || seconds < 0n === nanos < 0n;
  if (greatest > GREATEST_DURATION || fraction > GREATEST_NANOS || !sameSign) {
    throw new SqlError('22008', `duration out of range: ${seconds} seconds, ${nanos} nanoseconds`);
  }
}

function timestampOfParts(parts: SecondsAndNanos): bigint {
  checkTimestamp(parts);
  return timestampOf(parts.seconds * 1_000_000n + parts.nanos / 1000n);
}

function durationOfParts(parts: SecondsAndNanos): Datum {
  checkDuration(parts);
  return interval(0, 0, parts.seconds * 1_000_000n + parts.nanos / 1000n);
}

function readWrapped(from: ProtobufBytes, kind: ScalarKind): Datum {
  let value: Datum | undefined;
  eachField(from, [-1, wireOf({ k: kind })], () => {
    value = PLAIN[kind].read(from);
  });
  return value === undefined ? zeroOf(kind) : value;
}

const ZEROS = Buffer.alloc(8);

const NOWHERE = new ProtobufBytes();

/** What a field without presence is that is not there. */
export function zeroOf(kind: ScalarKind): Datum {
  const length = kind === 'string' || kind === 'bytes' ? 0 : ZEROS.length;
  return NOWHERE.within(ZEROS, 0, length, () => PLAIN[kind].read(NOWHERE));
}

function readDate(from: ProtobufBytes): Datum {
  const [year, month, day] = readInts(from, 3);
  const text = `${String(year).padStart(4, '0')}-${month}-${day}`;
  if (year < 1 || month < 1 || day < 1) throw new SqlError('22008', `date out of range: ${text}`);
  return inputText(text, colType(OID.date), CONTEXT);
}

function readTime(from: ProtobufBytes): Datum {
  const [hours, minutes, seconds, nanos] = readInts(from, 4);
  const isTime = inRange(hours, 24) && inRange(minutes, 59) && inRange(seconds, 60) && inRange(nanos, 999_999_999);
  const micros = BigInt((hours * 60 + minutes) * 60 + seconds) * 1_000_000n + BigInt(Math.floor(nanos / 1000));
  if (!isTime || micros > 86_400_000_000n) {
    throw new SqlError('22008', `time out of range: ${hours}:${minutes}:${seconds} and ${nanos} nanoseconds`);
  }
  return micros;
}

function inRange(x: number, greatest: number): boolean {
  return x >= 0 && x <= greatest;
}

/** Of fields 1, 2, ... that are int32. */
function readInts(from: ProtobufBytes, count: number): number[] {
  const values = new Array<number>(count).fill(0);
  eachField(from, [-1, ...values], (number) => {
    values[number - 1] = readInt32(from);
  });
  return values;
}

/** value: big endian, two's complement; scale. */
function readDecimal(from: ProtobufBytes): Datum {
  let bytes: Buffer = ZEROS;
  let scale = 0;
  eachField(from, [-1, 2, 0, 0], (number) => {
    if (number === 1) bytes = readBytes(from);
    else if (number === 3) scale = readInt32(from);
  });
  if (bytes.length > MOST_DECIMAL_BYTES || scale > MOST_DECIMAL_SCALE || scale < -MOST_DECIMAL_SCALE) {
    throw new SqlError('22003', 'value overflows numeric format');
  }
  from.give(Math.abs(scale));
  const unsigned = bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`);
  const value = BigInt.asIntN(bytes.length * 8, unsigned);
  return checked(scale >= 0 ? decimal(value, scale) : decimal(value * 10n ** BigInt(-scale)));
}
