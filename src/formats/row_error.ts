/** What can be wrong with one record, and the small steps from its bytes to values that every format has. */
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { defaultContext, withoutClock } from '../../operators/expr/context.ts';
import { checkDomain } from '../../operators/expr/domain_types.ts';
import type { Defaults } from './defaults.ts';
import type { SourceColumn } from './format.ts';

/** Why a record gives no row. */
export class RowError extends Error {
  readonly sqlstate: string;
  readonly column: string | null;

  constructor(sqlstate: string, message: string, column: string | null) {
    super(message);
    this.sqlstate = sqlstate;
    this.column = column;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The characters of a message, or of what gives a column; 22021 when they are not UTF-8. */
export function textOf(bytes: Uint8Array, column: string | null = null): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new RowError('22021', 'invalid byte sequence for encoding "UTF8"', column);
  }
}

/** textOf() where no parser looks at the characters: as PostgreSQL, without a zero byte. */
export function charactersOf(bytes: Uint8Array, column: string | null): string {
  const text = textOf(bytes, column);
  if (text.includes('\0')) throw new RowError('22021', 'invalid byte sequence for encoding "UTF8": 0x00', column);
  return text;
}

/** The value of a column whose field is not there. */
export function missing(field: number, column: SourceColumn, defaults: Defaults): Datum {
  return checked(
    column,
    guarded(column.name, () => defaults.value(field)),
  );
}

/** What a domain is checked in. */
const CONTEXT = withoutClock(defaultContext());

/** The value, unless it is one that the column does not take. */
export function checked(column: SourceColumn, value: Datum): Datum {
  const { domain } = column.type;
  if (domain !== undefined) guarded(column.name, () => checkDomain(value, domain, CONTEXT));
  if (value !== null || !column.notNull) return value;
  throw new RowError('23502', `null value in column "${column.name}" violates not-null constraint`, column.name);
}

/** An error of a type's input is the row's. */
export function guarded<T>(column: string | null, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof SqlError) throw new RowError(error.sqlstate, messageOf(error), column);
    throw error;
  }
}

function messageOf(error: SqlError): string {
  return error.fields.detail === undefined ? error.message : `${error.message}: ${error.fields.detail}`;
}
