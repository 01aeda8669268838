/** An engine in this process whose ticks the test turns, and SQL on it as text. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random, testSeed } from '../../operators/testing/property.ts';
import '../../operators/expr/functions/index.ts';
import { withScratch } from '../../operators/batch/arena.ts';
import { batchFromRows, readRow } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { outputText } from '../../operators/expr/io/index.ts';
import { pathWith, temporaryIn } from '../../operators/expr/search_path.ts';
import { initParser, parse } from '../../planner/parse/parse.ts';
import type {
  PreparedStatement,
  Result,
  ResultColumn,
  RowChunk,
  RowStream,
  SessionContext,
  Transaction,
} from '../../src/engine.ts';
import { TidemarkEngine } from '../../src/runtime/engine.ts';
import type { EngineOptions } from '../../src/runtime/engine_options.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { runScript } from '../../src/runtime/script.ts';

/** What is printed needs no catalog. */
const PLAIN = defaultContext();

export async function openEngine(options: EngineOptions = {}): Promise<TidemarkEngine> {
  await initParser();
  return new TidemarkEngine({ automatic: false, ...options });
}

/** Runs statements; rows of the last one as text, NULL as null. */
export async function sql(engine: TidemarkEngine, text: string): Promise<(string | null)[][]> {
  const results = await runScript(engine, text);
  const last = results[results.length - 1];
  return last.rows.map((row) => textRow(row, last.columns));
}

function textRow(row: ReturnType<typeof readRow>, columns: ResultColumn[], context = PLAIN): (string | null)[] {
  return row.map((d, i) => (d === null ? null : outputText(d, columns[i].type.oid, context)));
}

/** One session with an open transaction. */
export class Session {
  readonly #engine: TidemarkEngine;
  readonly #context: SessionContext;

  /** `block`: it is between BEGIN and COMMIT, so others do not see what it makes until then. */
  constructor(engine: TidemarkEngine, settings: Record<string, string> = {}, block = false) {
    this.#engine = engine;
    const { TimeZone: timeZone = PLAIN.timeZone, search_path: path } = settings;
    const searchPath = path?.split(',').map((name) => name.trim()) ?? PLAIN.searchPath;
    const session = localSession(engine, undefined, { timeZone, searchPath });
    const has = { temporary: null as string | null, open: null as number | null };
    const search = (now: Partial<typeof has>) => {
      Object.assign(has, now);
      context.searchPath = pathWith(searchPath, has.temporary, has.open);
      context.evalContext.searchPath = context.searchPath;
    };
    const context: SessionContext = {
      ...session,
      getSetting: (name) => settings[name] ?? null,
      useTemporary: (temporary) => search({ temporary }),
      ...(block ? { seeOpen: (open: number | null) => search({ open }) } : {}),
    };
    if (settings.temporary) context.useTemporary?.(settings.temporary);
    this.#context = context;
  }

  async run(text: string): Promise<(string | null)[][]> {
    return this.#rows(await this.open(text));
  }

  prepare(text: string): PreparedStatement {
    return this.#engine.prepare(parse(text)[0], [], this.#context);
  }

  /** A statement that was prepared, with parameters. */
  async runWith(prepared: PreparedStatement, params: Datum[]): Promise<(string | null)[][]> {
    const result = await this.#engine.execute(prepared, params, this.#context, new AbortController().signal);
    return this.#rows(result.kind === 'rows' ? result : null);
  }

  async #rows(stream: { rows: RowStream; columns: ResultColumn[] } | null): Promise<(string | null)[][]> {
    if (stream === null) return [];
    try {
      return await drain(stream);
    } finally {
      stream.rows.close();
    }
  }

  /** The rows of one statement as a stream with its columns; null when it gives none. */
  async open(text: string): Promise<{ rows: RowStream; columns: ResultColumn[] } | null> {
    const result = await this.#execute(text);
    return result.kind === 'rows' ? { rows: result.rows, columns: result.columns } : null;
  }

  /** COPY FROM STDIN: the columns, and what takes the rows. */
  async copyIn(text: string) {
    const result = await this.#execute(text);
    if (result.kind !== 'copyIn') throw new Error(`no COPY FROM STDIN: ${text}`);
    const { columns, target } = result;
    const types = columns.map(({ type }) => type);
    const write = (rows: Datum[][]) => withScratch((arena) => target.write(batchFromRows(types, rows, arena)));
    return { columns, target: { write, finish: () => target.finish() } };
  }

  #execute(text: string): Promise<Result> {
    const [statement] = parse(text);
    const prepared = this.#engine.prepare(statement, [], this.#context);
    return this.#engine.execute(prepared, [], this.#context, new AbortController().signal);
  }

  /** The schema of its temporary objects; `temporary` among the settings of another gives it to that. */
  get temporary(): string | undefined {
    return temporaryIn(this.#context.searchPath);
  }

  get transaction(): Transaction {
    return this.#context.transaction;
  }
}

/** What a stream has now: all rows of a result, or the changes of a subscription so far. */
export async function drain(
  stream: { rows: RowStream; columns: ResultColumn[] },
  context = PLAIN,
): Promise<(string | null)[][]> {
  const out: (string | null)[][] = [];
  for (;;) {
    const chunk = await stream.rows.next(1000, 0);
    if (chunk === null || chunk.count === 0) return out;
    out.push(...chunkRows(chunk, stream.columns, context));
  }
}

/** A chunk's rows as a client gets them. */
export function chunkRows(
  { batch, from, count }: RowChunk,
  columns: ResultColumn[],
  context = PLAIN,
): (string | null)[][] {
  return Array.from({ length: count }, (_, i) => textRow(readRow(batch, from + i), columns, context));
}

/** Runs a statement that is cancelled in the first turn that it leaves to others. */
export async function cancelled(engine: TidemarkEngine, text: string): Promise<void> {
  const cancel = new AbortController();
  const session = localSession(engine);
  const [statement] = parse(text);
  const running = engine.execute(engine.prepare(statement, [], session), [], session, cancel.signal).then(untilEnd);
  setImmediate(() => cancel.abort(new SqlError('57014', 'canceling statement due to user request')));
  await assert.rejects(running, { sqlstate: '57014' });
  session.transaction.rollback();
}

/** Takes all rows of a result. */
async function untilEnd(result: Result): Promise<void> {
  if (result.kind !== 'rows') return;
  try {
    while ((await result.rows.next(1000, 0)) !== null);
  } finally {
    result.rows.close();
  }
}

/** Random integers below n, of the run's seed, which is printed. */
export function seeded(name: string): { seed: number; random(n: number): number } {
  const seed = testSeed(name);
  const random = new Random(seed);
  return { seed, random: (n) => random.below(n) };
}

/** Runs ticks until the query gives this. */
export async function pumpUntil(engine: TidemarkEngine, query: string, expected: (string | null)[][]): Promise<void> {
  let rows: unknown;
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(5)) {
    while (engine.sourceTicks.pump());
    rows = await sql(engine, query);
    if (JSON.stringify(rows) === JSON.stringify(expected)) return;
  }
  assert.deepEqual(rows, expected, query);
}
