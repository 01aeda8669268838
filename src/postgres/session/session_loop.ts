/**
 * A session's life after startup: read a message, act, answer; until Terminate, the end of the socket or a FATAL error.
 *
 *   error in Query      -> ErrorResponse, ReadyForQuery
 *   error in extended   -> ErrorResponse, then everything is skipped up to Sync, which answers ReadyForQuery
 */
import { setImmediate as immediate } from 'node:timers/promises';
import { SqlError } from '../../../operators/errors.ts';
import { errorResponse, readyForQuery } from '../wire/control_message.ts';
import type { FrontendMessage } from '../wire/frontend_decoder.ts';
import { FRONTEND, protocolError } from '../wire/protocol.ts';
import { bindMessage, closeMessage, describeMessage, executeMessage, parseMessage } from './extended_query.ts';
import { asFatal, isFatal, toSqlError } from './report_error.ts';
import type { Session } from './session.ts';
import { simpleQuery } from './simple_query.ts';
import { armIdleTimeout } from './statement_timer.ts';

/** A client that sends one statement behind the other holds up ticks and other clients for so long at a time. */
const TURN_MS = 10;
/** Messages answered within the turn take some microseconds each: the clock is not asked for every one. */
const MESSAGES_UNCLOCKED = 16;

/** Serves the session to its end. Never throws; the FATAL error that ended it, if any, has been sent. */
export async function serveSession(session: Session): Promise<void> {
  const { connection } = session;
  const loop = new SessionLoop(session);
  try {
    loop.ready();
    await loop.run();
  } catch (cause) {
    const error = session.terminating ?? toSqlError(cause, session.options.log);
    if (!connection.closed) connection.out.messages(errorResponse(asFatal(error)));
  }
}

class SessionLoop {
  readonly #session: Session;
  /** Up to the next Sync everything is dropped. */
  #skipping = false;

  constructor(session: Session) {
    this.#session = session;
  }

  async run(): Promise<void> {
    const session = this.#session;
    const { connection } = session;
    let turn = performance.now();
    let unclocked = 0;
    for (;;) {
      if (session.terminating !== null) throw session.terminating;
      const message = connection.next();
      if (message === null) {
        if (connection.ended) return;
        await this.#waitForClient();
        turn = performance.now();
        continue;
      }
      if (++unclocked >= MESSAGES_UNCLOCKED) {
        unclocked = 0;
        if (performance.now() - turn > TURN_MS) {
          await immediate();
          turn = performance.now();
        }
      }
      if (session.idle) session.setIdle(false);
      if (message.type === FRONTEND.terminate) return;
      if (this.#skipping && message.type !== FRONTEND.sync) continue;
      const acting = this.#act(message);
      if (acting !== null) {
        await acting;
        unclocked = MESSAGES_UNCLOCKED;
      }
    }
  }

  async #waitForClient(): Promise<void> {
    const session = this.#session;
    const disarm = session.idle ? armIdleTimeout(session) : null;
    await session.connection.changed();
    disarm?.();
  }

  /** Null: done in this turn. Fails only with what ends the session. */
  #act(message: FrontendMessage): Promise<void> | null {
    try {
      const acting = this.#begin(message);
      return acting === null ? null : acting.catch((cause) => this.#failed(message.type, cause));
    } catch (cause) {
      this.#failed(message.type, cause);
      return null;
    }
  }

  #begin({ type, body }: FrontendMessage): Promise<void> | null {
    const session = this.#session;
    switch (type) {
      case FRONTEND.query: {
        const running = simpleQuery(session, body);
        if (running !== null) return running.then(() => this.ready());
        this.ready();
        return null;
      }
      case FRONTEND.parse:
        parseMessage(session, body);
        return null;
      case FRONTEND.bind:
        bindMessage(session, body);
        return null;
      case FRONTEND.describe:
        describeMessage(session, body);
        return null;
      case FRONTEND.execute:
        return executeMessage(session, body);
      case FRONTEND.close:
        closeMessage(session, body);
        return null;
      case FRONTEND.flush:
        session.connection.out.flush();
        return null;
      case FRONTEND.sync:
        this.#skipping = false;
        if (!session.block.explicit && !session.commitNow()) return session.commit().then(() => this.ready());
        this.ready();
        return null;
      case FRONTEND.functionCall:
        throw new SqlError('0A000', 'fastpath function calls are not supported');
      case FRONTEND.copyData:
      case FRONTEND.copyDone:
      case FRONTEND.copyFail:
        // Left over from a COPY that failed.
        return null;
      default:
        throw protocolError(`unexpected message type ${type}`);
    }
  }

  #failed(type: number, cause: unknown): void {
    const session = this.#session;
    const error = toSqlError(cause, session.options.log);
    session.fail();
    if (isFatal(error)) throw error;
    session.connection.out.messages(errorResponse(error));
    if (type === FRONTEND.query || type === FRONTEND.functionCall || type === FRONTEND.sync) this.ready();
    else this.#skipping = true;
  }

  /** Tells what has changed, then that the next command may come. */
  ready(): void {
    const session = this.#session;
    const { out } = session.connection;
    session.reportSettings();
    if (session.block.status === 'I') session.sendNotifications();
    out.messages(readyForQuery(session.block.status));
    session.setIdle(true);
    out.flush();
  }
}
