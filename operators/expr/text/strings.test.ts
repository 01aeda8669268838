/** Splitting of long texts: the parts of short ones, and it ends when the statement has to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Interrupted, turn } from '../../turn.ts';
import { splitString } from './strings.ts';

const LONG = 'a, é, 𝄞, , the rest,'.repeat(70_000);

test('long texts are split as short ones', () => {
  for (const separator of [',', ', ', 'é', 'no part', LONG])
    assert.deepEqual([...splitString(LONG, separator, null)], LONG.split(separator));
  assert.deepEqual([...splitString(LONG, null, null)], [...LONG]);
  assert.deepEqual([...splitString(LONG, '', null)], [LONG]);
});

test('splitting a long text can be ended', () => {
  const { lookMs } = turn;
  turn.lookMs = 0;
  try {
    for (const separator of [',', null])
      assert.throws(() => turn.of(AbortSignal.abort(), () => [...splitString(LONG, separator, null)]), Interrupted);
  } finally {
    turn.lookMs = lookMs;
  }
});
