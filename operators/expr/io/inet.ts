/**
 * Text and binary of inet: an IPv4 or IPv6 address with an optional prefix length. The datum is PostgreSQL's text, in which a full
 * length is left out and IPv6 is shortened as RFC 5952 says.
 *
 *   binary: family (2 IPv4, 3 IPv6), prefix length, is cidr (0), number of address bytes, the bytes
 */

import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { registerCompare } from '../compare.ts';
import { registerIo } from './registry.ts';

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const FAMILY_IPV4 = 2;
const FAMILY_IPV6 = 3;
const HEADER_BYTES = 4;

export interface Address {
  bytes: number[];
  prefix: number;
}

function invalid(text: string): SqlError {
  return new SqlError('22P02', `invalid input syntax for type inet: "${text}"`);
}

function parseIpv4(text: string): number[] | null {
  const parts = text.split('.');
  if (parts.length !== IPV4_BYTES || parts.some((p) => !/^\d{1,3}$/.test(p) || Number(p) > 255)) return null;
  return parts.map(Number);
}

/** Groups of one side of `::`; the last may be an IPv4 address. */
function parseGroups(text: string): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    const dotted = i === groups.length - 1 && group.includes('.') ? parseIpv4(group) : null;
    if (dotted !== null) bytes.push(...dotted);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    } else return null;
  }
  return bytes;
}

function parseIpv6(text: string): number[] | null {
  const sides = text.split('::');
  if (sides.length > 2) return null;
  const head = parseGroups(sides[0]);
  const tail = parseGroups(sides[1] ?? '');
  if (head === null || tail === null) return null;
  const missing = IPV6_BYTES - head.length - tail.length;
  if (sides.length === 1 ? missing !== 0 : missing < 2) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** The parts of a datum, or of what a client writes. Throws 22P02. */
export function parseAddress(text: string): Address {
  const match = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text.trim());
  const bytes = match === null ? null : match[1].includes(':') ? parseIpv6(match[1]) : parseIpv4(match[1]);
  if (match === null || bytes === null) throw invalid(text);
  const prefix = match[2] === undefined ? bytes.length * 8 : Number(match[2]);
  if (prefix > bytes.length * 8) throw invalid(text);
  return { bytes, prefix };
}

/** Position and length of the longest run of zero groups, the first of equals; runs of one stay written out. */
function longestZeros(groups: number[]): { at: number; length: number } {
  let best = { at: -1, length: 1 };
  for (let at = 0; at < groups.length; at++) {
    let length = 0;
    while (groups[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
    at += length;
  }
  return best;
}

function ipv6Text(bytes: number[]): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes[2 * i] * 256 + bytes[2 * i + 1]);
  const zeros = longestZeros(groups);
  // An IPv4 address inside of IPv6 keeps its dots: ::1.2.3.4, ::ffff:1.2.3.4.
  const mapped = zeros.at === 0 && (zeros.length === 6 || (zeros.length === 5 && groups[5] === 0xffff));
  if (mapped) return `::${zeros.length === 5 ? 'ffff:' : ''}${bytes.slice(12).join('.')}`;
  const hex = (from: number, to?: number) =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(':');
  return zeros.at < 0 ? hex(0) : `${hex(0, zeros.at)}::${hex(zeros.at + zeros.length)}`;
}

function addressText({ bytes, prefix }: Address): string {
  const host = bytes.length === IPV4_BYTES ? bytes.join('.') : ipv6Text(bytes);
  return prefix === bytes.length * 8 ? host : `${host}/${prefix}`;
}

/** The cast to text: the prefix length is there even when it is full. */
export function inetWithLength(d: string): string {
  return d.includes('/') ? d : `${d}/${parseAddress(d).prefix}`;
}

registerIo(OID.inet, {
  in: (text) => addressText(parseAddress(text)),
  out: (d: string) => d,
  recv: (bytes) => {
    const length = bytes[3];
    const rest = [...bytes.subarray(HEADER_BYTES)];
    const family = length === IPV4_BYTES ? FAMILY_IPV4 : FAMILY_IPV6;
    if (rest.length !== length || (length !== IPV4_BYTES && length !== IPV6_BYTES) || bytes[0] !== family) {
      throw new SqlError('22P03', 'invalid address family in external "inet" value');
    }
    if (bytes[1] > length * 8) throw new SqlError('22P03', 'invalid bits in external "inet" value');
    return addressText({ bytes: rest, prefix: bytes[1] });
  },
  send: (d: string) => {
    const { bytes, prefix } = parseAddress(d);
    return Uint8Array.of(bytes.length === IPV4_BYTES ? FAMILY_IPV4 : FAMILY_IPV6, prefix, 0, bytes.length, ...bytes);
  },
});

export function compareAddresses(a: string, b: string): number {
  const x = parseAddress(a);
  const y = parseAddress(b);
  if (x.bytes.length !== y.bytes.length) return x.bytes.length - y.bytes.length;
  const common = Math.min(x.prefix, y.prefix);
  for (let bit = 0; bit < common; bit++) {
    const shift = 7 - (bit & 7);
    const difference = ((x.bytes[bit >> 3] >> shift) & 1) - ((y.bytes[bit >> 3] >> shift) & 1);
    if (difference !== 0) return difference;
  }
  if (x.prefix !== y.prefix) return x.prefix - y.prefix;
  for (let i = 0; i < x.bytes.length; i++) if (x.bytes[i] !== y.bytes[i]) return x.bytes[i] - y.bytes[i];
  return 0;
}
registerCompare(OID.inet, compareAddresses);
