/**
 * An engine for protocol tests: it answers texts with fixed results and writes down what it was asked. No SQL is understood.
 *
 *   engine.rows('select 1', { columns: [['a', OID.int4]], rows: [[1]] })
 *   engine.fails('select bad', new SqlError(...))
 */
import { Arena } from '../../../operators/batch/arena.ts';
import { batchFromRows, readRow } from '../../../operators/batch/builder.ts';
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { colType } from '../../../operators/types.ts';
import type { Statement } from '../../../planner/parse/ast.ts';
import { commandTag } from '../../../planner/parse/command_tag.ts';
import type {
  CopyOptions,
  EarlyRows,
  Engine,
  PreparedStatement,
  Result,
  ResultColumn,
  RowChunk,
  RowStream,
  SessionContext,
  Transaction,
} from '../../engine.ts';

export interface FakeRows {
  columns: [name: string, oid: number, typmod?: number][];
  rows: Datum[][];
  paramTypes?: number[];
  /** Default: SELECT n. */
  tag?: (n: number) => string;
}

type Answer =
  | ({ kind: 'rows' } & FakeRows)
  | { kind: 'error'; error: SqlError }
  | { kind: 'wait' }
  | { kind: 'live'; columns: FakeRows['columns']; stream: LiveStream }
  | { kind: 'copyIn'; columns: FakeRows['columns']; options: CopyOptions }
  | ({ kind: 'copyOut'; options: CopyOptions } & FakeRows)
  | { kind: 'command'; tag: string; paramTypes?: number[]; run?: (params: Datum[], session: SessionContext) => void };

export const TEXT_COPY: CopyOptions = {
  format: 'text',
  delimiter: '\t',
  null: '\\N',
  header: false,
  quote: '"',
  escape: '"',
  forceQuote: [],
  forceNotNull: [],
  forceNull: [],
};
export const CSV_COPY: CopyOptions = { ...TEXT_COPY, format: 'csv', delimiter: ',', null: '' };

export function resultColumns(columns: FakeRows['columns']): ResultColumn[] {
  return columns.map(([name, oid, typmod]) => ({ name, type: colType(oid, typmod ?? -1), relation: 0, attnum: 0 }));
}

/** Rows in chunks of at most 1000. */
class FixedStream implements RowStream {
  readonly ahead = 2;
  readonly #rows: Datum[][];
  readonly #columns: ResultColumn[];
  readonly #arenas = [new Arena(), new Arena(), new Arena()];
  #next = 0;
  closed = false;

  constructor(columns: ResultColumn[], rows: Datum[][]) {
    this.#columns = columns;
    this.#rows = rows;
  }

  async next(maxRows: number): Promise<RowChunk | null> {
    const rows = this.#rows.slice(this.#next, this.#next + Math.min(maxRows, 1000));
    if (rows.length === 0 || this.closed) return null;
    this.#next += rows.length;
    const [arena] = this.#arenas;
    this.#arenas.push(...this.#arenas.splice(0, 1));
    arena.reset();
    const types = this.#columns.map((column) => column.type);
    return { batch: batchFromRows(types, rows, arena), from: 0, count: rows.length };
  }

  close(): void {
    this.closed = true;
    for (const arena of this.#arenas) arena.release();
  }
}

/** Rows when the test pushes them. */
export class LiveStream implements RowStream {
  readonly #types: ReturnType<typeof colType>[];
  readonly #arenas: Arena[] = [];
  #queue: Datum[][] = [];
  #wake: (() => void) | null = null;
  #outcome: 'open' | 'over' | Error = 'open';
  closed = false;
  /** With `early`: of the rows that are given. */
  tick: bigint | null = null;
  early?: EarlyRows;

  constructor(columns: FakeRows['columns']) {
    this.#types = columns.map(([, oid]) => colType(oid));
  }

  push(...rows: Datum[][]): void {
    this.#queue.push(...rows);
    this.#wake?.();
  }

  /** After what was pushed there are no more rows, or this error. */
  end(outcome: 'over' | Error): void {
    this.#outcome = outcome;
    this.#wake?.();
  }

