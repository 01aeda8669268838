/** Options that say where a schema registry is and how to log in. Those of TLS are named as those of Kafka. */
import { badOption, pem } from '../connector_options.ts';

export const REGISTRY_OPTIONS: Record<string, string> = {
  schema_registry: "'http://host:port,...' or https: addresses of one registry, asked in turn",
  schema_registry_username: 'user of the registry',
  schema_registry_password: 'password of the registry',
  schema_registry_ssl_ca: 'certificate of its authority: PEM text or a file name',
  schema_registry_ssl_cert: 'client certificate for it: PEM text or a file name',
  schema_registry_ssl_key: 'key of that: PEM text or a file name',
};

export interface RegistryOptions {
  /** Without a slash at the end. */
  urls: string[];
  /** user:password; null: no login. */
  auth: string | null;
  tls: { ca?: string; cert?: string; key?: string };
}

/** Null when none is named. Throws SqlError 22023, and 58P01 for a file that is not there. */
export function parseRegistryOptions(given: Record<string, string>): RegistryOptions | null {
  const { schema_registry: text, schema_registry_username: user, schema_registry_password: password = '' } = given;
  if (text === undefined) {
    const stray = Object.keys(REGISTRY_OPTIONS).find((name) => name in given);
    if (stray !== undefined) throw badOption('schema_registry', '', `given when "${stray}" is`);
    return null;
  }
  return {
    urls: text.split(',').map((url) => urlOf(url.trim(), text)),
    auth: user === undefined ? null : `${user}:${password}`,
    tls: {
      ca: pem(given, 'schema_registry_ssl_ca'),
      cert: pem(given, 'schema_registry_ssl_cert'),
      key: pem(given, 'schema_registry_ssl_key'),
    },
  };
}

function urlOf(url: string, text: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol) || parsed.search !== '' || parsed.hash !== '') {
    // There may be a password in any of them.
    throw badOption('schema_registry', text.includes('@') ? '...' : text, REGISTRY_OPTIONS.schema_registry);
  }
  // Addresses are shown where there is trouble.
  if (parsed.username !== '' || parsed.password !== '') {
    throw badOption('schema_registry', '...', 'without a login, which schema_registry_username and _password are for');
  }
  return url.replace(/\/+$/, '');
}
