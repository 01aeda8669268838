/**
 * A cursor of DECLARE. Three kinds:
 *
 *   forward   reads the query's stream as it goes
 *   scroll    its rows are copied when it is declared; any direction
 *   live      FOR SUBSCRIBE: FETCH waits until at least one row is there (or its timeout), then gives what is ready
 *
 * WITH HOLD: at commit the remaining rows of a forward cursor are copied; a live one simply goes on. A FETCH that is cancelled
 * loses no row (forward_reader.ts).
 */
import { SqlError } from '../../../operators/errors.ts';
import type { ResultColumn, RowChunk, RowStream } from '../../engine.ts';
import { ForwardReader } from './forward_reader.ts';
import { StoredRows } from './stored_rows.ts';

export interface CursorOptions {
  binary: boolean;
  scroll: boolean;
  noScroll: boolean;
  hold: boolean;
}

export interface FetchRequest {
  direction: 'forward' | 'backward' | 'absolute' | 'relative';
  count: number | 'all';
  timeoutMs: number | undefined;
}

/** What a cursor of each kind does. */
export interface Cursor {
  readonly declared: CursorOptions;
  readonly columns: ResultColumn[];
  readonly live: boolean;
  /** True once it no longer depends on a transaction. */
  held: boolean;
  hold(): Promise<void>;
  /** The rows asked for; closing the stream early leaves the rest in the cursor. */
  fetch(request: FetchRequest): RowStream;
  close(): void;
}

function forwardOnly(): SqlError {
  return new SqlError('55000', 'cursor can only scan forward', {
    hint: 'Declare it with SCROLL option to enable backward scan.',
  });
}

export class ForwardCursor implements Cursor {
  readonly declared: CursorOptions;
  readonly columns: ResultColumn[];
  readonly live: boolean;
  held = false;
  #reader: ForwardReader;
  /** Rows given or skipped so far. */
  #position = 0;
  #atEnd = false;

  constructor(declared: CursorOptions, columns: ResultColumn[], rows: RowStream, live: boolean) {
    this.declared = declared;
    this.columns = columns;
    this.live = live;
    this.#reader = new ForwardReader(rows);
  }

  async hold(): Promise<void> {
    if (!this.live) {
      const reader = this.#reader;
      const stored = await StoredRows.copy(this.columns, {
        next: async (maxRows) => ((await reader.ready()) ? reader.take(maxRows) : null),
        close: () => reader.close(),
      });
      reader.close();
      this.#reader = new ForwardReader(stored);
    }
    this.held = true;
  }

  fetch(request: FetchRequest): RowStream {
    const again = request.direction !== 'absolute' && request.direction !== 'backward' && request.count === 0;
    if (again && this.#onRow && !this.declared.noScroll) return oneChunk(this.#reader.last());
    const { skip, take } = this.#plan(request);
    return new ForwardFetch(this, skip, take, request.timeoutMs);
  }

  /** True between the first row and the end. */
  get #onRow(): boolean {
    return this.#position > 0 && !this.#atEnd;
  }

  #plan({ direction, count }: FetchRequest): { skip: number; take: number } {
    if (direction === 'forward') {
      if (count === 'all') return { skip: 0, take: Number.POSITIVE_INFINITY };
      if (count > 0) return { skip: 0, take: count };
      if (count === 0 && !this.#onRow) return { skip: 0, take: 0 };
    } else if (direction !== 'backward' && count !== 'all') {
      const skip = direction === 'relative' ? count - 1 : count - this.#position - 1;
      if (skip >= 0) return { skip, take: 1 };
    }
    throw forwardOnly();
  }

  /** Rows ready to take; for the streams that fetch() gives. */
  ready(timeoutMs?: number): Promise<boolean> {
    return this.#reader.ready(timeoutMs);
  }

  take(maxRows: number): RowChunk {
    const chunk = this.#reader.take(maxRows);
    this.#position += chunk.count;
    return chunk;
  }

  ended(): void {
    if (!this.live) this.#atEnd = true;
  }

