/**
 * A session with the database, as a Postgres client has it: messages of the protocol by pg-protocol, over the thread's port instead of a socket. One request at a
 * time; it is over with ReadyForQuery.
 */
import { serialize } from 'pg-protocol';
import { type BackendMessage, BackendParser } from '../postgres/wire/backend_messages.ts';
import type { Client, EngineThread } from './engine_thread.ts';
import { TICK_PARAMETER } from './messages.ts';
import type { TextColumn, TextRow } from './row_types.ts';
import { errorOf, TidemarkError } from './tidemark_error.ts';
import { isJson, textOf } from './values.ts';

/** PostgreSQL's limit. */
const MOST_PARAMETERS = 65535;

/** What comes of a statement. */
export interface Taker {
  columns?(columns: TextColumn[]): void;
  row?(row: TextRow): void;
  /** Types of parameters. */
  parameters?(oids: number[]): void;
  /** The command's tag. */
  complete?(tag: string): void;
}

interface Request {
  taker: Taker;
  /** COPY FROM STDIN has begun: what it is to get. */
  copy: (() => Uint8Array[]) | null;
  error: TidemarkError | null;
  resolve(): void;
  reject(error: TidemarkError): void;
}

export class WireSession implements Client {
  readonly #thread: EngineThread;
  readonly #connection: number;
  readonly #parser = new BackendParser();
  /** Bytes count as read when took() is called. */
  readonly #holds: boolean;
  #held = 0;
  #request: Request | null = null;
  #ended: TidemarkError | null = null;
  /** The tick of the last request. */
  tick = 0n;
  /** 'I': in no transaction, 'T': in one, 'E': in one that has failed. */
  status = 'I';

  static async open(thread: EngineThread, holds = false): Promise<WireSession> {
    const session = new WireSession(thread, holds);
    await session.#until(null, {});
    return session;
  }

  private constructor(thread: EngineThread, holds: boolean) {
    this.#thread = thread;
    this.#holds = holds;
    this.#connection = thread.connect(this);
  }

  get isOpen(): boolean {
    return this.#ended === null;
  }

  /** Sends messages, the last of which asks for ReadyForQuery, and waits for it. */
  request(messages: Uint8Array[], taker: Taker, copy: Request['copy'] = null): Promise<void> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    return this.#until(Buffer.concat(messages), taker, copy);
  }

  #until(bytes: Uint8Array | null, taker: Taker, copy: Request['copy'] = null): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#request = { taker, copy, error: null, resolve, reject };
      if (bytes !== null) this.#thread.send(this.#connection, bytes);
    });
  }

  /** One statement with parameters. */
  async statement(sql: string, params: readonly unknown[], taker: Taker): Promise<void> {
    const values = await this.texts(sql, params);
    const messages = [
      serialize.parse({ text: sql }),
      serialize.bind({ values }),
      serialize.describe({ type: 'P' }),
      serialize.execute({}),
      serialize.sync(),
    ];
    await this.request(messages, taker);
  }

  /** Values as parameters of the statement, as it reads them. */
  async texts(sql: string, params: readonly unknown[]): Promise<(string | null)[]> {
    if (!Array.isArray(params)) throw new TidemarkError({ code: '22023', message: 'parameters are an array' });
    if (params.length > MOST_PARAMETERS)
      throw new TidemarkError({ code: '54000', message: `a statement has at most ${MOST_PARAMETERS} parameters` });
    const types = params.some((value) => Array.isArray(value)) ? await this.parameterTypes(sql) : [];
    return params.map((value, i) => textOf(value, isJson(types[i])));
  }

  async parameterTypes(sql: string): Promise<number[]> {
    let types: number[] = [];
    const messages = [serialize.parse({ text: sql }), serialize.describe({ type: 'S' }), serialize.sync()];
    await this.request(messages, {
      parameters: (oids) => {
        types = oids;
      },
    });
    return types;
  }

  /** COPY FROM STDIN of these chunks. */
  async copyIn(sql: string, chunks: () => Uint8Array[], taker: Taker): Promise<void> {
    await this.request([serialize.query(sql)], taker, chunks);
  }

  async command(sql: string): Promise<string> {
    let tag = '';
    await this.request([serialize.query(sql)], {
      complete: (said) => {
        tag = said;
      },
    });
    return tag;
  }

  received(bytes: Uint8Array): void {
    this.#held += bytes.length;
    this.#parser.parse(bytes, (message) => this.#take(message));
    if (!this.#holds) this.took();
  }

  /** What has been received is dealt with: more may come. */
  took(): void {
    if (this.#held === 0) return;
    this.#thread.taken(this.#connection, this.#held);
    this.#held = 0;
  }

  #take(message: BackendMessage): void {
    const request = this.#request;
    switch (message.name) {
      case 'parameterStatus':
        if (message.parameterName === TICK_PARAMETER) this.tick = BigInt(message.parameterValue);
        return;
      case 'error':
        // Fatal outside of a request: the end follows, and who asks next hears of it.
        if (request === null) this.#ended = errorOf(message);
        else request.error ??= errorOf(message);
        return;
      case 'readyForQuery':
        this.status = message.status;
        this.#request = null;
        if (request?.error) request.reject(request.error);
        else request?.resolve();
        return;
      case 'copyInResponse':
        this.#copy(request);
        return;
      case 'copyOutResponse':
        if (request !== null) request.error ??= notHere('COPY TO STDOUT', 'Use a query.');
        return;
      case 'rowDescription':
        request?.taker.columns?.(message.fields.map(({ name, dataTypeID }) => ({ name, oid: dataTypeID })));
        return;
      case 'dataRow':
        request?.taker.row?.(message.fields);
        return;
      case 'parameterDescription':
        request?.taker.parameters?.(message.dataTypeIDs);
        return;
      case 'commandComplete':
        request?.taker.complete?.(message.text);
    }
  }

  #copy(request: Request | null): void {
    const send = (bytes: Uint8Array) => this.#thread.send(this.#connection, bytes);
    if (request?.copy == null) {
      if (request !== null) request.error = notHere('COPY FROM STDIN', 'Use insert().');
      // What came before it as its end it has not read as that.
      send(Buffer.concat([serialize.copyFail('not supported'), serialize.sync()]));
      return;
    }
    for (const chunk of request.copy()) send(serialize.copyData(Buffer.from(chunk)));
    send(serialize.copyDone());
  }

  ended(error: TidemarkError): void {
    this.#ended ??= error;
    const request = this.#request;
    this.#request = null;
    request?.reject(request.error ?? this.#ended);
  }

  /** Its end; what runs in it is cancelled, and an open transaction taken back. */
  hangUp(error: TidemarkError): void {
    this.#thread.hangUp(this.#connection);
    this.ended(error);
  }
}

function notHere(what: string, hint: string): TidemarkError {
  return new TidemarkError({ code: '0A000', message: `${what} is not supported here`, hint });
}
