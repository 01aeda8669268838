/** A whole server in this process: engine, catalogs, Postgres listener. What `start` and `demo` run and tests embed. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import '../../operators/expr/functions/index.ts';
import { SqlError } from '../../operators/errors.ts';
import { initParser } from '../../planner/parse/parse.ts';
import { openData, type RecoveryReport } from '../durable/recovery.ts';
import { IoThread } from '../io/io_thread.ts';
import type { StartedWorker } from '../io/start_worker.ts';
import type { MetricsServer } from '../metrics/metrics_server.ts';
import { PgCatalog } from '../postgres/catalog/pg_catalog.ts';
import type { PostgresServer } from '../postgres/options.ts';
import { startPostgresServer } from '../postgres/server.ts';
import type { AuthMode } from '../postgres/session/login.ts';
import { TidemarkEngine } from '../runtime/engine.ts';
import type { EngineOptions } from '../runtime/engine_options.ts';
import { runScript } from '../runtime/script.ts';
import { checkSomebody, isLoopback, setSuperuserPassword } from './password.ts';
import type { TlsFiles } from './tls.ts';

export type Log = NonNullable<EngineOptions['log']>;

export interface RunningServer {
  engine: TidemarkEngine;
  postgres: PostgresServer;
  /** The thread that has the sockets, where there is one. */
  io: IoThread | null;
  metrics: MetricsServer | null;
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
  /** Directory of everything durable; without it all is in memory. */
  data?: string | null;
  /** What clients prove. Default: 'trust'. */
  auth?: AuthMode;
  /** Of the superuser tidemark, from now on. */
  password?: string;
  /** SQL text run before clients are let in; with a data directory, once. */
  init?: string;
  /** Where figures for Prometheus are served; null, absent: nowhere. */
  metrics?: { host: string; port: number } | null;
  /** Null, absent: clients come in clear. */
  tls?: TlsFiles | null;
  log: Log;
}

export async function runServer(settings: ServerSettings): Promise<RunningServer> {
  const io = settings.threads === 2 ? startIoThread(settings.log, settings.worker) : null;
  const engine = new TidemarkEngine({ ...settings, kafka: io?.kafka, files: io?.files });
  try {
    return await serve(settings, engine, io);
  } catch (error) {
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

async function serve(settings: ServerSettings, engine: TidemarkEngine, io: IoThread | null): Promise<RunningServer> {
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
  if (settings.init !== undefined) await runInit(engine, settings.init, recovery, settings.log);
  const { auth = 'trust', password } = settings;
  if (password !== undefined) await setSuperuserPassword(engine, password);
  if (auth === 'scram') checkSomebody(engine);
  else if (!isLoopback(settings.host))
    settings.log('warn', 'whoever reaches this address is let in as a superuser: --auth scram asks for passwords', {
      listen: settings.host,
    });
  const { tls } = settings;
  const pair = tls?.pair;
  const postgres = await startPostgresServer({
    auth,
    listenThrough: io?.listen,
    listen: { host: settings.host, port: settings.port },
    tls: tls == null || pair === undefined ? undefined : { ...pair, required: tls.required },
    engine,
    version: settings.version,
    log: settings.log,
    clock: () => engine.loop.present(),
    catalog: (name, args, context) => catalog.answer(name, args, context),
  });
  catalog.sessions = postgres;
  if (tls != null) {
    tls.use = postgres.useTls;
    // A signal that came meanwhile.
    if (tls.pair !== pair) await postgres.useTls(tls.pair);
  }
  const metrics = await openMetrics(settings, engine, postgres);
  return {
    engine,
    postgres,
    io,
    metrics,
    async close() {
      await metrics?.close();
      await postgres.close();
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
    const server = await serveMetrics(metrics, engine, postgres);
    log('info', `metrics: http://${server.address}:${server.port}/metrics`);
    return server;
  } catch (error) {
    await postgres.close();
    throw error;
  }
}

/** A script that has run to its end in this data directory is not run again. */
async function runInit(
  engine: TidemarkEngine,
  script: string,
  recovery: RecoveryReport | null,
  log: Log,
): Promise<void> {
  const digest = createHash('sha256').update(script).digest('hex');
  if (recovery?.scripts.has(digest)) {
    log('info', 'the --init file has run in this data directory before');
    return;
  }
  try {
    await runScript(engine, script, log);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw new SqlError(error.sqlstate, `--init file, ${error.message}`, error.fields);
  }
  engine.scripts.add(digest);
  engine.journal?.scriptRun(engine.loop, digest);
  await engine.journal?.durable();
}

/** The --init file's text; a clear error when it cannot be read. */
export function readInit(path: string): string {
  try {
    return readFileSync(path, 'utf8');
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
