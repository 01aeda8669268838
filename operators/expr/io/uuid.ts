/** Text and binary of uuid. Input takes any case, braces around, and hyphens after any group of four digits. */
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { registerCompare } from '../compare.ts';
import { registerIo } from './registry.ts';
import { fixed } from './wire.ts';

const UUID = /^(\{)?[0-9a-f]{4}(?:-?[0-9a-f]{4}){7}(\})?$/i;

/** The datum of 16 bytes. */
export function uuidOfBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The 16 bytes of a datum. */
export function uuidBytes(d: string): Uint8Array {
  return new Uint8Array(Buffer.from(d.replaceAll('-', ''), 'hex'));
}

registerIo(OID.uuid, {
  in: (text) => {
    const m = UUID.exec(text);
    if (!m || (m[1] === undefined) !== (m[2] === undefined)) {
      throw new SqlError('22P02', `invalid input syntax for type uuid: "${text}"`);
    }
    return uuidOfBytes(uuidBytes(text.toLowerCase().replace(/[{}]/g, '')));
  },
  out: (d: string) => d,
  recv: (bytes) => {
    fixed(bytes, 16);
    return uuidOfBytes(bytes);
  },
  send: uuidBytes,
});
registerCompare(OID.uuid, (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0));
