/**
 * What is kept of a password (RFC 5802), as PostgreSQL writes it:
 *
 *   SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey        H(HMAC(salted, 'Client Key')), HMAC(salted, 'Server Key'), in base64
 *
 * Who reads it can neither log in with it nor tell the password, but by trying.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { SqlError } from '../../operators/errors.ts';
import { saslprep } from './saslprep.ts';

export interface Verifier {
  iterations: number;
  salt: Buffer;
  storedKey: Buffer;
  serverKey: Buffer;
}

export const ITERATIONS = 4096;
export const SALT_BYTES = 16;
const KEY_BYTES = 32;
const FORM = /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]+={0,2}):([A-Za-z0-9+/]+={0,2})$/;

export const hmac = (key: Buffer, text: string | Buffer): Buffer => createHmac('sha256', key).update(text).digest();
export const hash = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

/** Null when the text is none. */
export function parseVerifier(text: string): Verifier | null {
  const match = FORM.exec(text);
  if (match === null) return null;
  const [salt, storedKey, serverKey] = match.slice(2).map((part) => Buffer.from(part, 'base64'));
  const iterations = Number(match[1]);
  if (iterations < 1 || iterations > 2147483647 || storedKey.length !== KEY_BYTES || serverKey.length !== KEY_BYTES)
    return null;
  return { iterations, salt, storedKey, serverKey };
}

function keysOf(password: string, salt: Buffer, iterations: number): Pick<Verifier, 'storedKey' | 'serverKey'> {
  const salted = pbkdf2Sync(saslprep(password), salt, iterations, KEY_BYTES, 'sha256');
  return { storedKey: hash(hmac(salted, 'Client Key')), serverKey: hmac(salted, 'Server Key') };
}

function verifierText({ iterations, salt, storedKey, serverKey }: Verifier): string {
  const [s, stored, server] = [salt, storedKey, serverKey].map((bytes) => bytes.toString('base64'));
  return `SCRAM-SHA-256$${iterations}:${s}$${stored}:${server}`;
}

/** What is kept of a password that a statement gives: of one in the clear a verifier, of a verifier itself. Of none at all: null. */
export function keptPassword(password: string | null): string | null {
  if (password === null || password === '') return null;
  if (parseVerifier(password) !== null) return password;
  if (/^md5[0-9a-f]{32}$/.test(password))
    throw new SqlError('0A000', 'MD5 passwords are not supported', {
      hint: "Give the password itself, or a SCRAM-SHA-256 verifier (psql: SET password_encryption = 'scram-sha-256').",
    });
  const salt = randomBytes(SALT_BYTES);
  return verifierText({ iterations: ITERATIONS, salt, ...keysOf(password, salt, ITERATIONS) });
}

/** Whether it is the password that a verifier was made of. */
export function isPassword(password: string, verifier: string): boolean {
  const known = parseVerifier(verifier);
  if (known === null) return false;
  return timingSafeEqual(keysOf(password, known.salt, known.iterations).storedKey, known.storedKey);
}
