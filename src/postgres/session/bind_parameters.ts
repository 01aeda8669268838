/** The values of a Bind message as datums, each in its own format. */
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { checkDomain } from '../../../operators/expr/domain_types.ts';
import { inputBinary, inputText } from '../../../operators/expr/io/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { colType, OID, typeObjectOid } from '../../../operators/types.ts';
import { typeOfOid } from '../../../planner/types/type_name.ts';
import { formatOf } from '../wire/control_message.ts';
import type { BindMessage } from '../wire/frontend_message.ts';
import { checkedUtf8 } from '../wire/message_reader.ts';
import { protocolError } from '../wire/protocol.ts';
import type { Prepared } from './prepared_statements.ts';

/** Throws 08P01 when counts do not fit, 22P03 and the like for bad values. */
export function bindParameters(message: BindMessage, prepared: Prepared, context: EvalContext): Datum[] {
  const { lengths, paramFormats } = message;
  const types = prepared.paramTypes;
  const count = lengths.length;
  if (paramFormats.length > 1 && paramFormats.length !== count) {
    throw protocolError(`bind message has ${paramFormats.length} parameter formats but ${count} parameters`);
  }
  if (count !== types.length) {
    throw protocolError(
      `bind message supplies ${count} parameters, but prepared statement "${prepared.name}" requires ${types.length}`,
    );
  }
  const params: Datum[] = [];
  for (let i = 0; i < count; i++) {
    const isNull = lengths[i] < 0;
    params.push(
      isNull && typeObjectOid(types[i]) === 0 ? null : placed(message, i, formatOf(paramFormats, i), types[i], context),
    );
  }
  return params;
}

/** Errors name the parameter. */
function placed(message: BindMessage, i: number, format: number, oid: number, context: EvalContext): Datum {
  try {
    const { oid: base, domain } = typeOfOid(oid);
    const value = parameter(message, i, format, base, context);
    return domain === undefined ? value : checkDomain(value, domain, context);
  } catch (cause) {
    if (!(cause instanceof SqlError)) throw cause;
    const text =
      cause.message === 'incorrect binary data format' ? `${cause.message} in bind parameter ${i + 1}` : cause.message;
    const name = `${message.portal === '' ? 'unnamed portal' : `portal "${message.portal}"`} parameter $${i + 1}`;
    const place = format === 0 ? `${name} = '...'` : name;
    throw new SqlError(cause.sqlstate, text, { ...cause.fields, context: place });
  }
}

function parameter(
  { bytes, starts, lengths }: BindMessage,
  i: number,
  format: number,
  oid: number,
  context: EvalContext,
): Datum {
  if (lengths[i] < 0) return null;
  const start = starts[i];
  const end = start + lengths[i];
  if (format === 0 && (oid === OID.int4 || oid === OID.int8)) {
    const value = digits(bytes, start, end);
    if (value >= 0) return oid === OID.int8 ? BigInt(value) : value;
  }
  const value = bytes.subarray(start, end);
  if (format === 1) return inputBinary(value, oid);
  if (format !== 0) throw unsupportedFormat(format);
  if (value.includes(0)) throw new SqlError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
  return inputText(checkedUtf8(value), colType(oid), context);
}

/** An int4 by its digits: no more of them. */
const MOST_DIGITS = 9;

/** The number that these bytes are, which are nothing but a few digits; else -1. Keys of look-ups, mostly: no text is made of them. */
function digits(bytes: Buffer, start: number, end: number): number {
  if (end === start || end - start > MOST_DIGITS) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at] - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function unsupportedFormat(format: number): SqlError {
  return new SqlError('22023', `unsupported format code: ${format}`);
}

/** Throws when the result formats of a Bind do not fit the statement's columns. */
export function checkResultFormats(formats: number[], prepared: Prepared): void {
  const columns = prepared.columns?.length ?? 0;
  if (formats.length > 1 && formats.length !== columns) {
    throw protocolError(`bind message has ${formats.length} result formats but query has ${columns} columns`);
  }
  for (const format of formats) if (format !== 0 && format !== 1) throw unsupportedFormat(format);
}
