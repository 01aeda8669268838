import { test } from 'node:test';
import type { Datum } from './datum.ts';
import type { PlanNode } from './plan.ts';
import { SET_FUNCTIONS } from './set_operation.ts';
import { checkOperator, type Random, rowText, testSeed } from './testing/property.ts';
import { colType, OID } from './types.ts';

const seed = testSeed();
const types = [colType(OID.int4), colType(OID.text)];
const base = { inputs: [], types, names: ['a', 'b'] };

function row(_input: number, random: Random): Datum[] {
  return [random.pick([null, 1, 2]), random.pick([null, 'x', 'a text longer than twelve bytes'])];
}

/** Each distinct row as often as the function of its numbers in the two inputs says. */
function combine(name: string, left: Datum[][], right: Datum[][]): Datum[][] {
  const rows = new Map([...left, ...right].map((r) => [rowText(r), r]));
  const count = (list: Datum[][], text: string) => list.filter((r) => rowText(r) === text).length;
  return [...rows].flatMap(([text, r]) =>
    Array<Datum[]>(SET_FUNCTIONS[name](count(left, text), count(right, text))).fill(r),
  );
}

test('distinct', () => {
  const node: PlanNode = { op: 'distinct', ...base };
  checkOperator({ node, inputTypes: [types], row, naive: ([rows]) => combine('distinct', rows, []) }, seed);
});

for (const kind of ['except', 'intersect'] as const) {
  for (const all of [false, true]) {
    const name = all ? `${kind} all` : kind;
    test(name, () => {
      const node: PlanNode = { op: 'setop', ...base, kind, all };
      checkOperator(
        { node, inputTypes: [types, types], row, naive: ([left, right]) => combine(name, left, right) },
        seed,
      );
    });
  }
}

test('a scalar subquery has one row a key, or an error', () => {
  const node: PlanNode = { op: 'single_row', ...base, keys: [0] };
  checkOperator(
    {
      node,
      inputTypes: [types],
      row,
      rows: 12,
      naive: ([rows], _facts, errors) => {
        const keys = new Set(rows.map((r) => r[0]));
        return [...keys].flatMap((key) => {
          const own = rows.filter((r) => r[0] === key);
          if (own.length === 1) return own;
          errors.push('21000');
          return [];
        });
      },
    },
    seed,
  );
});
