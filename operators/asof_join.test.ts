import { test } from 'node:test';
import type { Datum } from './datum.ts';
import { equalDatum } from './expr/compare.ts';
import type { PlanNode } from './plan.ts';
import { inOrder } from './testing/naive_order.ts';
import { checkOperator, type Random, testSeed } from './testing/property.ts';
import { colType, OID } from './types.ts';

const seed = testSeed();
const types = [colType(OID.float8), colType(OID.timestamp), colType(OID.text)];
const names = ['k', 'time', 't'];

function row(_input: number, random: Random): Datum[] {
  return [
    random.pick([null, 0, -0, Number.NaN, 1.5]),
    random.below(9) === 0 ? null : BigInt(random.below(12)),
    random.pick([null, 'a', 'a text longer than twelve bytes']),
  ];
}

type Asof = PlanNode & { op: 'asof' };

function naive(node: Asof, left: Datum[][], right: Datum[][]): Datum[][] {
  const sorted = inOrder(right, [{ col: 1, desc: false, nullsFirst: false }], types);
  return left.flatMap((a) => {
    const partner = sorted.findLast(
      (b) =>
        node.leftKeys.every((k) => a[k] !== null && b[k] !== null && equalDatum(a[k], b[k], types[k].oid)) &&
        a[1] !== null &&
        b[1] !== null &&
        (b[1] < a[1] || (!node.strict && b[1] === a[1])),
    );
    if (partner !== undefined) return [[...a, ...partner]];
    return node.left ? [[...a, null, null, null]] : [];
  });
}

for (const left of [true, false]) {
  for (const strict of [true, false]) {
    for (const keys of [[0], []]) {
      test(`ASOF ${left ? 'LEFT ' : ''}JOIN, ${strict ? '>' : '>='}, ${keys.length} keys`, () => {
        const node: Asof = {
          op: 'asof',
          inputs: [],
          types: [...types, ...types],
          names: [...names, ...names],
          left,
          leftKeys: keys,
          rightKeys: keys,
          leftTime: 1,
          rightTime: 1,
          strict,
        };
        checkOperator({ node, inputTypes: [types, types], row, naive: ([a, b]) => naive(node, a, b) }, seed);
      });
    }
  }
}
