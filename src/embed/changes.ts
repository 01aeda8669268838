/**
 * The changes of a relation or query, tick by tick.
 *
 *   SUBSCRIBE ... WITH (progress = true)  ->  tick, progress, diff, columns: rows of a tick, then one that says that it is whole
 *
 * It begins when it is called, so that what is done afterwards is among its changes; rows are asked for when somebody waits for them.
 */
import type { Feed } from './feed.ts';
import type { RowReader, RowTypes, TextRow } from './row_types.ts';
import type { Changes, Subscription } from './tidemark.d.ts';
import type { TidemarkError } from './tidemark_error.ts';

/** Columns in front of those of the relation. */
const LEADING = 3;

interface Told {
  /** The first whole tick is given even when it has no rows. */
  first: boolean;
  /** Ticks without changes too. */
  all: boolean;
}

export class ChangesOf<R> implements Subscription<R> {
  readonly #feed: Promise<Feed>;
  readonly #types: RowTypes;
  readonly #tells: Told;
  #reader: RowReader | null = null;
  /** The tick whose rows are coming. */
  #coming: Changes<R>[] = [];
  #whole: Changes<R>[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #returned = false;
  /** Whether an end is nobody's failure: the database was closed. */
  readonly #isClosed: () => boolean;

  constructor(feed: Promise<Feed>, types: RowTypes, tells: Told, isClosed: () => boolean) {
    this.#feed = feed;
    this.#types = types;
    this.#tells = tells;
    this.#isClosed = isClosed;
    // Who asks for the first tick hears of it.
    feed.catch(() => undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Changes<R>>> {
    const next = this.#last.then(() => this.#next());
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #next(): Promise<IteratorResult<Changes<R>>> {
    try {
      while (!this.#returned) {
        const changes = this.#whole.shift();
        if (changes !== undefined) return { done: false, value: changes };
        const feed = await this.#feed;
        const rows = await feed.next();
        if (rows === null) break;
        this.#reader ??= await this.#types.reader(feed.columns.slice(LEADING));
        for (const row of rows) this.#take(this.#reader, row);
      }
    } catch (error) {
      if (!this.#isClosed()) {
        await this.return();
        throw error as TidemarkError;
      }
    }
    return this.return();
  }

  #take(reader: RowReader, [tick, progress, diff, ...row]: TextRow): void {
    const at = BigInt(tick as string);
    if (progress === 't') {
      if (this.#coming.length === 0 && (this.#tells.first || this.#tells.all))
        this.#coming.push({ tick: at, added: [], removed: [] });
      this.#tells.first = false;
      this.#whole.push(...this.#coming);
      this.#coming = [];
      return;
    }
    let changes = this.#coming[this.#coming.length - 1];
    if (changes === undefined || changes.tick !== at) {
      changes = { tick: at, added: [], removed: [] };
      this.#coming.push(changes);
    }
    const weight = Number(diff);
    const to = weight > 0 ? changes.added : changes.removed;
    for (let i = Math.abs(weight); i > 0; i--) to.push(reader.object(row) as R);
  }

  async return(): Promise<{ done: true; value: undefined }> {
    if (!this.#returned) {
      this.#returned = true;
      // It may still be on its way, and goes when it is there.
      this.#feed.then(
        (feed) => feed.close(),
        () => undefined,
      );
    }
    return { done: true, value: undefined };
  }
}
