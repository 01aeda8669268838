/** Remainders against BigInt, where the rounding of the quotient is worst: beside multiples, at the limit of what is exact. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, testSeed } from '../../testing/property.ts';
import { floorRemainder, remainder } from './remainders.ts';

const SEED = testSeed();
const random = new Random(SEED);

/** An integer of any size up to 2^53. */
function integer(): number {
  const bits = random.below(54);
  const size = bits <= 30 ? random.below(2 ** bits) : random.below(2 ** 30) * 2 ** (bits - 30) + random.below(2 ** 20);
  return random.below(2) === 0 ? size : -size;
}

test('remainders are those of exact integers', () => {
  let large = 0;
  for (let round = 0; round < 200_000; round++) {
    const b = integer() || 1;
    let a = integer();
    if (random.below(2) === 0) a = Math.round(a / b) * b + random.below(3) - 1;
    if (!Number.isSafeInteger(a)) continue;
    if (Math.abs(a) > 2 ** 48) large++;
    const exact = Number(BigInt(a) % BigInt(b));
    const got = remainder(a, b);
    assert.ok(got === exact && !Object.is(got, -0), `${a} % ${b} is ${exact}, not ${got} (seed ${SEED})`);
    const size = Math.abs(b);
    if (size > 2 ** 52) continue;
    const floor = Number(((BigInt(a) % BigInt(size)) + BigInt(size)) % BigInt(size));
    const low = floorRemainder(a, size);
    assert.ok(low === floor && !Object.is(low, -0), `${a} mod ${size} is ${floor}, not ${low} (seed ${SEED})`);
  }
  assert.ok(large > 1000);
});
