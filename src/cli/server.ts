/** A whole server in this process: engine, catalogs, Postgres listener. What `start` and `demo` run and tests embed. */
import { readFileSync } from 'node:fs';
import '../../operators/expr/functions/index.ts';
import { SqlError } from '../../operators/errors.ts';
import { initParser } from '../../planner/parse/parse.ts';
import { PgCatalog } from '../postgres/catalog/pg_catalog.ts';
import type { PostgresServer } from '../postgres/options.ts';
import { startPostgresServer } from '../postgres/server.ts';
import { type EngineOptions, TidemarkEngine } from '../runtime/engine.ts';
import { runScript } from '../runtime/script.ts';

export type Log = NonNullable<EngineOptions['log']>;

export interface RunningServer {
  engine: TidemarkEngine;
  postgres: PostgresServer;
  /** Ends client sessions, sinks and sources, in this order. */
  close(): Promise<void>;
}

export interface ServerSettings extends EngineOptions {
  host: string;
  port: number;
  version: string;
  /** SQL text run before clients are let in. */
  init?: string;
  log: Log;
}

export async function runServer(settings: ServerSettings): Promise<RunningServer> {
  await initParser();
  const engine = new TidemarkEngine(settings);
  const catalog = new PgCatalog(engine);
  engine.system.catalogs = catalog;
  if (settings.init !== undefined) await runScript(engine, settings.init, settings.log);
  const postgres = await startPostgresServer({
    listen: { host: settings.host, port: settings.port },
    engine,
    version: settings.version,
    log: settings.log,
    catalog: (name, args, context) => catalog.answer(name, args, context),
  });
  catalog.sessions = postgres;
  return {
    engine,
    postgres,
    async close() {
      await postgres.close();
      await engine.close();
    },
  };
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
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = (signal: NodeJS.Signals) => {
      if (asked) process.exit(130);
      asked = true;
      resolve(signal);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}
