/** ALTER STREAM [IF EXISTS] name RENAME TO name */
import type { Statement } from '../ast.ts';
import { type Piece, Reader } from './piece.ts';

export function alterStream(piece: Piece): Statement {
  const reader = new Reader(piece, 1);
  reader.expectWord('stream');
  const ifExists = reader.takeWords('if', 'exists');
  const { location: _, ...named } = reader.qualifiedName();
  reader.expectWord('rename');
  reader.expectWord('to');
  const to = reader.name();
  reader.expectEnd();
  return { ...piece.source, k: 'alter_relation', kind: 'stream', ...named, ifExists, actions: [{ k: 'rename', to }] };
}
