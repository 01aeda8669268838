/**
 * The HTTP server: listens, bounds what a client may take, says who may ask (guard.ts) and leads each request to its place.
 *
 *   GET  /health/live  /health/ready     probes; nobody has to log in
 *   GET  /metrics                        as --metrics serves them
 *   POST /query                          query.ts
 *   GET  /subscribe, POST /subscribe     subscribe.ts
 *   GET  /, /console/...                 the console's files
 *
 * Node's parser refuses what is no HTTP (400, 431) and cuts off who takes too long to say what he wants (408).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Peer } from '../postgres/wire/connection.ts';
import { endsOf } from '../postgres/wire/socket_connection.ts';
import { secureOptionsOf, stateOf, type TlsPair } from '../postgres/wire/tls.ts';
import { ClientGone, sendJson } from './answer.ts';
import { consoleFiles } from './console_files.ts';
import { answerTo, HttpError } from './errors.ts';
import { CHALLENGE, checkPage, loginOf } from './guard.ts';
import type { FromHttp, Health, HttpSettings, Question, ServerState } from './messages.ts';
import { PgClient } from './pg_client.ts';
import { answerQuery } from './query.ts';
import { answerSubscribe } from './subscribe.ts';

export interface HttpOptions extends HttpSettings {
  /** A stream to the listener of Postgres clients. */
  connect(peer: Peer): Duplex;
  ask(what: Question): Promise<Health | string>;
  log(level: Extract<FromHttp, { k: 'log' }>['level'], message: string, fields?: Record<string, unknown>): void;
}

const MAX_CONNECTIONS = 500;
/** Requests with a session at one time: pipelined ones count, too. */
const MAX_SESSIONS = 200;
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;
const IDLE_MS = 30_000;
/** How often Node looks at the two. */
const LOOK_MS = 1000;
/** A server whose dataflow thread does not answer for so long is not ready. */
const READY_MS = 5000;

const HEADERS: Record<string, string> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void> | void;

