/** The values of a Bind message as datums, each in its own format. */
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { inputBinary, inputText } from '../../../operators/expr/io/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { colType } from '../../../operators/types.ts';
import { formatOf } from '../wire/control_message.ts';
import type { BindMessage } from '../wire/frontend_message.ts';
import { checkedUtf8 } from '../wire/message_reader.ts';
import { protocolError } from '../wire/protocol.ts';
import type { Prepared } from './prepared_statements.ts';

/** Throws 08P01 when counts do not fit, 22P03 and the like for bad values. */
export function bindParameters(message: BindMessage, prepared: Prepared, context: EvalContext): Datum[] {
  const { values, paramFormats } = message;
  const types = prepared.paramTypes;
  if (paramFormats.length > 1 && paramFormats.length !== values.length) {
    throw protocolError(`bind message has ${paramFormats.length} parameter formats but ${values.length} parameters`);
  }
  if (values.length !== types.length) {
    throw protocolError(
      `bind message supplies ${values.length} parameters, but prepared statement "${prepared.name}" requires ${types.length}`,
    );
  }
  return values.map((bytes, i) =>
    bytes === null ? null : placed(message.portal, i, bytes, formatOf(paramFormats, i), types[i], context),
  );
}

/** Errors name the parameter. */
function placed(portal: string, i: number, bytes: Buffer, format: number, oid: number, context: EvalContext): Datum {
  try {
    return parameter(bytes, format, oid, context);
  } catch (cause) {
    if (!(cause instanceof SqlError)) throw cause;
    const message =
      cause.message === 'incorrect binary data format' ? `${cause.message} in bind parameter ${i + 1}` : cause.message;
    const name = `${portal === '' ? 'unnamed portal' : `portal "${portal}"`} parameter $${i + 1}`;
    const place = format === 0 ? `${name} = '...'` : name;
    throw new SqlError(cause.sqlstate, message, { ...cause.fields, context: place });
  }
}

function parameter(bytes: Buffer, format: number, oid: number, context: EvalContext): Datum {
  if (format === 1) return inputBinary(bytes, oid);
  if (format !== 0) throw unsupportedFormat(format);
  if (bytes.includes(0)) throw new SqlError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
  return inputText(checkedUtf8(bytes), colType(oid), context);
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
