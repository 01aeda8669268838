/** COPY FROM: the client's bytes to rows of datums. */
import type { Datum } from '../../../operators/datum.ts';

export interface RowDecoder {
  /** Lines or rows read so far. */
  readonly line: number;
  /** The rows that are complete now. Throws with the place of the error. */
  push(chunk: Buffer): Datum[][];
  /** The rows that the end of the data completes. */
  end(): Datum[][];
}
