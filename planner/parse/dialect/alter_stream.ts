/** ALTER STREAM [IF EXISTS] name { RENAME TO name | RENAME [COLUMN] name TO name | SET SCHEMA name } */
import type { AlterAction, Statement } from '../ast.ts';
import { type Piece, Reader } from './piece.ts';

export function alterStream(piece: Piece): Statement {
  const reader = new Reader(piece, 1);
  reader.expectWord('stream');
  const ifExists = reader.takeWords('if', 'exists');
  const { location: _, ...named } = reader.qualifiedName();
  const action = alteration(reader);
  reader.expectEnd();
  return { ...piece.source, k: 'alter_relation', kind: 'stream', ...named, ifExists, actions: [action] };
}

function alteration(reader: Reader): AlterAction {
  if (reader.takeWords('set', 'schema')) return { k: 'set_schema', schema: reader.name() };
  reader.expectWord('rename');
  if (reader.takeWords('to')) return { k: 'rename', to: reader.name() };
  reader.takeWords('column');
  const column = reader.name();
  reader.expectWord('to');
  return { k: 'rename_column', column, to: reader.name() };
}
