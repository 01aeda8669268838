/**
 * The opening of a connection up to the startup packet:
 *
 *   SSLRequest -> 'S' and a TLS handshake, or 'N'      GSSENCRequest -> 'N'      (in any order, each once at most)
 *   first byte 0x16: TLS without asking (PostgreSQL 17's sslnegotiation=direct)
 *   CancelRequest -> done, no answer                    StartupMessage -> the session
 *
 * Bytes that came in clear with an SSLRequest are refused: they could be a man in the middle's (CVE-2021-23222).
 */
import type { SecureContext } from 'node:tls';
import { SqlError } from '../../../operators/errors.ts';
import type { Log } from '../options.ts';
import { fatalProtocol } from './protocol.ts';
import type { SocketConnection } from './socket_connection.ts';
import { readStartupPacket, type StartupPacket } from './startup_packet.ts';
import { ALPN, secured } from './tls.ts';

const NO = Buffer.from('N');
const YES = Buffer.from('S');
const TLS_HANDSHAKE = 0x16;

/** The startup or cancel packet; null when the client left before it sent one. Throws FATAL errors. */
export async function awaitStartup(
  connection: SocketConnection,
  secure: SecureContext | null,
  log?: Log,
): Promise<Extract<StartupPacket, { kind: 'startup' | 'cancel' }> | null> {
  const asked = new Set<string>();
  for (;;) {
    if (connection.ended) return null;
    if (connection.decoder.peek() === TLS_HANDSHAKE && connection.peer.tls === null) {
      if (secure === null) throw fatalProtocol('TLS is not available');
      const protocol = await handshake(connection, secure, log);
      // A client of another protocol may have been led here (RFC 7301): who asks in words first is no such client.
      if (protocol !== ALPN && !connection.ended)
        throw fatalProtocol('received direct SSL connection request without ALPN protocol negotiation extension');
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
    if (packet.kind === 'gssenc' || secure === null || connection.peer.tls !== null) {
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
    await handshake(connection, secure, log);
  }
}

/** The protocol that was agreed upon, if one was; when it fails, the connection has ended. */
async function handshake(connection: SocketConnection, secure: SecureContext, log?: Log): Promise<string | false> {
  const tls = secured(connection.detach(), secure, (error) => {
    const client = `${connection.peer.address}:${connection.peer.port}`;
    log?.('info', `TLS with ${client} ended: ${error.message}`);
  });
  const done = new Promise<void>((resolve) => {
    tls.once('secure', resolve);
    tls.once('close', () => resolve());
  });
  connection.useTls(tls);
  await done;
  return tls.alpnProtocol ?? false;
}
