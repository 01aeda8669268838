/**
 * The statements of one session, one after the other in the order in which they were called: what is called first has happened when the next one begins.
 *
 * Of a database its session is opened when it is first needed, and again if it was ended from outside; a transaction has one of its own.
 */
import { serialize } from 'pg-protocol';
import { copyChunks, groupsOf, type RowGroup } from './copy_text.ts';
import type { EngineThread } from './engine_thread.ts';
import { plainOf } from './json_text.ts';
import { checkOptions } from './options.ts';
import { quoted, quotedName } from './relation_name.ts';
import type { RowTypes, TextColumn, TextRow } from './row_types.ts';
import type { InsertOptions, Result, Row, Session, Written } from './tidemark.d.ts';
import { TidemarkError } from './tidemark_error.ts';
import { finite, isJson } from './values.ts';
import { WireSession } from './wire_session.ts';

/** SUBSCRIBE has no end, so nobody can have all of its rows. */
const SUBSCRIBE = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*subscribe\b/i;

interface QueryOptions {
  rowMode?: 'array' | 'object';
}

export class Statements implements Session {
  readonly #thread: EngineThread;
  readonly #types: RowTypes;
  /** Null: that of a database. */
  readonly #transaction: WireSession | null;
  #session: WireSession | null;
  #last: Promise<unknown> = Promise.resolve();
  /** Why nothing more is taken. */
  #over: TidemarkError | null = null;
  readonly #hasTopics: boolean;

  constructor(thread: EngineThread, types: RowTypes, hasTopics: boolean, transaction: WireSession | null = null) {
    this.#thread = thread;
    this.#types = types;
    this.#hasTopics = hasTopics;
    this.#transaction = transaction;
    this.#session = transaction;
  }

