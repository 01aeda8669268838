/**
 * A session's life after startup: read a message, act, answer; until Terminate, the end of the socket or a FATAL error.
 *
 *   error in Query      -> ErrorResponse, ReadyForQuery
 *   error in extended   -> ErrorResponse, then everything is skipped up to Sync, which answers ReadyForQuery
 */
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
  #ended: () => void = () => undefined;
  #broken: (cause: unknown) => void = () => undefined;
  /** When the turn began that is not to be long; -1: the clock has not been asked yet. */
  #began = -1;
  #unclocked = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Resolves when the client has ended the session; rejects with what ended it otherwise. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#ended = resolve;
      this.#broken = reject;
      this.#turn();
    });
  }

  /**
   * Answers what is there. Without a promise as long as nothing has to be waited for: of a statement that takes some microseconds, promises would be a
   * good part.
   */
  readonly #turn = (): void => {
    const { clock } = this.#session;
    clock.hold();
    try {
      this.#messages();
    } catch (cause) {
      this.#broken(cause);
    }
    clock.release();
  };

  #messages(): void {
    const session = this.#session;
    const { connection } = session;
    for (;;) {
      if (session.terminating !== null) throw session.terminating;
      if (++this.#unclocked >= MESSAGES_UNCLOCKED && this.#isLong()) {
        setImmediate(this.#turn);
        return;
      }
      const message = connection.next();
      if (message === null) {
        if (connection.ended) this.#ended();
        else this.#waitForClient();
        return;
      }
      if (session.idle) session.setIdle(false);
      if (message.type === FRONTEND.terminate) {
        this.#ended();
        return;
      }
      if (this.#skipping && message.type !== FRONTEND.sync) continue;
      const acting = this.#act(message);
      if (acting !== null) {
        this.#unclocked = MESSAGES_UNCLOCKED;
        acting.then(this.#turn, this.#broken);
        return;
      }
    }
  }

  /** Looks at the clock; true when others are to have their turn. */
  #isLong(): boolean {
    this.#unclocked = 0;
    this.#session.clock.hold();
    const now = performance.now();
    if (this.#began < 0) this.#began = now;
    if (now - this.#began <= TURN_MS) return false;
    this.#began = -1;
    return true;
  }

  #waitForClient(): void {
    const session = this.#session;
    const disarm = session.idle ? armIdleTimeout(session) : null;
    session.connection.onChange(() => {
      disarm?.();
      this.#began = -1;
      this.#turn();
    });
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

  #begin(message: FrontendMessage): Promise<void> | null {
    const session = this.#session;
    switch (message.type) {
      case FRONTEND.query: {
        session.clock.hold();
        const running = simpleQuery(session, message.body);
        if (running !== null) return running.then(() => this.ready());
        this.ready();
        return null;
      }
      case FRONTEND.parse:
        session.clock.hold();
        parseMessage(session, message);
        return null;
      case FRONTEND.bind:
        bindMessage(session, message);
        return null;
      case FRONTEND.describe:
        describeMessage(session, message);
        return null;
      case FRONTEND.execute:
        return executeMessage(session, message);
      case FRONTEND.close:
        closeMessage(session, message);
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
        throw protocolError(`unexpected message type ${message.type}`);
    }
  }

  #failed(type: number, cause: unknown): void {
    const session = this.#session;
    const error = toSqlError(cause, session.options.log);
    session.fail();
    if (isFatal(error)) throw error;
    session.connection.out.messages(errorResponse(error));
    if (type === FRONTEND.query || type === FRONTEND.functionCall || type === FRONTEND.sync) this.ready();
    else {
      this.#skipping = true;
      // As in PostgreSQL at once: who has sent Flush, which is skipped now, waits for it before it sends Sync.
      session.connection.out.flush();
    }
  }

  /** Tells what has changed, then that the next command may come. */
  ready(): void {
    const session = this.#session;
    const { out } = session.connection;
    session.reportSettings();
    if (session.block.status === 'I') session.sendNotifications();
    if (session.connection.ready !== undefined) session.connection.ready(session.block.takeTick());
    out.messages(readyForQuery(session.block.status));
    session.setIdle(true);
    out.flush();
  }
}
