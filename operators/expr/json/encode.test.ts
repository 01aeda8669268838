/** The text of a value as jsonb beside the tree of the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Datum, decimal, interval, pgArray } from '../../datum.ts';
import { Random, testSeed, times } from '../../testing/property.ts';
import { OID } from '../../types.ts';
import { defaultContext } from '../context.ts';
import '../functions/index.ts';
import { jsonbDatumOf, jsonbObjectText, jsonbOf } from './encode.ts';
import { jsonbText, jsonObject, parseJsonb } from './value.ts';

const TEXTS = ['', 'a', 'quote "', 'back\\slash', 'line\nfeed', 'é', '{"a": 1}', 'null'];
const FLOATS = [
  0,
  -0,
  1,
  -1.5,
  0.1,
  1e-7,
  123456789012345680000,
  1e21,
  1e300,
  5e-324,
  Number.NaN,
  Number.NEGATIVE_INFINITY,
];
const NUMERICS: Datum[] = [
  decimal(0n, 2),
  decimal(-1250n, 2),
  decimal(10n ** 30n, 0),
  { k: 'dec', m: 0n, s: 0, special: 'NaN' },
];
const SCALARS: [number, (random: Random) => Datum][] = [
  [OID.bool, (random) => random.below(2) === 0],
  [OID.int2, (random) => random.below(100) - 50],
  [OID.int4, (random) => random.below(100) - 50],
  [OID.int8, (random) => random.pick([0n, -(2n ** 63n), 12345678901234567n])],
  [OID.float4, (random) => random.pick([0, -0, Math.fround(0.1), 1e20, Number.POSITIVE_INFINITY])],
  [OID.float8, (random) => random.pick(FLOATS)],
  [OID.numeric, (random) => random.pick(NUMERICS)],
  [OID.text, (random) => random.pick(TEXTS)],
  [OID.bpchar, (random) => random.pick(TEXTS)],
  [OID.date, (random) => random.below(10000)],
  [OID.timestamptz, (random) => random.pick([0n, 820540800123456n])],
  [OID.interval, (random) => interval(random.below(3), random.below(3), 5n)],
  [OID.json, (random) => random.pick(['{"b":1,"a":[ ]}', '[1e2, 1.50]', 'null'])],
  [OID.jsonb, (random) => random.pick(['{"a": [], "b": 1}', '[100, 1.50]', 'null'])],
  [OID.bytea, () => new Uint8Array([0, 255])],
];

const NAMES = [['a', 'bb', 'c'], ['zz', 'y', 'a "quoted" name'], ['same', 'same', 'x'], undefined];

function value(random: Random, depth: number): [Datum, number] {
  const pick = depth === 0 ? 0 : random.below(4);
  const [oid, make] = random.pick(SCALARS);
  if (random.below(6) === 0) return [null, oid];
  if (pick < 2) return [make(random), oid];
  if (pick === 2) {
    const items = Array.from({ length: random.pick([0, 1, 2, 4]) }, () =>
      random.below(4) === 0 ? null : make(random),
    );
    if (items.length === 4) return [{ k: 'array', elem: oid, dims: [2, 2], lower: [1, 1], items }, OID._text];
    return [pgArray(oid, items), OID._text];
  }
  const fields = Array.from({ length: 3 }, () => value(random, depth - 1));
  const names = random.pick(NAMES);
  const record = { k: 'record' as const, values: fields.map(([v]) => v), types: fields.map(([, t]) => t) };
  return [names === undefined ? record : { ...record, names }, OID.record];
}

test('the text of a value as jsonb is that of its tree', () => {
  const random = new Random(testSeed());
  const context = defaultContext();
  for (let round = 0; round < times(4000); round++) {
    const [made, oid] = value(random, 3);
    assert.equal(jsonbDatumOf(made, oid, context), jsonbText(jsonbOf(made, oid, context)));
  }
});

test('the text of an object is that of its tree', () => {
  const random = new Random(testSeed());
  for (let round = 0; round < times(400); round++) {
    const entries = Array.from({ length: random.below(5) }, (): [string, string] => [
      random.pick(TEXTS),
      random.pick(['1', '"x"', 'null', '[{"a": 1}]']),
    ]);
    const tree = jsonObject(entries.map(([key, text]) => [key, parseJsonb(text)]));
    assert.equal(jsonbObjectText(entries), jsonbText(tree));
  }
});
