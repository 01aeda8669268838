/**
 * Rows copied out of a stream into an arena of their own, to be read in any order: cursors WITH HOLD and SCROLL, and results that
 * the session makes itself (SHOW). Memory: the rows', until close().
 */
import { Arena } from '../../../operators/batch/arena.ts';
import type { Batch } from '../../../operators/batch/batch.ts';
import { BatchBuilder, batchFromRows } from '../../../operators/batch/builder.ts';
import type { Datum } from '../../../operators/datum.ts';
import type { ResultColumn, RowChunk, RowStream } from '../../engine.ts';

const ROWS_AT_ONCE = 8192;

export class StoredRows implements RowStream {
  readonly batch: Batch;
  #arena: Arena | null;
  #next = 0;

  constructor(batch: Batch, arena: Arena) {
    this.batch = batch;
    this.#arena = arena;
  }

  static ofDatums(columns: ResultColumn[], rows: Datum[][]): StoredRows {
    const arena = new Arena();
    return new StoredRows(
      batchFromRows(
        columns.map((column) => column.type),
        rows,
        arena,
      ),
      arena,
    );
  }

  /** Reads `rows` to its end. */
  static async copy(columns: ResultColumn[], rows: RowStream): Promise<StoredRows> {
    const arena = new Arena();
    const builder = new BatchBuilder(
      columns.map((column) => column.type),
      arena,
    );
    try {
      for (;;) {
        const chunk = await rows.next(ROWS_AT_ONCE);
        if (chunk === null) break;
        for (let row = chunk.from; row < chunk.from + chunk.count; row++) {
          const to = builder.addRow(1);
          for (let c = 0; c < columns.length; c++) builder.copyDeep(c, to, chunk.batch.columns[c], row);
        }
      }
    } catch (cause) {
      arena.release();
      throw cause;
    }
    return new StoredRows(builder.build(), arena);
  }

  async next(maxRows: number): Promise<RowChunk | null> {
    const from = this.#next;
    const count = Math.min(maxRows, this.batch.n - from);
    if (count <= 0) return null;
    this.#next += count;
    return { batch: this.batch, from, count };
  }

  close(): void {
    this.#arena?.release();
    this.#arena = null;
    this.#next = this.batch.n;
  }
}
