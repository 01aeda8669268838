/**
 * The body of a DO statement in PL/pgSQL, as libpg-query's tree of it: variables by number, statements as nodes whose SQL is text.
 *
 *   DECLARE n int := 3; BEGIN INSERT INTO t VALUES (n); END
 *     variables  [found, n]
 *     block      PLpgSQL_stmt_block { body: [PLpgSQL_stmt_execsql { sqlstmt: 'INSERT INTO t VALUES (n)' }] }
 *
 * The tree does not say which block declares a variable, so only the outermost one may.
 */
import { SqlError } from '../../operators/errors.ts';
import type { PlpgsqlBody } from './ast.ts';
import { parsePlpgsqlFunction, scanPostgres } from './pg_parser.ts';

/** Errors: 42601, 0A000. */
export function parsePlpgsql(body: string): PlpgsqlBody {
  if (scanPostgres(body).filter(({ text }) => text.toLowerCase() === 'declare').length > 1) {
    throw new SqlError('0A000', 'DECLARE in an inner block is not supported', {
      hint: 'Declare all variables in front of the outermost BEGIN.',
    });
  }
  let quote = '$body$';
  while (body.includes(quote)) quote = `$b${quote.slice(1)}`;
  const { datums, action } = parsePlpgsqlFunction(`DO ${quote}${body}${quote}`);
  return { variables: datums, block: action.PLpgSQL_stmt_block };
}
