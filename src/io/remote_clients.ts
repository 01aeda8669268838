/**
 * The clients of a listener in the I/O thread, as the sessions in this thread see them.
 *
 *   in     bytes as the socket gave them; the I/O thread stops reading when READ_AHEAD_BYTES lie here unread
 *   out    finished messages, copied into frames; blocked while many are on their way to the client (counted_sink.ts)
 *   later  the same with a tick: the I/O thread has them wait until the tick log is that far
 *   rows   a batch's addresses and the form of the rows: encoded there, from the memory that both see
 */
import type { MessagePort } from 'node:worker_threads';
import type { Batch } from '../../operators/batch/batch.ts';
import type { RowForm } from '../postgres/encode/row_form.ts';
import type { Connection, Holder, Peer, RowSender } from '../postgres/wire/connection.ts';
import { CountedSink } from '../postgres/wire/counted_sink.ts';
import { FrontendDecoder, type FrontendMessage } from '../postgres/wire/frontend_decoder.ts';
import type { ClientHandler, ClientListener, Heard, ListenOptions } from '../postgres/wire/listener.ts';
import { Output } from '../postgres/wire/output.ts';
import { READ_AHEAD_BYTES } from '../postgres/wire/socket_connection.ts';
import type { TlsPair } from '../postgres/wire/tls.ts';
import { Waiter } from '../postgres/wire/waiter.ts';
import type { Channel } from './channel.ts';
import { type Call, FRAME, type FromIo, laterFrame, receivedError, type SentError, type ToIo } from './messages.ts';
import { takeUrgent, type Urgent } from './urgent.ts';

type IoChannel = Channel<ToIo, FromIo>;

export class RemoteClients {
  readonly #channel: IoChannel;
  readonly #call: Call;
  readonly #connections = new Map<number, RemoteConnection>();
  #handler: ClientHandler | null = null;
  #maxMessageBytes = 0;
  /** The I/O thread knows how far the tick log is. */
  canHold = false;

  /** Cancel requests that were heard before the channel had them. */
  readonly #heard = new Set<number>();
  readonly #urgent: MessagePort;
  /** What has come there and was neither heard nor had from the channel yet: a statement that waits for the end of this turn hears it in its own. */
  #told: Urgent[] = [];

  constructor(channel: IoChannel, call: Call, urgent: MessagePort) {
    this.#channel = channel;
    this.#call = call;
    this.#urgent = urgent;
  }

  /** One listener; a Listen. */
  async listen(options: ListenOptions, handler: ClientHandler): Promise<ClientListener> {
    this.#handler = handler;
    this.#maxMessageBytes = options.maxMessageBytes;
    const bound = (await this.#call('listen', options)) as { address: string; port: number };
    return {
      ...bound,
      heard: () => this.#hear(),
      useTls: async (pair: TlsPair) => {
        await this.#call('useTls', pair);
      },
      close: async (graceMs) => {
        await this.#call('closeListener', graceMs);
      },
    };
  }

  frame(kind: number, id: number, bytes: Buffer): void {
    if (kind === FRAME.ended || kind === FRAME.closed)
      this.#forget((told) => told.k === 'left' && told.connection === id && told.closed === (kind === FRAME.closed));
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    connection.frame(kind, bytes);
    if (connection.closed && !connection.sending) this.#connections.delete(id);
  }

  started(message: Extract<FromIo, { k: 'started' }>): void {
    const connection = new RemoteConnection(this.#channel, message, this.#maxMessageBytes, this.canHold);
    this.#connections.set(message.connection, connection);
    this.#handler?.started(connection, message.startup);
  }

  /** In the midst of a turn. What nobody says that it has heard stays, and that the process is to end: it is for all who still run. */
  *#hear(): Iterable<Heard> {
    this.#told.push(...takeUrgent(this.#urgent));
    for (const told of this.#told) {
      const heard = () => {
        this.#told = this.#told.filter((other) => other !== told);
      };
      if (told.k === 'cancel') {
        const { serial, pid, secret } = told;
        const done = () => {
          heard();
          this.#heard.add(serial);
        };
        yield { k: 'cancel', pid, secret: Buffer.from(secret), done };
      } else if (told.k === 'left') {
        const connection = this.#connections.get(told.connection);
        if (connection !== undefined) yield { k: 'left', connection, closed: told.closed, done: heard };
      } else yield told;
    }
  }

  /** The channel has it too. */
  #forget(isIt: (told: Urgent) => boolean): void {
    this.#told.push(...takeUrgent(this.#urgent));
    this.#told = this.#told.filter((told) => !isIt(told));
  }

