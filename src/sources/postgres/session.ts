/**
 * A session with the database that is read. Its messages come at the reader's pace: what is not asked for stays in the socket, so a database that is faster waits.
 *
 *   open()          TCP, TLS, startup, log in
 *   query()         SQL, or a command of replication, whose result is short
 *   copyOut()       COPY ... TO STDOUT, line by line
 *   replicate()     START_REPLICATION: both sides talk until one goes
 *
 * Values show as PostgreSQL's subscribers ask for them, whatever the role has set, so that they mean the same here.
 */
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { serialize } from 'pg-protocol';
import { SqlError } from '../../../operators/errors.ts';
import type { BackendMessage } from '../../postgres/wire/backend_messages.ts';
import { BackendReader, errorOf } from '../../postgres/wire/backend_reader.ts';
import { logIn } from '../../postgres/wire/client_login.ts';
import type { DatabaseOptions } from './options.ts';

const SETTINGS = {
  application_name: 'tidemark',
  client_encoding: 'UTF8',
  options:
    '-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c bytea_output=hex -c timezone=UTC -c standard_conforming_strings=on -c row_security=off',
};
const COPY_DATA = 'd'.charCodeAt(0);

type Texts = (string | null)[];

export class UpstreamSession {
  readonly #stream: Duplex;
  readonly #reader: BackendReader;

  private constructor(stream: Duplex) {
    this.#stream = stream;
    this.#reader = new BackendReader(stream);
  }

  /** Throws SqlError: 08001 nobody answers, 28P01 and so on not let in. `isWalsender`: it can replicate. */
  static async open(options: DatabaseOptions, isWalsender: boolean): Promise<UpstreamSession> {
    const { host, port, database, user, password, connectTimeoutMs } = options;
    const where = `PostgreSQL at ${host}:${port}`;
    const socket = connect({ host, port, noDelay: true, keepAlive: true });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${connectTimeoutMs / 1000} s`)), connectTimeoutMs);
    });
    try {
      const session = (async () => {
        const stream = await encrypted(socket, options);
        const made = new UpstreamSession(stream);
        const replication: Record<string, string> = isWalsender ? { replication: 'database' } : {};
        stream.write(serialize.startup({ user, database, ...SETTINGS, ...replication }));
        await logIn(stream, made.#reader, { user, password });
        return made;
      })();
      return await Promise.race([session, late]);
    } catch (error) {
      socket.destroy();
      const { message } = error as Error;
      if (error instanceof SqlError && error.sqlstate !== '08006') {
        throw new SqlError(error.sqlstate, `could not log in to ${where}: ${message}`, {
          ...error.fields,
          severity: undefined,
        });
      }
      throw new SqlError('08001', `could not connect to ${where}: ${message}`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The next message; throws what an ErrorResponse says. */
  async #next(): Promise<BackendMessage> {
    const message = await this.#reader.next();
    if (message.name === 'error') throw errorOf(message);
    return message;
  }

  /** A short result; after an error the session goes on. */
  async query(text: string): Promise<Texts[]> {
    this.#stream.write(serialize.query(text));
    const rows: Texts[] = [];
    let failure: SqlError | null = null;
    for (;;) {
      const message = await this.#reader.next();
      if (message.name === 'dataRow') rows.push(message.fields);
      else if (message.name === 'error') {
        failure = errorOf(message);
        if (failure.fields.severity === 'FATAL') throw failure;
      } else if (message.name === 'readyForQuery') {
        if (failure !== null) throw failure;
        return rows;
      }
    }
  }

  /** Lines of COPY text without their ends. A line is good until the next one is asked for. */
  async *copyOut(text: string): AsyncGenerator<Buffer> {
    this.#stream.write(serialize.query(text));
    for (;;) {
      const message = this.#reader.now() ?? (await this.#reader.next());
      if (message.name === 'error') throw errorOf(message);
      if (message.name === 'copyData') yield message.chunk.subarray(0, message.chunk.length - 1);
      if (message.name === 'readyForQuery') return;
    }
  }

  /** Begins to replicate; what comes is read by now() and more(). */
  async replicate(command: string): Promise<void> {
    this.#stream.write(serialize.query(command));
    while ((await this.#next()).name !== 'replicationStart');
  }

  /** The next message of replication that is there, good until the next call; null: none is. */
  now(): Buffer | null {
    for (;;) {
      const message = this.#reader.now();
      if (message === null) return null;
      if (message.name === 'error') throw errorOf(message);
      if (message.name === 'copyData') return message.chunk;
      if (message.name === 'copyDone') throw new SqlError('08006', 'the server has ended the replication');
    }
  }

  /** Resolves when there may be more than now() has found; 08006 when there never will be. */
  more(): Promise<void> {
    return this.#reader.more();
  }

  /** A message to who replicates. */
  say(message: Buffer): void {
    const head = Buffer.alloc(5);
    head[0] = COPY_DATA;
    head.writeInt32BE(message.length + 4, 1);
    this.#stream.write(Buffer.concat([head, message]));
  }

  /** Ends it, whatever it does. */
  leave(): void {
    this.#stream.destroy();
  }

  /** Ends it in order: what was said last is taken. */
  async close(): Promise<void> {
    if (this.#stream.destroyed) return;
    const closed = new Promise<void>((resolve) => this.#stream.once('close', () => resolve()));
    this.#stream.end(serialize.end());
    this.#stream.removeAllListeners('readable');
    this.#stream.resume();
    const timer = setTimeout(() => this.#stream.destroy(), 1000);
    await closed;
    clearTimeout(timer);
  }
}

/** The socket, encrypted where that is asked for. */
async function encrypted(socket: Socket, { host, ssl }: DatabaseOptions): Promise<Duplex> {
  await happened(socket, 'connect');
  if (ssl === null) return socket;
  socket.write(serialize.requestSsl());
  const answer = await new Promise<Buffer>((resolve, reject) => {
    socket.once('data', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server has closed the connection')));
  });
  // Bytes behind the answer came in clear, from whomever.
  if (answer.length !== 1 || answer[0] !== 'S'.charCodeAt(0)) throw new Error('the server does not take TLS');
  socket.pause();
  const stream = connectTls({ host, servername: host, ...ssl, socket });
  await happened(stream, 'secureConnect');
  return stream;
}

function happened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server has closed the connection')));
  });
}

/** Whether an error of a query says something of what was asked and not of the connection. */
export function isOfTable(error: unknown): error is SqlError {
  return error instanceof SqlError && error.fields.severity !== 'FATAL' && !/^(08|53|57|58|XX)/.test(error.sqlstate);
}

/** An error with all that it says, as one text. */
export function messageOf(error: unknown): string {
  if (!(error instanceof SqlError)) return error instanceof Error ? error.message : String(error);
  const { detail, hint } = error.fields;
  const said = [error.message, ...[detail, hint].flatMap((text) => (text === undefined ? [] : [text]))];
  return said.map((text) => (text.endsWith('.') ? text : `${text}.`)).join(' ');
}
