import { test } from 'node:test';
import type { Datum } from './datum.ts';
import type { PlanNode } from './plan.ts';
import { checkOperator, type Random, rowText, testSeed } from './testing/property.ts';
import { colType, OID } from './types.ts';

const seed = testSeed();
const types = [colType(OID.int4), colType(OID.text), colType(OID.float8), colType(OID.int8)];
const names = ['a', 'b', 'c', 'd'];

function row(_input: number, random: Random): Datum[] {
  return [
    random.pick([null, 1, 2]),
    random.pick([null, 'x', 'a text longer than twelve bytes']),
    random.pick([null, -0, 0, Number.NaN]),
    random.pick([null, 7n, -1n]),
  ];
}

const unique = (rows: Datum[][]) => [...new Map(rows.map((r) => [rowText(r), r])).values()];

test('the distinct rows of an append-only input', () => {
  const node: PlanNode = { op: 'distinct', inputs: [], types, names };
  checkOperator({ node, inputTypes: [types], row, appendOnly: true, naive: ([rows]) => unique(rows) }, seed);
});

for (const keys of [[3, 0], [1], [2, 1]]) {
  test(`the groups of an append-only input by ${keys.map((k) => names[k])}`, () => {
    const pick = (from: Datum[]) => keys.map((k) => from[k]);
    const node: PlanNode = {
      op: 'aggregate',
      inputs: [],
      types: keys.map((k) => types[k]),
      names: keys.map((k) => names[k]),
      keys,
      calls: [],
      global: false,
    };
    checkOperator(
      { node, inputTypes: [types], row, appendOnly: true, naive: ([rows]) => unique(rows.map(pick)) },
      seed,
    );
  });
}
