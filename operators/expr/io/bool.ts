/** Text and binary of boolean: any prefix of true, false, yes, no, on, off, and 1, 0. */
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { trimBlanks } from '../decimal/text.ts';
import { registerIo } from './registry.ts';
import { fixed } from './wire.ts';

/** Parses a boolean; 22P02 when it is none. */
export function parseBool(text: string): boolean {
  const t = trimBlanks(text).toLowerCase();
  if (t !== '') {
    if ('true'.startsWith(t) || 'yes'.startsWith(t) || t === 'on' || t === '1') return true;
    if ('false'.startsWith(t) || 'no'.startsWith(t) || t === 'of' || t === 'off' || t === '0') return false;
  }
  throw new SqlError('22P02', `invalid input syntax for type boolean: "${text}"`);
}

registerIo(OID.bool, {
  in: parseBool,
  out: (d: boolean) => (d ? 't' : 'f'),
  recv: (bytes) => fixed(bytes, 1).getUint8(0) !== 0,
  send: (d: boolean) => Uint8Array.of(d ? 1 : 0),
});
