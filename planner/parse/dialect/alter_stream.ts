/** ALTER STREAM [IF EXISTS] name RENAME { TO name | [COLUMN] name TO name } */
import type { AlterAction, Statement } from '../ast.ts';
import { type Piece, Reader } from './piece.ts';

export function alterStream(piece: Piece): Statement {
  const reader = new Reader(piece, 1);
  reader.expectWord('stream');
  const ifExists = reader.takeWords('if', 'exists');
  const { location: _, ...named } = reader.qualifiedName();
  reader.expectWord('rename');
  const action = renaming(reader);
  reader.expectEnd();
  return { ...piece.source, k: 'alter_relation', kind: 'stream', ...named, ifExists, actions: [action] };
}

function renaming(reader: Reader): AlterAction {
  if (reader.takeWords('to')) return { k: 'rename', to: reader.name() };
  reader.takeWords('column');
  const column = reader.name();
  reader.expectWord('to');
  return { k: 'rename_column', column, to: reader.name() };
}
