/** The plan verifier finds broken plans. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DataflowPlan, PlanNode } from '../../operators/plan.ts';
import { BOOL, INT4, INT8 } from '../logical/expressions.ts';
import { verifyPlan } from './verify.ts';

const source: PlanNode = {
  op: 'source',
  inputs: [],
  types: [INT4, INT8],
  names: ['a', 'b'],
  relation: 1,
  columns: [0, 1],
};
const same = { types: [INT4, INT8], names: ['a', 'b'] };

function plan(...nodes: PlanNode[]): DataflowPlan {
  return { nodes, root: nodes.length - 1 };
}

const BROKEN: [string, DataflowPlan, RegExp][] = [
  ['a root that does not exist', { nodes: [source], root: 3 }, /root 3/],
  ['an input after its consumer', plan({ ...same, op: 'distinct', inputs: [1] }, source), /does not come before/],
  ['a missing input', plan(source, { ...same, op: 'distinct', inputs: [] }), /has 0 inputs/],
  ['names of another length', plan({ ...source, names: ['a'] }), /names and types/],
  ['a column beyond the row', plan(source, { ...same, op: 'single_row', inputs: [0], keys: [7] }), /column 7/],
  [
    'a column read as another type',
    plan(source, {
      op: 'map',
      inputs: [0],
      types: [INT4],
      names: ['x'],
      filter: null,
      project: [{ k: 'col', id: 1, t: INT4 }],
    }),
    /read as type 23, not 20/,
  ],
  [
    'a filter that is no condition',
    plan(source, { ...same, op: 'map', inputs: [0], filter: { k: 'const', v: 1, t: INT4 }, project: null }),
    /not boolean/,
  ],
  ['arms of different types', plan(source, { op: 'union', inputs: [0], types: [BOOL], names: ['x'] }), /declares/],
  [
    'join keys of different types',
    plan(source, {
      op: 'join',
      kind: 'inner',
      inputs: [0, 0],
      types: [...same.types, ...same.types],
      names: ['a', 'b', 'c', 'd'],
      leftKeys: [0],
      rightKeys: [1],
      nullSafe: [false],
      nullAware: false,
      residual: null,
    }),
    /key 0 has types/,
  ],
  [
    'a global aggregate with keys',
    plan(source, { op: 'aggregate', inputs: [0], types: [INT4], names: ['a'], keys: [0], calls: [], global: true }),
    /global/,
  ],
];

test('a sound plan passes', () => verifyPlan(plan(source, { ...same, op: 'distinct', inputs: [0] })));

for (const [title, broken, message] of BROKEN) test(title, () => assert.throws(() => verifyPlan(broken), message));
