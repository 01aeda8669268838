/**
 * The Postgres wire protocol server: runs a session for every client that the listener brings in, ends them all at close().
 *
 * Who a client is says session/login.ts; any name of a database is the one that there is. Idle sessions cost a socket and a few small objects: buffers are lent
 * only while there is something to write, and no timer runs unless a setting asks for it.
 */
import { SqlError } from '../../operators/errors.ts';
import { turn } from '../../operators/turn.ts';
import { initParser } from '../../planner/parse/parse.ts';
import { systemClock } from '../runtime/system_clock.ts';
import type { PostgresServer, PostgresServerOptions } from './options.ts';
import { ReplicationSession } from './replication/replication_session.ts';
import { CANCELLED } from './session/cancellation.ts';
import { Identity } from './session/identity.ts';
import { type Login, logIn } from './session/login.ts';
import { SessionRegistry } from './session/registry.ts';
import { asFatal, toSqlError } from './session/report_error.ts';
import { Session } from './session/session.ts';
import { serveSession } from './session/session_loop.ts';
import { Settings } from './session/settings.ts';
import type { Connection } from './wire/connection.ts';
import {
  AUTHENTICATION_OK,
  backendKeyData,
  errorResponse,
  negotiateProtocolVersion,
  noticeResponse,
} from './wire/control_message.ts';
import { CLOSE_GRACE_MS, type ClientHandler, type ClientListener, listenHere } from './wire/listener.ts';
import { PROTOCOL_3_2 } from './wire/protocol.ts';
import { negotiatedVersion, type StartupMessage } from './wire/startup_packet.ts';

export type { PostgresServer, PostgresServerOptions } from './options.ts';

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

function shutdown(): SqlError {
  return new SqlError('57P01', 'terminating connection due to administrator command', { severity: 'FATAL' });
}

function connectionLost(): SqlError {
  return new SqlError('08006', 'connection to client lost', { severity: 'FATAL' });
}

function tooMany(): SqlError {
  return new SqlError('53300', 'sorry, too many clients already', { severity: 'FATAL' });
}

/** Starts listening. Rejects when the address cannot be had. */
export async function startPostgresServer(options: PostgresServerOptions): Promise<PostgresServer> {
  await initParser();
  return new WireServer(options).listen();
}

class WireServer implements ClientHandler {
  readonly log: PostgresServerOptions['log'];
  readonly #options: PostgresServerOptions;
  readonly #clock: () => bigint;
  #port = 0;
  readonly #registry = new SessionRegistry();
  #closing = false;

  constructor(options: PostgresServerOptions) {
    this.#options = options;
    this.log = options.log;
    this.#clock = options.clock ?? systemClock;
  }

  async listen(): Promise<PostgresServer> {
    const { listen, tls, startupTimeoutMs, maxMessageBytes = MAX_MESSAGE_BYTES, listenThrough } = this.#options;
    const listener = await (listenThrough ?? listenHere)({ listen, tls, startupTimeoutMs, maxMessageBytes }, this);
    this.#port = listener.port;
    turn.hear = (signal) => this.#hear(signal, listener);
    return {
      address: listener.address,
      port: listener.port,
      sessions: () => this.#registry.sessions().map((session) => session.info()),
      session: (pid) => this.#registry.find(pid)?.view() ?? null,
      notify: (channel, payload) => this.#registry.notifications.send({ pid: 0, channel, payload }),
      useTls: (pair) => listener.useTls(pair),
      close: () => this.#close(listener),
    };
  }

  cancel(pid: number, secret: Buffer): void {
    this.#registry.cancel(pid, secret);
  }

