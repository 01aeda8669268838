/**
 * Bytes of COPY data that are not used up yet, in front of what comes: a line, or a row, that the chunks of the client cut. They lie in memory of their own that doubles when it is full, so that
 * a line of many chunks is copied a few times and not once for each of them; a quote that is never closed ends at MOST_BYTES.
 */
import { SqlError } from '../../../operators/errors.ts';

/** Of a line or a row. */
export const MOST_BYTES = 256 << 20;
/** What is kept when there is nothing in it. */
const KEPT_BYTES = 1 << 20;
const NOTHING = Buffer.alloc(0);

export class Unfinished {
  #memory: Buffer = NOTHING;
  #length = 0;

  /** What is left, with the chunk behind it. Valid until the next call. */
  with(chunk: Buffer): Buffer {
    if (this.#length === 0) return chunk;
    const length = this.#length + chunk.length;
    if (length > MOST_BYTES)
      throw new SqlError('54000', `a line or row of COPY data has more than ${MOST_BYTES} bytes`, {
        hint: 'Is there a quote that is not closed?',
      });
    this.#grow(length);
    chunk.copy(this.#memory, this.#length);
    this.#length = length;
    return this.#memory.subarray(0, length);
  }

  /** Of what with() gave, all from here on is left. */
  keep(data: Buffer, from: number): void {
    const isOwn = data.buffer === this.#memory.buffer && this.#length > 0;
    if (isOwn && from === 0) return;
    const left = data.subarray(from);
    if (!isOwn) this.#grow(left.length);
    left.copy(this.#memory);
    this.#length = left.length;
    if (left.length === 0 && this.#memory.length > KEPT_BYTES) this.#memory = NOTHING;
  }

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  #grow(length: number): void {
    if (length <= this.#memory.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(length, Math.min(2 * this.#memory.length, MOST_BYTES)));
    this.#memory.copy(larger, 0, 0, this.#length);
    this.#memory = larger;
  }
}
