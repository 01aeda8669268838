import { test } from 'node:test';
import { type Datum, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from './datum.ts';
import type { PlanNode } from './plan.ts';
import { checkOperator, type Random, testSeed } from './testing/property.ts';
import { colType, OID } from './types.ts';

const seed = testSeed();
const time = colType(OID.timestamptz);
const types = [time, time, colType(OID.text)];
const names = ['a', 'b', 't'];

function row(_input: number, random: Random): Datum[] {
  const at = () =>
    random.below(9) === 0
      ? random.pick([null, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY])
      : BigInt(random.below(60) * 5);
  return [at(), at(), random.pick(['a', 'a text longer than twelve bytes'])];
}

for (const [from, until] of [
  [0, 1],
  [0, null],
  [null, 1],
]) {
  test(`temporal filter from ${from} until ${until}`, () => {
    const node: PlanNode = { op: 'temporal', inputs: [], types, names, from, until };
    checkOperator(
      {
        node,
        inputTypes: [types],
        row,
        clock: 20n,
        naive: ([rows], { now }) =>
          rows.filter((r) => {
            const start = from === null ? null : (r[from] as bigint | null);
            const end = until === null ? null : (r[until] as bigint | null);
            return (start === null || start <= now) && (end === null || now < end);
          }),
      },
      seed,
    );
  });
}

test('window close', () => {
  const node: PlanNode = { op: 'window_close', inputs: [], types, names, time: 0, sources: [1, 2] };
  checkOperator(
    {
      node,
      inputTypes: [types],
      row,
      clock: 20n,
      naive: ([rows], { watermark }) => rows.filter((r) => r[0] !== null && (r[0] as bigint) <= watermark!),
    },
    seed,
  );
});
