/** DROP STREAM | SINK | SOURCE | SUBSCRIPTION [IF EXISTS] name [, ...] [CASCADE | RESTRICT] */
import type { Statement } from '../ast.ts';
import { type Piece, Reader } from './piece.ts';

export const DROP_WORDS = ['stream', 'sink', 'source', 'subscription'];

export function dropRelations(piece: Piece): Statement {
  const reader = new Reader(piece, 1);
  const kind = reader.expectWord(...DROP_WORDS) as 'stream' | 'sink' | 'source' | 'subscription';
  const ifExists = reader.takeWords('if', 'exists');
  const names = [];
  do names.push(reader.qualifiedName());
  while (reader.takeSymbol(','));
  const cascade = reader.takeWords('cascade');
  if (!cascade) reader.takeWords('restrict');
  reader.expectEnd();
  return { ...piece.source, k: 'drop', kind, names, ifExists, cascade };
}
