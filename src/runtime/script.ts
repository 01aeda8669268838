/** Runs SQL text without a client: --init files, the demo, embedding, tests. Every statement is a transaction of its own. */
import { readRow } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError, unsupported } from '../../operators/errors.ts';
import { pathWith } from '../../operators/expr/search_path.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import { parse } from '../../planner/parse/parse.ts';
import type { Result, ResultColumn, SessionContext } from '../engine.ts';
import type { CopyWait } from '../postgres/copy/copy_wait.ts';
import type { TidemarkEngine } from './engine.ts';
import { localSession } from './local_session.ts';
import { dropTemporary } from './temporary.ts';

export interface ScriptResult {
  tag: string;
  columns: ResultColumn[];
  rows: Datum[][];
}

/** Runs every statement; gives each one's tag and rows. An error names the statement's line. Temporary objects are the script's. */
export async function runScript(
  engine: TidemarkEngine,
  sql: string,
  log?: (level: 'info', message: string) => void,
): Promise<ScriptResult[]> {
  const results: ScriptResult[] = [];
  let temporary: string | null = null;
  const newSession = (statement?: Statement): SessionContext => {
    const session = localSession(engine, log);
    const said = session.searchPath;
    let open: number | null = null;
    const search = () => {
      session.searchPath = pathWith(said, temporary, open);
      session.evalContext.searchPath = session.searchPath;
    };
    session.useTemporary = (schema) => {
      temporary = schema;
      search();
    };
    // Of what other statements make nothing is taken back.
    if (statement?.k === 'do')
      session.seeOpen = (transaction) => {
        open = transaction;
        search();
      };
    search();
    return session;
  };
  try {
    for (const statement of parsed(sql))
      results.push(await runStatement(engine, sql, statement, newSession(statement)));
  } finally {
    const last = newSession();
    dropTemporary(engine, last);
    last.transaction.rollback();
  }
  return results;
}

function parsed(sql: string): Statement[] {
  try {
    return parse(sql);
  } catch (error) {
    if (!(error instanceof SqlError) || error.fields.position === undefined) throw error;
    throw atLine(error, [...sql].slice(0, error.fields.position - 1).join(''));
  }
}

/** `before`: the script as far as what the error is about. */
function atLine(error: SqlError, before: string): SqlError {
  return new SqlError(error.sqlstate, `line ${before.split('\n').length}: ${error.message}`, error.fields);
}

const NOBODY_CANCELS: CopyWait = { check: () => undefined, wait: (promise) => promise };

async function runStatement(
  engine: TidemarkEngine,
  sql: string,
  statement: Statement,
  session: SessionContext,
): Promise<ScriptResult> {
  try {
    const prepared = engine.prepare(statement, [], session);
    const result = await ended(
      statement,
      await engine.execute(prepared, [], session, new AbortController().signal),
      session,
    );
    const done =
      result.kind === 'command'
        ? { tag: result.tag, columns: [], rows: [] }
        : { columns: result.columns, ...(await allRows(result)) };
    await session.transaction.commit();
    return done;
  } catch (error) {
    session.transaction.rollback();
    if (!(error instanceof SqlError)) throw error;
    throw atLine(error, sql.slice(0, statement.offset));
  }
}

/** A copy from or to a file has been done, as a script has it. */
async function ended(
  statement: Statement,
  result: Result,
  { evalContext }: SessionContext,
): Promise<Extract<Result, { kind: 'command' | 'rows' }>> {
  if (result.kind === 'command' || result.kind === 'rows') return result;
  if (result.file === undefined) throw unsupported('COPY FROM STDIN and TO STDOUT in a script');
  if (result.kind === 'copyOut') {
    const { copyToFile } = await import('../postgres/copy/copy_to_file.ts');
    return { kind: 'command', tag: await copyToFile(result.file, result, evalContext, NOBODY_CANCELS) };
  }
  const { copyFromFile } = await import('../postgres/copy/copy_from_file.ts');
  const table = statement.k === 'copy' ? String(statement.node.relation?.relname ?? '') : '';
  return { kind: 'command', tag: await copyFromFile(result.file, table, result, evalContext, NOBODY_CANCELS) };
}

async function allRows({
  rows: stream,
  tag,
}: Extract<Result, { kind: 'rows' }>): Promise<Pick<ScriptResult, 'tag' | 'rows'>> {
  const rows: Datum[][] = [];
  try {
    for (let chunk = await stream.next(1000); chunk !== null; chunk = await stream.next(1000)) {
      for (let i = 0; i < chunk.count; i++) rows.push(readRow(chunk.batch, chunk.from + i));
    }
  } finally {
    stream.close();
  }
  return { tag: tag(rows.length), rows };
}
