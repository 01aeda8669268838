/**
 * Reads a RowStream so that no row is lost when a reader gives up waiting: rows count as read only when take() hands them out, and
 * a call of next() that nobody waits for any longer is picked up by the following reader.
 */
import type { RowChunk, RowStream } from '../../engine.ts';

const ROWS_AT_ONCE = 8192;

export class ForwardReader {
  readonly #rows: RowStream;
  #chunk: RowChunk | null = null;
  #at = 0;
  #pending: Promise<void> | null = null;
  #ended = false;

  constructor(rows: RowStream) {
    this.#rows = rows;
  }

  get ended(): boolean {
    return this.#ended && this.#left === 0;
  }

  get #left(): number {
    return this.#chunk === null ? 0 : this.#chunk.count - this.#at;
  }

  /** True when rows can be taken; false at the end of the stream or when the time is up. Without a timeout it waits. */
  async ready(timeoutMs?: number): Promise<boolean> {
    while (this.#left === 0 && !this.#ended) {
      const asked = this.#pending !== null;
      this.#pending ??= this.#fill(timeoutMs);
      if (asked && timeoutMs !== undefined) await atMost(this.#pending, timeoutMs);
      else await this.#pending;
      if (this.#left === 0 && timeoutMs !== undefined) break;
    }
    return this.#left > 0;
  }

  async #fill(timeoutMs: number | undefined): Promise<void> {
    try {
      this.#chunk = await this.#rows.next(ROWS_AT_ONCE, timeoutMs);
      this.#at = 0;
      if (this.#chunk === null) this.#ended = true;
    } finally {
      this.#pending = null;
    }
  }

  /** Up to `maxRows` of the rows that are ready. The chunk is valid until the next call of ready(). */
  take(maxRows: number): RowChunk {
    const chunk = this.#chunk;
    if (chunk === null) throw new Error('take() without ready()');
    const count = Math.min(maxRows, this.#left);
    const from = chunk.from + this.#at;
    this.#at += count;
    return { batch: chunk.batch, from, count };
  }

  /** The row that take() gave last; only directly after it. */
  last(): RowChunk {
    const chunk = this.#chunk;
    if (chunk === null || this.#at === 0) throw new Error('last() without take()');
    return { batch: chunk.batch, from: chunk.from + this.#at - 1, count: 1 };
  }

  close(): void {
    this.#ended = true;
    this.#chunk = null;
    this.#rows.close();
  }
}

function atMost(promise: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
