/** Batches one behind the other as one batch; long values stay where they are. */
import type { ColType } from '../types.ts';
import type { Arena } from './arena.ts';
import type { Batch } from './batch.ts';
import { BatchBuilder } from './builder.ts';

export function oneBatch(pieces: Batch[], types: ColType[], arena: Arena): Batch {
  if (pieces.length === 1) return pieces[0];
  const rows = pieces.reduce((n, piece) => n + piece.n, 0);
  const out = new BatchBuilder(types, arena, rows);
  for (const piece of pieces) out.appendShallow(piece);
  return out.build();
}
