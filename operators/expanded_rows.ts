/**
 * What a set-returning function makes of the rows of a batch: for each row made, which row of the input it comes from. The input's columns and weights are picked by that when a piece is
 * complete, column by column.
 *
 *   input columns ++ function columns        rows 0 0 0 2 5 5    by `from`
 */
import type { Batch } from './batch/batch.ts';
import type { BatchBuilder } from './batch/builder.ts';
import { I32 } from './batch/memory.ts';
import { kernels } from './kernels/index.ts';
import { widthOf } from './types.ts';

export class ExpandedRows {
  readonly out: BatchBuilder;
  readonly #input: Batch;
  readonly #inputWidth: number;
  readonly #most: number;
  #room: number;
  #from: number;

  /** `most`: of a piece; the builder has room for `capacity` at first. */
  constructor(out: BatchBuilder, input: Batch, inputWidth: number, most: number, capacity: number) {
    this.out = out;
    this.#input = input;
    this.#inputWidth = inputWidth;
    this.#most = most;
    this.#room = capacity;
    this.#from = out.arena.alloc(capacity * 4);
  }

  /** Address of the numbers of the input's rows. */
  get from(): number {
    return this.#from;
  }

  /** Rows that there is room for without grow(). */
  get room(): number {
    return this.#room;
  }

  /** The piece is complete: finish() it, and begin() anew when it has been taken. */
  get isFull(): boolean {
    return this.out.n >= this.#most;
  }

  /** The place of a row that comes of row i. */
  add(i: number): number {
    const { out } = this;
    if (out.n === this.#room) this.grow();
    I32[(this.#from >>> 2) + out.n] = i;
    return out.n++;
  }

  /** More room; columns and numbers may move. */
  grow(): void {
    this.makeRoom(this.#room);
  }

  /** Room for so many more rows, or for what is left of the piece. */
  makeRoom(more: number): void {
    const { out } = this;
    const room = Math.min(out.n + more, this.#most);
    if (room <= this.#room) return;
    out.reserve(room - out.n);
    const from = out.arena.alloc(room * 4);
    kernels.copyBytes(from, this.#from, out.n * 4);
    this.#from = from;
    this.#room = room;
  }

  begin(): void {
    this.#room = this.#most;
    this.#from = this.out.arena.alloc(this.#room * 4);
  }

  finish(): void {
    const { out } = this;
    const { n } = out;
    for (let c = 0; c < this.#inputWidth; c++) {
      const [{ phys, data, valid }, to] = [this.#input.columns[c], out.columns[c]];
      if (valid === 0) kernels.fillBytes(to.valid, 1, n);
      kernels.gatherColumn(this.#from, n, widthOf(phys), data, valid, to.data, valid === 0 ? 0 : to.valid);
    }
    kernels.gatherColumn(this.#from, n, 4, this.#input.weights, 0, out.weights, 0);
  }
}
