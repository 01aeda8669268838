/**
 * The Postgres wire protocol server: listens, brings connections through startup, runs their sessions, ends them all at close().
 *
 * Any user and database is let in (trust) until roles exist. Idle sessions cost a socket and a few small objects: buffers are lent
 * only while there is something to write, and no timer runs unless a setting asks for it.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { SqlError } from '../../operators/errors.ts';
import { initParser } from '../../planner/parse/parse.ts';
import type { PostgresServer, PostgresServerOptions } from './options.ts';
import { SessionRegistry } from './session/registry.ts';
import { isFatal, toSqlError } from './session/report_error.ts';
import { Session } from './session/session.ts';
import { serveSession } from './session/session_loop.ts';
import { Settings } from './session/settings.ts';
import { Connection } from './wire/connection.ts';
import {
  AUTHENTICATION_OK,
  backendKeyData,
  errorResponse,
  negotiateProtocolVersion,
  noticeResponse,
} from './wire/control_message.ts';
import { PROTOCOL_3_2 } from './wire/protocol.ts';
import { awaitStartup, secureContextOf } from './wire/startup.ts';
import { negotiatedVersion, type StartupMessage } from './wire/startup_packet.ts';

export type { PostgresServer, PostgresServerOptions } from './options.ts';

const SOCKET_BUFFER_BYTES = 256 * 1024;
/** How long a client that does not read may hold up the end of its connection. */
const CLOSE_GRACE_MS = 500;
const EPOCH_SHIFT_MICROS = 946684800000000n;

function systemClock(): bigint {
  return BigInt(Date.now()) * 1000n - EPOCH_SHIFT_MICROS;
}

/** Starts listening. Rejects when the address cannot be had. */
export async function startPostgresServer(options: PostgresServerOptions): Promise<PostgresServer> {
  await initParser();
  return new WireServer(options).listen();
}

class WireServer {
  readonly #options: PostgresServerOptions;
  readonly #clock: () => bigint;
  readonly #registry = new SessionRegistry();
  readonly #connections = new Set<Connection>();
  readonly #secure: SecureContext | null;
  readonly #server: Server;
  #closing = false;

  constructor(options: PostgresServerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#secure = secureContextOf(options.tls);
    this.#server = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true, highWaterMark: SOCKET_BUFFER_BYTES },
      (socket) => void this.#serve(socket),
    );
  }

  async listen(): Promise<PostgresServer> {
    const { host, port } = this.#options.listen;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.removeListener('error', reject);
        resolve();
      });
    });
    this.#server.on('error', (error) => this.#options.log?.('error', `listener: ${error.message}`));
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('the server has no network address');
    return {
      address: bound.address,
      port: bound.port,
      sessions: () => this.#registry.sessions().map((session) => session.info()),
      session: (pid) => this.#registry.find(pid)?.view() ?? null,
      notify: (channel, payload) => this.#registry.notifications.send({ pid: 0, channel, payload }),
      close: () => this.#close(),
    };
  }

  async #serve(socket: Socket): Promise<void> {
    const connection = new Connection(socket, this.#options.maxMessageBytes ?? 64 * 1024 * 1024);
    this.#connections.add(connection);
    const timer = setTimeout(() => connection.destroy(), this.#options.startupTimeoutMs ?? 60000);
    connection.onClose = () => this.#connections.delete(connection);
    try {
      const packet = await awaitStartup(connection, this.#secure);
      clearTimeout(timer);
      if (packet?.kind === 'cancel') this.#registry.cancel(packet.pid, packet.secret);
      else if (packet !== null) await this.#session(connection, packet);
    } catch (cause) {
      const error = toSqlError(cause, this.#options.log);
      const fatal = isFatal(error)
        ? error
        : new SqlError(error.sqlstate, error.message, { ...error.fields, severity: 'FATAL' });
      if (!connection.closed) connection.out.messages(errorResponse(fatal));
    } finally {
      clearTimeout(timer);
      connection.finish(CLOSE_GRACE_MS);
    }
  }

  async #session(connection: Connection, startup: StartupMessage): Promise<void> {
    if (this.#closing) throw new SqlError('57P03', 'the database system is shutting down', { severity: 'FATAL' });
    if (this.#registry.size >= (this.#options.maxConnections ?? 1000)) {
      throw new SqlError('53300', 'sorry, too many clients already', { severity: 'FATAL' });
    }
    if (startup.replication !== null && !/^(false|off|no|0)$/i.test(startup.replication)) {
      throw new SqlError('0A000', 'replication connections are not supported', { severity: 'FATAL' });
    }
    const { out } = connection;
    const version = negotiatedVersion(startup.version);
    if (version !== startup.version || startup.protocolOptions.length > 0) {
      out.messages(negotiateProtocolVersion(version, startup.protocolOptions));
    }
    const { settings, notices } = this.#settings(startup);
    const { pid, secret } = this.#registry.reserve(version >= PROTOCOL_3_2 ? 32 : 4);
    const { user, database } = startup;
    const session = new Session({
      pid,
      user,
      database,
      settings,
      connection,
      registry: this.#registry,
      options: this.#options,
      clock: this.#clock,
    });
    this.#registry.attach(session);
    connection.onEnd = () => session.clientHungUp();
    connection.onClose = () => {
      this.#connections.delete(connection);
      session.terminate(new SqlError('08006', 'connection to client lost', { severity: 'FATAL' }));
    };
    try {
      out.messages(AUTHENTICATION_OK);
      session.reportSettings();
      out.messages(backendKeyData(pid, secret));
      for (const notice of notices) out.messages(notice);
      await serveSession(session);
    } finally {
      this.#registry.release(pid);
      session.close();
    }
  }

  /** The session's settings: configuration, then what the client asked for. Unknown names are a NOTICE, bad values FATAL. */
  #settings(startup: StartupMessage): { settings: Settings; notices: Buffer[] } {
    const settings = new Settings();
    const notices: Buffer[] = [];
    for (const [name, value] of Object.entries(this.#options.settings ?? {})) {
      settings.setInitial(name, value, 'configuration file');
    }
    settings.identify(this.#options.version, startup.user, this.#options.maxConnections ?? 1000);
    for (const [name, value] of startup.settings) {
      if (!settings.knows(name)) {
        notices.push(noticeResponse('NOTICE', '42704', `unrecognized configuration parameter "${name}"`));
      } else settings.setInitial(name, value, 'client');
    }
    return { settings, notices };
  }

  async #close(): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const reason = new SqlError('57P01', 'terminating connection due to administrator command', { severity: 'FATAL' });
    for (const session of this.#registry.sessions()) session.terminate(reason);
    // Connections without a session yet, and sessions that are deep in something: nobody waits for them longer than the grace.
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, CLOSE_GRACE_MS);
    await closed;
    clearTimeout(timer);
  }
}
