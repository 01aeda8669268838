/**
 * START_REPLICATION: sends what publications' relations change, from a slot's position on, and hears how far the client is.
 *
 *   PublishedChanges --tick--> pgoutput --> CopyData 'w' .. 'k'         CopyData 'r' (written, flushed, applied) --> the slot's position
 *
 * Only ticks that are on the disk are sent. One wait for all: messages of the client, a tick, the clock; whoever has something wakes the connection. What a slow client does
 * not take is not read from the logs.
 */
import { setImmediate as immediate } from 'node:timers/promises';
import { SqlError } from '../../../operators/errors.ts';
import type { PublishedChanges, Replication } from '../../engine.ts';
import type { Cancellation } from '../session/cancellation.ts';
import { connectionLost } from '../session/result_sender.ts';
import type { Session } from '../session/session.ts';
import { COPY_DONE, copyBothResponse } from '../wire/control_message.ts';
import type { FrontendMessage } from '../wire/frontend_decoder.ts';
import { MessageReader } from '../wire/message_reader.ts';
import { FRONTEND, protocolError } from '../wire/protocol.ts';
import { endOf, lsnText, tickBefore } from './lsn.ts';
import { PgOutput } from './pgoutput.ts';

/** A client that hears nothing for so long is told where the log ends, and asked. PostgreSQL's clients give up after 60 s. */
const SILENCE_MS = 10_000;
/** Ticks that change nothing of what is published are told so often at most: each may be a record of the tick log. */
const PROGRESS_MS = 1000;
const BYTES_BETWEEN_YIELDS = 1 << 20;

export interface Start {
  slot: string;
  /** A position of an earlier time; the slot's is meant where that is later. */
  from: bigint;
  publications: string[];
}

/** Resolves when the client has ended the stream. */
export async function sendChanges(
  session: Session,
  replication: Replication,
  start: Start,
  cancellation: Cancellation,
): Promise<void> {
  const { connection } = session;
  const position = session.replication?.position(start.slot) ?? 0n;
  const asked = tickBefore(start.from);
  const end = endOf(replication.durable);
  // It would wait for ticks that it believes to have: they are of another server, or of this one before it was set back.
  if (start.from > end)
    throw new SqlError('55000', `requested starting point ${lsnText(start.from)} is ahead of the end of the log`, {
      detail: `The log ends at ${lsnText(end)}.`,
      hint: 'Has the server been set back to a backup? Make the slot and the copy anew.',
    });
  const bell = { rung: false };
  const ring = () => {
    bell.rung = true;
    connection.wake();
  };
  const changes = replication.follow(start.publications, asked > position ? asked : position, ring);
  connection.out.messages(copyBothResponse());
  const sender = new Sender(session, changes, bell, start.slot, cancellation);
  const timer = setInterval(ring, PROGRESS_MS);
  try {
    await sender.run();
  } finally {
    clearInterval(timer);
    changes.close();
  }
}

class Sender {
  readonly #session: Session;
  readonly #changes: PublishedChanges;
  /** Rung by whoever has something, also while nobody waits. */
  readonly #bell: { rung: boolean };
  readonly #slot: string;
  readonly #cancellation: Cancellation;
  readonly #output: PgOutput;
  #ended = false;
  /** The tick that is being sent: its end is not there yet for the client. */
  #open: bigint | null = null;
  /** The end of the log as the client was told last, and when. */
  #told = -1n;
  #toldAt = Number.NEGATIVE_INFINITY;
  /** When the client has said something last, and whether it was asked to since half of the time that it has. */
  #heardAt = performance.now();
  #asked = false;
  /** The client wants to be told where the log ends. */
  #wanted = false;

  constructor(
    session: Session,
    changes: PublishedChanges,
    bell: { rung: boolean },
    slot: string,
    cancellation: Cancellation,
  ) {
    this.#session = session;
    this.#changes = changes;
    this.#bell = bell;
    this.#slot = slot;
    this.#cancellation = cancellation;
    this.#output = new PgOutput(session.connection.out, session.context.evalContext, () => session.clock.now());
  }

