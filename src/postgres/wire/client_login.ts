/**
 * The client's side of logging in, after its startup packet: until ReadyForQuery.
 *
 *   AuthenticationSASL -> SCRAM-SHA-256        MD5Password, CleartextPassword -> PasswordMessage        Ok -> settings, key -> ReadyForQuery
 */
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { serialize } from 'pg-protocol';
import { SqlError } from '../../../operators/errors.ts';
import { MECHANISM } from '../../auth/scram.ts';
import { ScramClient } from '../../auth/scram_client.ts';
import { type BackendReader, errorOf } from './backend_reader.ts';

export interface Login {
  user: string;
  /** Null: none is known. */
  password: string | null;
}

/** Throws 28P01 and so on when it is not let in. */
export async function logIn(stream: Duplex, reader: BackendReader, { user, password }: Login): Promise<void> {
  const known = () => {
    if (password === null) throw new SqlError('28P01', `user "${user}" has to say a password`);
    return password;
  };
  let scram: ScramClient | null = null;
  for (;;) {
    const message = await reader.next();
    switch (message.name) {
      case 'error':
        throw errorOf(message);
      case 'readyForQuery':
        return;
      case 'authenticationCleartextPassword':
        stream.write(serialize.password(known()));
        break;
      case 'authenticationMD5Password':
        stream.write(serialize.password(md5Answer(user, known(), message.salt)));
        break;
      case 'authenticationSASL':
        scram = new ScramClient(known());
        stream.write(serialize.sendSASLInitialResponseMessage(MECHANISM, scram.first()));
        break;
      case 'authenticationSASLContinue':
        if (scram !== null) stream.write(serialize.sendSCRAMClientFinalMessage(await scram.last(message.data)));
        break;
      case 'authenticationSASLFinal':
        scram?.check(message.data);
    }
  }
}

function md5Answer(user: string, password: string, salt: Buffer): string {
  const md5 = (...parts: (string | Buffer)[]) => {
    const hash = createHash('md5');
    for (const part of parts) hash.update(part);
    return hash.digest('hex');
  };
  return `md5${md5(md5(password, user), salt)}`;
}
