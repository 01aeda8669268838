import assert from 'node:assert/strict';
import { getPriority, setPriority } from 'node:os';
import { test } from 'node:test';
import { goFirst } from './thread_priority.ts';

test('a thread goes before others, or stays as it is where that is not allowed', () => {
  const before = getPriority();
  goFirst();
  const after = getPriority();
  try {
    assert.ok(after === before || after === Math.max(-20, before - 5), `${before} became ${after}`);
  } finally {
    setPriority(before);
  }
});
