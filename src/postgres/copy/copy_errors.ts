/** Errors of COPY FROM, with where they happened: "COPY t, line 3, column b: "x"". */
import { SqlError } from '../../../operators/errors.ts';

export function badFormat(message: string): SqlError {
  return new SqlError('22P04', message);
}

const SHOWN = 100;

function shorten(value: string): string {
  return value.length <= SHOWN ? value : `${value.slice(0, SHOWN)}...`;
}

/** Adds the place to an error; `value` is the field's or the line's text, null for none. */
export function atPlace(
  error: SqlError,
  table: string,
  line: number,
  column: string | null,
  value: string | null,
): SqlError {
  if (error.fields.context !== undefined) return error;
  const place = `COPY ${table}, line ${line}${column === null ? '' : `, column ${column}`}`;
  const context = value === null ? place : `${place}: "${shorten(value)}"`;
  return new SqlError(error.sqlstate, error.message, { ...error.fields, context });
}
