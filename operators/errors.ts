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

/** A feature that PostgreSQL has and Tidemark does not have: says what it is, never pretends. */
export function unsupported(what: string, position?: number): SqlError {
  return new SqlError('0A000', `${what} is not supported`, { position });
}
