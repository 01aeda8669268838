/**
 * One session of the Postgres server, as its client: it proves who it is as every client does, so rights, settings of roles, limits and timeouts are those of any session.
 *
 *   open()      startup, SCRAM if the server asks                     -> ready
 *   prepare()   Parse, Describe, Sync                                 -> the result's columns
 *   run()       Bind, Execute, [the tick], Sync                       -> read messages until the end
 *
 * To leave in the middle the stream is destroyed: the session ends, and its statement with it.
 */
import type { Duplex } from 'node:stream';
import { serialize } from 'pg-protocol';
import type { BackendMessage } from '../postgres/wire/backend_messages.ts';
import { BackendReader, errorOf } from '../postgres/wire/backend_reader.ts';
import { type Login, logIn } from '../postgres/wire/client_login.ts';
import { type Column, type DescribedColumn, TypeNames } from './type_names.ts';

/** Values show in one way, whatever the role has set: forms (forms/) read them. */
const SETTINGS = {
  application_name: 'http',
  client_encoding: 'UTF8',
  datestyle: 'ISO',
  bytea_output: 'hex',
  extra_float_digits: '1',
};

const TICK = 'SELECT tidemark_tick()';
const names = new TypeNames();

export class PgClient {
  readonly stream: Duplex;
  readonly reader: BackendReader;

  private constructor(stream: Duplex) {
    this.stream = stream;
    this.reader = new BackendReader(stream);
  }

  /** Throws 28P01 and so on when it is not let in. */
  static async open(stream: Duplex, login: Login): Promise<PgClient> {
    const client = new PgClient(stream);
    try {
      stream.write(serialize.startup({ user: login.user, database: 'tidemark', ...SETTINGS }));
      await logIn(stream, client.reader, login);
      return client;
    } catch (error) {
      client.leave();
      throw error;
    }
  }

  /** Nothing runs any more: the session ends in order. */
  close(): void {
    this.stream.removeAllListeners('readable');
    this.stream.resume();
    this.stream.end(serialize.end());
  }

  /** The session ends, whatever it does. */
  leave(): void {
    this.stream.destroy();
  }

  /** The next message; throws what an ErrorResponse says. */
  async message(): Promise<BackendMessage> {
    const message = await this.reader.next();
    if (message.name === 'error') throw errorOf(message);
    return message;
  }

  /** The columns of the result; null: it has none. */
  async prepare(text: string): Promise<Column[] | null> {
    this.stream.write(
      Buffer.concat([
        serialize.parse({ name: '', text, types: [] }),
        serialize.describe({ type: 'S', name: '' }),
        serialize.sync(),
      ]),
    );
    let columns: DescribedColumn[] | null = null;
    for (;;) {
      const message = await this.message();
      if (message.name === 'rowDescription') columns = message.fields;
      if (message.name === 'readyForQuery') break;
    }
    return columns === null ? null : names.named(columns, (query) => this.#rows(query));
  }

  /**
   * Runs what was prepared last. `withTick`: what it reads is of one tick, which is asked for in its own transaction; its answer is one more result.
   * What comes is to be read until ReadyForQuery.
   */
  run(params: (string | null)[], withTick: boolean): void {
    const ofTick = [
      serialize.parse({ name: 'tick', text: TICK, types: [] }),
      serialize.bind({ statement: 'tick', portal: 'tick' }),
      serialize.execute({ portal: 'tick' }),
    ];
    this.stream.write(
      Buffer.concat([
        serialize.bind({ values: params }),
        serialize.execute(),
        ...(withTick ? ofTick : []),
        serialize.sync(),
      ]),
    );
  }

  /** The tick that is the present one now. */
  async tick(): Promise<string | null> {
    return (await this.#rows(TICK))[0]?.[0] ?? null;
  }

  /** A short result as texts. */
  async #rows(query: string): Promise<(string | null)[][]> {
    this.stream.write(
      Buffer.concat([
        serialize.parse({ name: 'own', text: query, types: [] }),
        serialize.bind({ statement: 'own', portal: 'own' }),
        serialize.execute({ portal: 'own' }),
        serialize.close({ type: 'S', name: 'own' }),
        serialize.sync(),
      ]),
    );
    const rows: (string | null)[][] = [];
    for (;;) {
      const message = await this.message();
      if (message.name === 'dataRow') rows.push(message.fields);
      if (message.name === 'readyForQuery') return rows;
    }
  }
}
