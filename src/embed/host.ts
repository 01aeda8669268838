/**
 * The thread of one database of the library: a whole server whose clients are in the threads of its user (hosted_connection.ts), and answers to what the protocol has no
 * words for.
 *
 * A thread, because the memory of operators and the limit of it are of a thread's modules: several databases of one process do not see each other, a tick keeps
 * nobody's event loop busy, and with the thread all of it is gone, however it ended (docs/decisions/0578).
 */
import { parentPort, workerData } from 'node:worker_threads';
import { budget } from '../../operators/batch/budget.ts';
import { SqlError } from '../../operators/errors.ts';
import { elementType, isArrayType } from '../../operators/expr/array_types.ts';
import { EPOCH_DIFF_MICROS } from '../../operators/expr/datetime/calendar.ts';
import { quoteLiteral } from '../../operators/expr/text/quote.ts';
import { parse } from '../../planner/parse/parse.ts';
import { scanPostgres, TOKEN } from '../../planner/parse/pg_parser.ts';
import { formatType } from '../../planner/types/format_type.ts';
import { address, UsageError } from '../cli/arguments.ts';
import { memoryLimit } from '../cli/memory_limit.ts';
import { type RunningServer, runServer } from '../cli/server.ts';
import type { ClientHandler, ClientListener, Listen } from '../postgres/wire/listener.ts';
import { listenHere } from '../postgres/wire/listener.ts';
import { isLoopback } from '../postgres/wire/loopback.ts';
import { PROTOCOL_3_2 } from '../postgres/wire/protocol.ts';
import type { TidemarkEngine } from '../runtime/engine.ts';
import type { EngineOptions } from '../runtime/engine_options.ts';
import { version } from '../version.ts';
import { HostedConnection, type Post } from './hosted_connection.ts';
import { localKafka } from './local_kafka.ts';
import { messagesOf } from './local_messages.ts';
import { LocalTopic } from './local_topic.ts';
import { ManualClock } from './manual_clock.ts';
import type { ErrorFields, Question, Questions, Sent, Settings, ThreadData, ToDatabase } from './messages.ts';

type Answers = { [Q in Question]: (about: Questions[Q]['ask']) => Promise<Questions[Q]['answer']> };

/** Longest message of the protocol that a statement or its parameters may be. */
const MOST_BYTES = 1 << 30;

/** Serves the database that workerData names, until it is closed. */
export async function serve(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('a database of the library runs in a thread of its own');
  const post: Post = (message, transfer) => port.postMessage(message, transfer);
  try {
    const database = await HostedDatabase.open((workerData as ThreadData).settings, post);
    port.on('message', (message: ToDatabase) => database.hear(message));
    post({ k: 'ready', address: database.address });
  } catch (error) {
    post({ k: 'refused', error: errorFields(error) });
  }
}

class HostedDatabase {
  readonly #post: Post;
  readonly #server: RunningServer;
  readonly #clients: HostedClients;
  readonly #clock: ManualClock | null;

  static async open(settings: Settings, post: Post): Promise<HostedDatabase> {
    const { data = null, clock = 'real', kafka = 'brokers', listen } = settings;
    checkSettings(settings);
    budget.limit = limitOf(settings);
    const manual = clock === 'manual' ? new ManualClock() : null;
    const clients = new HostedClients(post, listen !== undefined);
    const turned: EngineOptions =
      manual === null ? {} : { clock: manual.now, elapsed: manual.elapsed, automatic: false };
    const server = await runServer({
      ...(listen === undefined ? { host: '127.0.0.1', port: 0 } : listenAddress(listen)),
      ...turned,
      ...(kafka === 'local' ? { kafka: localKafka } : {}),
      listen: clients.listen,
      version: version(),
      data,
      log: (level, message, fields) => post({ k: 'log', level, message, fields: plain(fields) }),
    });
    // A data directory's clock goes on.
    if (manual !== null && server.engine.loop.now > manual.now()) manual.set(server.engine.loop.now);
    clients.engine = server.engine;
    return new HostedDatabase(post, server, clients, manual);
  }

