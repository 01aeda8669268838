/** Values of all types that encoders know, the odd ones among them, for tests that compare encoders. */
import { type Datum, decimal, interval, pgArray } from '../../../operators/datum.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import type { Random } from '../../../operators/testing/property.ts';
import { OID } from '../../../operators/types.ts';

const INT64 = [
  0n,
  1n,
  -1n,
  9n,
  10n,
  99999999n,
  100000000n,
  4294967295n,
  4294967296n,
  -4294967296n,
  9007199254740991n,
  9007199254740993n,
  -9007199254740993n,
  9223372036854775807n,
  -9223372036854775808n,
  1000000000000000000n,
];

export function samples(random: Random): [oid: number, values: Datum[]][] {
  const int = (bits: number): number => Math.floor((random.next() - 0.5) * 2 ** bits);
  const big = (): bigint => BigInt.asIntN(64, (BigInt(int(32)) << BigInt(random.below(48))) ^ BigInt(int(32)));
  const many = <T>(make: () => T): T[] => Array.from({ length: 200 }, make);
  const numeric = (): Datum =>
    decimal(random.chance(0.2) ? big() * big() * big() : big() >> BigInt(random.below(60)), random.below(24));
  const text = (): string => [...'aä€😀"\\\n,'.repeat(random.below(12))].slice(0, random.below(60)).join('');
  const century = 86400000000n * 36525n;
  const stamp = (): bigint =>
    random.chance(0.8) ? big() % (century * 2n) : (big() % (century * 450n)) + century * 400n;
  const day = (): number => int(random.chance(0.8) ? 17 : 22);
  return [
    [OID.bool, [true, false, null]],
    [OID.char, ['', 'a', '~', 'é', '\u0080', 'ÿ', null]],
    [OID.int2, [0, -32768, 32767, ...many(() => int(16))]],
    [OID.int4, [0, -2147483648, 2147483647, ...many(() => int(32))]],
    [OID.oid, [0, 4294967295, 2147483648]],
    [OID.int8, [...INT64, ...many(big)]],
    [
      OID.float8,
      [
        0,
        -0,
        1,
        -1,
        1e14,
        999999999999999,
        1e15,
        -1e15,
        0.1,
        1e300,
        5e-324,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        ...many(() => int(40)),
        ...many(() => random.next() / random.next()),
      ],
    ],
    [OID.float4, [0, -0, 999999, 1e6, 1.5, 123456.7, 1e10].map(Math.fround)],
    [
      OID.numeric,
      [
        decimal(0n, 0),
        decimal(0n, 5),
        decimal(5n, 3),
        decimal(-5n, 1),
        { k: 'dec', m: 0n, s: 0, special: 'NaN' },
        { k: 'dec', m: 0n, s: 0, special: '-Infinity' },
        ...many(numeric),
      ],
    ],
    [OID.date, [0, -730119, -730120, 2921939, 2921940, 2147483647, -2147483648, 59, 60, 366, ...many(day)]],
    [OID.time, [0n, 86400000000n, 1n, 100000n, 45296789000n]],
    [OID.timestamp, [0n, -1n, 9223372036854775807n, -9223372036854775808n, ...many(stamp)]],
    [OID.timestamptz, [0n, -1n, 9223372036854775807n, -9223372036854775808n, ...many(stamp)]],
    [OID.interval, [interval(0, 0, 0n), interval(14, -3, 3723000001n)]],
    [OID.uuid, ['00000000-0000-0000-0000-000000000000', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', null]],
    [OID.text, ['', 'twelve bytes', 'thirteen byte', 'x'.repeat(200000), ...many(text)]],
    [OID.bytea, [new Uint8Array([0, 255, 92]), new Uint8Array(0), new Uint8Array(40).fill(7)]],
    [OID.jsonb, ['{"a": 1}', '[]', 'null']],
    [OID.json, ['{"a":1}']],
    [OID._int4, [pgArray(OID.int4, []), pgArray(OID.int4, [1, null, -3])]],
    [OID._text, [pgArray(OID.text, ['a b', 'NULL', '"', '', null])]],
  ];
}

export function repeated(values: Datum[]): Datum[] {
  return Array.from({ length: Math.max(100, values.length) }, (_, i) => values[i % values.length]);
}

/** Settings that change how values look. */
export const CONTEXTS: Partial<EvalContext>[] = [
  {},
  { timeZone: 'Europe/Paris' },
  { timeZone: 'Asia/Kolkata', extraFloatDigits: 0 },
  { timeZone: '<-03:30>+03:30', dateStyle: 'SQL, DMY' },
  { timeZone: 'America/New_York', dateStyle: 'German, DMY', byteaOutput: 'escape' },
];
