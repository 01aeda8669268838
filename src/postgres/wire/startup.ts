/**
 * The opening of a connection up to the startup packet:
 *
 *   SSLRequest -> 'S' and a TLS handshake, or 'N'      GSSENCRequest -> 'N'      (in any order, each once at most)
 *   first byte 0x16: TLS without asking (PostgreSQL 17's sslnegotiation=direct)
 *   CancelRequest -> done, no answer                    StartupMessage -> the session
 *
 * Bytes that came in clear with an SSLRequest are refused: they could be a man in the middle's (CVE-2021-23222).
 */
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { SqlError } from '../../../operators/errors.ts';
import type { PostgresServerOptions } from '../options.ts';
import { fatalProtocol } from './protocol.ts';
import type { SocketConnection } from './socket_connection.ts';
import { readStartupPacket, type StartupPacket } from './startup_packet.ts';

const NO = Buffer.from('N');
const YES = Buffer.from('S');
const TLS_HANDSHAKE = 0x16;

export function secureContextOf(tls: PostgresServerOptions['tls']): SecureContext | null {
  return tls === undefined ? null : createSecureContext({ cert: tls.cert, key: tls.key, ca: tls.ca });
}

/** The startup or cancel packet; null when the client left before it sent one. Throws FATAL errors. */
export async function awaitStartup(
  connection: SocketConnection,
  secure: SecureContext | null,
): Promise<Extract<StartupPacket, { kind: 'startup' | 'cancel' }> | null> {
  const asked = new Set<string>();
  for (;;) {
    if (connection.ended) return null;
    if (connection.decoder.peek() === TLS_HANDSHAKE && !connection.encrypted) {
      if (secure === null) throw fatalProtocol('TLS is not available');
      await handshake(connection, secure);
      continue;
    }
    const body = connection.decoder.nextUntyped();
    if (body === null) {
      await connection.changed();
      continue;
    }
    const packet = readStartupPacket(body);
    if (packet.kind === 'startup' || packet.kind === 'cancel') return packet;
    if (asked.has(packet.kind)) throw fatalProtocol('encryption was requested twice');
    asked.add(packet.kind);
    if (packet.kind === 'gssenc' || secure === null || connection.encrypted) {
      connection.writeRaw(NO);
      continue;
    }
    if (connection.decoder.buffered > 0) {
      throw new SqlError('08P01', 'received unencrypted data after SSL request', {
        severity: 'FATAL',
        detail: 'This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.',
      });
    }
    connection.writeRaw(YES);
    await handshake(connection, secure);
  }
}

function handshake(connection: SocketConnection, secure: SecureContext): Promise<void> {
  return new Promise((resolve) => {
    const tls = new TLSSocket(connection.detach(), {
      isServer: true,
      secureContext: secure,
      ALPNProtocols: ['postgresql'],
    });
    connection.useTls(tls);
    tls.once('secure', () => resolve());
    tls.once('close', () => resolve());
  });
}