  private constructor(post: Post, server: RunningServer, clients: HostedClients, clock: ManualClock | null) {
    this.#post = post;
    this.#server = server;
    this.#clients = clients;
    this.#clock = clock;
  }

  get address(): { host: string; port: number } | null {
    const { address, port } = this.#server.postgres;
    return port === 0 ? null : { host: address, port };
  }

  get #engine(): TidemarkEngine {
    return this.#server.engine;
  }

  hear(message: ToDatabase): void {
    if (message.k === 'ask') void this.#answer(message.number, message.question, message.about);
    else this.#clients.hear(message);
  }

  async #answer(number: number, question: Question, about: unknown): Promise<void> {
    try {
      const answer = await (this.#answers[question] as (about: unknown) => Promise<unknown>)(about);
      this.#post({ k: 'answer', number, answer });
    } catch (error) {
      this.#post({ k: 'failed', number, error: errorFields(error) });
    }
  }

  readonly #answers: Answers = {
    split: async (script) => {
      const starts = parse(script).map(({ offset }) => offset);
      return starts.map((start, i) => [start, starts[i + 1] ?? script.length]);
    },
    fill: async ({ sql, params }) => filled(sql, params),
    types: async (oids) =>
      oids.map((oid) => ({
        name: formatType(oid),
        element: isArrayType(oid) ? elementType(oid) : 0,
      })),
    send: async (sent) => this.#send(sent),
    clock: async (turn) => this.#turn(turn),
    now: async () => this.#engine.loop.present() + EPOCH_DIFF_MICROS,
    close: async () => {
      await this.#server.close();
      return null;
    },
  };

  async #send({ relation, rows, deleted, partition }: Sent): Promise<bigint | null> {
    const stream = this.#engine.streams.get(relation);
    if (stream === undefined || !(stream.source instanceof LocalTopic)) return null;
    const now = Number((this.#engine.loop.present() + EPOCH_DIFF_MICROS) / 1000n);
    const messages = messagesOf(stream.relation.name, stream.spec, rows, deleted, now);
    if (!stream.source.has(partition)) {
      stream.source.addPartition(partition);
      stream.addPartition(partition, 0n);
    }
    stream.source.send(partition, messages);
    await this.#engine.flush();
    if (this.#engine.memory.held && stream.ready())
      throw new SqlError('53200', 'out of memory', {
        detail: `The rows wait in the topic of "${stream.relation.name}" until there is room.`,
      });
    return this.#engine.loop.tick;
  }

  async #turn(turn: Questions['clock']['ask']): Promise<bigint> {
    if (this.#clock === null)
      throw new SqlError('55000', 'the clock is real', {
        hint: "open({ clock: 'manual' }) has one that can be turned.",
      });
    if ('by' in turn) this.#clock.advance(turn.by);
    else this.#clock.setText(turn.to);
    const { sourceTicks, loop } = this.#engine;
    // Sources that are not local may have something as well.
    while (sourceTicks.pump());
    await this.#engine.flush();
    return loop.tick;
  }
}

/** Where the threads of the user come in, and Postgres clients if they are let. */
class HostedClients {
  engine: TidemarkEngine | null = null;
  readonly #post: Post;
  readonly #hasSockets: boolean;
  readonly #connections = new Map<number, HostedConnection>();
  #handler: ClientHandler | null = null;

  constructor(post: Post, hasSockets: boolean) {
    this.#post = post;
    this.#hasSockets = hasSockets;
  }

  readonly listen: Listen = async (options, handler): Promise<ClientListener> => {
    this.#handler = handler;
    const sockets = this.#hasSockets ? await listenHere(options, handler) : null;
    return {
      address: sockets?.address ?? '',
      port: sockets?.port ?? 0,
      useTls: (pair) => sockets?.useTls(pair) ?? Promise.resolve(),
      close: async (graceMs) => {
        await sockets?.close(graceMs);
        for (const connection of [...this.#connections.values()]) connection.finish();
      },
    };
  };

  hear(message: Exclude<ToDatabase, { k: 'ask' }>): void {
    if (message.k === 'open') {
      this.#open(message.connection);
      return;
    }
    // What the client said before it knew that it is gone is for nobody.
    const connection = this.#connections.get(message.connection);
    if (message.k === 'bytes') connection?.receive(message.bytes);
    else if (message.k === 'taken') connection?.taken(message.bytes);
    else connection?.hangUp();
  }

  /** What a local topic had before somebody read it is there when the statement is over that reads it. */
  #presentTick(): bigint {
    const { engine } = this;
    if (engine === null) return 0n;
    const { tick } = engine.loop;
    if (engine.kafka.isLocal) engine.sourceTicks.flushNow();
    return tick;
  }

  #open(number: number): void {
    const connection = new HostedConnection(number, this.#post, {
      maxMessageBytes: MOST_BYTES,
      presentTick: () => this.#presentTick(),
      gone: () => this.#connections.delete(number),
    });
    this.#connections.set(number, connection);
    this.#handler?.started(connection, {
      kind: 'startup',
      version: PROTOCOL_3_2,
      user: 'tidemark',
      database: 'tidemark',
      replication: null,
      settings: [['application_name', 'tidemark library']],
      protocolOptions: [],
    });
  }
}