  async run(): Promise<void> {
    const { connection } = this.#session;
    for (;;) {
      this.#cancellation.check();
      if (this.#session.terminating !== null) throw this.#session.terminating;
      this.#hear();
      if (this.#ended) break;
      if (connection.ended) throw connectionLost();
      this.#checkAlive();
      this.#bell.rung = false;
      if (await this.#send()) continue;
      this.#tellEnd();
      connection.out.flush();
      if (!this.#bell.rung) await connection.changed();
    }
    connection.out.messages(COPY_DONE);
  }

  /** As PostgreSQL: a client that is silent for half of wal_sender_timeout is asked for a word, and let go after all of it. */
  #checkAlive(): void {
    const timeout = this.#session.settings.number('wal_sender_timeout');
    const silent = performance.now() - this.#heardAt;
    if (timeout === 0 || silent < timeout / 2) return;
    if (silent >= timeout)
      throw new SqlError('08006', 'terminating connection due to replication timeout', { severity: 'FATAL' });
    if (!this.#asked) this.#keepalive(true);
    this.#asked = true;
  }

  /** Takes what the client has said. */
  #hear(): void {
    const { connection } = this.#session;
    for (let message = connection.next(); message !== null; message = connection.next()) {
      this.#heardAt = performance.now();
      this.#asked = false;
      this.#take(message);
    }
    // One answer to all that was asked, and none to who takes none.
    if (!this.#wanted || connection.out.blocked) return;
    this.#wanted = false;
    this.#keepalive(false);
  }

  #take({ type, body }: FrontendMessage): void {
    if (type === FRONTEND.copyDone) this.#ended = true;
    else if (type === FRONTEND.copyFail) throw new SqlError('57014', 'COPY from the client failed');
    else if (type === FRONTEND.terminate) throw connectionLost();
    else if (type !== FRONTEND.copyData) throw protocolError(`unexpected message type ${type} during replication`);
    else this.#status(body);
  }

  /** Standby status update; the feedback of a hot standby says nothing here. */
  #status(body: Buffer): void {
    const reader = new MessageReader(body);
    const kind = reader.letter();
    if (kind === 'h') return;
    if (kind !== 'r') throw protocolError(`unexpected message "${kind}" during replication`);
    const [, flushed] = [0, 0, 0, 0].map(() => reader.uint64());
    const wantsReply = reader.byte() !== 0;
    reader.end();
    if (flushed > 0n) this.#session.replication?.confirm(this.#slot, tickBefore(flushed));
    this.#wanted ||= wantsReply;
  }

  /** Sends the next tick; false when there is none. */
  async #send(): Promise<boolean> {
    const { out } = this.#session.connection;
    const tick = await this.#cancellation.wait(this.#changes.next());
    if (tick === null) return false;
    this.#open = tick.tick;
    let limit = out.sent + BYTES_BETWEEN_YIELDS;
    for (const _ of this.#output.tick(tick)) {
      if (out.closed) throw connectionLost();
      if (out.blocked) {
        await this.#cancellation.wait(out.drain());
        this.#hear();
      }
      if (out.sent < limit) continue;
      limit = out.sent + BYTES_BETWEEN_YIELDS;
      await immediate();
      this.#cancellation.check();
    }
    this.#open = null;
    this.#told = endOf(tick.tick);
    this.#toldAt = performance.now();
    return true;
  }

  #tellEnd(): void {
    const end = endOf(this.#changes.complete);
    const silent = performance.now() - this.#toldAt;
    if (silent >= SILENCE_MS || (end > this.#told && silent >= PROGRESS_MS)) this.#keepalive(silent >= SILENCE_MS);
  }

  #keepalive(wantsReply: boolean): void {
    this.#told = endOf(this.#open === null ? this.#changes.complete : this.#open - 1n);
    this.#toldAt = performance.now();
    this.#output.keepalive(this.#told, wantsReply);
  }
}
