/**
 * Who may ask, before anything is done for a request.
 *
 *   Host     without passwords a name that leads here may be anybody's (DNS rebinding: a page on evil.example whose name now means 127.0.0.1), so that only IP addresses,
 *            localhost and the name after --http are taken; with passwords such a page has none
 *   Origin, Sec-Fetch-Site   a browser says which page asks: only ours may, and who types the address (CSRF)
 *   Authorization            Basic: the password goes to the session, which proves it; not in clear from another machine
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Login } from '../postgres/wire/client_login.ts';
import { isLoopback } from '../postgres/wire/loopback.ts';
import { HttpError } from './errors.ts';
import type { HttpSettings } from './messages.ts';

/** A host's name without port; IPv6 without brackets. Null: it is none. */
function nameOf(host: string): string | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/.exec(host);
  return match === null ? null : (match[1] ?? match[2]).toLowerCase().replace(/\.$/, '');
}

function isOurs(name: string, { listen }: HttpSettings): boolean {
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost') || name === listen.host.toLowerCase();
}

/** Throws for a request that another's page makes a browser send. */
export function checkPage({ headers }: IncomingMessage, path: string, settings: HttpSettings): void {
  const { host, origin } = headers;
  const name = host === undefined ? null : nameOf(host);
  if (host === undefined || name === null) throw new HttpError(400, 'the Host header names no host');
  if (settings.auth === 'trust' && !isOurs(name, settings))
    throw new HttpError(421, `"${name}" is not a name of this server`, {
      hint: 'Without --auth scram only IP addresses, localhost and the name after --http are taken: any other may be that of another site, which would so get at the data.',
    });
  const foreign = (what: string) =>
    new HttpError(403, `the request comes from another site: ${what}`, {
      sqlstate: '42501',
      hint: 'Pages of other sites may not use this server through a browser.',
    });
  if (origin !== undefined && origin.replace(/^https?:\/\//, '').toLowerCase() !== host.toLowerCase())
    throw foreign(origin);
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return;
  // A link on another page to the console is no harm: it shows, and asks for itself.
  if (path === '/' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document') return;
  throw foreign(String(site));
}

/** The superuser, whom everybody is where nobody is asked. */
const EVERYBODY: Login = { user: 'tidemark', password: null };

/** Throws 401 when nobody has said who asks. */
export function loginOf(request: IncomingMessage, settings: HttpSettings): Login {
  const { authorization } = request.headers;
  if (settings.auth === 'scram' && settings.tls === null && !isLoopback(request.socket.remoteAddress ?? ''))
    throw new HttpError(403, 'passwords are not taken in clear from another machine', {
      sqlstate: '28000',
      hint: 'Start the server with --tls-cert and --tls-key, and use https.',
    });
  if (authorization === undefined) {
    if (settings.auth === 'trust') return EVERYBODY;
    throw unauthorized('this server asks for a name and a password');
  }
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1];
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1 || text.includes('\0')) throw unauthorized('the Authorization header is not of the scheme Basic');
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

export const CHALLENGE = { 'WWW-Authenticate': 'Basic realm="tidemark", charset="UTF-8"' };

function unauthorized(message: string): HttpError {
  return new HttpError(401, message, { sqlstate: '28000', headers: CHALLENGE });
}
