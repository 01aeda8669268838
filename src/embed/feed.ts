/**
 * Rows of one statement as they come, in a session of their own: no more of them are on their way than the session's bytes that were not taken (hosted_connection.ts), so
 * a reader that stops stops what makes them.
 */
import type { EngineThread } from './engine_thread.ts';
import type { TextColumn, TextRow } from './row_types.ts';
import { closedError, type TidemarkError } from './tidemark_error.ts';
import { WireSession } from './wire_session.ts';

export class Feed {
  readonly #session: WireSession;
  #columns: TextColumn[] = [];
  #rows: TextRow[] = [];
  #end: { error: TidemarkError | null } | null = null;
  #wake: (() => void) | null = null;

  /** Resolves when the statement runs. */
  static async open(thread: EngineThread, sql: string, params: readonly unknown[]): Promise<Feed> {
    const feed = new Feed(await WireSession.open(thread, true));
    try {
      await feed.#run(sql, params);
    } catch (error) {
      feed.close();
      throw error;
    }
    return feed;
  }

  private constructor(session: WireSession) {
    this.#session = session;
    // Of the session's begin.
    session.took();
  }

  #run(sql: string, params: readonly unknown[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const begun = (columns: TextColumn[]) => {
        this.#columns = columns;
        resolve();
      };
      const end = (error: TidemarkError | null) => {
        this.#end ??= { error };
        if (error === null) resolve();
        else reject(error);
        this.#wake?.();
      };
      const row = (said: TextRow) => {
        this.#rows.push(said);
        this.#wake?.();
      };
      this.#session.statement(sql, params, { columns: begun, row }).then(() => end(null), end);
    });
  }

  get columns(): TextColumn[] {
    return this.#columns;
  }

  /** The rows that have come, at least one; null: there are no more. */
  async next(): Promise<TextRow[] | null> {
    for (;;) {
      if (this.#rows.length > 0) {
        const rows = this.#rows;
        this.#rows = [];
        this.#session.took();
        return rows;
      }
      if (this.#end !== null) {
        if (this.#end.error !== null) throw this.#end.error;
        return null;
      }
      // What has no rows has to go on as well.
      this.#session.took();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  /** Ends it without an error. */
  close(): void {
    this.#end ??= { error: null };
    this.#rows = [];
    this.#session.hangUp(closedError());
    this.#wake?.();
  }
}
