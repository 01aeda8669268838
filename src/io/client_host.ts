/**
 * The clients in the I/O thread: hands what they send to the dataflow thread, and to them what it says, in order.
 *
 *   frame bytes  -> the socket                 (the other side counts what is on its way: `taken` gives it back)
 *   frame later  -> waits until the tick log has its tick on the disk; frames that come meanwhile wait behind it
 *   rows         -> encoded here into 64 KiB chunks at the client's pace; frames that come meanwhile wait behind them
 */
import type { Duplex } from 'node:stream';
import { setImmediate as immediate } from 'node:timers/promises';
import type { Batch } from '../../operators/batch/batch.ts';
import { TextWriter } from '../postgres/copy/text_writer.ts';
import { BlockWriter } from '../postgres/encode/block_writer.ts';
import type { RowForm } from '../postgres/encode/row_form.ts';
import { DataRowWriter, type RowWriter } from '../postgres/encode/row_writer.ts';
import type { Peer } from '../postgres/wire/connection.ts';
import {
  CLOSE_GRACE_MS,
  type ClientHandler,
  type ClientListener,
  type ListenOptions,
  listenHere,
} from '../postgres/wire/listener.ts';
import { BACKEND } from '../postgres/wire/protocol.ts';
import { READ_AHEAD_BYTES, type SocketConnection } from '../postgres/wire/socket_connection.ts';
import type { StartupMessage } from '../postgres/wire/startup_packet.ts';
import type { TlsPair } from '../postgres/wire/tls.ts';
import type { Channel } from './channel.ts';
import { type MarkLink, MarkReader } from './durable_mark.ts';
import { FRAME, type FromIo, type LogLevel, readLater, sentError, type ToIo } from './messages.ts';
import type { Urgent } from './urgent.ts';

type DataflowChannel = Channel<FromIo, ToIo>;

/** How much the client must have taken before it is told. */
const TAKEN_BYTES = 64 * 1024;
/** Some 2 ms of encoding, during which nothing else is heard (docs/decisions/0281). */
const BYTES_BETWEEN_YIELDS = 1 << 18;

export class ClientHost implements ClientHandler<SocketConnection> {
  readonly #channel: DataflowChannel;
  readonly #clients = new Map<number, HostedClient>();
  #listener: ClientListener | null = null;
  #lastId = 0;
  readonly #log: FollowedLog = { mark: null, waiting: new Set() };
  readonly #tellNow: (what: Urgent) => void;
  #cancels = 0;

  /** `tellNow`: for a dataflow thread that is in the midst of a turn. */
  constructor(channel: DataflowChannel, tellNow: (what: Urgent) => void) {
    this.#channel = channel;
    this.#tellNow = tellNow;
  }

  async listen(options: ListenOptions): Promise<{ address: string; port: number }> {
    this.#listener = await listenHere(options, this);
    return { address: this.#listener.address, port: this.#listener.port };
  }

  async useTls(pair: TlsPair): Promise<void> {
    await this.#listener?.useTls(pair);
  }

  /** A client that came by another way than the listener's socket. */
  admit(stream: Duplex, peer: Peer): void {
    if (this.#listener?.admit === undefined) stream.destroy();
    else this.#listener.admit(stream, peer);
  }

  async closeListener(graceMs = CLOSE_GRACE_MS): Promise<void> {
    await this.#listener?.close(graceMs);
  }

  follow(link: MarkLink): void {
    const { waiting } = this.#log;
    this.#log.mark = new MarkReader(link, () => {
      for (const client of [...waiting]) client.lookAtLog();
    });
  }

  log(level: LogLevel, message: string, fields?: Record<string, unknown>): void {
    this.#channel.post({ k: 'log', level, message, fields });
  }

