/**
 * A value of one type, as a format has it, as a value of its column's type.
 *
 * | value                   | column                  | becomes                                                                   |
 * |-------------------------|-------------------------|---------------------------------------------------------------------------|
 * | any                     | of its own type         | itself                                                                    |
 * | timestamp, timestamptz  | timestamp, timestamptz  | itself, UTC where one has a zone and the other none                       |
 * | int, bigint             | timestamp, timestamptz  | milliseconds since 1970, as a number in a JSON message                    |
 * | any                     | any other               | the type's text input of its text: a cast by way of text                  |
 */
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { EPOCH_DIFF_MICROS, timestampInRange } from '../../operators/expr/datetime/calendar.ts';
import { coerceTypmod, inputText, outputText } from '../../operators/expr/io/index.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { type ColType, isTimestamp, OID } from '../../operators/types.ts';

/** `context`: what the text input of types may ask for. */
export type Cast = (value: Datum, context: EvalContext) => Datum;

const CONTEXT = defaultContext();

export function castOf(oid: number, column: ColType): Cast {
  const isTime = isTimestamp(column.oid);
  if (oid === column.oid || (isTime && isTimestamp(oid))) {
    if (column.typmod === -1) return (value) => value;
    return (value) => coerceTypmod(value, column, false);
  }
  if (isTime && (oid === OID.int4 || oid === OID.int8)) {
    return (value) => coerceTypmod(timestampOf(BigInt(value as number | bigint) * 1000n), column, false);
  }
  if (oid === OID.text) return (value, context) => inputText(value as string, column, context);
  if (oid === OID.bool) return (value) => inputText(String(value), column, CONTEXT);
  return (value) => inputText(outputText(value, oid, CONTEXT), column, CONTEXT);
}

export function isJson(oid: number): boolean {
  return oid === OID.json || oid === OID.jsonb;
}

/** Of microseconds since 1970. */
export function timestampOf(micros: bigint): bigint {
  const value = micros - EPOCH_DIFF_MICROS;
  if (timestampInRange(value)) return value;
  throw new SqlError('22008', `timestamp out of range: ${micros} microseconds since 1970`);
}
