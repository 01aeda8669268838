/**
 * The server that client tests talk to, and the programs that talk to it.
 *
 * The server runs in the test's own process, sockets in a thread of their own as users have it, so a test must never block: programs are spawned and awaited. Every program has
 * a deadline, after which it is killed (by its pid) and the test fails with what it printed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { type RunningServer, runServer, type ServerSettings } from '../../src/cli/server.ts';

const PROGRAM_MS = 60_000;
const WAIT_MS = 20_000;

export interface ClientServer {
  running: RunningServer;
  port: number;
  /** For libpq programs: PGHOST and so on; start-up files are ignored. */
  env: NodeJS.ProcessEnv;
  config: { host: string; port: number; user: string; database: string };
  /** Sessions open now, by application_name or all. */
  sessions(applicationName?: string): number;
  close(): Promise<void>;
}

/** A whole server on a free port of 127.0.0.1. Its log goes nowhere, but an error in it fails the test at close(). */
export async function startServer(settings: Partial<ServerSettings> = {}): Promise<ClientServer> {
  const errors: string[] = [];
  const running = await runServer({
    host: '127.0.0.1',
    port: 0,
    version: 'test',
    threads: 2,
    ...settings,
    log: (level, message, fields) => {
      if (level === 'error') errors.push(`${message} ${JSON.stringify(fields ?? {})}`);
    },
    ...settings,
  });
  const port = running.postgres.port;
  return {
    running,
    port,
    env: {
      ...process.env,
      PGHOST: '127.0.0.1',
      PGPORT: String(port),
      PGUSER: 'tester',
      PGDATABASE: 'db',
      PGOPTIONS: '',
      PGCLIENTENCODING: 'UTF8',
      PSQLRC: '/dev/null',
      PSQL_PAGER: '',
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
    },
    config: { host: '127.0.0.1', port, user: 'tester', database: 'db' },
    sessions: (name) =>
      running.postgres.sessions().filter((session) => name === undefined || session.applicationName === name).length,
    async close() {
      await running.close();
      if (errors.length > 0) throw new Error(`the server logged errors:\n${errors.join('\n')}`);
    },
  };
}

export interface Outcome {
  /** The exit code, or the name of the signal that ended it. */
  code: number | string | null;
  stdout: string;
  stderr: string;
}

export interface Program {
  child: ChildProcess;
  /** Resolves when it has ended; rejects at its deadline. */
  ended: Promise<Outcome>;
  stdout(): string;
  stderr(): string;
}

/** Starts a program; `input` becomes its standard input, which stays open without it. */
export function startProgram(
  path: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; input?: string; timeoutMs?: number } = {},
): Program {
  const { env, cwd, input, timeoutMs = PROGRAM_MS } = options;
  const child = spawn(path, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A program that ends before it has read its input is judged by its outcome.
  child.stdin.on('error', () => undefined);
  if (input !== undefined) child.stdin.end(input);
  const ended = new Promise<Outcome>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${path} ${args.join(' ')} did not end in ${timeoutMs} ms:\n${stdout}\n${stderr}`));
    }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? signal, stdout, stderr });
    });
  });
  return { child, ended, stdout: () => stdout, stderr: () => stderr };
}

/** Runs a program to its end. */
export function run(
  path: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; input?: string; timeoutMs?: number } = {},
): Promise<Outcome> {
  return startProgram(path, args, { input: '', ...options }).ended;
}

/** Resolves when `ready` gives true; rejects after `ms` with `what`. */
export async function until(what: string, ready: () => boolean | Promise<boolean>, ms = WAIT_MS): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await ready())) {
    if (Date.now() > deadline) throw new Error(`timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
