/** A database as its user has it (tidemark.d.ts): statements in its own session, feeds and transactions in others. */
import { ChangesOf } from './changes.ts';
import { EngineThread } from './engine_thread.ts';
import { Feed } from './feed.ts';
import { checkOpenOptions, checkOptions } from './options.ts';
import { isName, quotedName } from './relation_name.ts';
import { RowTypes } from './row_types.ts';
import { fieldsOf, Statements } from './statements.ts';
import type {
  Clock,
  InsertOptions,
  OpenOptions,
  Database as Public,
  Result,
  Row,
  SubscribeOptions,
  Subscription,
  Transaction,
  Written,
} from './tidemark.d.ts';
import { TidemarkError } from './tidemark_error.ts';
import { textOf } from './values.ts';
import { WireSession } from './wire_session.ts';

const SUBSCRIBE_OPTIONS = ['snapshot', 'asOf', 'params', 'progress'];

export class Database implements Public {
  readonly #thread: EngineThread;
  readonly #types: RowTypes;
  readonly #statements: Statements;
  readonly #hasTopics: boolean;
  readonly clock: Clock;
  #isClosed = false;

  static async open(options: OpenOptions = {}): Promise<Database> {
    checkOpenOptions(options);
    return new Database(await EngineThread.open(options), options.kafka === 'local');
  }

  private constructor(thread: EngineThread, hasTopics: boolean) {
    this.#thread = thread;
    this.#hasTopics = hasTopics;
    this.#types = new RowTypes(thread);
    this.#statements = new Statements(thread, this.#types, hasTopics);
    const turn = (how: () => { by: string } | { to: string }) =>
      this.#statements.inOrder(async () => this.#thread.ask('clock', how()));
    this.clock = {
      now: () => this.#statements.inOrder(async () => new Date(Number((await thread.ask('now', null)) / 1000n))),
      advance: (interval) => turn(() => ({ by: intervalOf(interval) })),
      set: (time) => turn(() => ({ to: textOf(time) ?? '' })),
    };
  }

  get address(): { host: string; port: number } | null {
    return this.#thread.address;
  }

  query<R extends object = Row>(
    sql: string,
    params?: readonly unknown[],
    options?: { rowMode: 'array' },
  ): Promise<Result<R>> {
    return this.#statements.query<R>(sql, params, options);
  }

  execute(script: string): Promise<Result[]> {
    return this.#statements.execute(script);
  }

  insert(relation: string, rows: readonly object[], options?: InsertOptions): Promise<Written> {
    return this.#statements.insert(relation, rows, options);
  }

  delete(relation: string, keys: readonly object[], options?: InsertOptions): Promise<Written> {
    return this.#statements.delete(relation, keys, options);
  }

  async *iterate<R extends object = Row>(
    sql: string,
    params: readonly unknown[] = [],
  ): AsyncGenerator<R, undefined, undefined> {
    const feed = await this.#statements.inOrder(() => Feed.open(this.#thread, sql, params));
    try {
      const reader = await this.#types.reader(feed.columns);
      for (let rows = await feed.next(); rows !== null; rows = await feed.next())
        for (const row of rows) yield reader.object(row) as R;
    } finally {
      feed.close();
    }
  }

  subscribe<R extends object = Row>(target: string, options: SubscribeOptions = {}): Subscription<R> {
    const { snapshot = true, asOf, params = [], progress = false } = options;
    const feed = this.#statements.inOrder(async () => {
      checkOptions('subscribe()', options, SUBSCRIBE_OPTIONS);
      const how = `WITH (snapshot = ${Boolean(snapshot)}, progress = true)`;
      const past = asOf === undefined ? '' : ` AS OF ${tickOf(asOf)}`;
      const isQuery = !isName(target);
      const what = isQuery ? `(${await this.#filled(target, params)}\n)` : quotedName(target);
      try {
        return await Feed.open(this.#thread, `SUBSCRIBE ${what} ${how}${past}`, []);
      } catch (error) {
        if (!(error instanceof TidemarkError) || error.position === undefined) throw error;
        // Where it is in what the caller wrote, if that is what was sent.
        const position = isQuery && params.length === 0 ? error.position - 'SUBSCRIBE ('.length : undefined;
        throw new TidemarkError({ ...fieldsOf(error), position });
      }
    });
    const tells = { first: Boolean(snapshot), all: progress };
    return new ChangesOf<R>(feed, this.#types, tells, () => this.#isClosed);
  }

  async #filled(query: string, params: readonly unknown[]): Promise<string> {
    const sql = query.replace(/;\s*$/, '');
    const texts = await this.#statements.texts(sql, params);
    return texts.length === 0 ? sql : this.#thread.ask('fill', { sql, params: texts });
  }

  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const session = await this.#statements.inOrder(() => WireSession.open(this.#thread));
    const over = new TidemarkError({ code: '25P01', message: 'the transaction has ended' });
    try {
      await session.command('BEGIN');
      const statements = new Statements(this.#thread, this.#types, this.#hasTopics, session);
      let result: T;
      try {
        result = await work(statements);
      } catch (error) {
        // Behind what was called and not awaited.
        if (session.isOpen) await statements.last(over, () => session.command('ROLLBACK')).catch(() => undefined);
        throw error;
      }
      if ((await statements.last(over, () => session.command('COMMIT'))) === 'ROLLBACK')
        throw new TidemarkError({
          code: '25P02',
          message: 'the transaction is rolled back: a statement in it has failed, and its error was caught',
        });
      return result;
    } finally {
      session.hangUp(over);
    }
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#thread.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A number would have one unit for its caller and another one for PostgreSQL. */
function intervalOf(text: unknown): string {
  if (typeof text === 'string') return text;
  throw new TidemarkError({ code: '22023', message: "advance() takes an interval such as '10 seconds'" });
}

function tickOf(asOf: bigint | number): bigint {
  if ((typeof asOf === 'bigint' || Number.isSafeInteger(asOf)) && asOf >= 0) return BigInt(asOf);
  throw new TidemarkError({ code: '22023', message: `${String(asOf)} is no tick` });
}
