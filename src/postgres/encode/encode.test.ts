import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Arena } from '../../../operators/batch/arena.ts';
import { batchFromRows } from '../../../operators/batch/builder.ts';
import { type Datum, decimal, interval, pgArray } from '../../../operators/datum.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { inputBinary, inputText, outputBinary, outputText } from '../../../operators/expr/io/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { colType, OID } from '../../../operators/types.ts';
import { resultColumns } from '../testing/fake_engine.ts';
import { values } from '../testing/wire_client.ts';
import { Output } from '../wire/output.ts';
import { DataRowWriter } from './row_writer.ts';

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Mulberry32: a small generator that a seed replays. */
function generator(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The values of one column as the encoder writes them. */
function encode(oid: number, column: Datum[], format: number, context: EvalContext): (Buffer | null)[] {
  const arena = new Arena();
  const socket = new PassThrough({ highWaterMark: 1 << 30 });
  const out = new Output(socket);
  const batch = batchFromRows(
    [colType(oid)],
    column.map((value) => [value]),
    arena,
  );
  const writer = new DataRowWriter(resultColumns([['c', oid]]), [format], context);
  let row = 0;
  while (row < column.length) row = writer.write(out, batch, row, column.length, Number.POSITIVE_INFINITY);
  out.flush();
  arena.release();
  const bytes: Buffer = socket.read() ?? Buffer.alloc(0);
  const got: (Buffer | null)[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readInt32BE(at + 1);
    got.push(values(bytes.subarray(at + 5, at + 1 + length))[0]);
    at += 1 + length;
  }
  return got;
}

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

function samples(random: () => number): [oid: number, values: Datum[]][] {
  const int = (bits: number): number => Math.floor((random() - 0.5) * 2 ** bits);
  const big = (): bigint => BigInt.asIntN(64, (BigInt(int(32)) << BigInt(Math.floor(random() * 48))) ^ BigInt(int(32)));
  const many = <T>(make: () => T): T[] => Array.from({ length: 200 }, make);
  const numeric = (): Datum =>
    decimal(
      random() < 0.2 ? big() * big() * big() : big() >> BigInt(Math.floor(random() * 60)),
      Math.floor(random() * 24),
    );
  const text = (): string =>
    [...'aä€😀"\\\n,'.repeat(Math.floor(random() * 12))].slice(0, Math.floor(random() * 60)).join('');
  const century = 86400000000n * 36525n;
  const stamp = (): bigint => (random() < 0.8 ? big() % (century * 2n) : (big() % (century * 450n)) + century * 400n);
  const day = (): number => int(random() < 0.8 ? 17 : 22);
  return [
    [OID.bool, [true, false, null]],
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
        ...many(() => random() / random()),
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

function repeated(values: Datum[]): Datum[] {
  return Array.from({ length: Math.max(100, values.length) }, (_, i) => values[i % values.length]);
}

const CONTEXTS: Partial<EvalContext>[] = [
  {},
  { timeZone: 'Europe/Paris' },
  { timeZone: 'Asia/Kolkata', extraFloatDigits: 0 },
  { timeZone: '<-03:30>+03:30', dateStyle: 'SQL, DMY' },
  { timeZone: 'America/New_York', dateStyle: 'German, DMY', byteaOutput: 'escape' },
];

test(`text and binary are what the types' output functions give (SEED=${SEED})`, () => {
  const random = generator(SEED);
  for (const overrides of CONTEXTS) {
    const context = defaultContext(overrides);
    // Short and long: few rows take the plain loop, many the generated one.
    for (const [oid, column] of samples(random).flatMap(([oid, values]) => [
      [oid, values.slice(0, 40)] as const,
      [oid, repeated(values)] as const,
    ])) {
      const text = encode(oid, column, 0, context);
      const binary = encode(oid, column, 1, context);
      column.forEach((value, i) => {
        const about = () =>
          `type ${oid}, value ${JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v))?.slice(0, 200)}, SEED=${SEED}`;
        assert.equal(
          text[i]?.toString('utf8') ?? null,
          value === null ? null : outputText(value, oid, context),
          about(),
        );
        assert.deepEqual(binary[i], value === null ? null : Buffer.from(outputBinary(value, oid)), about());
      });
    }
  }
});

test('what is written is read back, text and binary', () => {
  const context = defaultContext({ timeZone: 'Europe/Paris' });
  for (const [oid, column] of samples(generator(SEED))) {
    for (const value of column) {
      if (value === null) continue;
      assert.deepEqual(inputText(outputText(value, oid, context), colType(oid), context), value);
      assert.deepEqual(inputBinary(outputBinary(value, oid), oid), value);
    }
  }
});

test('rows larger than a chunk, and rows that end exactly at its end', () => {
  const context = defaultContext();
  for (const length of [65520, 65521, 65522, 65523, 65524, 65525, 65526, 65536, 131072, 1000000]) {
    const column = ['y', 'x'.repeat(length), 'z', null];
    assert.deepEqual(
      encode(OID.text, column, 0, context).map((value) => value?.length ?? null),
      [1, length, 1, null],
    );
  }
});