  async next(maxRows: number, timeoutMs?: number): Promise<RowChunk | null> {
    if (this.#queue.length === 0 && !this.closed && this.#outcome === 'open') {
      await new Promise<void>((resolve) => {
        const timer = timeoutMs === undefined ? null : setTimeout(() => this.#wake?.(), timeoutMs);
        this.#wake = () => {
          this.#wake = null;
          if (timer !== null) clearTimeout(timer);
          resolve();
        };
      });
    }
    if (this.closed) return null;
    if (this.#queue.length === 0 && this.#outcome instanceof Error) throw this.#outcome;
    if (this.#queue.length === 0 && this.#outcome === 'over') return null;
    const rows = this.#queue.splice(0, maxRows);
    const arena = new Arena();
    this.#arenas.push(arena);
    return { batch: batchFromRows(this.#types, rows, arena), from: 0, count: rows.length, tick: this.tick };
  }

  close(): void {
    this.closed = true;
    for (const arena of this.#arenas) arena.release();
    this.#arenas.length = 0;
    this.#wake?.();
  }
}

class FakeTransaction implements Transaction {
  readonly wrote: boolean;
  readonly #engine: FakeEngine;

  constructor(engine: FakeEngine) {
    this.#engine = engine;
    this.wrote = engine.wrote;
  }

  async commit(): Promise<void> {
    if (this.#engine.commitError !== null) {
      const error = this.#engine.commitError;
      this.#engine.commitError = null;
      throw error;
    }
    this.#engine.log.push('commit');
  }

  rollback(): void {
    this.#engine.log.push('rollback');
  }

  savepoint(): void {
    this.#engine.log.push('savepoint');
  }

  rollbackTo(): void {
    this.#engine.log.push('rollbackTo');
  }

  release(): void {
    this.#engine.log.push('release');
  }
}

interface FakePlan extends PreparedStatement {
  answer: Answer;
}

export class FakeEngine implements Engine {
  catalogVersion = 1;
  /** Statements executed and what happened to transactions, in order. */
  readonly log: string[] = [];
  /** Rows that COPY FROM brought. */
  readonly copied: Datum[][] = [];
  /** Parameters of the last execution. */
  lastParams: Datum[] = [];
  prepares = 0;
  aborts = 0;
  /** What transactions that begin now say of themselves. */
  wrote = false;
  /** Thrown by the next commit. */
  commitError: SqlError | null = null;
  readonly #answers = new Map<string, Answer>();

  rows(text: string, answer: FakeRows): void {
    this.#answers.set(text, { kind: 'rows', ...answer });
  }

  fails(text: string, error: SqlError): void {
    this.#answers.set(text, { kind: 'error', error });
  }

  /** Runs until it is aborted. */
  waits(text: string): void {
    this.#answers.set(text, { kind: 'wait' });
  }

  live(text: string, columns: FakeRows['columns']): LiveStream {
    const stream = new LiveStream(columns);
    this.#answers.set(text, { kind: 'live', columns, stream });
    return stream;
  }

  copyIn(text: string, columns: FakeRows['columns'], options: CopyOptions): void {
    this.#answers.set(text, { kind: 'copyIn', columns, options });
  }

  copyOut(text: string, answer: FakeRows, options: CopyOptions): void {
    this.#answers.set(text, { kind: 'copyOut', ...answer, options });
  }

  command(
    text: string,
    tag: string,
    paramTypes: number[] = [],
    run?: (params: Datum[], session: SessionContext) => void,
  ): void {
    this.#answers.set(text, { kind: 'command', tag, paramTypes, run });
  }

  prepare(statement: Statement, paramTypes: number[]): PreparedStatement {
    this.prepares++;
    const inner = statement.k === 'select' ? statement.query.text : statement.text;
    const text = inner.replace(/^(declare .*? for|prepare .*? as) /i, '');
    const answer = this.#answers.get(text) ?? this.#default(statement);
    const columns =
      'columns' in answer && answer.kind !== 'copyIn' && answer.kind !== 'copyOut'
        ? resultColumns(answer.columns)
        : null;
    const known = 'paramTypes' in answer ? (answer.paramTypes ?? []) : [];
    const types = known.map((type, i) => paramTypes[i] || type);
    const plan: FakePlan = { statement, paramTypes: types, columns, catalogVersion: this.catalogVersion, answer };
    return plan;
  }

  #default(statement: Statement): Answer {
    switch (statement.k) {
      case 'select':
      case 'subscribe':
        throw new SqlError('42P01', 'relation "nowhere" does not exist', { position: 15 });
      case 'insert':
        return { kind: 'command', tag: 'INSERT 0 1' };
      default:
        return { kind: 'command', tag: commandTag(statement) };
    }
  }

  async execute(
    prepared: PreparedStatement,
    params: Datum[],
    session: SessionContext,
    signal: AbortSignal,
  ): Promise<Result> {
    const { answer, statement } = prepared as FakePlan;
    void session.transaction;
    this.lastParams = params;
    this.log.push(statement.text);
    switch (answer.kind) {
      case 'error':
        throw answer.error;
      case 'wait':
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        this.aborts++;
        throw new SqlError('57014', 'the engine noticed');
      case 'command':
        answer.run?.(params, session);
        return { kind: 'command', tag: answer.tag };
      case 'live':
        return {
          kind: 'rows',
          columns: resultColumns(answer.columns),
          rows: answer.stream,
          tag: (n) => `SUBSCRIBE ${n}`,
        };
      case 'copyIn':
        return this.#copyTarget(answer.columns, answer.options);
      case 'copyOut': {
        const columns = resultColumns(answer.columns);
        return { kind: 'copyOut', columns, options: answer.options, rows: new FixedStream(columns, answer.rows) };
      }
      case 'rows': {
        const columns = resultColumns(answer.columns);
        const tag = answer.tag ?? ((n: number) => `SELECT ${n}`);
        return { kind: 'rows', columns, rows: new FixedStream(columns, answer.rows), tag };
      }
    }
  }

  #copyTarget(columns: FakeRows['columns'], options: CopyOptions): Result {
    const taken: Datum[][] = [];
    return {
      kind: 'copyIn',
      columns: resultColumns(columns),
      options,
      target: {
        write: async (rows) => {
          for (let row = 0; row < rows.n; row++) taken.push(readRow(rows, row));
        },
        finish: async () => {
          this.copied.push(...taken);
          return taken.length;
        },
        abort: () => {
          this.log.push('copy aborted');
        },
      },
    };
  }

  typeNamed(): number {
    return 0;
  }

  begin(): Transaction {
    return new FakeTransaction(this);
  }

  async flush(): Promise<void> {
    // Nothing is ever pending here.
  }

  async close(): Promise<void> {
    // Nothing to give back.
  }
}
