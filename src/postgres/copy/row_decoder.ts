/** COPY FROM: the client's bytes to rows. */
import type { BatchBuilder } from '../../../operators/batch/builder.ts';

export interface RowDecoder {
  /** Lines or rows read so far. */
  readonly line: number;
  /** Adds the rows that are complete now. Throws with the place of the error. */
  push(chunk: Buffer, rows: BatchBuilder): void;
  /** Adds the rows that the end of the data completes. */
  end(rows: BatchBuilder): void;
}