  close(): void {
    this.#reader.close();
  }
}

function oneChunk(chunk: RowChunk): RowStream {
  let given = false;
  return {
    async next() {
      if (given) return null;
      given = true;
      return chunk;
    },
    close() {
      given = true;
    },
  };
}

class ForwardFetch implements RowStream {
  readonly #cursor: ForwardCursor;
  readonly #timeoutMs: number | undefined;
  #skip: number;
  #left: number;
  #given = false;
  #closed = false;

  constructor(cursor: ForwardCursor, skip: number, take: number, timeoutMs: number | undefined) {
    this.#cursor = cursor;
    this.#skip = skip;
    this.#left = take;
    this.#timeoutMs = timeoutMs;
  }

  async next(maxRows: number): Promise<RowChunk | null> {
    while (!this.#closed && this.#left > 0) {
      const timeout = !this.#cursor.live ? undefined : this.#given ? 0 : this.#timeoutMs;
      const ready = await this.#cursor.ready(timeout);
      if (this.#closed) return null;
      if (!ready) {
        this.#cursor.ended();
        return null;
      }
      this.#given = true;
      if (this.#skip > 0) {
        this.#skip -= this.#cursor.take(this.#skip).count;
        continue;
      }
      const chunk = this.#cursor.take(Math.min(maxRows, this.#left));
      this.#left -= chunk.count;
      return chunk;
    }
    return null;
  }

  close(): void {
    this.#closed = true;
  }
}

export class ScrollCursor implements Cursor {
  readonly declared: CursorOptions;
  readonly columns: ResultColumn[];
  readonly live = false;
  held = false;
  readonly #rows: StoredRows;
  /** 0 before the first row, n on row n, count + 1 after the last. */
  #position = 0;

  constructor(declared: CursorOptions, columns: ResultColumn[], rows: StoredRows) {
    this.declared = declared;
    this.columns = columns;
    this.#rows = rows;
  }

  async hold(): Promise<void> {
    this.held = true;
  }

  fetch({ direction, count }: FetchRequest): RowStream {
    const total = this.#rows.batch.n;
    switch (direction) {
      case 'forward':
        return this.#run(count === 'all' ? total + 1 : count);
      case 'backward':
        return this.#run(count === 'all' ? -(total + 1) : -count);
      case 'absolute': {
        const at = count === 'all' ? total + 1 : count < 0 ? total + 1 + count : count;
        return this.#single(at);
      }
      case 'relative':
        return this.#single(this.#position + (count === 'all' ? total + 1 : count));
    }
  }

  /** Moves to row `at` and gives it, if there is one. */
  #single(at: number): RowStream {
    const total = this.#rows.batch.n;
    this.#position = Math.max(0, Math.min(at, total + 1));
    return this.#slice(this.#position, this.#position >= 1 && this.#position <= total ? 1 : 0, 1);
  }

  /** Moves by `steps` rows, giving each row it comes to; 0 gives the present row again. */
  #run(steps: number): RowStream {
    if (steps === 0) return this.#single(this.#position);
    const total = this.#rows.batch.n;
    const from = this.#position;
    this.#position = Math.max(0, Math.min(from + steps, total + 1));
    if (steps > 0) return this.#slice(from + 1, Math.max(0, Math.min(this.#position, total) - from), 1);
    return this.#slice(from - 1, Math.max(0, from - Math.max(this.#position, 1)), -1);
  }

  /** `count` rows from row number `first` on, upwards or downwards. */
  #slice(first: number, count: number, step: 1 | -1): RowStream {
    const batch = this.#rows.batch;
    let row = first - 1;
    let left = count;
    return {
      async next(maxRows) {
        if (left <= 0) return null;
        const taken = step === 1 ? Math.min(maxRows, left) : 1;
        const chunk = { batch, from: row, count: taken };
        row += taken * step;
        left -= taken;
        return chunk;
      },
      close() {
        left = 0;
      },
    };
  }

  close(): void {
    this.#rows.close();
  }
}
