/**
 * Messages of a Postgres server from a stream, at the reader's pace: nothing is read before it is asked for, so a client that does not take its result stops the server's side.
 */
import type { Readable } from 'node:stream';
import { SqlError, type SqlErrorFields } from '../../operators/errors.ts';
import { MessageReader } from '../postgres/wire/message_reader.ts';

export interface BackendMessage {
  /** One of BACKEND (postgres/wire/protocol.ts). */
  type: number;
  body: Buffer;
}

const HEADER_BYTES = 5;
const EMPTY = Buffer.alloc(0);

export class BackendReader {
  readonly #stream: Readable;
  #bytes: Buffer = EMPTY;
  #at = 0;
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(stream: Readable) {
    this.#stream = stream;
    const wake = () => this.#wake?.();
    stream.on('readable', wake);
    const ended = () => {
      this.#ended = true;
      wake();
    };
    stream.on('end', ended);
    stream.on('close', ended);
    // 'close' follows.
    stream.on('error', ended);
  }

  /** The next message that is there; null: none is. Its body is valid for good. */
  now(): BackendMessage | null {
    if (!this.#have(HEADER_BYTES)) return null;
    const length = this.#bytes.readInt32BE(this.#at + 1) + 1;
    if (!this.#have(length)) return null;
    const start = this.#at;
    this.#at += length;
    return { type: this.#bytes[start], body: this.#bytes.subarray(start + HEADER_BYTES, start + length) };
  }

  /** The next message; 08006 when the server has closed. */
  async next(): Promise<BackendMessage> {
    for (;;) {
      const message = this.now();
      if (message !== null) return message;
      await this.more();
    }
  }

  /** Resolves when there may be more than now() has found; 08006 when there never will be. */
  async more(): Promise<void> {
    if (this.#ended) throw new SqlError('08006', 'the server has closed the session');
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = null;
  }

  #have(count: number): boolean {
    const chunks: Buffer[] = [];
    let left = this.#bytes.length - this.#at;
    while (left < count) {
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk === null) break;
      chunks.push(chunk);
      left += chunk.length;
    }
    if (chunks.length > 0) {
      const rest = this.#bytes.subarray(this.#at);
      this.#bytes = rest.length === 0 && chunks.length === 1 ? chunks[0] : Buffer.concat([rest, ...chunks]);
      this.#at = 0;
    }
    return left >= count;
  }
}

export interface DescribedColumn {
  name: string;
  type: number;
  typmod: number;
}

export function readRowDescription(body: Buffer): DescribedColumn[] {
  const reader = new MessageReader(body);
  return Array.from({ length: reader.uint16() }, () => {
    const name = reader.cstring();
    reader.int32();
    reader.uint16();
    const type = reader.int32() >>> 0;
    reader.uint16();
    const typmod = reader.int32();
    reader.uint16();
    return { name, type, typmod };
  });
}

/** An ErrorResponse as the error that it was. */
export function readError(body: Buffer): SqlError {
  const said = new Map<string, string>();
  const reader = new MessageReader(body);
  for (let field = reader.byte(); field !== 0; field = reader.byte())
    said.set(String.fromCharCode(field), reader.cstring());
  const fields: SqlErrorFields = {};
  const names = {
    D: 'detail',
    H: 'hint',
    s: 'schema',
    t: 'table',
    c: 'column',
    n: 'constraint',
    W: 'context',
  } as const;
  for (const [letter, name] of Object.entries(names)) {
    const text = said.get(letter);
    if (text !== undefined) fields[name] = text;
  }
  const position = said.get('P');
  if (position !== undefined) fields.position = Number(position);
  if (said.get('V') === 'FATAL') fields.severity = 'FATAL';
  return new SqlError(said.get('C') ?? 'XX000', said.get('M') ?? 'unknown error', fields);
}
