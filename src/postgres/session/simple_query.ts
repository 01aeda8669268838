/**
 * The simple protocol: one Query message, any number of statements, all in one implicit transaction where no BEGIN says otherwise.
 * The whole text is parsed before anything runs. The last statement's transaction is published before its CommandComplete, so
 * that a client which has read that knows the commit happened.
 */

import type { Datum } from '../../../operators/datum.ts';
import type { Result } from '../../engine.ts';
import { isReplicationCommand } from '../replication/command.ts';
import type { ReplicationSession } from '../replication/replication_session.ts';
import { EMPTY_QUERY, writeCommandComplete } from '../wire/control_message.ts';
import { checkedUtf8 } from '../wire/message_reader.ts';
import { protocolError } from '../wire/protocol.ts';
import type { Cancellation } from './cancellation.ts';
import { parseCached } from './parse_cache.ts';
import type { Planner } from './plan.ts';
import type { Prepared } from './prepared_statements.ts';
import { answerNow } from './quick_answer.ts';
import type { Session } from './session.ts';
import { sendSimpleResult } from './statement_result.ts';
import { checkNotFailed, runStatement, transactionAborted } from './statement_runner.ts';
import { armStatementTimeout } from './statement_timer.ts';

/** Runs the message; errors are thrown, ReadyForQuery is the caller's. Null: done in this turn. */
export function simpleQuery(session: Session, body: Buffer): Promise<void> | null {
  if (body.length === 0 || body[body.length - 1] !== 0) throw protocolError('invalid string in message');
  const text = checkedUtf8(body.subarray(0, body.length - 1));
  session.statements.drop('');
  session.portals.close('');
  if (session.replication !== null && isReplicationCommand(text)) return replicate(session, session.replication, text);
  const known = session.planner.fromTemplate(text);
  if ('prepared' in known) {
    const { prepared, params } = known;
    checkNotFailed(session, prepared.statement);
    const result = answerNow(session, prepared, params, { formats: [], describe: true, text });
    if (result === 'answered') return session.block.explicit || session.commitNow() ? null : session.commit();
    return runStatements(session, text, known, result);
  }
  return runStatements(session, text, known, null);
}

async function runStatements(
  session: Session,
  text: string,
  known: ReturnType<Planner['fromTemplate']>,
  result: Result | null,
): Promise<void> {
  const cancellation = session.startStatement(text);
  const disarm = armStatementTimeout(session, cancellation);
  const { out } = session.connection;
  try {
    if ('prepared' in known) {
      await runOnly(session, known.prepared, known.params, result, cancellation);
      return;
    }
    const statements = parseCached(text);
    if (statements.length === 0) {
      out.messages(EMPTY_QUERY);
      await endImplicit(session);
      return;
    }
    for (let i = 0; i < statements.length; i++) {
      const statement = statements[i];
      const last = i === statements.length - 1;
      checkNotFailed(session, statement);
      session.block.ensure();
      if (!last) session.statementsInImplicit++;
      const prepared = session.planner.prepareSimple(statement);
      if (known.shape !== null && statements.length === 1)
        session.planner.addTemplate(known.shape, statement, prepared);
      const result = await runStatement(session, prepared, [], cancellation, last);
      const tag = await sendSimpleResult(session, statement, result, cancellation);
      if (last) await endImplicit(session);
      if (tag !== '') writeCommandComplete(out, tag);
    }
  } finally {
    disarm();
    session.endStatement();
  }
}

/** A command that only connections of replication have. */
async function replicate(session: Session, replication: ReplicationSession, text: string): Promise<void> {
  if (session.block.failed) throw transactionAborted();
  const cancellation = session.startStatement(text);
  try {
    await replication.run(text, cancellation);
    await endImplicit(session);
  } finally {
    session.endStatement();
  }
}

/** Runs the message's only statement. */
async function runOnly(
  session: Session,
  prepared: Prepared,
  params: Datum[],
  ran: Result | null,
  cancellation: Cancellation,
): Promise<void> {
  if (ran !== null && prepared.statement !== null) session.lostClient.runs(prepared.statement);
  const result = ran ?? (await runStatement(session, prepared, params, cancellation, true));
  const tag = await sendSimpleResult(session, prepared.statement, result, cancellation);
  await endImplicit(session);
  if (tag !== '') writeCommandComplete(session.connection.out, tag);
}

async function endImplicit(session: Session): Promise<void> {
  if (!session.block.explicit) await session.commit();
}
