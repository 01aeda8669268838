/** A whole server in this process: engine, catalogs, Postgres listener. What `start` and `demo` run and tests embed. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import '../../operators/expr/functions/index.ts';
import { SqlError } from '../../operators/errors.ts';
import { initParser } from '../../planner/parse/parse.ts';
import { openData, type RecoveryReport } from '../durable/recovery.ts';
import type { Ask, HttpThread } from '../http/http_thread.ts';
import { IoThread } from '../io/io_thread.ts';
import type { StartedWorker } from '../io/start_worker.ts';
import type { MetricsServer } from '../metrics/metrics_server.ts';
import { PgCatalog } from '../postgres/catalog/pg_catalog.ts';
import type { PostgresServer, PostgresServerOptions } from '../postgres/options.ts';
import { startPostgresServer } from '../postgres/server.ts';
import type { AuthMode } from '../postgres/session/login.ts';
import { type Listen, listenHere } from '../postgres/wire/listener.ts';
import { isLoopback } from '../postgres/wire/loopback.ts';
import type { TlsPair } from '../postgres/wire/tls.ts';
import { TidemarkEngine } from '../runtime/engine.ts';
import type { EngineOptions } from '../runtime/engine_options.ts';
import { runScript } from '../runtime/script.ts';
import { listening } from './listening.ts';
import { checkSomebody, setSuperuserPassword } from './password.ts';
import type { TlsFiles } from './tls.ts';

export type Log = NonNullable<EngineOptions['log']>;

export interface RunningServer {
  engine: TidemarkEngine;
  postgres: PostgresServer;
  /** The thread that has the sockets, where there is one. */
  io: IoThread | null;
  metrics: MetricsServer | null;
  http: HttpThread | null;
  /** Ends client sessions, sinks and sources, in this order. */
  close(): Promise<void>;
}

export interface ServerSettings extends EngineOptions {
  /** 1: all in the thread of the dataflow. 2: sockets in a thread of their own, and so the tick log's files, as `start` and `demo` have it. Default 1. */
  threads?: 1 | 2;
  /** The worker of that thread, where it has been started before. */
  worker?: StartedWorker;
  host: string;
  port: number;
  version: string;
  /** Where clients come in. Default: sockets, of this thread or of their own. */
  listen?: Listen;
  /** Directory of everything durable; without it all is in memory. */
  data?: string | null;
  /** What clients prove. Default: 'trust'. */
  auth?: AuthMode;
  /** Of the superuser tidemark, from now on. */
  password?: string;
  /** Run before clients are let in, in order; with a data directory, once each. */
  init?: InitScript[];
  /** Where figures for Prometheus are served; null, absent: nowhere. */
  metrics?: { host: string; port: number } | null;
  /** Where HTTP is served; null, absent: nowhere. */
  http?: { host: string; port: number } | null;
  /** Null, absent: clients come in clear. */
  tls?: TlsFiles | null;
  log: Log;
}

/** SQL text, and the file that it is from. */
export interface InitScript {
  name: string;
  text: string;
}

export async function runServer(settings: ServerSettings): Promise<RunningServer> {
  const io = settings.threads === 2 ? startIoThread(settings.log, settings.worker) : null;
  const engine = new TidemarkEngine({ ...settings, kafka: settings.kafka ?? io?.kafka, files: io?.files });
  let http: HttpThread | null = null;
  try {
    http = await openHttp(settings);
    return await serve(settings, engine, io, http);
  } catch (error) {
    await http?.close();
    await engine.close();
    await io?.close();
    throw error;
  }
}

function startIoThread(log: Log, worker: StartedWorker | undefined): IoThread {
  return new IoThread({
    log,
    worker,
    onFailure(error) {
      log('error', `fatal: the I/O thread has failed: ${error.message}`, { stack: error.stack });
      process.exit(1);
    },
  });
}

async function serve(
  settings: ServerSettings,
  engine: TidemarkEngine,
  io: IoThread | null,
  http: HttpThread | null,
): Promise<RunningServer> {
  const catalog = new PgCatalog(engine);
  // What a tick was about to read is lost: nothing can be right from here on.
  const onColdDamage = ({ message }: SqlError) => {
    settings.log('error', `fatal: ${message}; the next start does without the checkpoints that need it`);
    process.exit(1);
  };
  engine.system.catalogs = catalog;
  const recovery = settings.data
    ? await openData(engine, { path: settings.data, onColdDamage, coldState: true, logThread: io !== null })
    : null;
  const mark = engine.journal?.log.mark ?? null;
  if (mark !== null) io?.followLog(mark);
  await initParser();
  for (const script of settings.init ?? []) await runInit(engine, script, recovery, settings.log);
  const { auth = 'trust', password } = settings;
  if (password !== undefined) await setSuperuserPassword(engine, password);
  if (auth === 'scram') checkSomebody(engine);
  else warnOfAll(settings);
  const { tls } = settings;
  const pair = tls?.pair;
  const started = startPostgresServer({
    auth,
    listenThrough: settings.listen ?? io?.listen ?? (await listenFor(http)),
    listen: { host: settings.host, port: settings.port },
    tls: tls == null || pair === undefined ? undefined : { ...pair, required: tls.required },
    engine,
    version: settings.version,
    log: settings.log,
    clock: () => engine.loop.present(),
    reload: () => void tls?.readAgain('pg_reload_conf()'),
    catalog: (name, args, context) => catalog.answer(name, args, context),
  });
  const postgres = await listening('Postgres clients', settings, started);
  catalog.sessions = postgres;
  if (tls != null) {
    const useTls = async (made: TlsPair) => {
      await postgres.useTls(made);
      await http?.useTls(made);
    };
    tls.use = useTls;
    // A signal that came meanwhile.
    if (tls.pair !== pair) await useTls(tls.pair);
  }
  const metrics = await openMetrics(settings, engine, postgres);
  if (http !== null) {
    io?.admitFrom(http.streams);
    http.ready(await answersFor(engine, postgres));
    settings.log('info', `http: ${tls == null ? 'http' : 'https'}://${http.address}:${http.port}/`);
  }
  return {
    engine,
    postgres,
    io,
    metrics,
    http,
    async close() {
      await metrics?.close();
      http?.closing();
      await postgres.close();
      await http?.close();
      await engine.close();
      await io?.close();
    },
  };
}

