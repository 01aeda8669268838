/**
 * One client's socket: messages in, Output out.
 *
 * Reading goes on while a statement runs (to see the client hang up and to take COPY data), up to READ_AHEAD_BYTES; then the
 * socket is paused until the session has caught up. A message that is larger than that is still read whole.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { FrontendDecoder, type FrontendMessage } from './frontend_decoder.ts';
import { Output } from './output.ts';

const READ_AHEAD_BYTES = 1 << 20;

export class Connection {
  readonly out: Output;
  readonly decoder: FrontendDecoder;
  readonly remoteAddress: string | null;
  readonly remotePort: number | null;
  /** The client sends no more. */
  ended = false;
  /** The socket is gone. */
  closed = false;
  encrypted = false;
  /** Called when the client closes its sending side. */
  onEnd: (() => void) | null = null;
  /** Called when the socket is gone. */
  onClose: (() => void) | null = null;
  #socket: Socket;
  #paused = false;
  /** The session is waiting for a message. */
  #waiter: (() => void) | null = null;

  constructor(socket: Socket, maxMessageBytes: number) {
    this.#socket = socket;
    this.remoteAddress = socket.remoteAddress ?? null;
    this.remotePort = socket.remotePort ?? null;
    this.decoder = new FrontendDecoder(maxMessageBytes);
    this.out = new Output(socket);
    this.#attach(socket);
  }

  #attach(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.decoder.push(chunk);
      if (this.#waiter === null && this.decoder.buffered > READ_AHEAD_BYTES) {
        this.#paused = true;
        socket.pause();
      }
      this.wake();
    });
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

  /** The bare socket, for a TLS handshake over it; bytes already read are given back to it. */
  detach(): Socket {
    const socket = this.#socket;
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
    this.encrypted = true;
    this.out.useStream(socket);
    this.#attach(socket);
  }

  /** The next message if it is there. Throws FATAL 08P01. */
  next(): FrontendMessage | null {
    const message = this.decoder.next();
    if (this.#paused && this.decoder.buffered < READ_AHEAD_BYTES / 2) {
      this.#paused = false;
      this.#socket.resume();
    }
    return message;
  }

  /** Resolves when there is something to look at: bytes, the end, or a call of wake(). */
  changed(): Promise<void> {
    if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
    return new Promise((resolve) => {
      this.#waiter = resolve;
    });
  }

  wake(): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.();
  }

  /** Bytes that belong to no message: answers to encryption requests. */
  writeRaw(bytes: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Sends what is pending, then closes; a client that does not take it is cut off after `graceMs`. */
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
