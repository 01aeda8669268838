/** inet, cidr, macaddr and macaddr8 against PostgreSQL: what is read, and every function over random addresses. */
import { after, before, test } from 'node:test';
import { Random, testSeed } from '../../testing/property.ts';
import { type Call, Oracle, report } from '../testing/oracle.ts';

let oracle: Oracle;
before(async () => {
  oracle = await Oracle.start();
});
after(() => oracle.close());

const random = new Random(testSeed('addresses'));
const int = (n: number) => random.below(n);
const pick = <T>(items: readonly T[]): T => random.pick(items);
const ROUNDS = 300;

const byte = () => pick([0, 1, 2, 10, 127, 128, 192, 223, 224, 225, 240, 255, int(256)]);
const group = () => pick(['0', '0', '0', '1', 'ffff', 'FFFF', 'a0', 'db8', int(65536).toString(16)]);
const repeat = (n: number, f: () => string | number, between: string) => Array.from({ length: n }, f).join(between);

function ipv4(): string {
  return repeat(4, byte, '.');
}

function ipv6(): string {
  const n = int(8);
  const tail = int(5) === 0 ? ipv4() : group();
  const sides = [repeat(n, group, ':'), repeat(int(7 - n), group, ':')];
  return pick([repeat(8, group, ':'), sides.join('::'), `${repeat(6, group, ':')}:${ipv4()}`, `${sides[0]}::${tail}`]);
}

function inet(): string {
  if (int(2) === 0) return ipv4() + pick(['', `/${int(33)}`]);
  return ipv6() + pick(['', `/${int(129)}`]);
}

/** What may be wrong somewhere. PostgreSQL takes a point or colon after the last number, and numbers missing between points inside of IPv6; here they are refused. */
function spoiled(text: string): string {
  const at = int(text.length + 1);
  const inserted = pick(['0', '9', '.', ':', '/', 'f', ' ', '-', 'x', '::', '/8']);
  const texts = [text, text.slice(0, at) + inserted + text.slice(at), text.slice(0, at) + text.slice(at + 1)];
  const chosen = pick(texts).replace(/(?<!:)[.:](?=\/|$)/, '');
  return chosen.includes(':') && chosen.includes('.') ? text : chosen;
}

function short(): string {
  return repeat(1 + int(4), byte, '.') + pick(['', `/${int(34)}`, '/016', '/']);
}

test('what inet and cidr take', async () => {
  const calls: Call[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const texts = [spoiled(inet()), short(), spoiled(ipv4()), spoiled(ipv6())];
    for (const text of texts)
      calls.push(['text(inet)', text], ['host(inet)', text], ['set_masklen(cidr,int4)', text, '3']);
  }
  report(await oracle.differences(calls));
});

test('functions of one address', async () => {
  const calls: Call[] = [];
  const names = [
    'abbrev',
    'broadcast',
    'cidr',
    'family',
    'hostmask',
    'inetnot',
    'masklen',
    'netmask',
    'network',
    'text',
  ];
  for (let i = 0; i < ROUNDS; i++) {
    const address = inet();
    for (const name of names) calls.push([`${name}(inet)`, address]);
    calls.push(['set_masklen(inet,int4)', address, String(int(140) - 3)]);
    const n = pick([
      '0',
      '1',
      '-1',
      '255',
      '65536',
      '9223372036854775807',
      '-9223372036854775808',
      String(int(2 ** 31)),
    ]);
    calls.push(['inetpl(inet,int8)', address, n], ['int8pl_inet(int8,inet)', n, address]);
    // PostgreSQL negates the least int8 to itself.
    if (n !== '-9223372036854775808') calls.push(['inetmi_int8(inet,int8)', address, n]);
  }
  report(await oracle.differences(calls));
});

test('abbreviated networks of IPv4', async () => {
  const calls = Array.from({ length: ROUNDS * 3 }, (): Call => ['network(inet)', ipv4() + pick(['', `/${int(33)}`])]);
  const networks = calls.map((call) => oracle.ours(call).slice(1));
  report(await oracle.differences(networks.map((text): Call => ['abbrev(cidr)', text])));
});

test('functions of two addresses', async () => {
  const calls: Call[] = [];
  const names = 'eq ne lt le gt ge larger smaller sub subeq sup supeq overlap'.split(' ').map((n) => `network_${n}`);
  names.push('inet_same_family', 'inet_merge', 'inetand', 'inetor', 'inetmi');
  for (let i = 0; i < ROUNDS; i++) {
    const a = inet();
    const b = pick([inet(), a, a.replace(/\/.*/, ''), `${a.replace(/\/.*/, '')}/${int(33)}`]);
    for (const name of names) calls.push([`${name}(inet,inet)`, a, b]);
  }
  report(await oracle.differences(calls));
});

const hex = () => pick(['00', 'ff', 'FE', '2b', '08', int(256).toString(16).padStart(2, '0')]);

function mac(bytes: number): string {
  const pairs = Array.from({ length: bytes }, hex);
  if (bytes === 8 && int(2) === 0) pairs.splice(3, 2, 'ff', 'fe');
  const grouped = (size: number, between: string) =>
    Array.from({ length: Math.ceil(bytes / size) }, (_, i) => pairs.slice(i * size, (i + 1) * size).join('')).join(
      between,
    );
  return grouped(pick([1, 1, 2, 3]), pick([':', '-', '.', '']));
}

test('what macaddr and macaddr8 take, and their functions', async () => {
  const calls: Call[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    for (const [type, bytes] of [
      ['macaddr', 6],
      ['macaddr8', 8],
      ['macaddr8', 6],
    ] as const) {
      const text = mac(bytes);
      calls.push([`trunc(${type})`, text], [`${type}_not(${type})`, text]);
      const [a, b] = [repeat(bytes, hex, ':'), repeat(bytes, hex, ':')];
      for (const name of ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'cmp', 'and', 'or']) {
        calls.push([`${type}_${name}(${type},${type})`, a, pick([a, b])]);
      }
    }
    calls.push(['macaddr8(macaddr)', mac(6)], ['macaddr(macaddr8)', mac(8)], ['macaddr8_set7bit(macaddr8)', mac(8)]);
  }
  for (const text of [
    '',
    '1',
    'g0:00:00:00:00:00',
    '08:00:2b:01:02',
    '8:0:2B:1:2:3',
    ' 08:00:2b:01:02:03 ',
    '08:00-2b:01:02:03',
  ]) {
    calls.push(['trunc(macaddr)', text], ['trunc(macaddr8)', text]);
  }
  calls.push(['trunc(macaddr)', '08:00:2b:01:02:fff']);
  report(await oracle.differences(calls));
});
