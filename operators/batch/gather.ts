/** Picks rows of a column by number: column loops, so that each runs over one kind of array. */
import { kernels } from '../kernels/index.ts';
import { PHYS_WIDTH } from '../types.ts';
import type { Arena } from './arena.ts';
import type { Column } from './batch.ts';
import { I32 } from './memory.ts';

/** Rows `rows[0 .. n)` (numbers of rows, at a word address) of a column, in that order; long bytes are shared. */
export function gatherColumn(from: Column, rows: number, n: number, arena: Arena): Column {
  const width = PHYS_WIDTH[from.phys];
  const data = arena.alloc(n * width);
  const valid = from.valid === 0 ? 0 : arena.alloc(n);
  kernels.gatherColumn(rows * 4, n, width, from.data, from.valid, data, valid);
  return { type: from.type, phys: from.phys, data, valid };
}

/** As gatherColumn, for values of `words` words at word addresses. */
export function gatherWords(from: number, to: number, words: number, rows: number, n: number): void {
  if (words === 1) for (let i = 0; i < n; i++) I32[to + i] = I32[from + I32[rows + i]];
  else if (words === 2) {
    for (let i = 0; i < n; i++) {
      const at = from + I32[rows + i] * 2;
      I32[to + i * 2] = I32[at];
      I32[to + i * 2 + 1] = I32[at + 1];
    }
  } else {
    for (let i = 0; i < n; i++) {
      const at = from + I32[rows + i] * 4;
      const t = to + i * 4;
      I32[t] = I32[at];
      I32[t + 1] = I32[at + 1];
      I32[t + 2] = I32[at + 2];
      I32[t + 3] = I32[at + 3];
    }
  }
}
