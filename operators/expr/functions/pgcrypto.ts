/** Functions of the extension pgcrypto: hashes and random bytes. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { SqlError } from '../../errors.ts';
import { register } from './registry.ts';

const MOST_RANDOM = 1024;

function hashed<T>(algorithm: string, make: (name: string) => T): T {
  try {
    return make(algorithm.toLowerCase());
  } catch {
    throw new SqlError('22023', `Cannot use "${algorithm}": No such hash algorithm`);
  }
}

function digest(data: string | Uint8Array, algorithm: string): Uint8Array {
  return hashed(algorithm, (name) => createHash(name))
    .update(data)
    .digest();
}
register('digest(text,text)', digest);
register('digest(bytea,text)', digest);

function hmac(data: string | Uint8Array, key: string | Uint8Array, algorithm: string): Uint8Array {
  return hashed(algorithm, (name) => createHmac(name, key))
    .update(data)
    .digest();
}
register('hmac(text,text,text)', hmac);
register('hmac(bytea,bytea,text)', hmac);

register('gen_random_bytes(int4)', (count: number) => {
  if (count < 1 || count > MOST_RANDOM) throw new SqlError('39000', 'Length not in range');
  return randomBytes(count);
});
