/** Timers of a session's settings: one is armed only where its setting is above 0. */
import { SqlError } from '../../../operators/errors.ts';
import type { Cancellation } from './cancellation.ts';
import type { Session } from './session.ts';

const NOTHING = (): void => undefined;

function after(ms: number, act: () => void): () => void {
  if (!(ms > 0)) return NOTHING;
  const timer = setTimeout(act, Math.min(ms, 2147483647));
  return () => clearTimeout(timer);
}

/** statement_timeout for what starts now; call the result when it has ended. */
export function armStatementTimeout(session: Session, cancellation: Cancellation): () => void {
  const ms = session.settings.number('statement_timeout');
  if (ms > 0) cancellation.endAt(performance.now() + ms);
  return after(ms, () => cancellation.timeOut());
}

/** The timeouts of a session that waits for its client; call the result when the client has spoken. */
export function armIdleTimeout(session: Session): () => void {
  const inTransaction = session.block.status !== 'I';
  const name = inTransaction ? 'idle_in_transaction_session_timeout' : 'idle_session_timeout';
  const sqlstate = inTransaction ? '25P03' : '57P05';
  const what = inTransaction ? 'idle-in-transaction timeout' : 'idle-session timeout';
  return after(session.settings.number(name), () =>
    session.terminate(new SqlError(sqlstate, `terminating connection due to ${what}`, { severity: 'FATAL' })),
  );
}
