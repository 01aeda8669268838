/** Functions over inet and cidr: order, containment, the parts of an address, arithmetic on its bits. */
import { SqlError } from '../../errors.ts';
import {
  type Address,
  abbreviated,
  addressText,
  commonBits,
  compareAddresses,
  hostText,
  IPV4_BYTES,
  maskBytes,
  networkOf,
  parseAddress,
  sameBits,
  withLength,
} from '../network/address.ts';
import { comparisons, larger, support } from './comparisons.ts';
import { register } from './registry.ts';

comparisons('network_', 'inet', 'inet', compareAddresses);
support('network_cmp(inet,inet)', compareAddresses);
larger('network_larger', 'network_smaller', 'inet', compareAddresses);

/** Whether the first network holds the second, which is as long or longer; `holds` says what of the two lengths is enough. */
function containment(fn: string, holds: (a: number, b: number) => boolean): void {
  register(`${fn}(inet,inet)`, (a: string, b: string) => {
    const [x, y] = [parseAddress(a), parseAddress(b)];
    if (x.bytes.length !== y.bytes.length || !holds(x.prefix, y.prefix)) return false;
    return sameBits(x.bytes, y.bytes, Math.min(x.prefix, y.prefix));
  });
}
containment('network_sub', (a, b) => a > b);
containment('network_subeq', (a, b) => a >= b);
containment('network_sup', (a, b) => a < b);
containment('network_supeq', (a, b) => a <= b);
containment('network_overlap', () => true);

const full = (bytes: number[]) => addressText({ bytes, prefix: bytes.length * 8 });
const opposite = (bytes: number[]) => bytes.map((b) => b ^ 0xff);
const maskOf = ({ bytes, prefix }: Address) => maskBytes(prefix, bytes.length);

register('host(inet)', (d: string) => hostText(parseAddress(d).bytes));
register('text(inet)', withLength);
register('abbrev(inet)', (d: string) => d);
register('abbrev(cidr)', abbreviated);
register('family(inet)', (d: string) => (parseAddress(d).bytes.length === IPV4_BYTES ? 4 : 6));
register('masklen(inet)', (d: string) => parseAddress(d).prefix);
register('netmask(inet)', (d: string) => full(maskOf(parseAddress(d))));
register('hostmask(inet)', (d: string) => full(opposite(maskOf(parseAddress(d)))));
for (const name of ['network', 'cidr'])
  register(`${name}(inet)`, (d: string) => addressText(networkOf(parseAddress(d))));
register('broadcast(inet)', (d: string) => {
  const address = parseAddress(d);
  const mask = maskOf(address);
  return addressText({ bytes: address.bytes.map((b, i) => b | (mask[i] ^ 0xff)), prefix: address.prefix });
});
register(
  'inet_same_family(inet,inet)',
  (a: string, b: string) => parseAddress(a).bytes.length === parseAddress(b).bytes.length,
);
register('inet_merge(inet,inet)', (a: string, b: string) => {
  const [x, y] = [parseAddress(a), parseAddress(b)];
  if (x.bytes.length !== y.bytes.length) {
    throw new SqlError('22023', 'cannot merge addresses from different families');
  }
  const prefix = Math.min(x.prefix, y.prefix, commonBits(x.bytes, y.bytes));
  return addressText(networkOf({ bytes: x.bytes, prefix }));
});

/** -1 means the full length. */
function withPrefix(d: string, length: number): Address {
  const { bytes } = parseAddress(d);
  const prefix = length === -1 ? bytes.length * 8 : length;
  if (prefix < 0 || prefix > bytes.length * 8) throw new SqlError('22023', `invalid mask length: ${length}`);
  return { bytes, prefix };
}
register('set_masklen(inet,int4)', (d: string, length: number) => addressText(withPrefix(d, length)));
register('set_masklen(cidr,int4)', (d: string, length: number) => addressText(networkOf(withPrefix(d, length))));

register('inetnot(inet)', (d: string) => {
  const { bytes, prefix } = parseAddress(d);
  return addressText({ bytes: opposite(bytes), prefix });
});
for (const [fn, word, both] of [
  ['inetand', 'AND', (a: number, b: number) => a & b],
  ['inetor', 'OR', (a: number, b: number) => a | b],
] as const) {
  register(`${fn}(inet,inet)`, (a: string, b: string) => {
    const [x, y] = [parseAddress(a), parseAddress(b)];
    if (x.bytes.length !== y.bytes.length) {
      throw new SqlError('22023', `cannot ${word} inet values of different sizes`);
    }
    const prefix = Math.max(x.prefix, y.prefix);
    return addressText({ bytes: x.bytes.map((byte, i) => both(byte, y.bytes[i])), prefix });
  });
}

const outOfRange = () => new SqlError('22003', 'result is out of range');

function numberOf(bytes: number[]): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function add(d: string, n: bigint): string {
  const { bytes, prefix } = parseAddress(d);
  let rest = numberOf(bytes) + n;
  if (rest < 0n || rest >> BigInt(bytes.length * 8) !== 0n) throw outOfRange();
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  return addressText({ bytes, prefix });
}
register('inetpl(inet,int8)', add);
register('int8pl_inet(int8,inet)', (n: bigint, d: string) => add(d, n));
register('inetmi_int8(inet,int8)', (d: string, n: bigint) => add(d, -n));
register('inetmi(inet,inet)', (a: string, b: string) => {
  const [x, y] = [parseAddress(a), parseAddress(b)];
  if (x.bytes.length !== y.bytes.length) throw new SqlError('22023', 'cannot subtract inet values of different sizes');
  const difference = numberOf(x.bytes) - numberOf(y.bytes);
  if (BigInt.asIntN(64, difference) !== difference) throw outOfRange();
  return difference;
});
