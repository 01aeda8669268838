/**
 * Text and binary of inet and cidr; the datum of both is that of network/address.ts.
 *
 *   binary: family (2 IPv4, 3 IPv6), prefix length, is cidr, number of address bytes, the bytes
 */

import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { registerCompare } from '../compare.ts';
import {
  type Address,
  addressText,
  compareAddresses,
  IPV4_BYTES,
  IPV6_BYTES,
  networkOf,
  parseAddress,
  sameBits,
  withLength,
} from '../network/address.ts';
import { registerIo } from './registry.ts';

const FAMILY_IPV4 = 2;
const FAMILY_IPV6 = 3;
const HEADER_BYTES = 4;

function isNetwork(address: Address): boolean {
  return sameBits(address.bytes, networkOf(address).bytes, address.bytes.length * 8);
}

function receive(bytes: Uint8Array, type: 'inet' | 'cidr'): Address {
  const length = bytes[3];
  const rest = [...bytes.subarray(HEADER_BYTES)];
  const family = length === IPV4_BYTES ? FAMILY_IPV4 : FAMILY_IPV6;
  if (rest.length !== length || (length !== IPV4_BYTES && length !== IPV6_BYTES) || bytes[0] !== family) {
    throw new SqlError('22P03', `invalid address family in external "${type}" value`);
  }
  if (bytes[1] > length * 8) throw new SqlError('22P03', `invalid bits in external "${type}" value`);
  return { bytes: rest, prefix: bytes[1] };
}

function send(d: string, cidr: 0 | 1): Uint8Array {
  const { bytes, prefix } = parseAddress(d);
  return Uint8Array.of(bytes.length === IPV4_BYTES ? FAMILY_IPV4 : FAMILY_IPV6, prefix, cidr, bytes.length, ...bytes);
}

registerIo(OID.inet, {
  in: (text) => addressText(parseAddress(text)),
  out: (d: string) => d,
  recv: (bytes) => addressText(receive(bytes, 'inet')),
  send: (d: string) => send(d, 0),
});
registerIo(OID.cidr, {
  in: (text) => {
    const address = parseAddress(text, 'cidr');
    if (isNetwork(address)) return addressText(address);
    throw new SqlError('22P02', `invalid cidr value: "${text}"`, { detail: 'Value has bits set to right of mask.' });
  },
  out: withLength,
  recv: (bytes) => {
    const address = receive(bytes, 'cidr');
    if (isNetwork(address)) return addressText(address);
    throw new SqlError('22P03', 'invalid external "cidr" value', { detail: 'Value has bits set to right of mask.' });
  },
  send: (d: string) => send(d, 1),
});
for (const oid of [OID.inet, OID.cidr]) registerCompare(oid, compareAddresses);
