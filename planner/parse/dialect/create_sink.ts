/**
 * CREATE SINK [IF NOT EXISTS] name FROM view WITH (...)
 * CREATE SINK [IF NOT EXISTS] name AS query [EMIT ON WINDOW CLOSE] WITH (...)
 *
 * The query ends where the statement's last bracket opens after WITH: no query of Postgres's grammar ends so.
 */
import type { Statement } from '../ast.ts';
import { closingIndex, isSymbol, isWord, type Piece, Reader, subPiece, syntaxErrorAt } from './piece.ts';
import { queryOf } from './subscribe.ts';

/** Index of the WITH whose ( ... ) ends the piece; the piece's length when there is none. */
export function trailingOptions(piece: Piece): number {
  const { tokens } = piece;
  if (!isSymbol(tokens[tokens.length - 1], ')')) return tokens.length;
  let depth = 0;
  for (let i = 0; i < tokens.length; i++) {
    if (isSymbol(tokens[i], '(')) {
      const closes = depth === 0 && isWord(tokens[i - 1], 'with') && closingIndex(tokens, i) === tokens.length - 1;
      if (closes) return i - 1;
      depth++;
    }
    if (isSymbol(tokens[i], ')')) depth--;
  }
  return tokens.length;
}

export function createSink(piece: Piece): Statement {
  const reader = new Reader(piece, 2);
  const ifNotExists = reader.takeWords('if', 'not', 'exists');
  const { schema, name } = reader.qualifiedName();
  const named = schema === undefined ? { name } : { schema, name };
  const head = { ...piece.source, k: 'create_sink' as const, ifNotExists, ...named };
  if (reader.takeWords('from')) {
    const relation = reader.qualifiedName();
    const from =
      relation.schema === undefined ? { name: relation.name } : { schema: relation.schema, name: relation.name };
    const options = reader.withOptions('CREATE SINK');
    reader.expectEnd();
    return { ...head, from, query: null, options };
  }
  reader.expectWord('as');
  const end = trailingOptions(piece);
  if (reader.index >= end) throw syntaxErrorAt(piece, reader.peek());
  // The statement goes on after the query, so the query's own end is not the statement's, unless there are no options.
  const query = queryOf(subPiece(piece, reader.index, end));
  reader.index = end;
  const options = reader.withOptions('CREATE SINK');
  reader.expectEnd();
  return { ...head, from: null, query, options };
}
