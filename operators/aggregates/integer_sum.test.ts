import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { BatchBuilder, readDatum } from '../batch/builder.ts';
import { F64, I64, U32 } from '../batch/memory.ts';
import { decimal } from '../datum.ts';
import { divide } from '../expr/decimal/arithmetic.ts';
import { Random, testSeed, times } from '../testing/property.ts';
import { colType, OID } from '../types.ts';
import { IntegerSumAccumulator } from './integer_sum.ts';

const seed = testSeed();

/** A sum of any length up to 80 bits, often close to a power of ten, and a count. */
function anyGroup(random: Random): { total: bigint; count: number } {
  const digits = 10n ** BigInt(random.below(24));
  let total = random.pick([0n, 1n, digits, digits + 1n, digits - 1n]) * BigInt(1 + random.below(9999));
  if (random.below(2) === 0) total = (total * BigInt(random.below(1e6))) / 1000n;
  if (random.below(8) === 0) total = random.pick([2n ** 63n, 2n ** 63n - 1n, 2n ** 64n]);
  const count = random.pick([0, 1, 2, 3, 7, 9999, 10000, 10001, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 1 + random.below(1e6)]);
  return { total: random.below(2) === 0 ? total : -total, count };
}

test('averages of the kernel are those of numeric division', () => {
  const random = new Random(seed);
  const arena = new Arena();
  const average = new IntegerSumAccumulator(0, 'average');
  const n = 8;
  for (let round = 0; round < times(500); round++) {
    const groups = Array.from({ length: n }, () => anyGroup(random));
    const states = arena.alloc(n * average.bytes);
    const addresses = arena.alloc(n * 4) >>> 2;
    groups.forEach(({ total, count }, i) => {
      const at = states + i * average.bytes;
      U32[addresses + i] = at;
      I64[at / 8] = BigInt.asIntN(64, total);
      I64[at / 8 + 1] = BigInt.asIntN(64, total >> 64n);
      F64[at / 8 + 2] = count;
    });
    const out = new BatchBuilder([colType(OID.numeric)], arena, n);
    average.resultAll({ addresses, n, offset: 0 }, out, 0, out.addRows(n, 1));
    groups.forEach(({ total, count }, i) => {
      const expected = count === 0 ? null : divide(decimal(total), decimal(BigInt(count)));
      assert.deepEqual(readDatum(out.columns[0], i), expected, `${total} / ${count}`);
    });
    arena.reset();
  }
  arena.release();
});