  cancel(serial: number, pid: number, secret: Uint8Array): void {
    this.#forget((told) => told.k === 'cancel' && told.serial === serial);
    if (!this.#heard.delete(serial)) this.#handler?.cancel(pid, Buffer.from(secret));
  }

  rowsFailed(id: number, error: SentError): void {
    this.#connections.get(id)?.rowsFailed(receivedError(error));
  }
}

class RemoteSink extends CountedSink implements Holder {
  readonly #channel: IoChannel;
  readonly #id: number;
  /** What is written waits for it. */
  #tick: bigint | null = null;

  constructor(channel: IoChannel, id: number) {
    super();
    this.#channel = channel;
    this.#id = id;
  }

  protected send(bytes: Buffer): void {
    if (this.#tick === null) this.#channel.frame(FRAME.bytes, this.#id, bytes);
    else this.#channel.frame(FRAME.later, this.#id, laterFrame(this.#tick, bytes));
  }

  hold(tick: bigint | null): void {
    this.#tick = tick;
  }

  drop(): void {
    this.#channel.frame(FRAME.dropLater, this.#id);
  }
}

/** Rows that the I/O thread has been given. */
interface RowsOut {
  done: () => void;
  error: Error | null;
}

class RemoteConnection implements Connection, RowSender {
  readonly out: Output;
  readonly peer: Peer;
  readonly rowSender = this;
  readonly holder: Holder | null;
  ended = false;
  closed = false;
  onEnd: (() => void) | null = null;
  onClose: (() => void) | null = null;
  readonly #channel: IoChannel;
  readonly #id: number;
  readonly #sink: RemoteSink;
  readonly #decoder: FrontendDecoder;
  /** What the I/O thread may still read before it hears of more. */
  #allowed = READ_AHEAD_BYTES;
  readonly #waiter = new Waiter();
  #form: RowForm | null = null;
  /** Batches of rows that the I/O thread has to write, first the one that it is at. */
  readonly #rows: RowsOut[] = [];

  constructor(
    channel: IoChannel,
    opened: Extract<FromIo, { k: 'started' }>,
    maxMessageBytes: number,
    canHold: boolean,
  ) {
    this.#channel = channel;
    this.#id = opened.connection;
    this.peer = opened.peer;
    this.#decoder = new FrontendDecoder(maxMessageBytes);
    this.#sink = new RemoteSink(channel, this.#id);
    this.out = new Output(this.#sink);
    this.holder = canHold ? this.#sink : null;
  }

  get sending(): boolean {
    return this.#rows.length > 0;
  }

  frame(kind: number, bytes: Buffer): void {
    switch (kind) {
      case FRAME.bytes:
        this.#allowed -= bytes.length;
        this.#decoder.push(bytes);
        this.#waiter.callNow();
        return;
      case FRAME.taken:
        this.#sink.taken(bytes.readInt32LE(0));
        return;
      case FRAME.rowsDone:
        this.#rows.shift()?.done();
        return;
      case FRAME.ended:
        this.ended = true;
        this.onEnd?.();
        break;
      case FRAME.closed:
        this.ended = true;
        this.closed = true;
        this.#sink.close();
        this.onClose?.();
        break;
      default:
        throw new Error(`unknown frame ${kind} from the I/O thread`);
    }
    this.wake();
  }

  limit(bytes: number | null): void {
    this.#decoder.limit = bytes;
  }

  get nextType(): number {
    return this.#decoder.peek();
  }

  next(): FrontendMessage | null {
    const message = this.#decoder.next();
    if (this.#decoder.buffered < READ_AHEAD_BYTES / 2) this.#allow();
    return message;
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.onChange(resolve));
  }

  onChange(act: () => void): void {
    this.#allow();
    this.#waiter.set(act);
  }

  #allow(): void {
    if (this.#allowed > READ_AHEAD_BYTES / 2) return;
    this.#channel.number(FRAME.more, this.#id, READ_AHEAD_BYTES - this.#allowed);
    this.#allowed = READ_AHEAD_BYTES;
  }

  wake(): void {
    this.#waiter.call();
  }

  async send(form: RowForm, batch: Batch, from: number, to: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.closed) return;
    this.out.flush();
    const rows: RowsOut = { done: () => undefined, error: null };
    const done = new Promise<void>((resolve) => {
      rows.done = resolve;
    });
    this.#rows.push(rows);
    const connection = this.#id;
    this.#channel.post({ k: 'rows', connection, form: form === this.#form ? null : form, batch, from, to });
    this.#form = form;
    // The memory is theirs until they say that it is not, whatever happens here.
    const stop = () => this.#channel.frame(FRAME.stopRows, connection);
    signal.addEventListener('abort', stop, { once: true });
    await done;
    signal.removeEventListener('abort', stop);
    signal.throwIfAborted();
    if (rows.error !== null) throw rows.error;
  }

  rowsFailed(error: Error): void {
    this.#rows[0].error = error;
  }

  finish(graceMs: number): void {
    this.out.flush();
    this.#channel.number(FRAME.finish, this.#id, graceMs);
  }
}
