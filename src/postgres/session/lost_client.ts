/**
 * Finds out, while a statement that only reads runs, that its client is gone. A process that ends closes its socket, but all that comes of it is "I send no
 * more", which clients say too that still read (`nc -N`). Only what is sent to them tells: the system of one that is gone answers with a reset.
 *
 *   sends no more -> ParameterStatus, then again and again, ever slower -> reset -> the socket closes -> Session.terminate()
 *
 * ParameterStatus may come at any time, between rows of COPY too, and says what the client has been told before. Two at least: a reset shows with what is
 * written after it. In the midst of a turn it is asked from within (operators/turn.ts). Statements that write, and reads of a transaction that has something to publish, are not looked after: they go on as if nobody had left.
 * Cost: none while the client's side is open.
 */
import type { Statement } from '../../../planner/parse/ast.ts';
import { parameterStatus } from '../wire/control_message.ts';
import type { Session } from './session.ts';

const FIRST_MS = 10;
const SLOWEST_MS = 5000;

export class LostClient {
  readonly #session: Session;
  #reading = false;
  #timer: NodeJS.Timeout | null = null;
  /** In the midst of a turn, when to ask again, and how long after that: no timer runs then. */
  #askAt = Number.POSITIVE_INFINITY;
  #again = FIRST_MS;

  constructor(session: Session) {
    this.#session = session;
  }

  /** This statement runs from now on. */
  runs(statement: Statement): void {
    this.#reading = onlyReads(statement);
    this.look();
  }

  /** Nothing runs. */
  idle(): void {
    this.#reading = false;
    this.#stop();
  }

  /** The client sends no more, or a statement begins. */
  look(): void {
    const { connection } = this.#session;
    this.#stop();
    if (this.#reading && connection.ended && !connection.closed) this.#ask(FIRST_MS);
  }

  /** Said in the midst of a turn. */
  sendsNoMore(): void {
    this.#again = FIRST_MS;
    this.#askAt = 0;
    this.lookAtClock();
  }

  lookAtClock(): void {
    const now = performance.now();
    if (now < this.#askAt || !this.#reading) return;
    this.#say();
    // In the midst of a turn no timer comes first.
    this.#askAt = now + this.#again;
    this.#again = Math.min(2 * this.#again, SLOWEST_MS);
  }

  #ask(again: number): void {
    if (this.#session.connection.closed) return;
    this.#say();
    this.#askAt = performance.now() + again;
    this.#again = Math.min(2 * again, SLOWEST_MS);
    this.#timer = setTimeout(() => this.#ask(this.#again), again);
  }

  #say(): void {
    const { connection, block, notifications, settings } = this.#session;
    // What waits in a full socket will be answered in the same way.
    if (!block.wrote && !notifications.pending && !connection.out.blocked) {
      connection.out.messages(parameterStatus('client_encoding', settings.get('client_encoding') ?? ''));
      connection.out.flush();
    }
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#askAt = Number.POSITIVE_INFINITY;
  }
}

function onlyReads(statement: Statement): boolean {
  switch (statement.k) {
    case 'select':
    case 'subscribe':
    case 'fetch':
    case 'declare_cursor':
      return true;
    case 'explain':
      return onlyReads(statement.inner);
    case 'copy':
      return statement.node.is_from !== true;
    default:
      return false;
  }
}
