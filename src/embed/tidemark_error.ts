/** The error that users of the library catch. */
import type { ErrorFields } from './messages.ts';
import type { TidemarkError as Public } from './tidemark.d.ts';

export class TidemarkError extends Error implements Public {
  override readonly name = 'TidemarkError';
  readonly code: string;
  declare readonly detail?: string;
  declare readonly hint?: string;
  declare readonly position?: number;
  declare readonly where?: string;
  declare readonly table?: string;
  declare readonly column?: string;
  declare readonly constraint?: string;

  constructor({ message, code, ...fields }: ErrorFields, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    // What an error does not have it does not show.
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) Object.assign(this, { [name]: value });
  }
}

/** Of an error that a session has sent. */
export function errorOf(
  sent: {
    [name in keyof Omit<ErrorFields, 'position'>]?: string | undefined;
  } & { position?: string | undefined },
): TidemarkError {
  const { code = 'XX000', message = '', detail, hint, position, where, table, column, constraint } = sent;
  return new TidemarkError({
    code,
    message,
    detail,
    hint,
    position: position === undefined ? undefined : Number(position),
    where,
    table,
    column,
    constraint,
  });
}

/** Of what is asked after close(), or ended by it. */
export function closedError(): TidemarkError {
  return new TidemarkError({ code: '57P01', message: 'the database is closed' });
}
