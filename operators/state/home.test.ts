/** Whole numbers as keys, as streams have them and as nobody should: the probes of a full table, counted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../batch/arena.ts';
import { I64, U32 } from '../batch/memory.ts';
import { ENTRY_BYTES, ENTRY_EMPTY } from '../kernels/table_layout.ts';
import { Random, testSeed } from '../testing/property.ts';
import { type ColType, colType, OID } from '../types.ts';
import { homeOf } from './home.ts';
import { RowTable } from './row_table.ts';

const seed = testSeed();
const MINUTE = 60_000_000n;
const NOW = 1_700_000_000_000_000n;
/** A directory is at most that full. */
const MOST_FULL = 0.7;
/** Half a Fibonacci number is the worst step that was found, of 40,000: 104 probes, from some numbers on. Chance meets such a step in one of 20,000 tries. */
const WORST = 160;

/** Mean number of entries that are looked at to find a key of a table that is as full as it gets, made of these columns. */
function probes(entries: number, columns: ((row: bigint) => bigint)[], types: ColType[]): number {
  const arena = new Arena();
  const n = Math.floor(entries * MOST_FULL);
  const table = new RowTable(types, 8, 'sql');
  table.bind(
    columns.map((value) => {
      const data = arena.alloc(n * 8);
      for (let row = 0; row < n; row++) I64[data / 8 + row] = value(BigInt(row));
      return { type: types[0], phys: 'i64', data, valid: 0 };
    }),
  );
  assert.equal(table.findOrInsertAll({ n, weights: 0, skipNulls: false }, arena).made, n);
  const { directory, mask } = table.place;
  assert.equal(mask + 1, entries);
  let sum = 0;
  for (let index = 0; index < entries; index++) {
    const at = (directory + index * ENTRY_BYTES) >>> 2;
    if (U32[at + 1] !== ENTRY_EMPTY) sum += ((index - homeOf(U32[at], mask)) & mask) + 1;
  }
  table.release();
  arena.release();
  return sum / n;
}

const int8 = colType(OID.int8);

/** At most so many probes, and the keys. */
const patterns: [number, string, (row: bigint) => bigint][] = [
  [3, 'from 0 on', (row) => row],
  [3, 'from somewhere on', (row) => row + 1_700_000_123n],
  [3, 'down from 2', (row) => 2n - row],
  [2, 'every other', (row) => row * 2n],
  [2, 'one of two', (row) => row * 2n + (((row * 2654435761n) >> 7n) % 2n)],
  [2.5, 'multiples of 3', (row) => row * 3n],
  [2.5, 'multiples of 8', (row) => row * 8n],
  [3, 'multiples of 1000', (row) => row * 1000n],
  [3, 'multiples of 2^10', (row) => row << 10n],
  [3, 'multiples of 2^20', (row) => row << 20n],
  [3, 'multiples of 2^32', (row) => row << 32n],
  [3, 'multiples of 2^40', (row) => row << 40n],
  [3, 'seconds', (row) => NOW + (row * MINUTE) / 60n],
  [3, 'minutes', (row) => NOW + row * MINUTE],
  [3, 'hours', (row) => NOW + row * MINUTE * 60n],
  [3, 'days before 2000', (row) => -row * MINUTE * 1440n],
  [3, 'milliseconds and 22 bits of 0', (row) => (NOW / 1000n + row * 37n) << 22n],
  [9, 'milliseconds and 22 bits of a number', (row) => ((NOW / 1000n + row / 4n) << 22n) + (row % 4n)],
  [12, '16 shards from bit 24 on', (row) => row / 16n + ((row % 16n) << 24n)],
  [12, '16 shards from bit 32 on', (row) => row / 16n + ((row % 16n) << 32n)],
  [12, '16 shards from bit 48 on', (row) => row / 16n + ((row % 16n) << 48n)],
  [12, '8 shards, the sign among their bits', (row) => row / 8n - ((row % 8n) << 60n)],
  [20, 'multiples of a Fibonacci number', (row) => row * 4n * 1597n],
];

for (const entries of [2048, 16384, 131072])
  test(`few probes, whatever whole numbers a table of ${entries} entries has`, () => {
    for (const [most, name, value] of patterns) {
      const mean = probes(entries, [value], [int8]);
      assert.ok(mean <= most, `${name}: ${mean}`);
    }
  });

test('no step is a bad one, nor two columns', () => {
  const random = new Random(seed);
  const means: number[] = [];
  const stepping = (step: bigint, from: bigint) => {
    const mean = probes(4096, [(row) => from + row * step], [int8]);
    assert.ok(mean < WORST, `steps of ${step} from ${from} on: ${mean}`);
    return mean;
  };
  stepping(305n, 8248729n);
  for (let i = 0; i < 150; i++) {
    const step = BigInt(1 + random.below(2 ** (1 + random.below(30))));
    means.push(stepping(step, BigInt(random.below(2 ** 30)) << BigInt(random.below(20))));
  }
  means.sort((a, b) => a - b);
  assert.ok(means[75] < 2.5 && means[135] < 5, means.join());
  for (const width of [2n, 10n, 1000n])
    for (const columns of [
      [(row: bigint) => row / width, (row: bigint) => row % width],
      [(row: bigint) => NOW + (row / width) * MINUTE, (row: bigint) => row % width],
      [(row: bigint) => row % width, (row: bigint) => NOW + (row / width) * MINUTE],
    ]) {
      const mean = probes(4096, columns, [int8, int8]);
      assert.ok(mean < 9, `${width} a first column: ${mean}`);
    }
});
