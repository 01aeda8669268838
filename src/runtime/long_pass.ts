/**
 * A read runs in one synchronous pass, during which nobody else is heard. After a long one this lets what came meanwhile be heard,
 * a cancel or a timeout of that very read among it, before it answers.
 */
import { setImmediate as immediate } from 'node:timers/promises';

const LONG_PASS_MS = 20;
/** A new connection is accepted in one turn of the event loop, its request read in the next, and acted upon in a third. */
const TURNS_TO_HEAR_A_CANCEL = 4;

/** What `pass` gives; when it took long, after some turns of the event loop. */
export async function hearingCancels<T>(pass: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await pass();
  if (performance.now() - start > LONG_PASS_MS) {
    for (let turn = 0; turn < TURNS_TO_HEAR_A_CANCEL; turn++) await immediate();
  }
  return result;
}
