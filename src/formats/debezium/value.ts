/**
 * A value of a change event as a value of a column's type. The schema beside the message says what it means; without one, and of fields whose schema has no name, the column does:
 *
 * | JSON              | column                                 | meaning with a schema                             | and without                                                     |
 * |-------------------|----------------------------------------|---------------------------------------------------|-----------------------------------------------------------------|
 * | number            | date, time, timestamp(tz), interval    | its unit: days, milli-, micro- or nanoseconds     | date: days since 1970; of a precision up to 3 milliseconds, else micro- |
 * | string            | a number type, text                    | Decimal: base64 of the unscaled number            | as in format = 'json': the number's digits                       |
 * | object            | the same                               | VariableScaleDecimal {"scale", "value"}           | of these two members the same in a number type                   |
 * | string            | bytea                                  | base64, or \x and hexadecimal digits               | the same                                                         |
 * | string            | json, jsonb                            | JSON text                                          | the same                                                         |
 * | array             | array                                  | its items, likewise                                |                                                                 |
 * | anything else     |                                        | as in format = 'json'                              |                                                                 |
 */
import { type Datum, type Decimal, interval } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import {
  checkTimestamp,
  dateOutOfRange,
  END_DATE,
  EPOCH_DIFF_MICROS,
  floorDiv,
  intervalOutOfRange,
  MICROS_PER_DAY,
  MIN_DATE,
  POSTGRES_EPOCH_JULIAN,
  UNIX_EPOCH_JULIAN,
} from '../../../operators/expr/datetime/calendar.ts';
import { coerceTypmod, inputText } from '../../../operators/expr/io/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { decodeString, type JsonNode, type JsonObjectNode } from '../../../operators/expr/json/parse.ts';
import { type ColType, colType, OID } from '../../../operators/types.ts';
import { arrayOf, datumOfJson, isArrayType } from '../json/value.ts';
import { type FieldSchema, memberOf, stringOf } from './field_schema.ts';

const NANOS_PER_MICRO = 1000n;
const NANOS = { day: MICROS_PER_DAY * NANOS_PER_MICRO, milli: 1_000_000n, micro: NANOS_PER_MICRO, nano: 1n };

/** Nanoseconds in a unit of the numbers with this meaning. */
const UNITS = new Map<string | null, bigint>([
  ['io.debezium.time.Date', NANOS.day],
  ['io.debezium.time.Timestamp', NANOS.milli],
  ['io.debezium.time.MicroTimestamp', NANOS.micro],
  ['io.debezium.time.NanoTimestamp', NANOS.nano],
  ['io.debezium.time.Time', NANOS.milli],
  ['io.debezium.time.MicroTime', NANOS.micro],
  ['io.debezium.time.NanoTime', NANOS.nano],
  ['io.debezium.time.MicroDuration', NANOS.micro],
  ['io.debezium.time.NanoDuration', NANOS.nano],
  ['org.apache.kafka.connect.data.Date', NANOS.day],
  ['org.apache.kafka.connect.data.Time', NANOS.milli],
  ['org.apache.kafka.connect.data.Timestamp', NANOS.milli],
]);
const DECIMAL = 'org.apache.kafka.connect.data.Decimal';
const VARIABLE_SCALE_DECIMAL = 'io.debezium.data.VariableScaleDecimal';

const TIMES = new Set<number>([OID.date, OID.time, OID.timestamp, OID.timestamptz, OID.interval]);
const NUMBERS = new Set<number>([OID.int2, OID.int4, OID.int8, OID.float4, OID.float8, OID.numeric]);
/** Of a numeric. */
const GREATEST_SCALE = 16_383;
/** More digits than a numeric has. */
const MOST_DECIMAL_BYTES = 60_000;
/** Microseconds since 1970 that Debezium writes for PostgreSQL's infinite timestamps. */
const INFINITE = 9_223_372_036_825_200_000n;
const MINUS_INFINITE = -9_223_372_036_832_400_000n;
/** The greatest precision of a column of milliseconds. */
const MILLIS_PRECISION = 3;

