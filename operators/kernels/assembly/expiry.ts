/** The loop of a calendar (operators/state/expiry.ts): hashes of slots into one bucket. */
import { announce } from './marks';

/**
 * Puts the hashes of slots i .. n-1 to `to` while their times are in [start, end) and there is room for them; gives the number of the first that was not put.
 * Times lie at `times`, 8 bytes a step, or, where that is 0, at `at` in the slots. Slot 0 is none.
 */
export function fillBucket(
  slots: usize,
  i: u32,
  n: u32,
  times: usize,
  at: u32,
  start: f64,
  end: f64,
  to: usize,
  room: u32,
): u32 {
  const last = min(n, i + room);
  for (; i < last; i++, to += 4) {
    const slot: usize = load<u32>(slots + (i << 2));
    if (slot == 0) return i;
    const time = times == 0 ? load<f64>(slot + at) : load<f64>(times + (i << 3));
    if (!(time >= start && time < end)) return i;
    announce(to, 4);
    store<u32>(to, load<u32>(slot));
  }
  return i;
}

/** The number of the first of times i .. n-1 that is not in [start, end). */
export function lastLike(times: usize, i: u32, n: u32, start: f64, end: f64): u32 {
  for (; i < n; i++) {
    const time = load<f64>(times + (i << 3));
    if (!(time >= start && time < end)) return i;
  }
  return i;
}
