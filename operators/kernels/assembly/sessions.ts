/**
 * Sessions as intervals (operators/session_merged.ts), all rows of a tick in one call. A key's bytes:
 *
 *   | u32 run | u32 count | u32 capacity of the run | u32 1 + least number of a session that the tick changed, 0: none | f64 due | a session |
 *   the session in it while run is 0, else run, in order of time:
 *   | i64 first | i64 last | f64 weight | u32 1 when the tick changed it | u32 spare |
 *
 * Most keys have one session, which needs no memory of its own. Sessions of a key are more than the gap apart, so a row is within the gap of two at
 * most. due: the watermark by which the earliest session is dead, NaN for never.
 */
import { entryOf, isEnd, slotOf } from './directory';
import { announce } from './marks';

const COUNT: usize = 4;
const CAPACITY: usize = 8;
const LEAST: usize = 12;
const DUE: usize = 16;
const OWN: usize = 24;
const HEAD: u32 = 56;
const SESSION: u32 = 32;
const LAST: usize = 8;
const WEIGHT: usize = 16;
const CHANGED: usize = 24;
/** A session that is shown: | u32 slot | i32 weight | i64 first | i64 last |. */
const SHOWN: u32 = 24;
const EXACT: f64 = 9007199254740992;

/** What a row lies further from than by the gap; no overflow, for the distance is taken as unsigned. */
@inline
function beyond(later: i64, earlier: i64, gap: u64): bool {
  return later > earlier && <u64>(later - earlier) > gap;
}

@inline
function runOf(head: usize): usize {
  const run: usize = load<u32>(head);
  return run == 0 ? head + OWN : run;
}

@inline
function show(out: usize, slot: usize, session: usize): void {
  store<u32>(out, <u32>slot);
  store<i32>(out, <i32>load<f64>(session, WEIGHT), 4);
  store<i64>(out, load<i64>(session), 8);
  store<i64>(out, load<i64>(session, LAST), 16);
}

/** When the session is dead, as operators/state/deadline.ts has it. */
@inline
function dueOf(session: usize, lag: f64): f64 {
  const last = <f64>load<i64>(session, LAST);
  return last > -EXACT && last < EXACT ? last + lag : NaN;
}

/** The rows' weights, 0 for those that are in no session: their time is NULL or infinite. */
export function timedWeights(times: usize, valid: usize, weights: usize, n: u32, to: usize): void {
  for (let row: u32 = 0; row < n; row++) {
    // The infinite times are the greatest and the least.
    const infinite = <u64>load<i64>(times + (row << 3)) - <u64>i64.MAX_VALUE <= 1;
    const none = infinite || (valid != 0 && load<u8>(valid + row) == 0);
    store<i32>(to + (row << 2), none ? 0 : load<i32>(weights + (row << 2)));
  }
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
    const run = runOf(head);
    const count = load<u32>(head, COUNT);
    // Most rows prolong the key's last session, which the tick has changed already: it was shown and announced.
    const newest = run + (count - 1) * SESSION;
    if (count > 0 && load<u32>(newest, CHANGED) != 0 && time >= load<i64>(newest)) {
      const last = load<i64>(newest, LAST);
      if (!beyond(time, last, gap)) {
        store<i64>(newest, max(time, last), LAST);
        store<f64>(newest, load<f64>(newest, WEIGHT) + weight, WEIGHT);
        continue;
      }
    }
    let to = count;
    while (to > 0 && beyond(load<i64>(run + (to - 1) * SESSION), time, gap)) to--;
    let from = to;
    while (from > 0 && !beyond(time, load<i64>(run + (from - 1) * SESSION, LAST), gap)) from--;
    if (from == to && count == (load<u32>(head) == 0 ? 1 : load<u32>(head, CAPACITY))) break;
    const least = load<u32>(head, LEAST);
    if (least == 0) store<u32>(touched + (keys++ << 2), <u32>slot);
    if (least == 0 || from + 1 < least) store<u32>(head, from + 1, LEAST);
    const session = run + from * SESSION;
    announce(session, SESSION);
    if (from == to) {
      for (let at = run + count * SESSION; at > session; at -= SESSION) moveSession(at, at - SESSION);
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
    for (let i = to; i < count; i++) moveSession(run + (i - gone) * SESSION, run + i * SESSION);
    store<u32>(head, count - gone, COUNT);
  }
  store<u32>(counts, shown);
  store<u32>(counts, keys, 4);
  return row;
}

