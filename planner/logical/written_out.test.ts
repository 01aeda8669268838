/** A plan that is too large as a tree is refused before anything is copied. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Logical } from './plan.ts';
import { refuseTooLarge } from './written_out.ts';

/** So many joins, each of the one before with itself: as a tree twice the size of the one before, and one more. */
function doubled(times: number): Logical {
  let plan: Logical = { op: 'values', rows: [], cols: [] };
  for (let i = 0; i < times; i++) plan = { op: 'join', kind: 'inner', left: plan, right: plan, on: null } as Logical;
  return plan;
}

test('a subplan counts wherever it is read', () => {
  refuseTooLarge(doubled(14));
  for (const times of [15, 16, 60, 2000])
    assert.throws(() => refuseTooLarge(doubled(times)), { sqlstate: '54001' }, `${times}`);
});