  started(connection: SocketConnection, startup: StartupMessage): void {
    const id = ++this.#lastId;
    this.#channel.post({ k: 'started', connection: id, startup, peer: connection.peer });
    const client = new HostedClient(this.#channel, id, connection, this.#log);
    this.#clients.set(id, client);
    client.begin(this.#tellNow, () => this.#clients.delete(id));
  }

  cancel(pid: number, secret: Buffer): void {
    const message = { k: 'cancel', serial: ++this.#cancels, pid, secret } as const;
    // First there: who hears of it from the channel takes it out.
    this.#tellNow(message);
    this.#channel.post(message);
  }

  frame(kind: number, id: number, bytes: Buffer): void {
    this.#clients.get(id)?.frame(kind, bytes);
  }

  rows(message: Extract<ToIo, { k: 'rows' }>): void {
    const client = this.#clients.get(message.connection);
    if (client === undefined) this.#channel.frame(FRAME.rowsDone, message.connection);
    else client.rows(message);
  }
}

/** The tick log as clients see it. */
interface FollowedLog {
  /** Null: nothing waits for it. */
  mark: MarkReader | null;
  /** Clients with messages that wait. */
  readonly waiting: Set<HostedClient>;
}

class HostedClient {
  readonly #channel: DataflowChannel;
  readonly #id: number;
  readonly #connection: SocketConnection;
  #allowed = READ_AHEAD_BYTES;
  #taken = 0;
  #writer: RowWriter | null = null;
  /** Bytes sent at which others have their turn; batches follow each other without one. */
  #yieldAt = 0;
  /** Rows are being written. */
  #writing = false;
  /** The rest of the result is left out: it was cancelled, or a row has failed. */
  #stopped = false;
  #wake: (() => void) | null = null;
  /** What came while rows were written, or messages waited for the log. */
  #behind: (() => void)[] = [];
  readonly #log: FollowedLog;
  /** Messages that wait for the log. */
  #held: { tick: bigint; messages: Buffer }[] = [];
  /** How often what waits was dropped. */
  #drops = 0;

  constructor(channel: DataflowChannel, id: number, connection: SocketConnection, log: FollowedLog) {
    this.#log = log;
    this.#channel = channel;
    this.#id = id;
    this.#connection = connection;
  }

  begin(tellNow: (what: Urgent) => void, gone: () => void): void {
    const connection = this.#connection;
    const closed = () => {
      tellNow({ k: 'left', connection: this.#id, closed: true });
      this.#channel.frame(FRAME.closed, this.#id);
      this.#log.waiting.delete(this);
      gone();
    };
    connection.onEnd = () => {
      tellNow({ k: 'left', connection: this.#id, closed: false });
      this.#channel.frame(FRAME.ended, this.#id);
    };
    connection.onClose = closed;
    connection.forward((chunk) => {
      this.#channel.frame(FRAME.bytes, this.#id, chunk);
      this.#allowed -= chunk.length;
      if (this.#allowed <= 0) connection.pause();
    });
    if (connection.closed) closed();
    else if (connection.ended) connection.onEnd();
  }

  frame(kind: number, bytes: Buffer): void {
    switch (kind) {
      case FRAME.bytes:
        if (this.#writing || this.#held.length > 0) this.#behind.push(() => this.#write(bytes));
        else this.#write(bytes);
        return;
      case FRAME.later: {
        const { tick, messages } = readLater(bytes);
        if (this.#held.length > 0 && this.#behind.length === 0) this.#held.push({ tick, messages });
        else {
          const drops = this.#drops;
          this.#inOrder(() => this.#writeLater(tick, messages, drops));
        }
        return;
      }
      case FRAME.dropLater:
        this.#dropLater();
        return;
      case FRAME.more:
        this.#allowed += bytes.readInt32LE(0);
        if (this.#allowed > 0) this.#connection.resume();
        return;
      case FRAME.finish:
        this.#inOrder(() => this.#connection.finish(bytes.readInt32LE(0)));
        return;
      case FRAME.stopRows:
        this.#stopped = true;
        this.#wake?.();
        return;
      default:
        throw new Error(`unknown frame ${kind} from the dataflow thread`);
    }
  }

  #inOrder(act: () => void): void {
    if (this.#writing || this.#held.length > 0) this.#behind.push(act);
    else act();
  }

  #goOn(): void {
    while (this.#behind.length > 0 && !this.#writing && this.#held.length === 0) this.#behind.shift()?.();
  }

  #writeLater(tick: bigint, messages: Buffer, drops: number): void {
    if (drops < this.#drops) {
      this.#took(messages.length);
      return;
    }
    this.#held.push({ tick, messages });
    this.#log.waiting.add(this);
    this.lookAtLog();
  }

  /** Sends what waits for no more than what is on the disk. */
  lookAtLog(): void {
    const { mark, waiting } = this.#log;
    if (mark === null) throw new Error('messages wait for a log that is not followed');
    do {
      while (this.#held.length > 0 && mark.reached(this.#held[0].tick))
        this.#write((this.#held.shift() as { messages: Buffer }).messages);
    } while (this.#held.length > 0 && !mark.wait(this.#held[0].tick));
    if (this.#held.length > 0) return;
    waiting.delete(this);
    this.#goOn();
  }

  #dropLater(): void {
    this.#drops++;
    for (const { messages } of this.#held.splice(0)) this.#took(messages.length);
    this.#log.waiting.delete(this);
    this.#goOn();
  }

  #write(bytes: Buffer): void {
    const took = () => this.#took(bytes.length);
    if (this.#connection.writeAtOnce(bytes, took)) took();
  }

  #took(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < TAKEN_BYTES) return;
    this.#channel.number(FRAME.taken, this.#id, this.#taken);
    this.#taken = 0;
  }

  rows({ form, batch, from, to }: Extract<ToIo, { k: 'rows' }>): void {
    this.#inOrder(() => void this.#writeRows(form, batch, from, to));
  }

  async #writeRows(form: RowForm | null, batch: Batch, from: number, to: number): Promise<void> {
    this.#writing = true;
    try {
      // The first rows of a result come with their form.
      if (form !== null) {
        this.#writer = writerOf(form);
        this.#stopped = false;
      }
      if (this.#writer === null) throw new Error('rows came without their form');
      if (!this.#stopped) await this.#encode(this.#writer, batch, from, to);
    } catch (error) {
      this.#stopped = true;
      this.#channel.post({ k: 'rowsFailed', connection: this.#id, error: sentError(error) });
    }
    this.#connection.out.flush();
    this.#channel.frame(FRAME.rowsDone, this.#id);
    this.#writing = false;
    this.#goOn();
  }

  async #encode(writer: RowWriter, batch: Batch, from: number, to: number): Promise<void> {
    const { out } = this.#connection;
    for (let row = from; ; ) {
      row = writer.write(out, batch, row, to, this.#yieldAt);
      if (out.closed || this.#stopped) return;
      if (out.blocked && row < to) await this.#drainedOrStopped();
      else if (out.sent >= this.#yieldAt) await immediate();
      else return;
      this.#yieldAt = out.sent + BYTES_BETWEEN_YIELDS;
      if (row >= to || this.#stopped) return;
    }
  }

  #drainedOrStopped(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      void this.#connection.out.drain().then(resolve);
    });
  }
}

function writerOf(form: RowForm): RowWriter {
  const { columns, context } = form;
  if (form.k === 'fields') {
    const { formats, message } = form;
    const plain = new DataRowWriter(columns, formats, context, message);
    return BlockWriter.over(plain, { columns, formats, context, type: message, lines: null });
  }
  const plain = new TextWriter(columns, form.options, context);
  const { lines } = plain;
  return lines === null
    ? plain
    : BlockWriter.over(plain, { columns, formats: [], context, type: BACKEND.copyData, lines });
}
