/**
 * IP addresses as inet and cidr write them. The datum of both types is PostgreSQL's text of an inet: an IPv4 or IPv6 address,
 * `/prefix` unless it is of full length, IPv6 shortened. So equal values have equal datums, and a cidr is an inet without a
 * conversion; cidr's output adds the length that the datum leaves out.
 *
 *   inet   10.1.2.3/24     host and network       fewer than four numbers need a prefix: 10.1/16
 *   cidr   10.1.0.0/16     network alone          a prefix that is not there follows from the class: 10 is 10.0.0.0/8
 */
import { SqlError } from '../../errors.ts';

export const IPV4_BYTES = 4;
export const IPV6_BYTES = 16;

export interface Address {
  bytes: number[];
  /** Bits of the network, 0 to 32 or 128. */
  prefix: number;
}

type Kind = 'inet' | 'cidr';

function invalid(text: string, kind: Kind): SqlError {
  return new SqlError('22P02', `invalid input syntax for type ${kind}: "${text}"`);
}

const DOT = 46;
const ZERO = 48;

/** One to four numbers up to 255 between dots. */
function parseIpv4(text: string): number[] | null {
  const bytes: number[] = [];
  let value = -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (value < 0 || bytes.length === IPV4_BYTES - 1) return null;
      bytes.push(value);
      value = -1;
    } else {
      if (code < ZERO || code > ZERO + 9) return null;
      value = Math.max(value, 0) * 10 + code - ZERO;
      if (value > 255) return null;
    }
  }
  if (value < 0) return null;
  bytes.push(value);
  return bytes;
}

/** An IPv4 address inside of IPv6: four numbers without leading zeros. */
function parseDotted(text: string): number[] | null {
  const bytes = /(^|\.)0\d/.test(text) ? null : parseIpv4(text);
  return bytes?.length === IPV4_BYTES ? bytes : null;
}

/** Groups of one side of `::`; the last one of an address may be an IPv4 address. */
function parseGroups(text: string, last: boolean): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    const dotted = last && i === groups.length - 1 && group.includes('.') ? parseDotted(group) : null;
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
  const head = parseGroups(sides[0], sides.length === 1);
  const tail = parseGroups(sides[1] ?? '', true);
  if (head === null || tail === null) return null;
  const missing = IPV6_BYTES - head.length - tail.length;
  if (sides.length === 1 ? missing !== 0 : missing < 2) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** The prefix of a cidr that names none: by the class of its network, but no less than what is written out. */
function prefixOfClass(bytes: number[]): number {
  const [first] = bytes;
  const byClass = first >= 240 ? 32 : first >= 224 ? 8 : first >= 192 ? 24 : first >= 128 ? 16 : 8;
  const prefix = Math.max(byClass, bytes.length * 8);
  return first === 224 && prefix === 8 ? 4 : prefix;
}

/** The parts of what a client writes, or of a datum. Throws 22P02. */
export function parseAddress(text: string, kind: Kind = 'inet'): Address {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const digits = slash < 0 ? null : text.slice(slash + 1);
  const v6 = host.includes(':');
  const bytes = v6 ? parseIpv6(host) : parseIpv4(host);
  if (bytes === null) throw invalid(text, kind);
  const bits = (v6 ? IPV6_BYTES : IPV4_BYTES) * 8;
  if (digits !== null) {
    const prefix = (v6 ? /^(0|[1-9]\d{0,2})$/ : /^\d+$/).test(digits) ? Number(digits) : -1;
    // Of the numbers of an inet only those right of its prefix may be left out.
    if (prefix < 0 || prefix > bits || (kind === 'inet' && prefix >> 3 > bytes.length)) throw invalid(text, kind);
    return { bytes: filled(bytes, bits), prefix };
  }
  if (v6 || bytes.length === IPV4_BYTES) return { bytes, prefix: bits };
  if (kind === 'inet') throw invalid(text, kind);
  const prefix = prefixOfClass(bytes);
  return { bytes: filled(bytes, bits), prefix };
}

function filled(bytes: number[], bits: number): number[] {
  while (bytes.length < bits / 8) bytes.push(0);
  return bytes;
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
  const mapped = zeros.length === 5 && groups[5] === 0xffff;
  if (zeros.at === 0 && (mapped || zeros.length === 6)) return `::${mapped ? 'ffff:' : ''}${bytes.slice(12).join('.')}`;
  const hex = (from: number, to?: number) =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(':');
  return zeros.at < 0 ? hex(0) : `${hex(0, zeros.at)}::${hex(zeros.at + zeros.length)}`;
}

/** The host alone. */
export function hostText(bytes: number[]): string {
  return bytes.length === IPV4_BYTES ? bytes.join('.') : ipv6Text(bytes);
}

/** The datum. */
export function addressText({ bytes, prefix }: Address): string {
  const host = hostText(bytes);
  return prefix === bytes.length * 8 ? host : `${host}/${prefix}`;
}

/** Output of cidr, and the cast of both types to text: the prefix length is there even when it is full. */
export function withLength(d: string): string {
  return d.includes('/') ? d : `${d}/${d.includes(':') ? 128 : 32}`;
}

/** The bits of a mask of `prefix` ones. */
export function maskBytes(prefix: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (0xff00 >> Math.min(Math.max(prefix - 8 * i, 0), 8)) & 0xff);
}

/** The address with all bits right of its prefix zero. */
export function networkOf({ bytes, prefix }: Address): Address {
  const mask = maskBytes(prefix, bytes.length);
  return { bytes: bytes.map((b, i) => b & mask[i]), prefix };
}

/** True when the first `bits` bits of two addresses of one family are equal. */
export function sameBits(a: number[], b: number[], bits: number): boolean {
  return commonBits(a, b) >= bits;
}

/** How many bits from the left two addresses of one family have in common. */
export function commonBits(a: number[], b: number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return 8 * i + Math.clz32(a[i] ^ b[i]) - 24;
  return a.length * 8;
}

/** The order of inet: IPv4 first, then by the network's bits, the length of the prefix, the host. */
export function compareAddresses(a: string, b: string): number {
  if (a === b) return 0;
  const x = parseAddress(a);
  const y = parseAddress(b);
  if (x.bytes.length !== y.bytes.length) return x.bytes.length - y.bytes.length;
  const common = commonBits(x.bytes, y.bytes);
  const differs = common < Math.min(x.prefix, y.prefix);
  if (!differs && x.prefix !== y.prefix) return x.prefix - y.prefix;
  return x.bytes[common >> 3] - y.bytes[common >> 3];
}

/** `abbrev(cidr)`: without the numbers that are all host, 10.1/16. IPv6 stays whole: PostgreSQL's short forms of two networks may be the same. */
export function abbreviated(d: string): string {
  const { bytes, prefix } = parseAddress(d);
  if (bytes.length === IPV6_BYTES) return withLength(d);
  return `${bytes.slice(0, Math.max(1, Math.ceil(prefix / 8))).join('.')}/${prefix}`;
}
