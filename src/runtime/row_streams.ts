/** RowStreams over finished results. */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { batchFromRows } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import type { ColType } from '../../operators/types.ts';
import type { RowChunk, RowStream } from '../engine.ts';

/** The rows of batches; their arena is given back when the stream is closed, and not before: another thread may be reading what was given last. */
export class BatchStream implements RowStream {
  readonly ahead = Number.POSITIVE_INFINITY;
  readonly #pieces: Batch[];
  #arena: Arena | null;
  /** The piece to go on in, and its row. */
  #piece = 0;
  #next = 0;

  constructor(pieces: Batch[], arena: Arena) {
    this.#pieces = pieces;
    this.#arena = arena;
  }

  async next(maxRows: number): Promise<RowChunk | null> {
    for (; this.#piece < this.#pieces.length && this.#arena !== null; this.#piece++, this.#next = 0) {
      const batch = this.#pieces[this.#piece];
      const from = this.#next;
      const count = Math.min(maxRows, batch.n - from);
      this.#next += count;
      if (count > 0) return { batch, from, count };
    }
    return null;
  }

  close(): void {
    this.#arena?.release();
    this.#arena = null;
  }
}

/** A stream of literal rows: EXPLAIN, SHOW-like answers. */
export function rowsOf(types: ColType[], rows: Datum[][]): BatchStream {
  const arena = new Arena();
  return new BatchStream([batchFromRows(types, rows, arena)], arena);
}
