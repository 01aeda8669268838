/** Hash functions of all types against PostgreSQL, over random values. */
import { after, before, test } from 'node:test';
import { Random, testSeed } from '../../testing/property.ts';
import { type Call, Oracle, report } from '../testing/oracle.ts';

let oracle: Oracle;
before(async () => {
  oracle = await Oracle.start();
});
after(() => oracle.close());

const random = new Random(testSeed('hashes'));
const int = (n: number) => random.below(n);
const pick = <T>(items: readonly T[]): T => random.pick(items);
const ROUNDS = 60;

const long = () => String(BigInt.asIntN(64, (BigInt(int(2 ** 31)) << BigInt(int(34))) * BigInt(pick([1, -1]))));
const seeds = () => pick(['0', '1', '-1', '9223372036854775807', '-9223372036854775808', long()]);
const word = () => pick([String(int(100) - 50), '2147483647', '-2147483648', '0', String(int(2 ** 31) - 2 ** 30)]);
const text = () => pick(['', 'a', 'ä€😀', 'a  ', 'x'.repeat(int(40)), String(int(1e9))]);
const decimal = () =>
  pick([
    '0',
    '0.00',
    '1',
    '1.0',
    '-1.50',
    'NaN',
    'Infinity',
    '-Infinity',
    '10000',
    '0.0001',
    '1e20',
    `${int(1e9)}.${int(1e9)}`,
    `${int(9)}e${int(30) - 15}`,
  ]);
const float = () => pick(['0', '-0', '1.5', 'NaN', 'Infinity', '-Infinity', `${int(1e9)}.5`, '1e-30']);
const time = () => `${10 + int(10)}:${10 + int(50)}:${10 + int(50)}.${int(999999)}`;
const stamp = () => pick(['infinity', '-infinity', `${1900 + int(300)}-0${1 + int(9)}-1${int(9)} ${time()}`]);
const interval = () =>
  pick([
    '0',
    '1 mon',
    '30 days',
    '-1 day 24:00',
    `${int(100)} years ${int(40) - 20} days ${time()}`,
    '100000000 years',
  ]);
const json = (depth = 0): string => {
  switch (int(depth > 2 ? 6 : 9)) {
    case 0:
      return 'null';
    case 1:
      return pick(['true', 'false']);
    case 2:
      return pick(['0', '1.0', '-5e3', '123456789.125']);
    case 6:
      return `[${Array.from({ length: int(4) }, () => json(depth + 1)).join(',')}]`;
    case 7:
    case 8:
      return `{${Array.from({ length: int(4) }, () => `"${pick(['a', 'bb', 'c'])}": ${json(depth + 1)}`).join(',')}}`;
    default:
      return JSON.stringify(text());
  }
};
const hex = () => int(256).toString(16).padStart(2, '0');
const uuid = () => Array.from({ length: 16 }, hex).join('');
const mac = (n: number) => Array.from({ length: n }, hex).join(':');
const inet = () => pick([`10.${int(256)}.0.1/${int(33)}`, '1.2.3.4', `2001:db8::${int(9999)}/${int(129)}`, '::1']);

const VALUES: [name: string, extended: string, type: string, value: () => string][] = [
  ['hashint2', 'hashint2extended', 'int2', () => pick(['0', '-1', '32767', '-32768', String(int(1000))])],
  ['hashint4', 'hashint4extended', 'int4', word],
  ['hashint8', 'hashint8extended', 'int8', () => pick([word(), long(), '9223372036854775807', '-9223372036854775808'])],
  ['hashoid', 'hashoidextended', 'oid', () => pick(['0', '4294967295', String(int(1e9))])],
  ['hashfloat4', 'hashfloat4extended', 'float4', float],
  ['hashfloat8', 'hashfloat8extended', 'float8', float],
  ['hash_numeric', 'hash_numeric_extended', 'numeric', decimal],
  ['hashtext', 'hashtextextended', 'text', text],
  ['hashname', 'hashnameextended', 'name', text],
  ['hashchar', 'hashcharextended', 'char', () => pick(['', 'a', '~', '\\377', '\\200'])],
  ['hashbpchar', 'hashbpcharextended', 'bpchar', text],
  ['uuid_hash', 'uuid_hash_extended', 'uuid', uuid],
  ['time_hash', 'time_hash_extended', 'time', time],
  ['timetz_hash', 'timetz_hash_extended', 'timetz', () => time() + pick(['+00', '-08', '+05:45', '+02:00:07'])],
  ['timestamp_hash', 'timestamp_hash_extended', 'timestamp', stamp],
  ['interval_hash', 'interval_hash_extended', 'interval', interval],
  ['hashinet', 'hashinetextended', 'inet', inet],
  ['hashmacaddr', 'hashmacaddrextended', 'macaddr', () => mac(6)],
  ['hashmacaddr8', 'hashmacaddr8extended', 'macaddr8', () => mac(8)],
  ['jsonb_hash', 'jsonb_hash_extended', 'jsonb', json],
  ['hashbool', 'hashboolextended', 'bool', () => pick(['t', 'f'])],
  ['hashdate', 'hashdateextended', 'date', () => pick(['2000-01-01', 'infinity', '1999-12-31'])],
  ['hashbytea', 'hashbyteaextended', 'bytea', () => `\\x${uuid()}`],
  ['timestamptz_hash', 'timestamptz_hash_extended', 'timestamptz', stamp],
  ['hashxid', 'hashxidextended', 'xid', () => '7'],
];

test('hashes of one value', async () => {
  const calls: Call[] = [];
  for (let i = 0; i < ROUNDS; i++)
    for (const [name, extended, type, value] of VALUES) {
      const one = value();
      calls.push([`${name}(${type})`, one], [`${extended}(${type},int8)`, one, seeds()]);
    }
  report(await oracle.differences(calls));
});