/** What it needs is loaded only then. Without its address the server does not start. */
async function openMetrics(
  { metrics, log }: ServerSettings,
  engine: TidemarkEngine,
  postgres: PostgresServer,
): Promise<MetricsServer | null> {
  if (metrics == null) return null;
  const { serveMetrics } = await import('../metrics/metrics_server.ts');
  try {
    const server = await listening('metrics', metrics, serveMetrics(metrics, engine, postgres));
    log('info', `metrics: http://${server.address}:${server.port}/metrics`);
    return server;
  } catch (error) {
    await postgres.close();
    throw error;
  }
}

/** Without passwords. */
function warnOfAll({ host, http, log }: ServerSettings): void {
  for (const listen of new Set([host, ...(http == null ? [] : [http.host])]))
    if (!isLoopback(listen))
      log('warn', 'whoever reaches this address is let in as a superuser: --auth scram asks for passwords', { listen });
}

/** Before recovery, so that probes are answered from then on. What it needs is loaded only then. */
async function openHttp({ http, tls, auth = 'trust', log }: ServerSettings): Promise<HttpThread | null> {
  if (http == null) return null;
  const { HttpThread } = await import('../http/http_thread.ts');
  return listening('HTTP', http, HttpThread.start({ listen: http, tls: tls?.pair ?? null, auth }, log));
}

/** Where sockets are in this thread, clients of the HTTP thread are as well. */
async function listenFor(http: HttpThread | null): Promise<PostgresServerOptions['listenThrough']> {
  if (http === null) return undefined;
  const { StreamPort } = await import('../http/stream_port.ts');
  return async (options, handler) => {
    const listener = await listenHere(options, handler);
    new StreamPort(http.streams, (stream, peer) => listener.admit?.(stream, peer));
    return listener;
  };
}

async function answersFor(engine: TidemarkEngine, postgres: PostgresServer): Promise<Ask> {
  const { healthOf } = await import('../http/health.ts');
  const { metricsText } = await import('../metrics/metrics_server.ts');
  return async (what) => (what === 'health' ? healthOf(engine) : metricsText(engine, postgres, () => false));
}

/** A script that has run to its end in this data directory is not run again. */
async function runInit(
  engine: TidemarkEngine,
  { name, text }: InitScript,
  recovery: RecoveryReport | null,
  log: Log,
): Promise<void> {
  const digest = createHash('sha256').update(text).digest('hex');
  if (recovery?.scripts.has(digest)) {
    log('info', `--init ${name} has run in this data directory before`);
    return;
  }
  try {
    await runScript(engine, text, log);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw new SqlError(error.sqlstate, `--init ${name}, ${error.message}`, error.fields);
  }
  engine.scripts.add(digest);
  engine.journal?.scriptRun(engine.loop, digest);
  await engine.journal?.durable();
}

/** An --init file; a clear error when it cannot be read. */
export function readInit(path: string): InitScript {
  try {
    return { name: path, text: readFileSync(path, 'utf8') };
  } catch (error) {
    throw new SqlError('58P01', `cannot read --init file "${path}": ${(error as Error).message}`);
  }
}

/** Log lines on standard error: time, level, message, fields. */
export function stderrLog(level: 'error' | 'warn' | 'info'): Log {
  const order = { error: 0, warn: 1, info: 2 };
  return (at, message, fields) => {
    if (order[at] > order[level]) return;
    const extra =
      fields === undefined ? '' : ` ${JSON.stringify(fields, (_, v) => (typeof v === 'bigint' ? String(v) : v))}`;
    process.stderr.write(`${new Date().toISOString()} ${at.toUpperCase().padEnd(5)} ${message}${extra}\n`);
  };
}

/** Resolves at SIGTERM or Ctrl-C; a second signal ends the process at once. */
export function untilSignal({ io }: RunningServer): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = (signal: NodeJS.Signals) => {
      if (asked) process.exit(130);
      asked = true;
      resolve(signal);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    void io?.watchSignals();
  });
}
