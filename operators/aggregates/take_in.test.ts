/** The kernels that take rows into their groups against the same row by row, over stretches of one group and of many. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { F64, I32, I64, U8, U32 } from '../batch/memory.ts';
import {
  CALL_BYTES,
  CALL_COUNT,
  CALL_DATA,
  CALL_GREATEST_INT8,
  CALL_KIND,
  CALL_LEAST_INT8,
  CALL_OFFSET,
  CALL_SUM_INT8,
  CALL_VALID,
  CALL_WEIGHTS,
  EXTREME_INT8_BYTES,
} from '../kernels/aggregate_layout.ts';
import { kernels } from '../kernels/index.ts';
import { Random, testSeed, times } from '../testing/property.ts';

const seed = testSeed();
const SIZES = [0, 1, 15, 16, 17, 63, 64, 65, 200];
/** Of a group: two counts, a sum of 24 bytes, a least and a greatest of 16. */
const [ALL, KEPT, SUM, LEAST, GREATEST, GROUP_BYTES] = [0, 8, 16, 40, 56, 72];

interface Expected {
  all: number;
  kept: number;
  sum: bigint;
  values: number;
  least: bigint | null;
  greatest: bigint | null;
}

test('rows are taken in as one by one', () => {
  const random = new Random(seed);
  for (let round = 0; round < times(200); round++) {
    const arena = new Arena();
    const n = random.pick(SIZES);
    const count = random.pick([1, 2, 50]);
    const groupsAt = arena.allocZeroed(count * GROUP_BYTES);
    const expected = Array.from(
      { length: count },
      (): Expected => ({ all: 0, kept: 0, sum: 0n, values: 0, least: null, greatest: null }),
    );
    const [groups, weights, kept] = [0, 1, 2].map(() => arena.allocZeroed(n * 4 + 4));
    const [passes, passesValid, valid] = [0, 1, 2].map(() => arena.allocZeroed(n + 1));
    const data = arena.allocZeroed(n * 8 + 8);
    const [withNulls, withUnknown] = [random.below(2) === 0, random.below(2) === 0];
    for (let row = 0; row < n; row++) {
      // A row of weight 0 has no group.
      const weight = random.below(9) === 0 ? 0 : random.pick([1, 1, 1, 3, 2 ** 31 - 1]);
      const group = random.below(count);
      const value = BigInt(random.below(1000) - 500) * 2n ** BigInt(random.pick([0, 30, 52]));
      U32[(groups >>> 2) + row] = weight === 0 ? 0 : groupsAt + group * GROUP_BYTES;
      I32[(weights >>> 2) + row] = weight;
      U8[passes + row] = random.below(2);
      U8[passesValid + row] = random.below(4) === 0 ? 0 : 1;
      U8[valid + row] = random.below(4) === 0 ? 0 : 1;
      I64[data / 8 + row] = value;
      const isKept = U8[passes + row] !== 0 && (!withUnknown || U8[passesValid + row] !== 0);
      const of = expected[group];
      of.all += weight;
      if (weight === 0 || (withNulls && U8[valid + row] === 0)) continue;
      if (isKept) of.kept += weight;
      of.sum += value * BigInt(weight);
      of.values += weight;
      if (of.least === null || value < of.least) of.least = value;
      if (of.greatest === null || value > of.greatest) of.greatest = value;
    }
    kernels.passingWeights(passes, withUnknown ? passesValid : 0, weights, n, kept);
    const list = [
      { kind: CALL_COUNT, offset: ALL, under: weights, validity: 0 },
      { kind: CALL_COUNT, offset: KEPT, under: kept, validity: valid },
      { kind: CALL_SUM_INT8, offset: SUM, under: weights, validity: valid },
      { kind: CALL_LEAST_INT8, offset: LEAST, under: weights, validity: valid },
      { kind: CALL_GREATEST_INT8, offset: GREATEST, under: weights, validity: valid },
    ];
    const calls = arena.alloc(list.length * CALL_BYTES);
    list.forEach(({ kind, offset, under, validity }, i) => {
      const at = (calls + i * CALL_BYTES) >>> 2;
      U32[at + CALL_KIND / 4] = kind;
      U32[at + CALL_OFFSET / 4] = offset;
      U32[at + CALL_WEIGHTS / 4] = under;
      U32[at + CALL_DATA / 4] = data;
      U32[at + CALL_VALID / 4] = withNulls ? validity : 0;
    });
    assert.equal(kernels.takeIn(calls, list.length, groups, n), 1);
    expected.forEach((of, g) => {
      const at = groupsAt + g * GROUP_BYTES;
      const extreme = (offset: number) => (U8[at + offset + EXTREME_INT8_BYTES] === 0 ? null : I64[(at + offset) / 8]);
      const low = BigInt.asUintN(64, I64[(at + SUM) / 8]);
      assert.deepEqual(
        {
          all: F64[(at + ALL) / 8],
          kept: F64[(at + KEPT) / 8],
          sum: (I64[(at + SUM) / 8 + 1] << 64n) | low,
          values: F64[(at + SUM) / 8 + 2],
          least: extreme(LEAST),
          greatest: extreme(GREATEST),
        },
        of,
        `round ${round}, group ${g} of ${count}, ${n} rows`,
      );
    });
    arena.release();
  }
});

test('a retraction does not reach a least value', () => {
  const arena = new Arena();
  const [group, groups, weights, data, calls] = [16, 4, 4, 8, CALL_BYTES].map((bytes) => arena.allocZeroed(bytes));
  U32[groups >>> 2] = group;
  I32[weights >>> 2] = -1;
  U32[(calls + CALL_KIND) >>> 2] = CALL_LEAST_INT8;
  U32[(calls + CALL_WEIGHTS) >>> 2] = weights;
  U32[(calls + CALL_DATA) >>> 2] = data;
  assert.equal(kernels.takeIn(calls, 1, groups, 1), 0);
  arena.release();
});
