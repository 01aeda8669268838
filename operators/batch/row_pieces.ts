/** Copies of batches, kept for later in pieces that never grow: a builder that grows copies all it has at once, which for a million rows stops everybody. */
import { kernels } from '../kernels/index.ts';
import { consolidator } from '../state/consolidate.ts';
import type { ColType } from '../types.ts';
import type { Arena } from './arena.ts';
import type { Batch } from './batch.ts';
import { BatchBuilder } from './builder.ts';
import { oneBatch } from './one_batch.ts';

/** Rows of the first piece, and of those after it. */
const FIRST_ROWS = 1024;
const PIECE_ROWS = 8192;

export class RowPieces {
  readonly #types: ColType[];
  /** A weight is not above zero. */
  hasRetractions = false;
  readonly #arena: Arena;
  readonly #full: Batch[] = [];
  #last: BatchBuilder | null = null;
  #room = 0;

  constructor(types: ColType[], arena: Arena) {
    this.#types = types;
    this.#arena = arena;
  }

  append(rows: Batch): void {
    const { n } = rows;
    if (n === 0) return;
    if (this.#last === null || n > this.#room) {
      const least = this.#last === null ? FIRST_ROWS : PIECE_ROWS;
      if (this.#last !== null) this.#full.push(this.#last.build());
      this.#room = Math.max(n, least);
      this.#last = new BatchBuilder(this.#types, this.#arena, this.#room);
    }
    this.#last.append(rows);
    this.#room -= n;
    if (!kernels.allPositive(rows.weights, n)) this.hasRetractions = true;
  }

  /** All rows so far, none of the batches empty; add no more afterwards. */
  pieces(): Batch[] {
    return this.#last === null ? [] : [...this.#full, this.#last.build()];
  }

  /** pieces() in which what was taken back has cancelled: then they are one, in `arena`. */
  netPieces(arena: Arena): Batch[] {
    const pieces = this.pieces();
    return this.hasRetractions ? [consolidator(this.#types)(oneBatch(pieces, this.#types, arena), arena)] : pieces;
  }
}