/** The datum of `node`, a part of `text`. Throws SqlError. */
export function datumOfEvent(
  node: JsonNode,
  text: string,
  type: ColType,
  schema: FieldSchema | null,
  ctx: EvalContext,
): Datum {
  const { oid } = type;
  switch (node.kind) {
    case 'number':
      if (TIMES.has(oid)) return timeOf(text.slice(node.start, node.end), type, schema, ctx);
      break;
    case 'string': {
      if (oid === OID.bytea) return bytesOf(decodeString(node), type, ctx);
      if (schema?.name === DECIMAL)
        return inputText(unscaled(decodeString(node), schema.scale ?? Number.NaN), type, ctx);
      if (oid === OID.json || oid === OID.jsonb) return inputText(decodeString(node), type, ctx);
      break;
    }
    case 'object': {
      const digits = variableScale(node, text, type, schema);
      if (digits !== null) return inputText(digits, type, ctx);
      break;
    }
    case 'array':
      if (isArrayType(oid)) {
        const items = schema?.items ?? null;
        return arrayOf(node, type, (item, element) => datumOfEvent(item, text, element, items, ctx));
      }
  }
  return datumOfJson(node, text, type, ctx);
}

/** A number in a column of a time type. */
function timeOf(digits: string, type: ColType, schema: FieldSchema | null, ctx: EvalContext): Datum {
  const unit = UNITS.get(schema?.name ?? null) ?? declaredUnit(type);
  const micros = microsOf(inputText(digits, colType(OID.numeric), ctx) as Decimal, unit);
  switch (type.oid) {
    case OID.date: {
      const days = floorDiv(micros, MICROS_PER_DAY) + BigInt(UNIX_EPOCH_JULIAN - POSTGRES_EPOCH_JULIAN);
      if (days < MIN_DATE || days >= END_DATE) throw dateOutOfRange();
      return Number(days);
    }
    case OID.time:
      if (micros < 0n || micros > MICROS_PER_DAY) {
        throw new SqlError('22008', `date/time field value out of range: "${digits}"`);
      }
      return coerceTypmod(micros, type, false);
    case OID.interval:
      if (BigInt.asIntN(64, micros) !== micros) throw intervalOutOfRange();
      return coerceTypmod(interval(0, 0, micros), type, false);
    default:
      if (micros === INFINITE || micros === MINUS_INFINITE)
        return inputText(micros < 0n ? '-infinity' : 'infinity', type, ctx);
      return coerceTypmod(checkTimestamp(micros - EPOCH_DIFF_MICROS), type, false);
  }
}

function declaredUnit({ oid, typmod }: ColType): bigint {
  if (oid === OID.date) return NANOS.day;
  return oid !== OID.interval && typmod >= 0 && typmod <= MILLIS_PRECISION ? NANOS.milli : NANOS.micro;
}

/** Rounds halves away from zero. */
function microsOf({ m, s, special }: Decimal, unit: bigint): bigint {
  if (special !== undefined) throw dateOutOfRange();
  const divisor = NANOS_PER_MICRO * 10n ** BigInt(s);
  const nanos = m * unit;
  const magnitude = ((nanos < 0n ? -nanos : nanos) * 2n + divisor) / (divisor * 2n);
  return nanos < 0n ? -magnitude : magnitude;
}

function bytesOf(characters: string, type: ColType, ctx: EvalContext): Datum {
  return characters.startsWith('\\x') ? inputText(characters, type, ctx) : decodeBase64(characters);
}

/** Null when the object is no number. */
function variableScale(
  node: JsonObjectNode,
  text: string,
  { oid }: ColType,
  schema: FieldSchema | null,
): string | null {
  if (schema?.name !== VARIABLE_SCALE_DECIMAL && !(schema === null && NUMBERS.has(oid))) return null;
  const scale = memberOf(node, 'scale');
  const value = stringOf(memberOf(node, 'value'));
  if (scale?.kind !== 'number' || value === null) return null;
  return unscaled(value, Number(text.slice(scale.start, scale.end)));
}

/** The digits of a number that is written as the base64 of its two's complement, most significant byte first. */
function unscaled(base64: string, scale: number): string {
  const bytes = decodeBase64(base64);
  if (bytes.length === 0) throw new SqlError('22P02', 'a decimal without bytes');
  if (bytes.length > MOST_DECIMAL_BYTES) throw new SqlError('22003', 'value overflows numeric format');
  if (!Number.isInteger(scale) || Math.abs(scale) > GREATEST_SCALE)
    throw new SqlError('22003', `the scale of a decimal is out of range: ${scale}`);
  const value = BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
  if (scale <= 0) return `${value}${value === 0n ? '' : '0'.repeat(-scale)}`;
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function decodeBase64(characters: string): Uint8Array {
  if (characters.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(characters)) {
    throw new SqlError('22023', 'invalid base64 of bytes');
  }
  return new Uint8Array(Buffer.from(characters, 'base64'));
}