export class HttpServer {
  state: ServerState = 'starting';
  readonly #options: HttpOptions;
  readonly #server: Server | SecureServer;
  readonly #files = consoleFiles();
  #sessions = 0;
  readonly #handlers: Record<string, Partial<Record<string, Handler>>> = {
    '/health/live': { GET: (_request, response) => sendJson(response, 200, { status: 'live', state: this.state }) },
    '/health/ready': { GET: (_request, response) => this.#ready(response) },
    '/metrics': { GET: (request, response) => this.#metrics(request, response) },
    '/query': { POST: (request, response) => answerQuery(request, response, this.#openSession) },
    '/subscribe': {
      GET: (request, response, url) => answerSubscribe(request, response, url, this.#openSession),
      POST: (request, response, url) => answerSubscribe(request, response, url, this.#openSession),
    },
  };

  constructor(options: HttpOptions) {
    this.#options = options;
    const limits = {
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: IDLE_MS,
      connectionsCheckingInterval: LOOK_MS,
      keepAlive: true,
      noDelay: true,
    };
    const answer = (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response);
    this.#server =
      options.tls === null
        ? createServer(limits, answer)
        : createSecureServer({ ...limits, ...secureOptionsOf(options.tls), handshakeTimeout: HEADERS_MS }, answer);
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  async listen(): Promise<{ address: string; port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.listen, resolve);
    });
    this.#server.removeAllListeners('error');
    this.#server.on('error', (error) => this.#options.log('error', `http: ${error.message}`));
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('HTTP has no network address');
    return { address: bound.address, port: bound.port };
  }

  useTls(pair: TlsPair): void {
    (this.#server as SecureServer).setSecureContext(secureOptionsOf(pair));
  }

  /** Lets nobody in any more; who is idle is sent away, who still is there after `graceMs` is cut off. */
  async close(graceMs: number): Promise<void> {
    this.state = 'closing';
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    clearTimeout(timer);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // 'close' follows.
    response.on('error', () => undefined);
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    try {
      const url = urlOf(request);
      checkPage(request, url.pathname, this.#options);
      await this.#handle(request, response, url);
    } catch (error) {
      this.#fail(response, error);
    }
    // What was not read of it would be taken for the next request.
    request.resume();
  }

  async #handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const file = this.#files.get(url.pathname);
    const methods =
      file === undefined ? this.#handlers[url.pathname] : { GET: () => this.#file(request, response, url) };
    if (methods === undefined)
      throw new HttpError(404, `there is no ${url.pathname}`, {
        hint: `There are ${Object.keys(this.#handlers).join(', ')} and /.`,
      });
    // Changes have no end: nobody who sees no body would leave.
    const asGet = request.method === 'HEAD' && url.pathname !== '/subscribe';
    const handler = methods[asGet ? 'GET' : (request.method ?? '')];
    if (handler === undefined) {
      const allow = Object.keys(methods).join(', ');
      throw new HttpError(405, `${url.pathname} takes ${allow}`, { headers: { Allow: allow } });
    }
    await handler(request, response, url);
  }

  #fail(response: ServerResponse, error: unknown): void {
    const said = answerTo(error);
    if (said === null && !(error instanceof ClientGone)) {
      const { message, stack } = error as Error;
      this.#options.log('error', `http: ${message}`, { stack });
    }
    if (response.destroyed) return;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const internal = { error: { sqlstate: 'XX000', message: 'internal error; the log says more' } };
    const { status, body, headers } = said ?? { status: 500, body: internal, headers: {} };
    const challenge = status === 401 && this.#options.auth === 'scram' ? CHALLENGE : {};
    sendJson(response, status, body, { ...challenge, ...headers });
  }

  readonly #openSession = async (request: IncomingMessage, response: ServerResponse): Promise<PgClient> => {
    if (this.state !== 'ready') throw notReady(this.state);
    const login = loginOf(request, this.#options);
    if (this.#sessions >= MAX_SESSIONS)
      throw new HttpError(503, 'too many requests run already', { sqlstate: '53300', headers: { 'Retry-After': '1' } });
    // Who has gone while the request was read.
    if (response.destroyed) throw new ClientGone();
    const { socket } = request;
    const stream = this.#options.connect({
      ...endsOf(socket),
      tls: socket instanceof TLSSocket ? stateOf(socket) : null,
    });
    this.#sessions++;
    stream.once('close', () => this.#sessions--);
    response.once('close', () => {
      if (!response.writableFinished) stream.destroy();
    });
    return PgClient.open(stream, login);
  };

  async #ready(response: ServerResponse): Promise<void> {
    const { state } = this;
    if (state !== 'ready') {
      sendJson(response, 503, { status: state, reason: REASONS[state] });
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, READY_MS, null);
    });
    const health = (await Promise.race([this.#options.ask('health'), late])) as Health | null;
    clearTimeout(timer);
    if (health === null) {
      const reason = `the dataflow thread has not answered for ${READY_MS} ms`;
      sendJson(response, 503, { status: 'busy', reason });
      return;
    }
    const { tick, writable, held, stopped } = health;
    const counts = { heldSources: held.length, stoppedSinks: stopped.length };
    // Names are for who has logged in: SQL tells them.
    const named = this.#options.auth === 'trust' ? { held, stopped } : {};
    sendJson(response, 200, { status: 'ready', tick, writable, ...counts, ...named });
  }

  async #metrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
    (await this.#openSession(request, response)).close();
    const text = (await this.#options.ask('metrics')) as string;
    response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(text);
  }

  async #file(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    // The page asks for the password; what it loads is no secret.
    if (url.pathname === '/' && this.#options.auth === 'scram') (await this.#openSession(request, response)).close();
    const { type, bytes } = this.#files.get(url.pathname) as { type: string; bytes: Buffer };
    response.writeHead(200, { 'Content-Type': type, 'Content-Length': bytes.length });
    response.end(bytes);
  }
}

const REASONS = { starting: 'recovery is not over', closing: 'the server is shutting down', ready: '' };

function notReady(state: ServerState): HttpError {
  const message = state === 'starting' ? 'the database system is starting up' : 'the database system is shutting down';
  return new HttpError(503, message, { sqlstate: '57P03', headers: { 'Retry-After': '1' } });
}

function urlOf({ url = '/' }: IncomingMessage): URL {
  // Only the path and what follows it count, also of `GET http://other/` (RFC 9112, 3.2.2).
  if (!url.startsWith('/')) throw new HttpError(400, 'the request names no path');
  try {
    return new URL(`http://server${url}`);
  } catch {
    throw new HttpError(400, 'the request names no path');
  }
}
