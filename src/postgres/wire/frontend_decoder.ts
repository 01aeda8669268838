/**
 * Cuts what a client sends into messages: type byte, int32 length that counts itself, body.
 *
 * Memory follows the bytes that came, never the length that was claimed: a partial message lies in a buffer that doubles as bytes
 * arrive. Bodies are views, not copies; a buffer is never written again where a body may show it. Bad framing (an unknown type, a
 * length below 4 or over the limit) cannot be resynchronised and throws FATAL 08P01.
 */
import { MessageReader } from './message_reader.ts';
import { FRONTEND, fatalProtocol } from './protocol.ts';

export class FrontendMessage {
  readonly type: number;
  /** Where the body lies, which is not written again. */
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(type: number, bytes: Buffer, start: number, end: number) {
    this.type = type;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /** A view of the body. */
  get body(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** The fields of the body, read where they lie. */
  read(): MessageReader {
    return new MessageReader(this.#bytes, this.#start, this.#end);
  }
}

/** Messages whose body is a name or nothing; PostgreSQL's limit for them. */
const SMALL_MESSAGE_BYTES = 10000;
const SMALL = [
  FRONTEND.describe,
  FRONTEND.execute,
  FRONTEND.close,
  FRONTEND.sync,
  FRONTEND.flush,
  FRONTEND.terminate,
  FRONTEND.copyDone,
  FRONTEND.copyFail,
];
/** By type: how the length is limited. */
const LIMITS = new Uint8Array(256);
const UNKNOWN = 0;
const BY_NAME = 1;
const BY_CONTENT = 2;
for (const type of Object.values(FRONTEND)) LIMITS[type] = BY_CONTENT;
for (const type of SMALL) LIMITS[type] = BY_NAME;
const EMPTY = Buffer.alloc(0);

export class FrontendDecoder {
  readonly #maxMessageBytes: number;
  /** Of all messages, where it is less; null: none. */
  limit: number | null = null;
  #buf: Buffer = EMPTY;
  #start = 0;
  #end = 0;
  /** True when #buf is ours, with room after #end. */
  #owned = false;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Bytes taken in and not yet given out. */
  get buffered(): number {
    return this.#end - this.#start;
  }

  push(chunk: Buffer): void {
    const held = this.#end - this.#start;
    if (held === 0) {
      this.#buf = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#owned = false;
      return;
    }
    if (!this.#owned || this.#end + chunk.length > this.#buf.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(held * 2, held + chunk.length, 1024));
      this.#buf.copy(grown, 0, this.#start, this.#end);
      this.#buf = grown;
      this.#start = 0;
      this.#end = held;
      this.#owned = true;
    }
    chunk.copy(this.#buf, this.#end);
    this.#end += chunk.length;
  }

  /** The first byte waiting, or -1. */
  peek(): number {
    return this.#end > this.#start ? this.#buf[this.#start] : -1;
  }

  /** All bytes waiting, taken out: they belong to another protocol layer. */
  takeAll(): Buffer {
    const rest = this.#buf.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return rest;
  }

  /** The first packet of a connection, which has no type byte: its body after the length, or null when more must come. */
  nextUntyped(): Buffer | null {
    if (this.buffered < 4) return null;
    const length = this.#int32(this.#start);
    if (length < 8 || length > SMALL_MESSAGE_BYTES) throw fatalProtocol('invalid length of startup packet');
    if (this.buffered < length) return null;
    const body = this.#buf.subarray(this.#start + 4, this.#start + length);
    this.#took(length);
    return body;
  }

  /** The next message, or null when more must come. Throws FATAL 08P01. */
  next(): FrontendMessage | null {
    const held = this.#end - this.#start;
    if (held === 0) return null;
    const type = this.#buf[this.#start];
    const limit = LIMITS[type];
    if (limit === UNKNOWN) throw fatalProtocol(`invalid frontend message type ${type}`);
    if (held < 5) return null;
    const length = this.#int32(this.#start + 1);
    if (length < 4 || length > (limit === BY_NAME ? SMALL_MESSAGE_BYTES : (this.limit ?? this.#maxMessageBytes))) {
      throw fatalProtocol('invalid message length');
    }
    if (held < length + 1) return null;
    const message = new FrontendMessage(type, this.#buf, this.#start + 5, this.#start + length + 1);
    this.#took(length + 1);
    return message;
  }

  #int32(at: number): number {
    const buf = this.#buf;
    return (buf[at] << 24) | (buf[at + 1] << 16) | (buf[at + 2] << 8) | buf[at + 3];
  }

  #took(bytes: number): void {
    this.#start += bytes;
    if (this.#start === this.#end) {
      this.#buf = EMPTY;
      this.#start = 0;
      this.#end = 0;
      this.#owned = false;
    }
  }
}
