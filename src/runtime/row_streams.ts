/** RowStreams over finished results. */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { batchFromRows } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import type { ColType } from '../../operators/types.ts';
import type { RowChunk, RowStream } from '../engine.ts';

/** The rows of a batch; its arena is given back when the stream is closed, and not before: another thread may be reading what was given last. */
export class BatchStream implements RowStream {
  readonly ahead = Number.POSITIVE_INFINITY;
  readonly #batch: Batch;
  #arena: Arena | null;
  #next = 0;

  constructor(batch: Batch, arena: Arena) {
    this.#batch = batch;
    this.#arena = arena;
  }

  get total(): number {
    return this.#batch.n;
  }

  async next(maxRows: number): Promise<RowChunk | null> {
    if (this.#next >= this.#batch.n || this.#arena === null) return null;
    const from = this.#next;
    const count = Math.min(maxRows, this.#batch.n - from);
    this.#next += count;
    return { batch: this.#batch, from, count };
  }

  close(): void {
    this.#arena?.release();
    this.#arena = null;
  }
}

/** A stream of literal rows: EXPLAIN, SHOW-like answers. */
export function rowsOf(types: ColType[], rows: Datum[][]): BatchStream {
  const arena = new Arena();
  return new BatchStream(batchFromRows(types, rows, arena), arena);
}
