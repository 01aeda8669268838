/**
 * A connection of the database's own process, as its session sees it: bytes come and go as messages between threads. What has been sent and not
 * been read yet is counted: with much of it the session waits (counted_sink.ts).
 */
import type { Connection } from '../postgres/wire/connection.ts';
import { parameterStatus } from '../postgres/wire/control_message.ts';
import { CountedSink } from '../postgres/wire/counted_sink.ts';
import { FrontendDecoder, type FrontendMessage } from '../postgres/wire/frontend_decoder.ts';
import { Output } from '../postgres/wire/output.ts';
import { Waiter } from '../postgres/wire/waiter.ts';
import { type FromDatabase, TICK_PARAMETER } from './messages.ts';

export type Post = (message: FromDatabase, transfer?: ArrayBuffer[]) => void;

class HostedSink extends CountedSink {
  readonly #connection: number;
  readonly #post: Post;

  constructor(connection: number, post: Post) {
    super();
    this.#connection = connection;
    this.#post = post;
  }

  protected send(chunk: Buffer): void {
    const bytes = new Uint8Array(chunk);
    this.#post({ k: 'bytes', connection: this.#connection, bytes }, [bytes.buffer]);
  }
}

export class HostedConnection implements Connection {
  readonly out: Output;
  readonly peer = { address: null, port: null, localAddress: null, localPort: null, tls: null };
  readonly rowSender = null;
  readonly holder = null;
  ended = false;
  closed = false;
  onEnd: (() => void) | null = null;
  onClose: (() => void) | null = null;
  readonly #number: number;
  readonly #post: Post;
  readonly #sink: HostedSink;
  readonly #decoder: FrontendDecoder;
  readonly #waiter = new Waiter();
  readonly #presentTick: () => bigint;
  readonly #gone: () => void;

  /** `presentTick`: asked after each statement; what one without a transaction has seen. `gone`: called at the end. */
  constructor(
    number: number,
    post: Post,
    { maxMessageBytes, presentTick, gone }: { maxMessageBytes: number; presentTick: () => bigint; gone: () => void },
  ) {
    this.#number = number;
    this.#post = post;
    this.#sink = new HostedSink(number, post);
    this.out = new Output(this.#sink);
    this.#decoder = new FrontendDecoder(maxMessageBytes);
    this.#presentTick = presentTick;
    this.#gone = gone;
  }

  ready(tick: bigint | null): void {
    const present = this.#presentTick();
    this.out.messages(parameterStatus(TICK_PARAMETER, String(tick ?? present)));
  }

  receive(bytes: Uint8Array): void {
    this.#decoder.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#waiter.callNow();
  }

  taken(bytes: number): void {
    this.#sink.taken(bytes);
  }

  /** The client is gone. */
  hangUp(): void {
    if (this.closed) return;
    this.ended = true;
    this.closed = true;
    this.#sink.close();
    this.onClose?.();
    this.wake();
    this.#gone();
  }

  limit(bytes: number | null): void {
    this.#decoder.limit = bytes;
  }

  get nextType(): number {
    return this.#decoder.peek();
  }

  next(): FrontendMessage | null {
    return this.#decoder.next();
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.onChange(resolve));
  }

  onChange(act: () => void): void {
    this.#waiter.set(act);
  }

  wake(): void {
    this.#waiter.call();
  }

  finish(): void {
    if (this.closed) return;
    this.out.flush();
    this.#post({ k: 'closed', connection: this.#number });
    this.hangUp();
  }
}
