/** The tick of an operator that a test runs by itself: the first one, without watermarks; an error fails the test. */
import assert from 'node:assert/strict';
import type { Arena } from '../batch/arena.ts';
import { defaultContext } from '../expr/context.ts';
import type { Tick } from '../operator.ts';

export function testTick(arena: Arena, differing: Partial<Tick> = {}): Tick {
  return {
    number: 1n,
    first: true,
    arena,
    evalContext: defaultContext(),
    errors: { report: (error) => assert.fail(error.message) },
    now: 0n,
    watermark: () => null,
    ...differing,
  };
}
