/**
 * --tls-cert and --tls-key: PEM files, read at the start and again at every SIGHUP, as whoever renews certificates sends it, and pg_reload_conf().
 *
 * A bad pair ends the start; later it is said and the pair before stays.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { SqlError } from '../../operators/errors.ts';
import { secureContextOf, type TlsPair } from '../postgres/wire/tls.ts';
import type { ServerOptions, TlsOptions } from './arguments.ts';
import type { Log } from './server.ts';

export class TlsFiles {
  readonly required: boolean;
  pair: TlsPair;
  /** Gives a new pair to who listens; null: nobody does yet. */
  use: ((pair: TlsPair) => Promise<void>) | null = null;
  readonly #options: TlsOptions;
  readonly #log: Log;

  /** Throws what is wrong with the files. */
  constructor(options: TlsOptions, log: Log) {
    this.required = options.required;
    this.#options = options;
    this.#log = log;
    this.pair = this.#read();
  }

  /** `why`: what asks for it, for the log. */
  async readAgain(why: string): Promise<void> {
    try {
      const pair = this.#read();
      await this.use?.(pair);
      this.pair = pair;
      this.#log('info', `${why}: new clients see the TLS certificate in "${this.#options.cert}" as it is now`);
    } catch (error) {
      this.#log('error', `${why}: the TLS certificate stays as it was: ${(error as Error).message}`);
    }
  }

  #read(): TlsPair {
    const { cert: certFile, key: keyFile } = this.#options;
    const pair = { cert: readText(certFile, '--tls-cert'), key: readText(keyFile, '--tls-key') };
    const bad = (what: string) => new SqlError('F0000', what);
    const certificate = parsed(() => new X509Certificate(pair.cert));
    if (certificate instanceof Error)
      throw bad(`--tls-cert: "${certFile}" holds no certificate in PEM: ${certificate.message}`);
    if (/ENCRYPTED/.test(pair.key))
      throw bad(`--tls-key: the key in "${keyFile}" is encrypted: it must be one without a passphrase`);
    const key = parsed(() => createPrivateKey(pair.key));
    if (key instanceof Error) throw bad(`--tls-key: "${keyFile}" holds no private key in PEM: ${key.message}`);
    if (!certificate.checkPrivateKey(key))
      throw bad(`the key in "${keyFile}" is not that of the first certificate in "${certFile}"`);
    const context = parsed(() => secureContextOf(pair));
    if (context instanceof Error) throw bad(`"${certFile}" and "${keyFile}" cannot be used: ${context.message}`);
    if (readableByOthers(keyFile))
      this.#log('warn', `the private key in "${keyFile}" can be read by other users of this machine: chmod 600 it`);
    return pair;
  }
}

/** What the command line says, for a whole process; null: nothing. Throws what is wrong with the files. */
export function openTls({ tls }: ServerOptions, log: Log): TlsFiles | null {
  if (tls === null) return null;
  const files = new TlsFiles(tls, log);
  // From now on it ends nothing.
  process.on('SIGHUP', () => void files.readAgain('SIGHUP'));
  return files;
}

function readText(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SqlError('58P01', `cannot read ${option} file "${path}": ${(error as Error).message}`);
  }
}

function parsed<T>(parse: () => T): T | Error {
  try {
    return parse();
  } catch (error) {
    return error as Error;
  }
}

/** As PostgreSQL has it: a key of root's may be for a group. */
function readableByOthers(path: string): boolean {
  if (process.platform === 'win32') return false;
  const { mode, uid } = statSync(path);
  return (mode & (uid === 0 ? 0o037 : 0o077)) !== 0;
}
