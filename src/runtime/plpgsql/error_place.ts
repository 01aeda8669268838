/** Where in a block an error was, and what a handler may ask of it. */
import { SqlError } from '../../../operators/errors.ts';

/** Kinds of statements as errors name them. */
const NAMES: Record<string, string> = {
  assign: 'assignment',
  assert: 'ASSERT',
  block: 'statement block',
  case: 'CASE',
  dynexecute: 'EXECUTE',
  dynfors: 'FOR over EXECUTE statement',
  execsql: 'SQL statement',
  foreach_a: 'FOREACH over array',
  fori: 'FOR with integer loop variable',
  fors: 'FOR over SELECT rows',
  getdiag: 'GET DIAGNOSTICS',
  if: 'IF',
  loop: 'LOOP',
  perform: 'PERFORM',
  raise: 'RAISE',
  while: 'WHILE',
};
const FUNCTION = 'PL/pgSQL function inline_code_block';

export function nameOfStatement(kind: string): string {
  return NAMES[kind] ?? kind.toUpperCase();
}

/** Where an error was; places in the text of one of the block's statements are none in the client's. */
export function inBlock(error: unknown, place: string): unknown {
  if (!(error instanceof SqlError) || error.fields.context?.includes(FUNCTION)) return error;
  const own = error.fields.context;
  const context = `${FUNCTION} ${place}`;
  return new SqlError(error.sqlstate, error.message, {
    ...error.fields,
    position: undefined,
    context: own === undefined ? context : `${own}\n${context}`,
  });
}

/** An item of GET STACKED DIAGNOSTICS; undefined: there is no such. */
export function itemOfError({ sqlstate, message, fields }: SqlError, item: string): string | undefined {
  switch (item) {
    case 'RETURNED_SQLSTATE':
      return sqlstate;
    case 'MESSAGE_TEXT':
      return message;
    case 'PG_EXCEPTION_DETAIL':
      return fields.detail ?? '';
    case 'PG_EXCEPTION_HINT':
      return fields.hint ?? '';
    case 'PG_EXCEPTION_CONTEXT':
      return fields.context ?? '';
    case 'COLUMN_NAME':
      return fields.column ?? '';
    case 'CONSTRAINT_NAME':
      return fields.constraint ?? '';
    case 'PG_DATATYPE_NAME':
      return fields.dataType ?? '';
    case 'TABLE_NAME':
      return fields.table ?? '';
    case 'SCHEMA_NAME':
      return fields.schema ?? '';
    default:
      return undefined;
  }
}
