/** Time passes while the process is awake, and not while it is stopped. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwakeClock } from './awake_clock.ts';

test('a stop is noticed and does not count', () => {
  let elapsed = 1000;
  let stops = 0;
  const clock = new AwakeClock(
    () => stops++,
    () => elapsed,
  );
  // Nobody looks regularly yet: a gap says nothing.
  elapsed += 60_000;
  assert.equal(clock.now(), 60_000);
  clock.start(() => undefined);
  elapsed += 300;
  assert.equal(clock.now(), 60_300);
  elapsed += 3_600_000;
  assert.equal(clock.now(), 60_300);
  assert.equal(stops, 1);
  elapsed += 250;
  assert.equal(clock.now(), 60_550);
  assert.equal(stops, 1);
  clock.close();
});
