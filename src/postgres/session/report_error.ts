/** From whatever was thrown to what the client is told. */
import { OutOfMemory, SqlError } from '../../../operators/errors.ts';
import { Interrupted } from '../../../operators/turn.ts';
import type { PostgresServerOptions } from '../options.ts';

/** SqlErrors as they are; others are faults of the server: logged with their stack, XX000 to the client. */
export function toSqlError(cause: unknown, log: PostgresServerOptions['log']): SqlError {
  if (cause instanceof Interrupted) return toSqlError(cause.reason, log);
  if (cause instanceof SqlError) return cause;
  if (cause instanceof OutOfMemory) return cause.toSqlError();
  if (cause instanceof RangeError && /call stack/.test(cause.message)) {
    return new SqlError('54001', 'stack depth limit exceeded', { hint: 'Simplify the statement.' });
  }
  if (
    cause instanceof RangeError &&
    /allocation failed|Invalid string length|Invalid (typed )?array length/.test(cause.message)
  ) {
    return new SqlError('53200', 'out of memory', { detail: cause.message });
  }
  const error = cause instanceof Error ? cause : new Error(String(cause));
  log?.('error', `internal error: ${error.message}`, { stack: error.stack });
  return new SqlError('XX000', `internal error: ${error.message}`);
}

export function asFatal(error: SqlError): SqlError {
  return isFatal(error) ? error : new SqlError(error.sqlstate, error.message, { ...error.fields, severity: 'FATAL' });
}

/** An error that ends the session. */
export function isFatal(error: SqlError): boolean {
  return error.fields.severity === 'FATAL' || error.fields.severity === 'PANIC';
}
