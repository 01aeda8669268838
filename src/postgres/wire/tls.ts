/**
 * TLS for a client's socket: the certificate and key as the handshake wants them, and the handshake.
 *
 * The socket under it stays in the listener's hands, which may destroy it at any time; what the client sent in clear before must have been taken out.
 *
 * Trap: a socket that was wrapped by hand tells what goes wrong after the handshake (a damaged record, a renegotiation) by '_tlsError' alone and stays open, as only Node's own
 * TLS server lets go of it; so that event ends it here.
 */
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';

/** What the server shows its clients: PEM texts, the certificate's chain behind it. */
export interface TlsPair {
  cert: string;
  key: string;
}

/** The protocol's name in ALPN, as PostgreSQL 17 and its clients use it. */
export const ALPN = 'postgresql';

/** How a connection is encrypted, as pg_stat_ssl shows it. */
export interface TlsState {
  /** Such as TLSv1.3. */
  version: string | null;
  /** As OpenSSL calls it. */
  cipher: string;
  /** Of the cipher's key; null: not known. */
  bits: number | null;
}

/** What every listener of the server offers. */
export function secureOptionsOf({ cert, key }: TlsPair): SecureContextOptions {
  return {
    cert,
    key,
    minVersion: 'TLSv1.2',
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** Throws what OpenSSL says of a pair that is none. */
export function secureContextOf(pair: TlsPair): SecureContext {
  return createSecureContext(secureOptionsOf(pair));
}

/** Wraps a socket from which nothing is read. `failed` is told what went wrong; 'secure' or 'close' comes in any case. */
export function secured(socket: Socket, secureContext: SecureContext, failed: (error: Error) => void): TLSSocket {
  const tls = new TLSSocket(socket, {
    isServer: true,
    secureContext,
    ALPNProtocols: [ALPN],
    // As of the socket below: it is where back-pressure begins.
    highWaterMark: socket.writableHighWaterMark,
  } as ConstructorParameters<typeof TLSSocket>[1]);
  tls.on('_tlsError', (error: Error) => {
    failed(error);
    tls.destroy();
  });
  return tls;
}

export function stateOf(tls: TLSSocket): TlsState {
  const cipher = tls.getCipher().name;
  return { version: tls.getProtocol(), cipher, bits: keyBits(cipher) };
}

function keyBits(cipher: string): number | null {
  if (cipher.includes('CHACHA20')) return 256;
  const bits = /(?:AES|ARIA|CAMELLIA)_?(128|256)/.exec(cipher)?.[1];
  return bits === undefined ? null : Number(bits);
}
