/**
 * Goes through the entries of a change log while it grows, from a tick on: each once and in order, or an error that says why not.
 *
 *   segment, offset -> log.piece() -> entries after the tick, as many as are at hand
 *
 * It holds no entries and no file: a slow reader costs what the log keeps for it.
 */
import { SqlError } from '../../operators/errors.ts';
import type { ChangeLog } from './change_log.ts';
import { type Entry, SEGMENT_HEADER } from './entry.ts';

export class ChangeReader {
  /** Called when the log's relation is no more. */
  readonly removed: () => void;
  readonly close: () => void;
  readonly #log: ChangeLog;
  readonly #after: bigint;
  /** Of the segment that it has come to. */
  number: number;
  #at = SEGMENT_HEADER;
  #last: bigint;
  #sequence: bigint | null = null;

  constructor(log: ChangeLog, after: bigint, number: number, removed: () => void, close: () => void) {
    this.removed = removed;
    this.close = close;
    this.#log = log;
    this.#after = after;
    this.#last = after;
    this.number = number;
  }

  /** True when there is nothing to go on with: what came next was given up. */
  get isCut(): boolean {
    return !this.#log.has(this.number);
  }

  /** True when every entry of the log was given. */
  get isAtEnd(): boolean {
    return this.#log.isAtEnd(this.number, this.#at);
  }

  /** The next entries, as many as are at hand; none at the end. 55000 when they were given up meanwhile, XX001 when they are damaged. */
  async next(): Promise<Entry[]> {
    for (;;) {
      const piece = await this.#log.piece(this.number, this.#at);
      if (piece === null) throw this.#log.behind(this.#last);
      const moved = piece.number !== this.number || piece.at !== this.#at;
      this.number = piece.number;
      this.#at = piece.at;
      for (const { sequence } of piece.entries) {
        if (this.#sequence !== null && sequence !== this.#sequence + 1n)
          throw new SqlError('XX001', `an entry is missing in the changes of "${this.#log.name}"`);
        this.#sequence = sequence;
      }
      const wanted = piece.entries.filter(({ tick }) => tick > this.#after);
      if (wanted.length > 0) {
        this.#last = wanted[wanted.length - 1].tick;
        return wanted;
      }
      if (!moved) return [];
    }
  }
}
