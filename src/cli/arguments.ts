/** Command line of `tidemark`: what may be said, and what it means. */
import { parseArgs } from 'node:util';
import type { AuthMode } from '../postgres/session/login.ts';

export const HELP = `tidemark - streaming SQL with a Postgres wire interface

Usage:
  tidemark start [options]     run the server
  tidemark demo [options]      run a server with a live auction and watch it
  tidemark doctor DIR          check a data directory; ends with 1 when it is damaged
  tidemark backup DIR TO       copy a data directory, of a server that runs too, and check the copy
  tidemark --help | --version

Options:
  --listen HOST:PORT           address for Postgres clients (default 127.0.0.1:7432; port 0: any free port)
  --data DIR                   directory for everything durable (start: default ./tidemark-data; demo: none)
  --memory-limit SIZE          for state, batches and queues, such as 512MB (default half of the machine's, at most 3GB)
  --auth trust|scram           trust: clients need no password; scram: roles that may log in, with their passwords (start only; default trust)
  --password-file FILE         the superuser tidemark gets the password that is in it (start only)
  --init FILE.sql              statements to run before clients are let in; several files run in order, each with an --init of its own (start only)
  --metrics HOST:PORT          serves GET /metrics for Prometheus there
  --http HOST:PORT             serves queries, changes, health, metrics and the console over HTTP there
  --tls-cert FILE              PEM certificate, with its chain: clients may come over TLS, --http is https; read again at SIGHUP
  --tls-key FILE               its private key
  --tls-required               and none may come without
  --log-level LEVEL            error, warn or info (default info)

Connect with any Postgres client: psql -h 127.0.0.1 -p 7432
`;

export class UsageError extends Error {}

export interface ServerOptions {
  host: string;
  port: number;
  /** Null when none was given: `start` then has its default, `demo` keeps everything in memory. */
  data: string | null;
  /** File names. */
  init: string[];
  /** As given; null: the default. */
  memoryLimit: string | null;
  logLevel: 'error' | 'warn' | 'info';
  /** Null: nowhere. */
  metrics: { host: string; port: number } | null;
  /** Null: nowhere. */
  http: { host: string; port: number } | null;
  /** Null: without. */
  tls: TlsOptions | null;
  auth: AuthMode;
  passwordFile: string | null;
  /** The port was given by the user, not taken by default. */
  portGiven: boolean;
}

export interface TlsOptions {
  /** File names. */
  cert: string;
  key: string;
  required: boolean;
}

export type Command =
  | { k: 'help' }
  | { k: 'version' }
  | { k: 'doctor'; path: string }
  | { k: 'backup'; from: string; to: string }
  | { k: 'start' | 'demo'; options: ServerOptions };

/** Throws UsageError for what is not understood. */
export function parseCommand(args: string[]): Command {
  const { values, positionals } = parse(args);
  if (values.help === true || positionals[0] === 'help') return { k: 'help' };
  if (values.version === true) return { k: 'version' };
  const [name, ...rest] = positionals;
  if (name === 'doctor') return { k: 'doctor', path: directoryOf(rest) };
  if (name === 'backup') {
    if (rest.length !== 2) throw new UsageError('backup wants a data directory and where to copy it');
    return { k: 'backup', from: rest[0], to: rest[1] };
  }
  if (name === undefined) throw new UsageError('say what to do: start, demo, doctor or backup');
  if (name !== 'start' && name !== 'demo') throw new UsageError(`unknown command "${name}"`);
  if (rest.length > 0) throw new UsageError(`unexpected argument "${rest[0]}"`);
  const { auth = 'trust', 'password-file': passwordFile = null } = values;
  if (auth !== 'trust' && auth !== 'scram') throw new UsageError(`--auth wants trust or scram, not "${auth}"`);
  if (name === 'demo' && (values.auth !== undefined || passwordFile !== null))
    throw new UsageError('demo lets everybody in: --auth and --password-file are for start');
  if (name === 'demo' && values.init !== undefined)
    throw new UsageError('demo has statements of its own: your files with --init are for start');
  const level = values['log-level'] ?? 'info';
  if (level !== 'error' && level !== 'warn' && level !== 'info') throw new UsageError(`unknown log level "${level}"`);
  return {
    k: name,
    options: {
      ...address('listen', values.listen ?? '127.0.0.1:7432'),
      portGiven: values.listen !== undefined,
      data: values.data ?? null,
      init: values.init ?? [],
      memoryLimit: values['memory-limit'] ?? null,
      logLevel: level,
      metrics: values.metrics === undefined ? null : address('metrics', values.metrics),
      http: values.http === undefined ? null : address('http', values.http),
      tls: tlsOptions(values['tls-cert'], values['tls-key'], values['tls-required'] ?? false),
      auth,
      passwordFile,
    },
  };
}

function directoryOf(rest: string[]): string {
  if (rest.length !== 1) throw new UsageError('doctor wants one data directory');
  return rest[0];
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        listen: { type: 'string' },
        data: { type: 'string' },
        init: { type: 'string', multiple: true },
        auth: { type: 'string' },
        'password-file': { type: 'string' },
        'memory-limit': { type: 'string' },
        'log-level': { type: 'string' },
        metrics: { type: 'string' },
        http: { type: 'string' },
        'tls-cert': { type: 'string' },
        'tls-key': { type: 'string' },
        'tls-required': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'V' },
      },
    });
  } catch (error) {
    // Node adds a sentence about positional arguments.
    throw new UsageError(error instanceof Error ? error.message.split('. ')[0] : String(error));
  }
}

function tlsOptions(cert: string | undefined, key: string | undefined, required: boolean): TlsOptions | null {
  if (cert !== undefined && key !== undefined) return { cert, key, required };
  if (cert !== undefined || key !== undefined) throw new UsageError('--tls-cert and --tls-key go together');
  if (required) throw new UsageError('--tls-required wants --tls-cert and --tls-key');
  return null;
}

/** HOST:PORT, [IPV6]:PORT, or PORT of this machine. */
export function address(option: string, text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]:|([^:]*):)?(\d+)$/.exec(text);
  const port = match === null ? Number.NaN : Number(match[3]);
  if (match === null || port > 65535) throw new UsageError(`--${option} wants HOST:PORT, not "${text}"`);
  return { host: match[1] ?? (match[2] || '127.0.0.1'), port };
}
