/** The client's side of SCRAM-SHA-256 (see scram.ts for the words): for who has a password and logs in with it, as the HTTP server does for its clients. */
import { pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { SqlError } from '../../operators/errors.ts';
import { saslprep } from './saslprep.ts';
import { hash, hmac } from './verifier.ts';

const derive = promisify(pbkdf2);
const NONCE_BYTES = 18;
const KEY_BYTES = 32;
/** Of verifiers that somebody made elsewhere: more would keep a thread for minutes. */
const MOST_ITERATIONS = 1_000_000;

function unexpected(detail: string): SqlError {
  return new SqlError('08P01', 'malformed SCRAM message', { detail });
}

export class ScramClient {
  readonly #password: string;
  readonly #nonce: string;
  readonly #bare: string;
  #serverSignature: Buffer | null = null;

  constructor(password: string, nonce = randomBytes(NONCE_BYTES).toString('base64')) {
    this.#password = password;
    this.#nonce = nonce;
    this.#bare = `n=,r=${nonce}`;
  }

  first(): string {
    return `n,,${this.#bare}`;
  }

  /** Takes the server's first message and gives the proof. */
  async last(serverFirst: string): Promise<string> {
    const match = /^r=([^,]+),s=([A-Za-z0-9+/]+={0,2}),i=(\d+)$/.exec(serverFirst);
    if (match === null || !match[1].startsWith(this.#nonce)) throw unexpected('The server-first-message is none.');
    const [, nonce, salt, iterations] = match;
    if (Number(iterations) > MOST_ITERATIONS) throw unexpected(`${iterations} iterations are too many.`);
    const salted = await derive(
      saslprep(this.#password),
      Buffer.from(salt, 'base64'),
      Number(iterations),
      KEY_BYTES,
      'sha256',
    );
    const withoutProof = `c=${Buffer.from('n,,').toString('base64')},r=${nonce}`;
    const said = `${this.#bare},${serverFirst},${withoutProof}`;
    const clientKey = hmac(salted, 'Client Key');
    const signature = hmac(hash(clientKey), said);
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), said);
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]));
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  /** Throws when the server does not know the password's verifier itself. */
  check(serverLast: string): void {
    const said = Buffer.from(/^v=([A-Za-z0-9+/]+={0,2})$/.exec(serverLast)?.[1] ?? '', 'base64');
    const own = this.#serverSignature;
    if (own === null || said.length !== own.length || !timingSafeEqual(said, own))
      throw unexpected("The server's signature is not right.");
  }
}