@inline
function moveSession(to: usize, from: usize): void {
  announce(to, SESSION);
  for (let at: usize = 0; at < SESSION; at += 8) store<u64>(to + at, load<u64>(from + at));
}

/** The sessions of n keys that the tick changed, to `now`; afterwards none is, and the keys are due by what they have. Gives their number. */
export function changedSessions(touched: usize, n: u32, payload: u32, lag: f64, now: usize): u32 {
  let shown: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const slot: usize = load<u32>(touched + (i << 2));
    const head = slot + payload;
    const run = runOf(head);
    const count = load<u32>(head, COUNT);
    for (let s = load<u32>(head, LEAST) - 1; s < count; s++) {
      const session = run + s * SESSION;
      if (load<u32>(session, CHANGED) == 0) continue;
      show(now + shown++ * SHOWN, slot, session);
      store<u32>(session, 0, CHANGED);
    }
    store<u32>(head, 0, LEAST);
    store<f64>(head, dueOf(run, lag), DUE);
  }
  return shown;
}

/**
 * n sessions of a list as columns: slots, start, end; and their number of rows as an int8 column `numbers` with weight 1, or, where `numbers` is 0, as their
 * weight. The first `before` are what was: their weights are negative.
 */
export function sessionColumns(
  list: usize,
  n: u32,
  before: u32,
  gap: i64,
  slots: usize,
  weights: usize,
  starts: usize,
  ends: usize,
  numbers: usize,
): void {
  for (let i: u32 = 0; i < n; i++, list += SHOWN) {
    const rows = load<i32>(list, 4);
    const weight = numbers == 0 ? rows : 1;
    store<u32>(slots + (i << 2), load<u32>(list));
    store<i32>(weights + (i << 2), i < before ? -weight : weight);
    store<i64>(starts + (i << 3), load<i64>(list, 8));
    store<i64>(ends + (i << 3), load<i64>(list, 16) + gap);
    if (numbers != 0) store<i64>(numbers + (i << 3), <i64>rows);
  }
}

/**
 * Forgets sessions of the keys with these hashes that are dead, and notes how many where else the least changed one stands; one key a hash, for every key has an entry in the calendar. In place of the hashes first come
 * the slots of keys that have none left, then those of keys that stay. Gives how many, the
 * latter times 2^32.
 */
export function deadSessions(
  directory: usize,
  mask: u32,
  hashes: usize,
  n: u32,
  payload: u32,
  lag: f64,
  watermark: f64,
): f64 {
  let empty: u32 = 0;
  let listed: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const slot = keyToFree(directory, mask, load<u32>(hashes + (i << 2)), payload, watermark);
    if (slot == 0) continue;
    const head = slot + payload;
    const count = load<u32>(head, COUNT);
    const run = runOf(head);
    let dead: u32 = 0;
    while (dead < count && dueOf(run + dead * SESSION, lag) < watermark) dead++;
    let place = listed++;
    if (dead > 0) {
      announce(head, HEAD);
      for (let s = dead; s < count; s++) moveSession(run + (s - dead) * SESSION, run + s * SESSION);
      store<u32>(head, count - dead, COUNT);
      store<u32>(head, load<u32>(head, LEAST) + dead, LEAST);
      if (dead < count) store<f64>(head, dueOf(run, lag), DUE);
      else {
        store<u32>(hashes + (place << 2), load<u32>(hashes + (empty << 2)));
        place = empty++;
      }
    }
    store<u32>(hashes + (place << 2), <u32>slot);
  }
  return <f64>empty + 4294967296 * <f64>(listed - empty);
}

/** How many sessions the n keys that deadSessions() listed have lost. */
export function forgottenSessions(slots: usize, n: u32, payload: u32): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const head: usize = load<u32>(slots + (i << 2)) + payload;
    sum += load<u32>(head, LEAST);
    if (load<u32>(head, LEAST) != 0) store<u32>(head, 0, LEAST);
  }
  return sum;
}

/** The slot with the hash that is due, else one that is not, or 0. A key without sessions is listed already. */
@inline
function keyToFree(directory: usize, mask: u32, hash: u32, payload: u32, watermark: f64): usize {
  let other: usize = 0;
  for (let index = hash, entry = entryOf(directory, mask, index); !isEnd(entry); entry = entryOf(directory, mask, ++index)) {
    const slot = slotOf(entry, hash);
    if (slot == 0 || load<u32>(slot + payload, COUNT) == 0) continue;
    if (load<f64>(slot + payload, DUE) < watermark) return slot;
    other = slot;
  }
  return other;
}
