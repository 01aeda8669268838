/**
 * Reads what WITH (name = 'text', ...) gives a connector or a format. Every value is text.
 * All throw SqlError 22023 with what the option must be as the hint; a file that cannot be read is 58P01.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { SqlError } from '../operators/errors.ts';
import { AT_ONCE } from './open_at_once.ts';

/** Throws for a name that is neither valid nor one of `others`, which those around the connector read. */
export function refuseUnknown(
  connector: string,
  given: Readonly<Record<string, string>>,
  valid: Readonly<Record<string, string>>,
  others: readonly string[],
): void {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(valid, name) && !others.includes(name));
  if (unknown === undefined) return;
  const names = Object.keys(valid);
  throw new SqlError('22023', `unrecognized option "${unknown}" for connector "${connector}"`, {
    hint: names.length === 0 ? 'It has no options.' : `Valid options are: ${names.join(', ')}.`,
  });
}

/** An integer in least .. most, which are safe integers. The fallback may be Infinity. */
export function integer(
  given: Readonly<Record<string, string>>,
  name: string,
  fallback: number,
  least: number,
  most: number,
): number {
  const text = given[name];
  if (text === undefined) return fallback;
  const value = /^-?\d{1,16}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw badOption(name, text, `an integer from ${least} to ${most}`);
  return value;
}

/** One of the choices, which are in lower case; the user's may be in any. */
export function choice<T extends string>(
  given: Readonly<Record<string, string>>,
  name: string,
  fallback: T,
  choices: readonly T[],
): T {
  const text = given[name];
  if (text === undefined) return fallback;
  const found = choices.find((one) => one === text.toLowerCase());
  if (found === undefined) throw badOption(name, text, choices.map((one) => `'${one}'`).join(', '));
  return found;
}

export function badOption(name: string, text: string, wanted: string): SqlError {
  return new SqlError('22023', `invalid value for option "${name}": "${text}"`, { hint: `It must be ${wanted}.` });
}

export function missingOption(connector: string, name: string, wanted: string): SqlError {
  return new SqlError('22023', `connector "${connector}" needs the option "${name}"`, {
    hint: `It must be ${wanted}.`,
  });
}

/** Of every connector that can encrypt what it says to its servers. */
export const SSL_OPTIONS: Readonly<Record<string, string>> = {
  ssl: "'true' or 'false'; true when another ssl option is given",
  ssl_ca: 'certificate of the authority: PEM text or a file name',
  ssl_cert: 'client certificate: PEM text or a file name',
  ssl_key: 'client key: PEM text or a file name',
  ssl_passphrase: 'passphrase of the client key',
  ssl_servername: 'server name to check and to send',
  ssl_reject_unauthorized: "'false' takes any server certificate (default 'true')",
};

/** Null: not encrypted. */
export function sslOptions(given: Readonly<Record<string, string>>): ConnectionOptions | null {
  const any = Object.keys(given).some((name) => name.startsWith('ssl_'));
  if (choice(given, 'ssl', any ? 'true' : 'false', ['true', 'false']) === 'false') return null;
  return {
    ca: pem(given, 'ssl_ca'),
    cert: pem(given, 'ssl_cert'),
    key: pem(given, 'ssl_key'),
    passphrase: given.ssl_passphrase,
    ...(given.ssl_servername === undefined ? {} : { servername: given.ssl_servername }),
    rejectUnauthorized: choice(given, 'ssl_reject_unauthorized', 'true', ['true', 'false']) === 'true',
  };
}

/** Options whose value is PEM text or the name of a file of the server with it. */
const PEM_OPTIONS = [
  'ssl_ca',
  'ssl_cert',
  'ssl_key',
  'schema_registry_ssl_ca',
  'schema_registry_ssl_cert',
  'schema_registry_ssl_key',
] as const;

const isPem = (text: string): boolean => text.includes('-----BEGIN');

/** Whether an option that holds PEM text names a file instead. */
export function namesFileOfPem(given: Readonly<Record<string, string>>): boolean {
  return PEM_OPTIONS.some((name) => given[name] !== undefined && !isPem(given[name]));
}

/** What an option holds, or the file that it names. */
export function pem(given: Readonly<Record<string, string>>, name: (typeof PEM_OPTIONS)[number]): string | undefined {
  const value = given[name];
  if (value === undefined || isPem(value)) return value;
  try {
    return textOfFile(value);
  } catch (error) {
    throw new SqlError('58P01', `could not read the file of option "${name}": ${(error as Error).message}`);
  }
}

function textOfFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | AT_ONCE);
  try {
    if (!fstatSync(file).isFile()) throw new Error('it is no file');
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}
