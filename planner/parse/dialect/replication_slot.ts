/**
 * CREATE REPLICATION SLOT name; DROP REPLICATION SLOT [IF EXISTS] name [CASCADE | RESTRICT]: what CREATE_REPLICATION_SLOT and its kin are in the tick log.
 */
import type { Statement } from '../ast.ts';
import { type Piece, Reader } from './piece.ts';

export function createSlot(piece: Piece): Statement {
  const reader = new Reader(piece, 2);
  reader.expectWord('slot');
  const name = reader.name();
  reader.expectEnd();
  return { ...piece.source, k: 'create_slot', name };
}

export function dropSlot(piece: Piece): Statement {
  const reader = new Reader(piece, 2);
  reader.expectWord('slot');
  const ifExists = reader.takeWords('if', 'exists');
  const name = reader.name();
  const cascade = reader.takeWords('cascade');
  if (!cascade) reader.takeWords('restrict');
  reader.expectEnd();
  return { ...piece.source, k: 'drop', kind: 'slot', names: [{ name, location: -1 }], ifExists, cascade };
}
