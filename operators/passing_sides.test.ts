/** What joins of a plan that is run once keep; what they give is compared with the reference in planner/physical/random_read.slow.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from './batch/arena.ts';
import { batchFromRows } from './batch/builder.ts';
import type { Datum } from './datum.ts';
import './expr/functions/index.ts';
import { Piecewise } from './piecewise.ts';
import type { JoinKind, PlanNode } from './plan.ts';
import { Bag } from './testing/property.ts';
import { testTick } from './testing/tick.ts';
import { colType, OID } from './types.ts';

const types = [colType(OID.int4), colType(OID.text)];

function source(relation: number): PlanNode {
  return { op: 'source', inputs: [], types, names: ['k', 'v'], relation, columns: [0, 1], appendOnly: true };
}

function join(kind: JoinKind): PlanNode {
  const all = kind === 'semi' || kind === 'anti' ? types : [...types, ...types];
  const keys = { leftKeys: [0], rightKeys: [0], nullSafe: [false], nullAware: false, residual: null };
  return { op: 'join', kind, inputs: [0, 1], types: all, names: all.map((_, i) => `c${i}`), ...keys };
}

const ROWS: Datum[][][] = [
  [
    [1, 'a'],
    [2, 'b'],
    [2, 'c'],
    [null, 'd'],
  ],
  [
    [2, 'x'],
    [3, 'y'],
    [3, 'z'],
  ],
];

/** Feeds one side after the other; gives the rows that are kept of both in the end, and what comes of them. */
function run(kind: JoinKind, first: number, expects: boolean): { kept: number; out: string[] } {
  const flow = new Piecewise({ nodes: [source(0), source(1), join(kind)], root: 2 });
  const arena = new Arena();
  const out = new Bag();
  for (const side of [first, 1 - first]) {
    if (expects) flow.expect(new Set(side === first ? [0, 1] : [side]));
    const delta = (relation: number) => (relation === side ? batchFromRows(types, ROWS[side], arena) : null);
    for (const piece of flow.steps(delta, testTick(arena))) out.addBatch(piece);
  }
  for (const piece of flow.rest(testTick(arena))) out.addBatch(piece);
  const kept = flow.figures().reduce((sum, { stateRows }) => sum + stateRows, 0);
  flow.release();
  arena.release();
  return { kept, out: out.texts() };
}

test('of the side that comes last nothing is kept where it only looks up', () => {
  const [left, right] = [3, 3];
  for (const kind of ['inner', 'left', 'right', 'full', 'semi', 'anti'] as const)
    for (const first of [0, 1]) {
      const last = 1 - first;
      const passes = kind === 'inner' || (kind !== 'full' && last === (kind === 'right' ? 1 : 0));
      const { kept, out } = run(kind, first, true);
      assert.equal(kept, passes ? [left, right][first] : left + right, `${kind}, ${first} first`);
      assert.deepEqual(out, run(kind, first, false).out);
    }
});
