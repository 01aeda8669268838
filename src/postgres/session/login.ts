/**
 * Who a client is: what it must prove before it is a session, and what its role allows.
 *
 *   trust   nobody proves anything; a name that is no role is the bootstrap superuser's
 *   scram   the role's password, by SCRAM-SHA-256; nobody else comes in
 *
 * A client that cannot say its password has as long as its whole startup, and a place among the sessions only afterwards.
 */
import { createHash } from 'node:crypto';
import { SqlError } from '../../../operators/errors.ts';
import { MECHANISM, mockVerifier, ScramServer } from '../../auth/scram.ts';
import { parseVerifier } from '../../auth/verifier.ts';
import { BOOTSTRAP, type Role, type Roles } from '../../catalog/roles.ts';
import type { Connection } from '../wire/connection.ts';
import { AUTHENTICATE_SASL, authenticationSasl } from '../wire/control_message.ts';
import { MessageReader } from '../wire/message_reader.ts';
import { FRONTEND, fatalProtocol } from '../wire/protocol.ts';

export type AuthMode = 'trust' | 'scram';

/** PostgreSQL's limit for what a client says before it is let in. */
const MAX_BYTES = 65535;

/** The role of a session that begins; its name may be another, of nobody's. */
export interface Login {
  role: number;
  user: string;
}

/** FATAL when the client is not let in. `sessionsOf`: how many a role has. `now`: microseconds since 2000-01-01. */
export async function logIn(
  connection: Connection,
  user: string,
  roles: Roles | undefined,
  mode: AuthMode,
  sessionsOf: (role: number) => number,
  now: bigint,
): Promise<Login> {
  const known = roles?.find(user);
  if (mode === 'scram') await prove(connection, user, known, roles, now);
  // As in PostgreSQL it may have been dropped meanwhile.
  const role = roles?.find(user);
  if (role === undefined) {
    if (mode === 'scram') throw new SqlError('28000', `role "${user}" does not exist`, { severity: 'FATAL' });
    return { role: BOOTSTRAP, user };
  }
  if (!role.login) throw new SqlError('28000', `role "${user}" is not permitted to log in`, { severity: 'FATAL' });
  if (!role.superuser && role.connectionLimit >= 0 && sessionsOf(role.oid) >= role.connectionLimit)
    throw new SqlError('53300', `too many connections for role "${user}"`, { severity: 'FATAL' });
  return { role: role.oid, user };
}

async function prove(
  connection: Connection,
  user: string,
  role: Role | undefined,
  roles: Roles | undefined,
  now: bigint,
): Promise<void> {
  const usable = role?.password != null && (role.validUntil === null || now < role.validUntil);
  const verifier = usable ? parseVerifier(role.password as string) : null;
  const scram = new ScramServer(verifier ?? mockVerifier(user, secretOf(roles)));
  const failed = () =>
    new SqlError('28P01', `password authentication failed for user "${user}"`, { severity: 'FATAL' });
  send(connection, authenticationSasl(AUTHENTICATE_SASL.begin, Buffer.from(`${MECHANISM}\0\0`)));
  const first = new MessageReader(await answer(connection));
  const mechanism = first.cstring();
  if (mechanism !== MECHANISM) throw fatalProtocol('client selected an invalid SASL authentication mechanism');
  const length = first.int32();
  let said = length < 0 ? null : first.bytes(length).toString('utf8');
  first.end();
  if (said === null) {
    send(connection, authenticationSasl(AUTHENTICATE_SASL.goOn, Buffer.alloc(0)));
    said = (await answer(connection)).toString('utf8');
  }
  send(connection, authenticationSasl(AUTHENTICATE_SASL.goOn, Buffer.from(scram.first(said))));
  const last = scram.last((await answer(connection)).toString('utf8'));
  if (last === null || verifier === null) throw failed();
  send(connection, authenticationSasl(AUTHENTICATE_SASL.end, Buffer.from(last)));
}

/** The same for as long as the superuser has its password, so that a name that is nobody's looks the same after a restart. */
function secretOf(roles: Roles | undefined): Buffer {
  const superuser = roles?.all().find((role) => role.superuser && role.password !== null);
  return createHash('sha256')
    .update(`names that are nobody's ${superuser?.password ?? ''}`)
    .digest();
}

function send(connection: Connection, message: Buffer): void {
  connection.out.messages(message);
  connection.out.flush();
}

/** What the client says to a question. */
async function answer(connection: Connection): Promise<Buffer> {
  connection.limit(MAX_BYTES);
  try {
    for (;;) {
      const message = connection.next();
      if (message === null) {
        if (connection.ended) throw new SqlError('08006', 'connection to client lost', { severity: 'FATAL' });
        await connection.changed();
        continue;
      }
      if (message.type !== FRONTEND.password)
        throw fatalProtocol(`expected SASL response, got message type ${message.type}`);
      return message.body;
    }
  } finally {
    connection.limit(null);
  }
}
