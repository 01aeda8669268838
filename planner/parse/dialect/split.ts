/** A text cut into statements at the semicolons that stand outside brackets. Empty statements and comments between them vanish. */
import { scanPostgres, type Token } from '../pg_parser.ts';
import { codePoints } from '../positions.ts';
import { isSymbol, type Piece } from './piece.ts';

export function splitStatements(sql: string): Piece[] {
  const bytes = Buffer.from(sql, 'utf8');
  const pieces: Piece[] = [];
  let counted = 0;
  let offset = 0;
  let depth = 0;
  let tokens: Token[] = [];

  const finish = (terminator: Token | null): void => {
    if (tokens.length > 0) {
      const { start } = tokens[0];
      const { end } = tokens[tokens.length - 1];
      offset += codePoints(bytes.toString('utf8', counted, start));
      counted = start;
      const source = { text: bytes.toString('utf8', start, end), offset };
      const own = tokens.map((token) => ({ ...token, start: token.start - start, end: token.end - start }));
      const startsAt = offset;
      const position = () => startsAt + codePoints(bytes.toString('utf8', start, terminator?.start)) + 1;
      const after = { text: terminator === null ? null : ';', position };
      pieces.push({ source, bytes: bytes.subarray(start, end), tokens: own, after });
    }
    tokens = [];
    depth = 0;
  };

  for (const token of scanPostgres(sql)) {
    if (isSymbol(token, '(')) depth++;
    if (isSymbol(token, ')')) depth--;
    if (isSymbol(token, ';') && depth <= 0) finish(token);
    else tokens.push(token);
  }
  finish(null);
  return pieces;
}
