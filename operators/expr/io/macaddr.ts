/** Text and binary (the bytes alone) of macaddr and macaddr8; the datum is that of network/mac.ts. */
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { registerCompare } from '../compare.ts';
import { macBytes, macText, parseMac, parseMac8, widened } from '../network/mac.ts';
import { compareText } from '../text/code_points.ts';
import { registerIo } from './registry.ts';

function received(bytes: Uint8Array, lengths: number[]): number[] {
  if (lengths.includes(bytes.length)) return [...bytes];
  throw bytes.length < lengths[0]
    ? new SqlError('08P01', 'insufficient data left in message')
    : new SqlError('22P03', 'incorrect binary data format');
}

registerIo(OID.macaddr, {
  in: parseMac,
  out: (d: string) => d,
  recv: (bytes) => macText(received(bytes, [6])),
  send: (d: string) => Uint8Array.from(macBytes(d)),
});
registerIo(OID.macaddr8, {
  in: parseMac8,
  out: (d: string) => d,
  recv: (bytes) => {
    const all = received(bytes, [6, 8]);
    return macText(all.length === 6 ? widened(all) : all);
  },
  send: (d: string) => Uint8Array.from(macBytes(d)),
});
for (const oid of [OID.macaddr, OID.macaddr8]) registerCompare(oid, compareText);
