/**
 * Loaded into a server before anything else (node --import): a machine whose clock is set. Every SIGUSR2 moves the clock on to the next of CLOCK_OFFSETS,
 * milliseconds from the right time. Timers and performance.now() go on, as they do when a clock is set.
 */
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  const offsets = (process.env.CLOCK_OFFSETS ?? '').split(',').map(Number);
  const right = Date.now;
  let offset = 0;
  Date.now = () => right() + offset;
  process.on('SIGUSR2', () => {
    offset = offsets.shift() ?? offset;
  });
}