function checkSettings({ data, clock, kafka, listen }: Settings): void {
  if (clock !== undefined && clock !== 'real' && clock !== 'manual')
    throw new SqlError('22023', `clock is 'real' or 'manual', not ${JSON.stringify(clock)}`);
  if (kafka !== undefined && kafka !== 'brokers' && kafka !== 'local')
    throw new SqlError('22023', `kafka is 'brokers' or 'local', not ${JSON.stringify(kafka)}`);
  if (kafka === 'local' && data !== undefined)
    throw new SqlError('0A000', "a database with kafka: 'local' has no data directory", {
      detail: 'The tick log has places in topics, not what was in them, and local topics go with the process.',
    });
  if (listen !== undefined && !isLoopback(listenAddress(listen).host))
    throw new SqlError('0A000', `listen is for clients of this machine, not for ${listen}`, {
      hint: "'tidemark start' serves others, with passwords and TLS.",
    });
}

function listenAddress(text: string): { host: string; port: number } {
  return said('listen', () => address('listen', text));
}

function limitOf({ memoryLimit: limit }: Settings): number {
  return said('memoryLimit', () => memoryLimit(limit === undefined ? null : String(limit)));
}

/** What goes between threads whatever it is. */
function plain(fields: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  if (fields === undefined) return undefined;
  return JSON.parse(JSON.stringify(fields, (_, value) => (typeof value === 'bigint' ? String(value) : value)));
}

/** The command's words for a wrong option, as the library calls it. */
function said<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new SqlError('22023', error.message.replace(/--[a-z-]+/, option));
  }
}

/** A statement with its parameters written as literals, which become what their places ask for, as parameters do. */
function filled(sql: string, params: (string | null)[]): string {
  const bytes = Buffer.from(sql);
  const parts: Buffer[] = [];
  let from = 0;
  for (const { type, start, end, text } of scanPostgres(sql)) {
    if (type !== TOKEN.PARAM) continue;
    const number = Number(text.slice(1));
    if (!(number >= 1 && number <= params.length)) throw new SqlError('42P02', `there is no parameter ${text}`);
    const value = params[number - 1];
    parts.push(bytes.subarray(from, start), Buffer.from(` ${value === null ? 'NULL' : quoteLiteral(value)} `));
    from = end;
  }
  return Buffer.concat([...parts, bytes.subarray(from)]).toString();
}

function errorFields(error: unknown): ErrorFields {
  if (error instanceof SqlError) {
    const { detail, hint, position, context, table, column, constraint } = error.fields;
    return {
      code: error.sqlstate,
      message: error.message,
      detail,
      hint,
      position,
      where: context,
      table,
      column,
      constraint,
    };
  }
  const ofSystem = (error as NodeJS.ErrnoException | null)?.syscall !== undefined;
  return { code: ofSystem ? '58030' : 'XX000', message: error instanceof Error ? error.message : String(error) };
}
