/**
 * The extended protocol: Parse, Bind, Describe, Execute, Close. Answers stay in the output until Sync or Flush. All Executes up to
 * a Sync are one implicit transaction. After an error everything up to Sync is skipped (session_loop.ts).
 */
import { SqlError } from '../../../operators/errors.ts';
import type { Result } from '../../engine.ts';
import {
  BIND_COMPLETE,
  CLOSE_COMPLETE,
  EMPTY_QUERY,
  NO_DATA,
  PARSE_COMPLETE,
  PORTAL_SUSPENDED,
  parameterDescription,
  rowDescription,
  writeCommandComplete,
} from '../wire/control_message.ts';
import type { FrontendMessage } from '../wire/frontend_decoder.ts';
import { readBind, readExecute, readParse, readTarget } from '../wire/frontend_message.ts';
import { FRONTEND } from '../wire/protocol.ts';
import { bindParameters, checkResultFormats } from './bind_parameters.ts';
import { cursorResult } from './cursor_statements.ts';
import { parseCached } from './parse_cache.ts';
import type { Portal } from './portals.ts';
import type { Prepared } from './prepared_statements.ts';
import { answerNow } from './quick_answer.ts';
import { resultForm } from './result_form.ts';
import type { Session } from './session.ts';
import { sendPortalResult } from './statement_result.ts';
import { checkNotFailed, runStatement } from './statement_runner.ts';
import { armStatementTimeout } from './statement_timer.ts';

/** Of a portal whose rows have all been sent. */
const SPENT: Result = {
  kind: 'rows',
  columns: [],
  rows: { next: () => Promise.resolve(null), close: () => undefined },
  tag: (n) => `SELECT ${n}`,
};

export function parseMessage(session: Session, message: FrontendMessage): void {
  const { name, text, paramTypes } = readParse(message);
  if (name === '') session.statements.drop('');
  else session.statements.checkFree(name);
  const statements = parseCached(text);
  if (statements.length > 1) {
    throw new SqlError('42601', 'cannot insert multiple commands into a prepared statement');
  }
  const statement = statements[0] ?? null;
  checkNotFailed(session, statement);
  session.block.ensure();
  session.statements.add(session.planner.prepare(name, text, statement, paramTypes));
  session.connection.out.messages(PARSE_COMPLETE);
}

export function bindMessage(session: Session, message: FrontendMessage): void {
  const bound = readBind(message, session.statements.lastName);
  const prepared = session.statements.get(bound.statement);
  checkNotFailed(session, prepared.statement);
  session.block.ensure();
  session.planner.refresh(prepared);
  const params = bindParameters(bound, prepared, session.context.evalContext);
  checkResultFormats(bound.resultFormats, prepared);
  // The portal keeps what it was bound to, whatever happens to the statement of that name.
  session.portals.add(bound.portal, { ...prepared }, params, bound.resultFormats, null);
  session.connection.out.messages(BIND_COMPLETE);
}

export function describeMessage(session: Session, message: FrontendMessage): void {
  const { kind, name } = readTarget(message, 'DESCRIBE');
  const { out } = session.connection;
  if (kind === 'statement') {
    const prepared = session.statements.get(name);
    session.block.ensure();
    if (!session.block.failed) session.planner.refresh(prepared);
    checkDescribable(session, prepared);
    out.messages(parameterDescription(prepared.paramTypes));
    out.messages(prepared.columns === null ? NO_DATA : rowDescription(prepared.columns, []));
    return;
  }
  const portal = session.portals.get(name);
  checkDescribable(session, portal.prepared);
  const { columns } = portal.prepared;
  const formats = portal.cursor?.declared.binary === true ? [1] : portal.formats;
  out.messages(columns === null ? NO_DATA : resultForm(session, columns, formats).description);
}

/** In a failed transaction only statements that give no rows can be described, as in PostgreSQL. */
function checkDescribable(session: Session, prepared: Prepared): void {
  if (prepared.columns !== null) checkNotFailed(session, prepared.statement);
}

/** Null: done in this turn. */
export function executeMessage(session: Session, message: FrontendMessage): Promise<void> | null {
  const { portal: name, maxRows } = readExecute(message);
  const portal = session.portals.get(name);
  const { prepared } = portal;
  const { out } = session.connection;
  if (prepared.statement === null) {
    out.messages(EMPTY_QUERY);
    return null;
  }
  checkNotFailed(session, prepared.statement);
  if (portal.done && portal.result?.kind !== 'rows') throw new SqlError('55000', `portal "${name}" cannot be run`);
  if (portal.result === null && portal.cursor === null) {
    session.planner.refresh(prepared);
    const answer = maxRows === 0 ? { formats: portal.formats, describe: false, text: prepared.text } : null;
    const result = answerNow(session, prepared, portal.params, answer);
    if (result === 'answered') {
      portal.done = true;
      portal.result = SPENT;
      session.statementsInImplicit++;
      return null;
    }
    portal.result = result;
  }
  return execute(session, portal, maxRows);
}

async function execute(session: Session, portal: Portal, maxRows: number): Promise<void> {
  const { prepared } = portal;
  const { out } = session.connection;
  const cancellation = session.startStatement(prepared.text);
  const disarm = armStatementTimeout(session, cancellation);
  try {
    if (portal.result === null && portal.cursor === null) {
      const last = session.connection.nextType === FRONTEND.sync;
      portal.result = await runStatement(session, prepared, portal.params, cancellation, last);
    } else if (prepared.statement !== null) session.lostClient.runs(prepared.statement);
    session.statementsInImplicit++;
    const result = portal.cursor === null ? portal.result : cursorResult(portal.cursor);
    if (result === null) throw new Error('a portal without a result');
    const tag = await sendPortalResult(session, portal, result, maxRows, cancellation);
    if (tag === null) out.messages(PORTAL_SUSPENDED);
    else if (tag !== '') writeCommandComplete(out, tag);
  } finally {
    disarm();
    session.endStatement();
  }
}

export function closeMessage(session: Session, message: FrontendMessage): void {
  const { kind, name } = readTarget(message, 'CLOSE');
  if (kind === 'statement') session.statements.drop(name);
  else session.portals.close(name);
  session.connection.out.messages(CLOSE_COMPLETE);
}
