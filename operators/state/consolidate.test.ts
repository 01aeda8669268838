import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { batchFromRows, weightOf } from '../batch/builder.ts';
import { type Datum, decimal } from '../datum.ts';
import { TooManyEqualRows } from '../errors.ts';
import { NAN } from '../expr/decimal/normal.ts';
import { Bag, Random, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { consolidator } from './consolidate.ts';

const seed = testSeed();
const types = [OID.numeric, OID.text, OID.numeric, OID.int8, OID.float8].map((oid) => colType(oid));

/** Rows of these go to the kernel, but for those with a NaN. */
for (const special of [false, true]) {
  test(`equal rows are added up: small and wide numerics${special ? ' and NaN' : ''}`, () => {
    const random = new Random(seed);
    const consolidate = consolidator(types);
    const numeric = (): Datum => {
      if (special && random.below(10) === 0) return NAN;
      const wide = random.pick([1n, 10n ** 20n, 2n ** 63n, 2n ** 64n, 10n ** 60n]);
      return random.below(8) === 0 ? null : decimal((BigInt(random.below(3)) - 1n) * wide, random.below(2));
    };
    const float = (): Datum => random.pick([0, 0, Number.NaN, 0.5, null]);
    const text = (): Datum => random.pick([null, 'a', 'a text of more than twelve bytes']);
    const arena = new Arena();
    for (let round = 0; round < times(100); round++) {
      const n = 16 + random.below(60);
      const rows = Array.from({ length: n }, () => [numeric(), text(), numeric(), BigInt(random.below(2)), float()]);
      // A third of them twice.
      rows.push(...rows.slice(0, n / 3));
      const weights = rows.map(() => random.pick([-1, 1, 2]));
      const delta = batchFromRows(types, rows, arena, weights);
      const net = consolidate(delta, arena);
      const [given, made] = [new Bag(), new Bag()];
      given.addBatch(delta);
      made.addBatch(net);
      assert.deepEqual(made.texts(), given.texts());
      assert.equal(net.n, given.rows.size);
      arena.reset();
    }
    arena.release();
  });
}

for (const rows of [3, 100]) {
  test(`${rows} weights whose sum 32 bits do not hold are refused`, () => {
    const consolidate = consolidator([colType(OID.int4)]);
    const arena = new Arena();
    const delta = (weight: number) =>
      batchFromRows(
        [colType(OID.int4)],
        Array.from({ length: rows }, () => [1]),
        arena,
        Array.from({ length: rows }, () => weight),
      );
    const most = Math.floor((2 ** 31 - 1) / rows);
    for (const sign of [1, -1]) {
      assert.equal(weightOf(consolidate(delta(sign * most), arena), 0), sign * most * rows);
      assert.throws(() => consolidate(delta(sign * (most + 1)), arena), TooManyEqualRows);
    }
    arena.release();
  });
}
