/** Batches one behind the other as one batch; long values stay where they are. */
import { kernels } from '../kernels/index.ts';
import { type ColType, widthOf } from '../types.ts';
import type { Arena } from './arena.ts';
import type { Batch } from './batch.ts';
import { BatchBuilder } from './builder.ts';

export function oneBatch(pieces: Batch[], types: ColType[], arena: Arena): Batch {
  if (pieces.length === 1) return pieces[0];
  const out = new BatchBuilder(
    types,
    arena,
    pieces.reduce((n, piece) => n + piece.n, 0),
  );
  for (const piece of pieces) {
    const { n } = piece;
    const first = out.addRows(n, 1);
    kernels.copyBytes(out.weights + first * 4, piece.weights, n * 4);
    out.columns.forEach((to, i) => {
      const width = widthOf(to.phys);
      const { data, valid } = piece.columns[i];
      kernels.copyBytes(to.data + first * width, data, n * width);
      if (valid === 0) kernels.fillBytes(to.valid + first, 1, n);
      else kernels.copyBytes(to.valid + first, valid, n);
    });
  }
  return out.build();
}
