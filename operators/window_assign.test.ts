import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from './batch/arena.ts';
import { batchFromRows, readRow, weightOf } from './batch/builder.ts';
import { type Datum, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from './datum.ts';
import './expr/functions/index.ts';
import { FlatMapOperator } from './flatmap.ts';
import type { Operator } from './operator.ts';
import type { PlanNode } from './plan.ts';
import { Bag, Random, testSeed, times } from './testing/property.ts';
import { testTick } from './testing/tick.ts';
import { colType, OID } from './types.ts';
import { WindowAssignOperator, windowAssignment } from './window_assign.ts';

const inputTypes = [OID.int8, OID.timestamp, OID.text, OID.bool].map((oid) => colType(oid));
const types = [...inputTypes, colType(OID.timestamp), colType(OID.timestamp)];
const TIME = 1;

function node(fn: string, slide: bigint, size: bigint, offset: bigint): PlanNode & { op: 'flatmap' } {
  const constant = (v: bigint) => ({ k: 'const' as const, v, t: colType(OID.int8) });
  const time = { k: 'col' as const, id: TIME, t: inputTypes[TIME] };
  const args = [time, constant(slide), constant(size), constant(offset)];
  return { op: 'flatmap', inputs: [0], types, names: types.map(() => 'c'), fn, args, ordinality: false, left: false };
}

/** `far`: times that are not for kernels are among them. */
function row(random: Random, far: boolean): Datum[] {
  const odd = [null, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY, 4000000000000000000n, -4000000000000000000n];
  if (far) odd.push(9000000000000000000n, -9000000000000000000n);
  const time = random.below(12) === 0 ? random.pick(odd) : BigInt(random.below(40) - 20) + 820540800000000n;
  const text = random.pick([null, 'a', 'more than twelve bytes']);
  return [BigInt(random.below(3)), time, text, random.below(2) === 0];
}

const WINDOWS: [string, bigint, bigint, bigint][] = [
  ['hop(timestamp)', 2n, 10n, 0n],
  ['hop(timestamp)', 4n, 6n, -1n],
  ['hop(timestamp)', 7n, 3n, 5n],
  ['hop(timestamp)', 5n, 5n, 0n],
  ['cumulate(timestamp)', 3n, 12n, 2n],
];

/** The output rows of one delta, with their weights. */
function output(operator: Operator, rows: Datum[][], weights: number[]): [Datum[], number][] {
  const arena = new Arena();
  const tick = testTick(arena);
  const batch = operator.step([batchFromRows(inputTypes, rows, arena, weights)], tick);
  const out = Array.from({ length: batch.n }, (_, i): [Datum[], number] => [readRow(batch, i), weightOf(batch, i)]);
  arena.release();
  return out;
}

/** The output as a bag, with the time column or without it. */
function bagOf(out: [Datum[], number][], time: boolean): string[] {
  const bag = new Bag();
  for (const [row, weight] of out)
    bag.add(
      row.filter((_, c) => time || c !== TIME),
      weight,
    );
  return bag.texts();
}

test('windows of a batch are those of the set-returning functions, row by row; slices too, but for the time', () => {
  const random = new Random(testSeed());
  for (const [fn, slide, size, offset] of WINDOWS) {
    const plan = node(fn, slide, size, offset);
    const windows = windowAssignment(plan);
    assert.ok(windows !== null);
    for (let round = 0; round < times(40); round++) {
      const rows = Array.from({ length: random.below(60) }, () => row(random, round % 2 === 0));
      const weights = rows.map(() => random.pick([1, 1, 2, -1]));
      const reference = output(new FlatMapOperator(plan, inputTypes), rows, weights);
      const label = `${fn} ${slide} ${size} ${offset}`;
      const whole = output(new WindowAssignOperator(windows, false, types), rows, weights);
      assert.deepEqual(bagOf(whole, true), bagOf(reference, true), label);
      const sliced = output(new WindowAssignOperator(windows, true, types), rows, weights);
      assert.deepEqual(bagOf(sliced, false), bagOf(reference, false), `${label} in slices`);
    }
  }
});

test('slices add up before they are multiplied', () => {
  const windows = windowAssignment(node('hop(timestamp)', 2n, 10n, 0n));
  assert.ok(windows !== null);
  const rows = Array.from({ length: 100 }, (_, i): Datum[] => [1n, 820540800000000n + BigInt(i % 2), 'a', true]);
  const operator = new WindowAssignOperator(windows, true, types);
  const out = output(
    operator,
    rows,
    rows.map(() => 1),
  );
  assert.deepEqual(
    out.map(([, weight]) => weight),
    [100, 100, 100, 100, 100],
  );
});