  /** Behind what was called before. An error says where this was called. */
  inOrder<T>(work: () => Promise<T>): Promise<T> {
    if (this.#over !== null) return Promise.reject(this.#over);
    const called: { stack?: string } = {};
    Error.captureStackTrace(called, this.inOrder);
    const running = this.#last.then(work).catch((error: unknown) => {
      if (error instanceof TidemarkError) {
        const frames = (called.stack ?? '').split('\n').slice(1);
        error.stack = [`${error.name}: ${error.message}`, ...frames].join('\n');
      }
      throw error;
    });
    this.#last = running.catch(() => undefined);
    return running;
  }

  /** The last work: nothing is taken any more. */
  last<T>(over: TidemarkError, work: () => Promise<T>): Promise<T> {
    const running = this.inOrder(work);
    this.#over = over;
    return running;
  }

  async #open(): Promise<WireSession> {
    if (this.#session === null || (!this.#session.isOpen && this.#transaction === null))
      this.#session = await WireSession.open(this.#thread);
    return this.#session;
  }

  query<R extends object = Row>(
    sql: string,
    params: readonly unknown[] = [],
    options: QueryOptions = {},
  ): Promise<Result<R>> {
    return this.inOrder(async () => {
      checkOptions('query()', options, ['rowMode']);
      const { rowMode = 'object' } = options;
      if (rowMode !== 'array' && rowMode !== 'object')
        throw new TidemarkError({ code: '22023', message: `rowMode is 'array', not ${JSON.stringify(rowMode)}` });
      if (SUBSCRIBE.test(sql))
        throw new TidemarkError({
          code: '0A000',
          message: 'SUBSCRIBE is no query: it has no end',
          hint: 'Use subscribe().',
        });
      const session = await this.#open();
      const result = await this.#run<R>(session, sql, params, rowMode);
      await this.#checkEnded(session);
      return result;
    });
  }

  /** Values as the parameters of this statement; part of what was called in order. */
  async texts(sql: string, params: readonly unknown[]): Promise<(string | null)[]> {
    return (await this.#open()).texts(sql, params);
  }

  execute(script: string): Promise<Result[]> {
    return this.inOrder(async () => {
      const session = await this.#open();
      const results: Result[] = [];
      for (const [start, end] of await this.#thread.ask('split', script))
        results.push(await this.#part(session, script, start, end));
      await this.#checkEnded(session);
      return results;
    });
  }

  async #part(session: WireSession, script: string, start: number, end: number): Promise<Result> {
    try {
      return await this.#run(session, script.slice(start, end), [], 'object');
    } catch (error) {
      if (this.#transaction === null && session.status !== 'I' && session.isOpen) await session.command('ROLLBACK');
      if (!(error instanceof TidemarkError) || error.position === undefined) throw error;
      const before = [...script.slice(0, start)].length;
      throw new TidemarkError({ ...fieldsOf(error), position: error.position + before });
    }
  }

  async #run<R>(
    session: WireSession,
    sql: string,
    params: readonly unknown[],
    rowMode: 'array' | 'object',
  ): Promise<Result<R>> {
    const rows: TextRow[] = [];
    let columns: TextColumn[] = [];
    let tag = '';
    await session.statement(sql, params, {
      columns: (said) => {
        columns = said;
      },
      row: (row) => rows.push(row),
      complete: (said) => {
        tag = said;
      },
    });
    const { tick } = session;
    const reader = await this.#types.reader(columns);
    const [, command, count] = /^(.*?)(?: \d+)??(?: (\d+))?$/.exec(tag) ?? [];
    const read = rowMode === 'array' ? reader.array : reader.object;
    return {
      command: command ?? '',
      columns: reader.columns,
      rows: rows.map((row) => read(row) as R),
      rowCount: count === undefined ? null : Number(count),
      tick,
    };
  }

  /** BEGIN outside of transaction() would make one of what others call meanwhile. */
  async #checkEnded(session: WireSession): Promise<void> {
    if (this.#transaction !== null || session.status === 'I') return;
    await session.command('ROLLBACK');
    throw new TidemarkError({
      code: '25001',
      message: 'a transaction was begun and not ended, and is rolled back',
      hint: 'Use transaction(), or a script that has its COMMIT.',
    });
  }

  insert(relation: string, rows: readonly object[], options: InsertOptions = {}): Promise<Written> {
    return this.inOrder(async () => {
      checkOptions('insert()', options, ['partition']);
      const name = quotedName(relation);
      const groups = groupsOf(rows);
      const session = await this.#open();
      const sent = await this.#send(session, name, rows, false, options);
      if (sent !== null) return sent;
      if (groups.length === 0) groups.push({ columns: [], rows: [], at: [] });
      return this.#atOnce(session, groups.length > 1, async () => {
        let count = 0;
        for (const group of groups) count += await this.#copy(session, name, group);
        return count;
      });
    });
  }

  async #copy(session: WireSession, name: string, group: RowGroup): Promise<number> {
    let tag = '';
    const taker = {
      complete: (said: string) => {
        tag = said;
      },
    };
    if (group.columns.length === 0 && group.rows.length > 0) {
      for (const _ of group.rows) await generated(session.statement(`INSERT INTO ${name} DEFAULT VALUES`, [], taker));
      return group.rows.length;
    }
    const list = group.columns.map(quoted).join(', ');
    const hasArrays = group.rows.some((row) => Object.values(row).some(Array.isArray));
    const forJson = hasArrays ? await this.#jsonColumns(session, `SELECT ${list} FROM ${name}`) : [];
    // Before anything is sent: what is no value leaves nothing behind.
    const chunks = copyChunks(group, forJson);
    await generated(session.copyIn(`COPY ${name}${list === '' ? '' : ` (${list})`} FROM STDIN`, () => chunks, taker));
    return Number(/\d+$/.exec(tag)?.[0] ?? 0);
  }

  async #jsonColumns(session: WireSession, sql: string): Promise<boolean[]> {
    let columns: TextColumn[] = [];
    const messages = [serialize.parse({ text: sql }), serialize.describe({ type: 'S' }), serialize.sync()];
    const taker = {
      columns: (said: TextColumn[]) => {
        columns = said;
      },
    };
    await generated(session.request(messages, taker));
    return columns.map(({ oid }) => isJson(oid));
  }

  delete(relation: string, keys: readonly object[], options: InsertOptions = {}): Promise<Written> {
    return this.inOrder(async () => {
      checkOptions('delete()', options, ['partition']);
      const name = quotedName(relation);
      const groups = groupsOf(keys);
      if (groups.some(({ columns }) => columns.length === 0))
        throw new TidemarkError({ code: '22023', message: 'a key without columns names no rows' });
      const session = await this.#open();
      const sent = await this.#send(session, name, keys, true, options);
      if (sent !== null) return sent;
      return this.#atOnce(session, keys.length !== 1, async () => {
        let count = 0;
        for (const { columns, rows } of groups) {
          const where = columns.map((column, i) => `${quoted(column)} = $${i + 1}`).join(' AND ');
          const taker = {
            complete: (tag: string) => {
              count += Number(/\d+$/.exec(tag)?.[0] ?? 0);
            },
          };
          for (const row of rows)
            await generated(
              session.statement(
                `DELETE FROM ${name} WHERE ${where}`,
                columns.map((column) => row[column]),
                taker,
              ),
            );
        }
        return count;
      });
    });
  }

  /** What takes several statements is one transaction all the same. */
  async #atOnce(session: WireSession, several: boolean, work: () => Promise<number>): Promise<Written> {
    if (this.#transaction !== null || !several) {
      const rowCount = await work();
      return { rowCount, tick: session.tick };
    }
    await session.command('BEGIN');
    try {
      const rowCount = await work();
      await session.command('COMMIT');
      return { rowCount, tick: session.tick };
    } catch (error) {
      if (session.isOpen && session.status !== 'I') await session.command('ROLLBACK');
      throw error;
    }
  }

  /** Null: the relation reads no local topic. */
  async #send(
    session: WireSession,
    name: string,
    rows: readonly object[],
    deleted: boolean,
    { partition = 0 }: InsertOptions,
  ): Promise<Written | null> {
    if (!this.#hasTopics) return null;
    if (!Number.isInteger(partition) || partition < 0 || partition > 0x7fffffff)
      throw new TidemarkError({ code: '22023', message: `${String(partition)} is no number of a partition` });
    let relation = 0;
    const taker = {
      row: ([oid]: TextRow) => {
        relation = Number(oid);
      },
    };
    await generated(session.statement('SELECT $1::text::regclass::oid', [name], taker));
    const ask = { relation, rows: [] as Record<string, unknown>[], deleted: false, partition: 0 };
    if (this.#transaction !== null) {
      if ((await this.#thread.ask('send', ask)) === null) return null;
      throw new TidemarkError({
        code: '25001',
        message: `rows of a topic are part of no transaction: ${name}`,
        hint: 'Insert them outside of it.',
      });
    }
    try {
      const tick = await this.#thread.ask('send', {
        ...ask,
        rows: finite(() => rows.map((row) => plainOf(row) as Record<string, unknown>)),
        deleted,
        partition,
      });
      return tick === null ? null : { rowCount: rows.length, tick };
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      throw new TidemarkError(
        { code: '22023', message: `a row has what is no value: ${error.message}` },
        { cause: error },
      );
    }
  }
}

/** A position in SQL that the user has not written says nothing. */
async function generated(running: Promise<void>): Promise<void> {
  try {
    await running;
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    throw new TidemarkError({ ...fieldsOf(error), position: undefined });
  }
}

export function fieldsOf({ code, message, detail, hint, position, where, table, column, constraint }: TidemarkError) {
  return { code, message, detail, hint, position, where, table, column, constraint };
}
