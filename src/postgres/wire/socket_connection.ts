/**
 * A client's socket in this thread, or a stream that stands for one.
 *
 * Reading goes on while a statement runs (to see the client hang up and to take COPY data), up to READ_AHEAD_BYTES; then the
 * socket is paused until the session has caught up. A message that is larger than that is still read whole.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Connection, Peer } from './connection.ts';
import { FrontendDecoder, type FrontendMessage } from './frontend_decoder.ts';
import { Output } from './output.ts';
import { stateOf } from './tls.ts';
import { Waiter } from './waiter.ts';

export const READ_AHEAD_BYTES = 1 << 20;
const SHORT_BYTES = 4096;
const NOTHING = Buffer.alloc(0);

export function endsOf(socket: Socket): Omit<Peer, 'tls'> {
  return {
    address: socket.remoteAddress ?? null,
    port: socket.remotePort ?? null,
    localAddress: socket.localAddress ?? null,
    localPort: socket.localPort ?? null,
  };
}

export class SocketConnection implements Connection {
  readonly out: Output;
  readonly decoder: FrontendDecoder;
  readonly rowSender = null;
  readonly holder = null;
  ended = false;
  closed = false;
  peer: Peer;
  onEnd: (() => void) | null = null;
  onClose: (() => void) | null = null;
  #socket: Duplex;
  #paused = false;
  readonly #waiter = new Waiter();
  /** Takes the bytes instead of the decoder. */
  #receiver: ((chunk: Buffer) => void) | null = null;

  /** `peer`: of a stream that is no socket, whose it stands for. */
  constructor(socket: Duplex, peer: Peer, maxMessageBytes: number) {
    this.#socket = socket;
    this.peer = peer;
    this.decoder = new FrontendDecoder(maxMessageBytes);
    this.out = new Output(socket);
    this.#attach(socket);
  }

  #attach(socket: Duplex): void {
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => {
      this.ended = true;
      this.onEnd?.();
      this.wake();
    });
    socket.on('error', () => {
      // 'close' follows, and says all that matters: the client is gone.
    });
    socket.on('close', () => {
      if (socket !== this.#socket) return;
      this.ended = true;
      this.closed = true;
      this.onClose?.();
      this.wake();
    });
  }

  #receive(chunk: Buffer): void {
    if (this.#receiver !== null) {
      this.#receiver(chunk);
      return;
    }
    this.decoder.push(chunk);
    if (!this.#waiter.waits && this.decoder.buffered > READ_AHEAD_BYTES) this.pause();
    this.#waiter.callNow();
  }

  /** From now on `receiver` gets the bytes as they come, those first that no message was made of yet. It pauses the reading itself. */
  forward(receiver: (chunk: Buffer) => void): void {
    this.#receiver = receiver;
    const rest = this.decoder.takeAll();
    if (rest.length > 0) receiver(rest);
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** The bare socket, for a TLS handshake over it; bytes already read are given back to it. */
  detach(): Socket {
    // Only sockets are offered TLS (listener.ts).
    const socket = this.#socket as Socket;
    socket.removeAllListeners('data');
    socket.removeAllListeners('end');
    socket.pause();
    const rest = this.decoder.takeAll();
    if (rest.length > 0) socket.unshift(rest);
    return socket;
  }

  /** Goes on over TLS. */
  useTls(socket: TLSSocket): void {
    this.#socket = socket;
    this.#paused = false;
    this.out.useStream(socket);
    this.#attach(socket);
    socket.once('secure', () => {
      this.peer = { ...this.peer, tls: stateOf(socket) };
    });
  }

  limit(bytes: number | null): void {
    this.decoder.limit = bytes;
  }

  get nextType(): number {
    return this.decoder.peek();
  }

  next(): FrontendMessage | null {
    const message = this.decoder.next();
    if (this.#paused && this.decoder.buffered < READ_AHEAD_BYTES / 2) this.resume();
    return message;
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.onChange(resolve));
  }

  onChange(act: () => void): void {
    this.resume();
    this.#waiter.set(act);
  }

  wake(): void {
    this.#waiter.call();
  }

  /** Bytes that are messages already, or belong to none (answers to encryption requests). Nothing may be pending in `out`. */
  writeRaw(bytes: Buffer, done?: () => void): void {
    if (this.#socket.destroyed) done?.();
    else this.#socket.write(bytes, done);
  }

  /**
   * The same. True: the system has taken all of it at once, as it does unless the client is slow, and `done` is not called: to be called back costs more
   * than a short answer does.
   */
  writeAtOnce(bytes: Buffer, done: () => void): boolean {
    const socket = this.#socket;
    if (socket.destroyed) return true;
    if (this.peer.tls !== null || bytes.length > SHORT_BYTES || socket.writableLength > 0) {
      socket.write(bytes, done);
      return false;
    }
    socket.write(bytes);
    if (socket.writableLength === 0) return true;
    socket.write(NOTHING, done);
    return false;
  }

  finish(graceMs: number): void {
    this.out.flush();
    const socket = this.#socket;
    if (socket.destroyed) return;
    // The other side may still be sending: read and drop it, or it would get a reset before our last words.
    socket.removeAllListeners('data');
    socket.on('data', () => undefined);
    socket.resume();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), graceMs);
    socket.once('close', () => clearTimeout(timer));
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
