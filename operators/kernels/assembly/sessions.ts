/**
 * Sessions as intervals (operators/session_merged.ts), all rows of a tick in one call. A key's bytes:
 *
 *   | u32 run | u32 count | u32 capacity | u32 1 + least number of a session that the tick changed, 0: none |
 *   run, in order of time:   | i64 first | i64 last | f64 weight | u32 1 when the tick changed it | u32 spare |
 *
 * Sessions of a key are more than the gap apart, so a row is within the gap of two at most.
 */
import { announce } from './marks';

const COUNT: usize = 4;
const CAPACITY: usize = 8;
const LEAST: usize = 12;
const SESSION: u32 = 32;
const LAST: usize = 8;
const WEIGHT: usize = 16;
const CHANGED: usize = 24;
/** A session that is shown: | u32 slot | i32 weight | i64 first | i64 last |. */
const SHOWN: u32 = 24;

/** What a row lies further from than by the gap; no overflow, for the distance is taken as unsigned. */
@inline
function beyond(later: i64, earlier: i64, gap: u64): bool {
  return later > earlier && <u64>(later - earlier) > gap;
}

@inline
function show(out: usize, slot: usize, session: usize): void {
  store<u32>(out, <u32>slot);
  store<i32>(out, <i32>load<f64>(session, WEIGHT), 4);
  store<i64>(out, load<i64>(session), 8);
  store<i64>(out, load<i64>(session, LAST), 16);
}

/**
 * Puts rows `row` .. n-1 into the sessions of their keys (slot 0: left out); a session that was there is shown to `old` before it changes, once. `touched`:
 * the slots of the keys. Counts both at `counts`. Stops at a row that makes a session for which its key has no room and gives its number, else n.
 */
export function addToSessions(
  slots: usize,
  times: usize,
  weights: usize,
  row: u32,
  n: u32,
  payload: u32,
  gap: u64,
  old: usize,
  touched: usize,
  counts: usize,
): u32 {
  let shown = load<u32>(counts);
  let keys = load<u32>(counts, 4);
  for (; row < n; row++) {
    const slot: usize = load<u32>(slots + (row << 2));
    if (slot == 0) continue;
    const head = slot + payload;
    const time = load<i64>(times + (row << 3));
    const weight = <f64>load<i32>(weights + (row << 2));
    const run: usize = load<u32>(head);
    const count = load<u32>(head, COUNT);
    let to = count;
    while (to > 0 && beyond(load<i64>(run + (to - 1) * SESSION), time, gap)) to--;
    let from = to;
    while (from > 0 && !beyond(time, load<i64>(run + (from - 1) * SESSION, LAST), gap)) from--;
    if (from == to && count == load<u32>(head, CAPACITY)) break;
    const least = load<u32>(head, LEAST);
    if (least == 0) store<u32>(touched + (keys++ << 2), <u32>slot);
    if (least == 0 || from + 1 < least) store<u32>(head, from + 1, LEAST);
    const session = run + from * SESSION;
    if (from == to) {
      announce(session, SESSION);
      for (let at = run + count * SESSION; at > session; at -= SESSION) {
        announce(at, SESSION);
        memory.copy(at, at - SESSION, SESSION);
      }
      store<i64>(session, time);
      store<i64>(session, time, LAST);
      store<f64>(session, weight, WEIGHT);
      store<u64>(session, 1, CHANGED);
      store<u32>(head, count + 1, COUNT);
      continue;
    }
    for (let i = from; i < to; i++) {
      const one = run + i * SESSION;
      if (load<u32>(one, CHANGED) == 0) show(old + shown++ * SHOWN, slot, one);
    }
    announce(session, SESSION);
    const end = run + (to - 1) * SESSION;
    if (time < load<i64>(session)) store<i64>(session, time);
    const last = load<i64>(end, LAST);
    store<i64>(session, time > last ? time : last, LAST);
    let sum = weight;
    for (let i = from; i < to; i++) sum += load<f64>(run + i * SESSION, WEIGHT);
    store<f64>(session, sum, WEIGHT);
    store<u64>(session, 1, CHANGED);
    const gone = to - from - 1;
    if (gone == 0) continue;
    for (let i = to; i < count; i++) {
      announce(run + (i - gone) * SESSION, SESSION);
      memory.copy(run + (i - gone) * SESSION, run + i * SESSION, SESSION);
    }
    store<u32>(head, count - gone, COUNT);
  }
  store<u32>(counts, shown);
  store<u32>(counts, keys, 4);
  return row;
}

/** The sessions of n keys that the tick changed, to `now`; afterwards none is. Gives their number. */
export function changedSessions(touched: usize, n: u32, payload: u32, now: usize): u32 {
  let shown: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const slot: usize = load<u32>(touched + (i << 2));
    const head = slot + payload;
    const run: usize = load<u32>(head);
    const count = load<u32>(head, COUNT);
    for (let s = load<u32>(head, LEAST) - 1; s < count; s++) {
      const session = run + s * SESSION;
      if (load<u32>(session, CHANGED) == 0) continue;
      show(now + shown++ * SHOWN, slot, session);
      store<u32>(session, 0, CHANGED);
    }
    store<u32>(head, 0, LEAST);
  }
  return shown;
}
