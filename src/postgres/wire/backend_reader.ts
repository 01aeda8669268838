/**
 * Messages of a Postgres server from a stream, at the reader's pace: nothing is read before it is asked for, so a client that does not take its result stops the server's side.
 */
import type { Readable } from 'node:stream';
import { SqlError } from '../../../operators/errors.ts';
import { type BackendMessage, BackendParser, type ErrorMessage } from './backend_messages.ts';

export class BackendReader {
  readonly #stream: Readable;
  readonly #parser = new BackendParser();
  /** Of the last chunk, those from #at on have not been given yet. */
  #messages: BackendMessage[] = [];
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

  /** The next message that is there; null: none is. */
  now(): BackendMessage | null {
    while (this.#at === this.#messages.length) {
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk === null) return null;
      this.#messages = [];
      this.#at = 0;
      this.#parser.parse(chunk, (message) => this.#messages.push(message));
    }
    return this.#messages[this.#at++];
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
}

/** An ErrorResponse as the error that it was. */
export function errorOf(said: ErrorMessage): SqlError {
  const { detail, hint, schema, table, column, constraint, where: context } = said;
  return new SqlError(said.code ?? 'XX000', said.message || 'unknown error', {
    detail,
    hint,
    schema,
    table,
    column,
    constraint,
    context,
    position: said.position === undefined ? undefined : Number(said.position),
    severity: said.severity === 'FATAL' ? 'FATAL' : undefined,
  });
}
