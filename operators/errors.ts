/**
 * Errors that a user can see. Every one carries a SQLSTATE (PostgreSQL manual, appendix A) so that the wire
 * server, the error relations and the tests all speak of the same thing.
 */
export interface SqlErrorFields {
  detail?: string;
  hint?: string;
  /** 1-based character position in the user's statement text. */
  position?: number;
  severity?: 'ERROR' | 'FATAL' | 'PANIC';
  schema?: string;
  table?: string;
  column?: string;
  /** The name of a domain, `schema` has it. */
  dataType?: string;
  constraint?: string;
  /** Where it happened, for example "COPY t, line 3, column b". */
  context?: string;
}

export class SqlError extends Error {
  readonly sqlstate: string;
  readonly fields: SqlErrorFields;

  constructor(sqlstate: string, message: string, fields: SqlErrorFields = {}) {
    super(message);
    this.name = 'SqlError';
    this.sqlstate = sqlstate;
    this.fields = fields;
  }
}

/** What has no clock was to look at it. Not an error of the value that is read: whoever catches those, to go on with something else, lets this one through. */
export class ClockError extends SqlError {
  constructor() {
    super('0A000', "a value that depends on the clock, such as 'now' or 'today', cannot be kept", {
      hint: 'Give the time itself, or a condition with now() or current_date in WHERE. For the time at which a row came in, give its column DEFAULT now().',
    });
  }
}

/** An error of a value: the user can see it, and who reads the value may go on without it. */
export function isValueError(e: unknown): e is SqlError {
  return e instanceof SqlError && !(e instanceof ClockError);
}

const TOO_MANY = 'more than 2147483647 equal rows';

/**
 * No memory can be had for what is being done. Not an SqlError, for it must never pass for an error of a row: whoever runs the tick or the statement
 * takes back what was done so far, and tells the client 53200.
 */
export class OutOfMemory extends Error {
  readonly wanted: number;
  readonly limit: number;

  constructor(wanted: number, limit: number) {
    super('out of memory');
    this.name = 'OutOfMemory';
    this.wanted = wanted;
    this.limit = limit;
  }

  /** What the client is told; `what` was being done. */
  toSqlError(what?: string): SqlError {
    const limit = Number.isFinite(this.limit)
      ? `The memory limit is ${Math.floor(this.limit / 2 ** 20)} MB`
      : 'All memory is in use';
    const during = what === undefined ? '' : ` ${what}`;
    return new SqlError('53200', 'out of memory', {
      detail: `${limit}; ${Math.ceil(this.wanted / 1024)} kB more were wanted${during}.`,
      hint: 'Do it in smaller parts, delete rows or drop views that are not needed, or start with a greater --memory-limit. tidemark.memory shows what is in use.',
    });
  }
}

/** A row would come more often than its weight can say. Nothing smaller helps, but what was done is taken back in the same way. */
export class TooManyEqualRows extends OutOfMemory {
  constructor() {
    super(0, 0);
    this.message = TOO_MANY;
  }

  override toSqlError(): SqlError {
    return new SqlError('54000', TOO_MANY, {
      detail: 'Equal rows are kept as one row with a count of 32 bits.',
      hint: 'Give the rows a column in which they differ, or count them before they are joined.',
    });
  }
}

/** A feature that PostgreSQL has and Tidemark does not have: says what it is, never pretends. */
export function unsupported(what: string, position?: number): SqlError {
  return new SqlError('0A000', `${what} is not supported`, { position });
}
