/** Runs SQL text without a client: --init files, the demo, embedding, tests. Every statement is a transaction of its own. */
import { readRow } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError, unsupported } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { parse } from '../../planner/parse/parse.ts';
import type { ResultColumn, SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';

export interface ScriptResult {
  tag: string;
  columns: ResultColumn[];
  rows: Datum[][];
}

/** No settings and no backend of its own; names of relations and types are known. */
function localContext(engine: TidemarkEngine): EvalContext {
  const context = defaultContext({ now: engine.loop.now, tick: engine.loop.tick });
  const { catalogs } = engine.system;
  if (catalogs === null) return context;
  context.session = {
    getSetting: () => null,
    setSetting: (_name, value) => value,
    backendPid: () => 0,
    catalog: (name, args) => catalogs.answer(name, args, context),
  };
  return context;
}

/** A session for statements that the server itself runs. */
export function localSession(engine: TidemarkEngine, log?: (level: 'info', message: string) => void): SessionContext {
  return {
    evalContext: localContext(engine),
    searchPath: ['public'],
    getSetting: () => null,
    transaction: engine.begin(),
    notice: (_severity, _code, message) => log?.('info', message),
  };
}

/** Runs every statement; gives each one's tag and rows. An error names the statement's line. */
export async function runScript(
  engine: TidemarkEngine,
  sql: string,
  log?: (level: 'info', message: string) => void,
): Promise<ScriptResult[]> {
  const results: ScriptResult[] = [];
  for (const statement of parse(sql)) {
    const session = localSession(engine, log);
    try {
      const prepared = engine.prepare(statement, [], session);
      const result = await engine.execute(prepared, [], session, new AbortController().signal);
      if (result.kind === 'command') results.push({ tag: result.tag, columns: [], rows: [] });
      else if (result.kind === 'rows') {
        const rows: Datum[][] = [];
        try {
          for (let chunk = await result.rows.next(1000); chunk !== null; chunk = await result.rows.next(1000)) {
            for (let i = 0; i < chunk.count; i++) rows.push(readRow(chunk.batch, chunk.from + i));
          }
        } finally {
          result.rows.close();
        }
        results.push({ tag: result.tag(rows.length), columns: result.columns, rows });
      } else throw unsupported('COPY in a script');
      await session.transaction.commit();
    } catch (error) {
      session.transaction.rollback();
      if (!(error instanceof SqlError)) throw error;
      const line = sql.slice(0, statement.offset).split('\n').length;
      throw new SqlError(error.sqlstate, `line ${line}: ${error.message}`, error.fields);
    }
  }
  return results;
}
