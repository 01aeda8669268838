/**
 * Byte streams between two threads, many over one MessagePort: what a socket is between two processes.
 *
 *   open   from the HTTP thread: a client that comes from this peer
 *   bytes  a copy, whose memory goes over; at most WINDOW_BYTES of a stream are on their way
 *   taken  so many of them have been read: more may come
 *   end    nothing more comes from there
 *   close  the stream is gone
 *
 * Trap: a Buffer may be a part of the memory that all threads see; to post it as it is would share it, not copy it.
 */
import { Duplex } from 'node:stream';
import type { MessagePort } from 'node:worker_threads';
import type { Peer } from '../postgres/wire/connection.ts';

type Message =
  | { k: 'open'; id: number; peer: Peer }
  | { k: 'bytes'; id: number; bytes: Uint8Array }
  | { k: 'taken'; id: number; bytes: number }
  | { k: 'end' | 'close'; id: number };

const WINDOW_BYTES = 256 * 1024;

export class StreamPort {
  readonly #port: MessagePort;
  readonly #streams = new Map<number, PortStream>();
  #lastId = 0;
  #closed = false;

  /** `opened` takes what the other side opens. */
  constructor(port: MessagePort, opened?: (stream: Duplex, peer: Peer) => void) {
    this.#port = port;
    port.on('message', (message: Message) => {
      if (message.k === 'open') opened?.(this.#add(message.id), message.peer);
      else this.#streams.get(message.id)?.heard(message);
    });
    // The other thread has ended.
    port.on('close', () => {
      this.#closed = true;
      for (const stream of this.#streams.values()) stream.destroy();
    });
  }

  open(peer: Peer): Duplex {
    const id = ++this.#lastId;
    this.#post({ k: 'open', id, peer });
    return this.#add(id);
  }

  close(): void {
    this.#port.close();
  }

  #add(id: number): PortStream {
    const stream = new PortStream(id, (message, transfer) => this.#post(message, transfer));
    this.#streams.set(id, stream);
    stream.once('close', () => this.#streams.delete(id));
    if (this.#closed) stream.destroy();
    return stream;
  }

  #post(message: Message, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

class PortStream extends Duplex {
  readonly #id: number;
  readonly #post: (message: Message, transfer?: ArrayBuffer[]) => void;
  #window = WINDOW_BYTES;
  /** Who waits for the window. */
  #blocked: (() => void) | null = null;
  /** Bytes that have come, and were not said to be taken. */
  #untold = 0;

  constructor(id: number, post: (message: Message, transfer?: ArrayBuffer[]) => void) {
    super({ allowHalfOpen: true, readableHighWaterMark: 64 * 1024, writableHighWaterMark: WINDOW_BYTES });
    this.#id = id;
    this.#post = post;
  }

  heard(message: Exclude<Message, { k: 'open' }>): void {
    switch (message.k) {
      case 'bytes': {
        const { buffer, byteOffset, length } = message.bytes;
        this.#untold += length;
        this.push(Buffer.from(buffer, byteOffset, length));
        return;
      }
      case 'taken': {
        this.#window += message.bytes;
        const blocked = this.#blocked;
        if (blocked === null || this.#window <= 0) return;
        this.#blocked = null;
        blocked();
        return;
      }
      case 'end':
        this.push(null);
        return;
      case 'close':
        this.destroy();
    }
  }

  override _read(): void {
    if (this.#untold === 0) return;
    this.#post({ k: 'taken', id: this.#id, bytes: this.#untold });
    this.#untold = 0;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (chunk.length > 0) {
      const bytes = new Uint8Array(chunk.length);
      bytes.set(chunk);
      this.#window -= bytes.length;
      this.#post({ k: 'bytes', id: this.#id, bytes }, [bytes.buffer]);
    }
    if (this.#window > 0) done();
    else this.#blocked = done;
  }

  override _final(done: () => void): void {
    this.#post({ k: 'end', id: this.#id });
    done();
  }

  override _destroy(_error: Error | null, done: () => void): void {
    this.#post({ k: 'close', id: this.#id });
    // Whose bytes were copied may have their memory back.
    this.#blocked?.();
    this.#blocked = null;
    done();
  }
}
