/**
 * Runs one planned statement and gives its result; nothing is sent here. Statements of the session itself (settings, cursors,
 * prepared statements, notifications) give results of the same shape as the engine's.
 */
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import type { Statement } from '../../../planner/parse/ast.ts';
import { commandTag } from '../../../planner/parse/command_tag.ts';
import type { Cancellation } from './cancellation.ts';
import { declareCursor, fetchRows } from './cursor_statements.ts';
import { textColumn } from './plan.ts';
import type { StatementResult } from './portals.ts';
import { deallocate, executePrepared, prepareStatement } from './prepare_statements.ts';
import type { Prepared } from './prepared_statements.ts';
import { checkReadOnly, noCursor, runPlan } from './run_plan.ts';
import type { Session } from './session.ts';
import { resetSetting, setSetting } from './set_statements.ts';
import { AUTHORIZATION } from './settings.ts';
import { StoredRows } from './stored_rows.ts';
import { inTransactionBlock, transactionStatement } from './transaction_statements.ts';

/** True for what may run in a failed transaction: its end. */
function endsTransaction(statement: Statement | null): boolean {
  return statement?.k === 'transaction' && ['commit', 'rollback', 'rollback_to'].includes(statement.kind);
}

export function checkNotFailed(session: Session, statement: Statement | null): void {
  if (!session.block.failed || statement === null || endsTransaction(statement)) return;
  throw transactionAborted();
}

export function transactionAborted(): SqlError {
  return new SqlError('25P02', 'current transaction is aborted, commands ignored until end of transaction block');
}

/** Runs the statement in the session's transaction. `last`: no other statement of an implicit transaction follows. */
export async function runStatement(
  session: Session,
  prepared: Prepared,
  params: Datum[],
  cancellation: Cancellation,
  last: boolean,
): Promise<StatementResult> {
  const { statement } = prepared;
  if (statement === null) return { kind: 'empty' };
  checkNotFailed(session, statement);
  session.block.ensure();
  cancellation.check();
  cancellation.goesOn();
  session.lostClient.runs(statement);
  if (statement.k === 'declare_cursor') {
    await declareCursor(session, statement, prepared, params, cancellation);
    return { kind: 'command', tag: commandTag(statement) };
  }
  const alone = last && !session.block.explicit && session.statementsInImplicit === 0;
  if (prepared.plan === null) return runHere(session, statement, cancellation, alone);
  checkReadOnly(session, statement);
  const result = await runPlan(session, prepared, params, cancellation, alone);
  const live = statement.k === 'subscribe' || (statement.k === 'copy' && statement.subscribe !== null);
  return live ? { ...result, live } : result;
}

async function runHere(
  session: Session,
  statement: Statement,
  cancellation: Cancellation,
  alone: boolean,
): Promise<StatementResult> {
  const done: StatementResult = { kind: 'command', tag: commandTag(statement) };
  switch (statement.k) {
    case 'transaction':
      return { kind: 'command', tag: await transactionStatement(session, statement) };
    case 'set':
      setSetting(session, statement);
      return done;
    case 'reset':
      resetSetting(session, statement);
      return done;
    case 'show':
      return show(session, statement.name);
    case 'fetch':
      return fetchRows(session, statement, cancellation);
    case 'close':
      if (statement.name === null) session.portals.closeWhere((portal) => portal.cursor !== null);
      else if (!session.portals.close(statement.name)) throw noCursor(statement.name);
      return done;
    case 'prepare':
      prepareStatement(session, statement);
      return done;
    case 'execute':
      return executePrepared(session, statement, cancellation, alone);
    case 'deallocate':
      deallocate(session, statement.name);
      return done;
    case 'discard':
      if (statement.what === 'all') discardAll(session);
      if (statement.what === 'all' || statement.what === 'temp')
        session.options.engine.discardTemporary?.(session.context);
      if (statement.what === 'all' || statement.what === 'sequences')
        session.options.engine.forgetValues?.(session.context);
      return done;
    case 'listen':
      if (statement.channel !== null) session.notifications.listen(statement.channel);
      return done;
    case 'unlisten':
      session.notifications.unlisten(statement.channel);
      return done;
    case 'notify':
      session.notifications.notify(statement.channel, statement.payload);
      return done;
    default:
      throw new Error(`${statement.k} is not a statement of the session`);
  }
}

function show(session: Session, name: string): StatementResult {
  if (name.toLowerCase() === 'all') {
    const columns = ['name', 'setting', 'description'].map(textColumn);
    const rows = session.settings.list().map((info) => [info.name, session.settings.get(info.name), info.description]);
    return { kind: 'rows', columns, rows: StoredRows.ofDatums(columns, rows), tag: () => 'SHOW' };
  }
  const setting = session.settings.show(name);
  const columns = [textColumn(setting.name)];
  return { kind: 'rows', columns, rows: StoredRows.ofDatums(columns, [[setting.value]]), tag: () => 'SHOW' };
}

function discardAll(session: Session): void {
  if (inTransactionBlock(session)) {
    throw new SqlError('25001', 'DISCARD ALL cannot run inside a transaction block');
  }
  session.portals.closeWhere((portal) => portal.cursor !== null);
  session.settings.reset(AUTHORIZATION);
  session.settings.resetAll();
  session.statements.dropNamed();
  session.notifications.unlisten(null);
}
