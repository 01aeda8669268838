/**
 * Where clients come in: listens, brings each connection through startup (TLS among it) and hands it on; cancel requests are heard here.
 * Knows nothing of sessions, so it can live in another thread than they do.
 */
import { createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { SqlError } from '../../../operators/errors.ts';
import type { Log, PostgresServerOptions } from '../options.ts';
import { asFatal, toSqlError } from '../session/report_error.ts';
import type { Connection, Peer } from './connection.ts';
import { errorResponse } from './control_message.ts';
import { endsOf, SocketConnection } from './socket_connection.ts';
import { awaitStartup } from './startup.ts';
import type { StartupMessage } from './startup_packet.ts';
import { secureContextOf, type TlsPair } from './tls.ts';

export interface ListenOptions extends Pick<PostgresServerOptions, 'listen' | 'tls' | 'startupTimeoutMs'> {
  maxMessageBytes: number;
}

/** Takes what comes in. */
export interface ClientHandler<C extends Connection = Connection> {
  /** A client has started up; the connection is the handler's, who calls finish() in the end. */
  started(connection: C, startup: StartupMessage): void;
  /** A CancelRequest; the client gets no answer. */
  cancel(pid: number, secret: Buffer): void;
  log?: Log;
}

/** What has come while the thread of the sessions was in the midst of a turn. */
export type Heard =
  /** `done`: it has been heard, and need not be heard again as the cancel request that it is. */
  | { k: 'cancel'; pid: number; secret: Buffer; done(): void }
  /** The client sends no more, or is gone. `done`: as above. */
  | { k: 'left'; connection: Connection; closed: boolean; done(): void }
  /** The process is to end. */
  | { k: 'ending' };

export interface ClientListener {
  readonly address: string;
  readonly port: number;
  /** For the midst of a turn; all of it is heard again between turns. Absent: nothing can come then. */
  heard?(): Iterable<Heard>;
  /** Who connects from now on sees this certificate. Rejects what is none; the one before stays then. */
  useTls(pair: TlsPair): Promise<void>;
  /** A client that comes by another way than the socket, from within this process. */
  admit?(stream: Duplex, peer: Peer): void;
  /** Lets nobody in any more; resolves when every connection is closed. Those that still are open after `graceMs` are cut off. */
  close(graceMs: number): Promise<void>;
}

/** Starts listening. Rejects when the address cannot be had. */
export type Listen = (options: ListenOptions, handler: ClientHandler) => Promise<ClientListener>;

const SOCKET_BUFFER_BYTES = 256 * 1024;
/** How long a client that does not read may hold up the end of its connection. */
export const CLOSE_GRACE_MS = 500;

export async function listenHere(
  options: ListenOptions,
  handler: ClientHandler<SocketConnection>,
): Promise<ClientListener> {
  return new SocketListener(options, handler).listen();
}

class SocketListener {
  readonly #options: ListenOptions;
  readonly #handler: ClientHandler<SocketConnection>;
  readonly #sockets = new Set<Duplex>();
  /** Called when the last of them is gone. */
  #empty: (() => void) | null = null;
  #secure: SecureContext | null;
  readonly #server: Server;
  readonly #log: Log = (...line) => this.#handler.log?.(...line);

  constructor(options: ListenOptions, handler: ClientHandler<SocketConnection>) {
    this.#options = options;
    this.#handler = handler;
    this.#secure = options.tls === undefined ? null : secureContextOf(options.tls);
    this.#server = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true, highWaterMark: SOCKET_BUFFER_BYTES },
      (socket) => void this.#serve(socket, { ...endsOf(socket), tls: null }, this.#secure),
    );
  }

  async listen(): Promise<ClientListener> {
    const { host, port } = this.#options.listen;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.removeListener('error', reject);
        resolve();
      });
    });
    this.#server.on('error', (error) => this.#handler.log?.('error', `listener: ${error.message}`));
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('the server has no network address');
    return {
      address: bound.address,
      port: bound.port,
      useTls: async (pair) => {
        this.#secure = secureContextOf(pair);
      },
      admit: (stream, peer) => void this.#serve(stream, peer, null),
      close: (graceMs) => this.#close(graceMs),
    };
  }

  /** `secure`: TLS as it may be had; null: none, and none is needed where the stream came over it already. */
  async #serve(socket: Duplex, peer: Peer, secure: SecureContext | null): Promise<void> {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#empty?.();
    });
    const connection = new SocketConnection(socket, peer, this.#options.maxMessageBytes);
    const timer = setTimeout(() => connection.destroy(), this.#options.startupTimeoutMs ?? 60000);
    try {
      const packet = await awaitStartup(connection, secure, this.#log);
      if (packet?.kind === 'startup') {
        if (this.#options.tls?.required && connection.peer.tls === null) throw tlsRequired();
        this.#handler.started(connection, packet);
        return;
      }
      if (packet !== null) this.#handler.cancel(packet.pid, packet.secret);
    } catch (cause) {
      const error = asFatal(toSqlError(cause, this.#handler.log));
      if (!connection.closed) connection.out.messages(errorResponse(error));
    } finally {
      clearTimeout(timer);
    }
    connection.finish(CLOSE_GRACE_MS);
  }

  async #close(graceMs: number): Promise<void> {
    const listenerClosed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const empty = new Promise<void>((resolve) => {
      this.#empty = resolve;
      if (this.#sockets.size === 0) resolve();
    });
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await Promise.all([listenerClosed, empty]);
    clearTimeout(timer);
  }
}

/** Of a startup packet only. Cancel requests are heard without: clients before PostgreSQL 17 send them in clear whatever the connection that they cancel uses. */
function tlsRequired(): SqlError {
  return new SqlError('28000', 'connections without TLS are not allowed', {
    severity: 'FATAL',
    hint: "Connect with sslmode=require, or verify-full and the certificate of who signed the server's.",
  });
}