  /** In the midst of a turn: what there is for the statement that it is taken by. */
  #hear(signal: AbortSignal, listener: ClientListener): void {
    const session = this.#registry.sessions().find((s) => s.runs(signal));
    session?.lookAtClock();
    for (const heard of listener.heard?.() ?? []) {
      if (session === undefined) continue;
      if (heard.k === 'ending') session.terminate(shutdown());
      else if (heard.k === 'left') {
        if (heard.connection !== session.connection) continue;
        heard.done();
        if (heard.closed) session.terminate(connectionLost());
        else session.lostClient.sendsNoMore();
      } else if (this.#registry.isKeyOf(session.pid, heard.pid, heard.secret)) {
        heard.done();
        session.cancel(new SqlError('57014', CANCELLED.user));
      }
    }
  }

  started(connection: Connection, startup: StartupMessage): void {
    void this.#serve(connection, startup);
  }

  async #serve(connection: Connection, startup: StartupMessage): Promise<void> {
    try {
      await this.#session(connection, startup);
    } catch (cause) {
      const error = asFatal(toSqlError(cause, this.log));
      if (!connection.closed) connection.out.messages(errorResponse(error));
    } finally {
      connection.finish(CLOSE_GRACE_MS);
    }
  }

  async #session(connection: Connection, startup: StartupMessage): Promise<void> {
    if (this.#closing) throw new SqlError('57P03', 'the database system is shutting down', { severity: 'FATAL' });
    if (this.#registry.size >= (this.#options.maxConnections ?? 1000)) throw tooMany();
    const replicates = startup.replication !== null && !/^(false|off|no|0)$/i.test(startup.replication);
    if (replicates && !/^database$/i.test(startup.replication as string))
      throw new SqlError('0A000', 'physical replication is not supported', { severity: 'FATAL' });
    const { out } = connection;
    const version = negotiatedVersion(startup.version);
    if (version !== startup.version || startup.protocolOptions.length > 0) {
      out.messages(negotiateProtocolVersion(version, startup.protocolOptions));
    }
    const login = await this.#logIn(connection, startup);
    if (this.#registry.size >= (this.#options.maxConnections ?? 1000)) throw tooMany();
    const { settings, notices, identity } = this.#settings(startup, login);
    const { pid, secret } = this.#registry.reserve(version >= PROTOCOL_3_2 ? 32 : 4);
    const { database } = startup;
    const session = new Session({
      pid,
      identity,
      database,
      settings,
      connection,
      registry: this.#registry,
      options: this.#options,
      clock: this.#clock,
    });
    if (replicates) session.replication = this.#replicationOf(session);
    this.#registry.attach(session);
    connection.onEnd = () => session.clientHungUp();
    connection.onClose = () => {
      session.terminate(connectionLost());
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

  #replicationOf(session: Session): ReplicationSession {
    const { engine } = this.#options;
    const role = engine.roles?.get(session.identity.login.role);
    if (role !== undefined && !role.superuser && !role.replication)
      throw new SqlError('42501', 'permission denied to start WAL sender', {
        severity: 'FATAL',
        detail: 'Only roles with the REPLICATION attribute may start a WAL sender process.',
      });
    if (engine.replication === undefined)
      throw new SqlError('0A000', 'there is nothing to replicate', { severity: 'FATAL' });
    return new ReplicationSession(session, engine.replication);
  }

  /** Ends a client that does not say in time who it is. */
  async #logIn(connection: Connection, { user }: StartupMessage): Promise<Login> {
    const { engine, auth = 'trust', startupTimeoutMs = 60000 } = this.#options;
    const sessionsOf = (role: number) =>
      this.#registry.sessions().filter(({ identity }) => identity.login.role === role).length;
    const timer = setTimeout(() => connection.finish(0), startupTimeoutMs);
    try {
      return await logIn(connection, user, engine.roles, auth, sessionsOf, this.#clock());
    } catch (error) {
      if (error instanceof SqlError && error.sqlstate.startsWith('28'))
        this.log?.('warn', 'a client was not let in', { reason: error.message, address: connection.peer.address });
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The session's settings: configuration, the role's, then what the client asked for. Unknown names are a NOTICE, bad values FATAL; of the role a WARNING. */
  #settings(startup: StartupMessage, login: Login): { settings: Settings; notices: Buffer[]; identity: Identity } {
    const settings = new Settings();
    const notices: Buffer[] = [];
    const { engine, version, maxConnections = 1000 } = this.#options;
    for (const [name, value] of Object.entries(this.#options.settings ?? {})) {
      settings.setInitial(name, value, 'configuration file');
    }
    if (this.#options.tls !== undefined) settings.setInitial('ssl', 'on', 'configuration file');
    settings.identify(version, login.user, maxConnections, { host: this.#options.listen.host, port: this.#port });
    const identity = new Identity(login, engine.roles, settings);
    settings.owner = identity;
    const ofRole = (list: [string, string][], source: 'global' | 'user') => {
      for (const [name, value] of list) {
        try {
          settings.setInitial(name, value, source);
        } catch (error) {
          if (!(error instanceof SqlError)) throw error;
          notices.push(noticeResponse('WARNING', error.sqlstate, error.message));
        }
      }
    };
    ofRole(engine.roles?.everyone ?? [], 'global');
    ofRole(engine.roles?.get(login.role)?.settings ?? [], 'user');
    for (const [name, value] of startup.settings) {
      if (!settings.knows(name)) {
        notices.push(noticeResponse('NOTICE', '42704', `unrecognized configuration parameter "${name}"`));
      } else settings.setInitial(name, value, 'client');
    }
    return { settings, notices, identity };
  }

  async #close(listener: ClientListener): Promise<void> {
    this.#closing = true;
    for (const session of this.#registry.sessions()) session.terminate(shutdown());
    // Connections without a session yet, and sessions that are deep in something: nobody waits for them longer than the grace.
    await listener.close(CLOSE_GRACE_MS);
  }
}
