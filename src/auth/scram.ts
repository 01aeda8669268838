/**
 * The server's side of SCRAM-SHA-256 (RFC 5802, 7677), without channel binding:
 *
 *   client  n,,n=,r=CLIENT                      server  r=CLIENT SERVER,s=SALT,i=ITERATIONS
 *   client  c=biws,r=CLIENT SERVER,p=PROOF      server  v=SIGNATURE, or the login fails
 *
 * For a user that is not there, or has no password, the exchange goes its whole way with a salt that is always the same for that name, so that nobody learns who is
 * there. The name in the messages is ignored: that of the startup packet counts.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { SqlError } from '../../operators/errors.ts';
import { hash, hmac, ITERATIONS, SALT_BYTES, type Verifier } from './verifier.ts';

export const MECHANISM = 'SCRAM-SHA-256';
const NONCE_BYTES = 18;

function malformed(detail: string): SqlError {
  return new SqlError('08P01', 'malformed SCRAM message', { severity: 'FATAL', detail });
}

/** A verifier that no password fits. */
export function mockVerifier(user: string, secret: Buffer): Verifier {
  const salt = hmac(secret, user).subarray(0, SALT_BYTES);
  return { iterations: ITERATIONS, salt, storedKey: randomBytes(32), serverKey: randomBytes(32) };
}

export class ScramServer {
  readonly #verifier: Verifier;
  readonly #serverNonce: string;
  /** What the client said first without its header, and that header. */
  #clientFirst = '';
  #header = '';
  #serverFirst = '';
  #nonce = '';

  constructor(verifier: Verifier, serverNonce = randomBytes(NONCE_BYTES).toString('base64')) {
    this.#verifier = verifier;
    this.#serverNonce = serverNonce;
  }

  /** Takes the client's first message and gives the server's. */
  first(message: string): string {
    const match = /^([^,]*),([^,]*),(.*)$/s.exec(message);
    if (match === null) throw malformed('Unexpected attribute in client-first-message.');
    const [, binding, identity, bare] = match;
    if (binding.startsWith('p='))
      throw new SqlError(
        '08P01',
        'client selected SCRAM-SHA-256 without channel binding, but says channel binding data',
        {
          severity: 'FATAL',
        },
      );
    if (binding !== 'n' && binding !== 'y')
      throw malformed(`Unexpected channel-binding flag "${binding.slice(0, 1)}".`);
    if (identity !== '')
      throw new SqlError('0A000', 'client uses authorization identity, but it is not supported', { severity: 'FATAL' });
    if (bare.startsWith('m='))
      throw new SqlError('0A000', 'client requires an unsupported SCRAM extension', { severity: 'FATAL' });
    const nonce = /^n=[^,]*,r=([\x21-\x2b\x2d-\x7e]+)(?:,|$)/.exec(bare)?.[1];
    if (nonce === undefined) throw malformed('The client-first-message has no nonce that can be printed.');
    this.#header = `${binding},,`;
    this.#clientFirst = bare;
    this.#nonce = nonce + this.#serverNonce;
    const { salt, iterations } = this.#verifier;
    this.#serverFirst = `r=${this.#nonce},s=${salt.toString('base64')},i=${iterations}`;
    return this.#serverFirst;
  }

  /** Takes the client's last message; gives the server's, or null when the password was not the one. */
  last(message: string): string | null {
    const match = /^(c=([^,]*),r=([^,]*)(?:,.*)?),p=([A-Za-z0-9+/]+={0,2})$/s.exec(message);
    if (match === null) throw malformed('Unexpected attribute in client-final-message.');
    const [, withoutProof, binding, nonce, sent] = match;
    if (binding !== Buffer.from(this.#header).toString('base64'))
      throw malformed('The channel binding is another than in the client-first-message.');
    if (nonce !== this.#nonce) throw malformed('Nonce does not match.');
    const { storedKey, serverKey } = this.#verifier;
    const proof = Buffer.from(sent, 'base64');
    if (proof.length !== storedKey.length) throw malformed('Malformed proof in client-final-message.');
    const said = `${this.#clientFirst},${this.#serverFirst},${withoutProof}`;
    const signature = hmac(storedKey, said);
    const clientKey = Buffer.from(proof.map((byte, i) => byte ^ signature[i]));
    if (!timingSafeEqual(hash(clientKey), storedKey)) return null;
    return `v=${hmac(serverKey, said).toString('base64')}`;
  }
}
