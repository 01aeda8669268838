/** Rows that are kept until it is known which of them are among the first, with their sort keys: as they come, and in order once it is closed. */
import { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { BatchBuilder } from '../batch/builder.ts';
import { gatherColumn, gatherWords } from '../batch/gather.ts';
import { U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import { RECORD_BYTES, RECORD_PIECE, RECORD_ROW, RECORD_SLACK } from '../kernels/sort_layout.ts';
import type { ColType } from '../types.ts';

/** Rows of a batch that records stand for, in their order; long values are shared. */
export function recordedRows({ columns, weights }: Batch, records: number, n: number, arena: Arena): Batch {
  const rows = arena.alloc(n * 4) >>> 2;
  for (let i = 0; i < n; i++) U32[rows + i] = U32[(records + i * RECORD_BYTES + RECORD_ROW) >>> 2];
  const gathered = arena.alloc(n * 4);
  gatherWords(weights >>> 2, gathered >>> 2, 1, rows, n);
  return { n, columns: columns.map((column) => gatherColumn(column, rows, n, arena)), weights: gathered };
}

export class SortedChunk {
  /** Of exactly what it needs. */
  readonly arena = new Arena(1);
  readonly room: number;
  /** One record a row; in order once the chunk is closed, and then those behind `live` are of no interest. */
  readonly records: number;
  live = 0;
  readonly #rows: BatchBuilder;

  constructor(types: ColType[], room: number) {
    this.room = room;
    this.#rows = new BatchBuilder(types, this.arena, room);
    this.records = this.arena.alloc(room * RECORD_BYTES + RECORD_SLACK);
  }

  get rows(): Batch {
    return this.#rows.build();
  }

  /** Rows that have room, with the records of them in their order. */
  append(rows: Batch, records: number): void {
    const first = this.#rows.n;
    const to = this.records + first * RECORD_BYTES;
    kernels.copyBytes(to, records, rows.n * RECORD_BYTES);
    for (let i = 0; i < rows.n; i++) U32[(to + i * RECORD_BYTES + RECORD_ROW) >>> 2] = first + i;
    this.#rows.append(rows);
    this.live += rows.n;
  }

  /** No more rows come. */
  close(): void {
    kernels.sortRun(this.records, this.live, this.arena.alloc(this.live * RECORD_BYTES));
  }

  /** Of a closed chunk lets those go that come after the record `last`. */
  keepUpTo(last: number): void {
    this.live = kernels.recordsUpTo(this.records, this.live, last);
  }

  /** Most of its memory is that of no rows, or of rows that are gone. */
  get isSparse(): boolean {
    return this.live * 2 < this.room;
  }

  /** Copies the records to where those of others are, too. */
  copyRecords(to: number, piece: number): void {
    kernels.copyBytes(to, this.records, this.live * RECORD_BYTES);
    for (let i = 0; i < this.live; i++) U32[(to + i * RECORD_BYTES + RECORD_PIECE) >>> 2] = piece;
  }
}
