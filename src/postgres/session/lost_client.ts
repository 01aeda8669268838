/**
 * Finds out, while a statement that only reads runs, that its client is gone. A process that ends closes its socket, but all that comes of it is "I send no
 * more", which clients say too that still read (`nc -N`). Only what is sent to them tells: the system of one that is gone answers with a reset.
 *
 *   sends no more -> ParameterStatus, then again and again, ever slower -> reset -> the socket closes -> Session.terminate()
 *
 * ParameterStatus may come at any time, between rows of COPY too, and says what the client has been told before. Two at least: a reset shows with what is
 * written after it. Statements that write, and reads of a transaction that has something to publish, are not looked after: they go on as if nobody had left.
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

  #ask(again: number): void {
    const { connection, block, notifications, settings } = this.#session;
    if (connection.closed) return;
    // What waits in a full socket will be answered in the same way.
    if (!block.wrote && !notifications.pending && !connection.out.blocked) {
      connection.out.messages(parameterStatus('client_encoding', settings.get('client_encoding') ?? ''));
      connection.out.flush();
    }
    this.#timer = setTimeout(() => this.#ask(Math.min(2 * again, SLOWEST_MS)), again);
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
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
