import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldClock } from './held_clock.ts';

test('a held clock is looked at once, and stands until it is held anew or released', () => {
  let now = 10n;
  const clock = new HeldClock(() => now++);
  assert.deepEqual([clock.now(), clock.now()], [10n, 11n]);
  clock.hold();
  assert.deepEqual([clock.now(), clock.now()], [12n, 12n]);
  clock.hold();
  assert.deepEqual([clock.now(), clock.now()], [13n, 13n]);
  clock.release();
  assert.deepEqual([clock.now(), clock.now()], [14n, 15n]);
});
