/**
 * Sends rows: encodes chunk after chunk, stops while the socket is full, lets others run about every megabyte. Rows of a
 * subscription leave as they come, or wait in the connection for their tick to be on the disk. Where another thread has the socket, chunks of many rows are
 * encoded there.
 */
import { setImmediate as immediate } from 'node:timers/promises';
import { SqlError } from '../../../operators/errors.ts';
import type { EarlyRows, RowChunk, RowStream } from '../../engine.ts';
import type { RowForm } from '../encode/row_form.ts';
import type { RowWriter } from '../encode/row_writer.ts';
import type { Connection, Holder } from '../wire/connection.ts';
import type { Cancellation } from './cancellation.ts';

const ROWS_AT_ONCE = 8192;
const BYTES_BETWEEN_YIELDS = 1 << 20;
/** From so many rows on it pays to have them encoded elsewhere (docs/decisions/0091). */
const ROWS_WORTH_SENDING = 256;

/** Nobody is there to read: the session ends without a word. */
export function connectionLost(): SqlError {
  return new SqlError('08006', 'connection to client lost', { severity: 'FATAL' });
}

/** Sends at most `maxRows` rows (0: all) and says how many, and whether the stream has ended. */
export async function sendRows(
  connection: Connection,
  rows: RowStream,
  writer: RowWriter,
  maxRows: number,
  live: boolean,
  cancellation: Cancellation,
): Promise<{ sent: number; ended: boolean }> {
  const sender = new ChunkSender(connection, writer, cancellation);
  const underWay = new UnderWay(Math.min(rows.ahead ?? 0, CHUNKS_UNDER_WAY));
  const held = live && rows.early !== undefined ? holdRows(connection, rows.early) : null;
  let sent = 0;
  try {
    while (maxRows === 0 || sent < maxRows) {
      if (live) connection.out.flush();
      const chunk = await cancellation.wait(
        rows.next(maxRows === 0 ? ROWS_AT_ONCE : Math.min(ROWS_AT_ONCE, maxRows - sent)),
      );
      if (chunk === null) {
        await held?.end(cancellation);
        return { sent, ended: true };
      }
      await held?.take(chunk, cancellation);
      const away = sender.sendAway(chunk);
      if (away !== null) await underWay.add(away);
      else {
        await underWay.end();
        await sender.write(chunk);
      }
      sent += chunk.count;
    }
    return { sent, ended: false };
  } catch (cause) {
    held?.drop();
    throw cause;
  } finally {
    held?.release();
    // The rows' memory is read until then.
    await underWay.end();
  }
}

/** Early rows, for a connection that keeps them back; null: it does not. */
function holdRows(connection: Connection, early: EarlyRows): HeldRows | null {
  if (connection.holder === null) return null;
  early.begin();
  return new HeldRows(connection, connection.holder, early);
}

class HeldRows {
  readonly #connection: Connection;
  readonly #holder: Holder;
  readonly #early: EarlyRows;
  #last: bigint | null = null;

  constructor(connection: Connection, holder: Holder, early: EarlyRows) {
    this.#connection = connection;
    this.#holder = holder;
    this.#early = early;
  }

  /** Before a chunk is written. Many rows, which may be encoded elsewhere, wait here. */
  async take({ tick, count }: RowChunk, cancellation: Cancellation): Promise<void> {
    if (tick === undefined || tick === null) return;
    this.#last = tick;
    if (count >= ROWS_WORTH_SENDING) await cancellation.wait(this.#early.untilDurable(tick));
    this.#holder.hold(tick);
  }

  /** All rows were written: what follows says so. */
  async end(cancellation: Cancellation): Promise<void> {
    if (this.#last !== null) await cancellation.wait(this.#early.untilDurable(this.#last));
  }

  /** The statement fails: rows that are not on the disk are not sent. */
  drop(): void {
    this.#connection.out.flush();
    this.#holder.drop();
  }

  release(): void {
    this.#connection.out.flush();
    this.#holder.hold(null);
  }
}

/** Chunks that are read while the next ones are found. */
const CHUNKS_UNDER_WAY = 2;

class UnderWay {
  readonly #most: number;
  readonly #sending: Promise<void>[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Resolves when one more may come. Rejects with what a chunk has failed with. */
  async add(sending: Promise<void>): Promise<void> {
    // Heard when its turn comes.
    sending.catch(() => undefined);
    this.#sending.push(sending);
    while (this.#sending.length > this.#most) await this.#sending.shift();
  }

  /** All have been sent. */
  async end(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#sending.splice(0));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }
}

class ChunkSender {
  readonly #connection: Connection;
  readonly #writer: RowWriter;
  readonly #cancellation: Cancellation;
  #form: RowForm | null = null;
  #limit: number;

  constructor(connection: Connection, writer: RowWriter, cancellation: Cancellation) {
    this.#connection = connection;
    this.#writer = writer;
    this.#cancellation = cancellation;
    this.#limit = connection.out.sent + BYTES_BETWEEN_YIELDS;
  }

  /** Has another thread encode the rows; resolves when it has. Null: nothing was done. */
  sendAway({ batch, from, count }: RowChunk): Promise<void> | null {
    const { rowSender } = this.#connection;
    if (rowSender === null || count < ROWS_WORTH_SENDING) return null;
    this.#form ??= this.#writer.form();
    if (this.#form === null) return null;
    return rowSender.send(this.#form, batch, from, from + count, this.#cancellation.signal).then(() => {
      if (this.#connection.closed) throw connectionLost();
    });
  }

  async write({ batch, from, count }: RowChunk): Promise<void> {
    const { out } = this.#connection;
    const cancellation = this.#cancellation;
    const end = from + count;
    let row = from;
    for (;;) {
      row = this.#writer.write(out, batch, row, end, this.#limit);
      if (out.closed) throw connectionLost();
      if (out.blocked) await cancellation.wait(out.drain());
      if (out.sent >= this.#limit) {
        this.#limit = out.sent + BYTES_BETWEEN_YIELDS;
        await immediate();
        cancellation.check();
      }
      if (row >= end) return;
    }
  }
}
