/**
 * Sessions as intervals (operators/session_merged.ts), all rows of a tick in one call. A key's bytes, the high bit of the first word: the tick has changed it:
 *
 *   key with a session:   | 41 bits: last - first, 22 bits: number of rows, not 0 | i64 last |
 *   key with none:        | 0 | ... |
 *   other keys:           | u32 run, u32 0 | u32 count, u32 capacity |
 *
 *   run:                  | u32 1 + least number of a session that the tick has changed, 0: none | u32 spare | sessions in order of time |
 *   session of a run:     | u32 spare | u32 number of rows; the high bit: the tick has changed it | i64 first | i64 last |
 *
 * Most keys have one session, which needs no memory of its own; one of more than 25 days or 4 million rows has a run, too. Sessions of a key are more than the gap apart, so a row is
 * within the gap of two at most. The watermark by which the earliest session is dead is worked out of its last time.
 */
import { entryOf, isEnd, slotOf } from './directory';
import { homeOf } from './home';
import { announce } from './marks';

const KEY_BYTES: u32 = 16;
const OWN_LAST: usize = 8;
const LENGTH_BITS: u64 = 41;
const MOST_LENGTH: u64 = (1 << 41) - 1;
const MOST_ROWS: u64 = (1 << 22) - 1;
const OWN_CHANGED: u64 = 1 << 63;
/** Of a key with a run, and of the run. */
const COUNT: usize = 8;
const CAPACITY: usize = 12;
const RUN_HEAD: usize = 8;
const SESSION: u32 = 24;
const ROWS: usize = 4;
const FIRST: usize = 8;
const LAST: usize = 16;
const CHANGED: u32 = 0x80000000;
/** A session that is shown: | u32 slot | i32 rows | i64 first | i64 last |. */
const SHOWN: u32 = 24;
const EXACT: f64 = 9007199254740992;

/** What a row lies further from than by the gap; no overflow, for the distance is taken as unsigned. */
@inline
function beyond(later: i64, earlier: i64, gap: u64): bool {
  return later > earlier && <u64>(later - earlier) > gap;
}

/** The number of rows of a session that a key has itself, by its first word; 0: it has none or a run. */
@inline
function ownRows(own: u64): u64 {
  return (own >> LENGTH_BITS) & MOST_ROWS;
}

@inline
function ownLength(own: u64): i64 {
  return <i64>(own & MOST_LENGTH);
}

/** The sessions of a key with a run. */
@inline
function sessionsOf(key: usize): usize {
  return <usize>load<u32>(key) + RUN_HEAD;
}

@inline
function countOf(key: usize): u32 {
  const own = load<u64>(key);
  if (own == 0) return 0;
  return ownRows(own) != 0 ? 1 : load<u32>(key, COUNT);
}

@inline
function isChanged(session: usize): bool {
  return (load<u32>(session, ROWS) & CHANGED) != 0;
}

@inline
function rowsOf(session: usize): u32 {
  return load<u32>(session, ROWS) & ~CHANGED;
}

/** The session has changed and has so many rows now; no more than an int32 of weights can say. */
@inline
function setRows(session: usize, rows: u64): void {
  if (rows >= CHANGED) unreachable();
  store<u32>(session, <u32>rows | CHANGED, ROWS);
}

@inline
function show(out: usize, slot: usize, rows: u32, first: i64, last: i64): void {
  store<u32>(out, <u32>slot);
  store<u32>(out, rows, 4);
  store<i64>(out, first, 8);
  store<i64>(out, last, 16);
}

@inline
function showOwn(out: usize, slot: usize, own: u64, last: i64): void {
  show(out, slot, <u32>ownRows(own), last - ownLength(own), last);
}

@inline
function showOf(out: usize, slot: usize, session: usize): void {
  show(out, slot, rowsOf(session), load<i64>(session, FIRST), load<i64>(session, LAST));
}

/** When a session with this last time is dead, as operators/state/deadline.ts has it. */
@inline
function dueAt(last: i64, lag: f64): f64 {
  const time = <f64>last;
  return time > -EXACT && time < EXACT ? time + lag : NaN;
}

/** When the earliest session of a key that has one is dead. */
@inline
function dueOf(key: usize, lag: f64): f64 {
  return dueAt(ownRows(load<u64>(key)) != 0 ? load<i64>(key, OWN_LAST) : load<i64>(sessionsOf(key), LAST), lag);
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
    const key = slot + payload;
    const time = load<i64>(times + (row << 3));
    const weight: u64 = load<u32>(weights + (row << 2));
    const own = load<u64>(key);
    const had = ownRows(own);
    if (own == 0 || had != 0) {
      // The key's only session.
      let first = time;
      let last = time;
      if (own != 0) {
        last = load<i64>(key, OWN_LAST);
        first = last - ownLength(own);
        if (beyond(time, last, gap) || beyond(first, time, gap)) break;
      }
      const rows = had + weight;
      const length = <u64>(max(last, time) - min(first, time));
      if (rows > MOST_ROWS || length > MOST_LENGTH) break;
      if ((own & OWN_CHANGED) == 0) {
        announce(key, KEY_BYTES);
        store<u32>(touched + (keys++ << 2), <u32>slot);
        if (own != 0) showOwn(old + shown++ * SHOWN, slot, own, last);
      }
      store<u64>(key, length | (rows << LENGTH_BITS) | OWN_CHANGED);
      store<i64>(key, max(last, time), OWN_LAST);
      continue;
    }
    const run: usize = load<u32>(key);
    const sessions = sessionsOf(key);
    const count = load<u32>(key, COUNT);
    let to = count;
    while (to > 0 && beyond(load<i64>(sessions + (to - 1) * SESSION, FIRST), time, gap)) to--;
    let from = to;
    while (from > 0 && !beyond(time, load<i64>(sessions + (from - 1) * SESSION, LAST), gap)) from--;
    if (from == to && count == load<u32>(key, CAPACITY)) break;
    const least = load<u32>(run);
    announce(run, 4);
    if (least == 0) store<u32>(touched + (keys++ << 2), <u32>slot);
    if (least == 0 || from + 1 < least) store<u32>(run, from + 1);
    const session = sessions + from * SESSION;
    announce(session, SESSION);
    if (from == to) {
      for (let at = sessions + count * SESSION; at > session; at -= SESSION) moveSession(at, at - SESSION);
      store<i64>(session, time, FIRST);
      store<i64>(session, time, LAST);
      setRows(session, weight);
      store<u32>(key, count + 1, COUNT);
      continue;
    }
    let sum = weight;
    for (let i = from; i < to; i++) {
      const one = sessions + i * SESSION;
      sum += rowsOf(one);
      if (!isChanged(one)) showOf(old + shown++ * SHOWN, slot, one);
    }
    const end = sessions + (to - 1) * SESSION;
    if (time < load<i64>(session, FIRST)) store<i64>(session, time, FIRST);
    const last = load<i64>(end, LAST);
    store<i64>(session, time > last ? time : last, LAST);
    setRows(session, sum);
    const gone = to - from - 1;
    if (gone == 0) continue;
    for (let i = to; i < count; i++) moveSession(sessions + (i - gone) * SESSION, sessions + i * SESSION);
    store<u32>(key, count - gone, COUNT);
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

/** Gives a key that has none a run, with the session that the key has. */
export function beginRun(key: usize, run: usize, capacity: u32): void {
  const own = load<u64>(key);
  const sessions = run + RUN_HEAD;
  const isOwn = own != 0;
  const changed = (own & OWN_CHANGED) != 0;
  if (isOwn) {
    const last = load<i64>(key, OWN_LAST);
    store<u32>(sessions, 0);
    store<u32>(sessions, <u32>ownRows(own) | (changed ? CHANGED : 0), ROWS);
    store<i64>(sessions, last - ownLength(own), FIRST);
    store<i64>(sessions, last, LAST);
  }
  store<u32>(run, u32(changed));
  store<u32>(run, 0, 4);
  store<u64>(key, <u64>run);
  store<u32>(key, u32(isOwn), COUNT);
  store<u32>(key, capacity, CAPACITY);
}

/** The sessions of n keys that the tick changed, to `now`; afterwards none is. Gives their number. */
export function changedSessions(touched: usize, n: u32, payload: u32, now: usize): u32 {
  let shown: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const slot: usize = load<u32>(touched + (i << 2));
    const key = slot + payload;
    const own = load<u64>(key);
    if (ownRows(own) != 0) {
      showOwn(now + shown++ * SHOWN, slot, own, load<i64>(key, OWN_LAST));
      store<u64>(key, own & ~OWN_CHANGED);
      continue;
    }
    const sessions = sessionsOf(key);
    const count = load<u32>(key, COUNT);
    for (let s = load<u32>(<usize>load<u32>(key)) - 1; s < count; s++) {
      const session = sessions + s * SESSION;
      if (!isChanged(session)) continue;
      store<u32>(session, rowsOf(session), ROWS);
      showOf(now + shown++ * SHOWN, slot, session);
    }
    store<u32>(<usize>load<u32>(key), 0);
  }
  return shown;
}

/** All sessions of n keys, to `list`. */
export function allSessions(slots: usize, n: u32, payload: u32, list: usize): void {
  for (let i: u32 = 0; i < n; i++) {
    const slot: usize = load<u32>(slots + (i << 2));
    const key = slot + payload;
    const own = load<u64>(key);
    if (ownRows(own) != 0) {
      showOwn(list, slot, own, load<i64>(key, OWN_LAST));
      list += SHOWN;
      continue;
    }
    const sessions = sessionsOf(key);
    for (let s: u32 = 0; s < load<u32>(key, COUNT); s++, list += SHOWN) showOf(list, slot, sessions + s * SESSION);
  }
}

/** The watermarks by which the earliest sessions of n keys are dead. */
export function sessionDues(slots: usize, n: u32, payload: u32, lag: f64, to: usize): void {
  for (let i: u32 = 0; i < n; i++) store<f64>(to + (i << 3), dueOf(<usize>load<u32>(slots + (i << 2)) + payload, lag));
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
 * Forgets sessions of the keys with these hashes that are dead, and writes how many to `lost`; one key a hash, for every key has an entry in the calendar. In place of the hashes first
 * come the slots of keys that have none left, then those of keys that stay. Gives how many, the latter times 2^32.
 */
export function deadSessions(
  directory: usize,
  mask: u32,
  hashes: usize,
  n: u32,
  payload: u32,
  lag: f64,
  watermark: f64,
  lost: usize,
): f64 {
  let empty: u32 = 0;
  let listed: u32 = 0;
  let sum: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const slot = keyToFree(directory, mask, load<u32>(hashes + (i << 2)), payload, lag, watermark);
    if (slot == 0) continue;
    const key = slot + payload;
    const count = countOf(key);
    const isOwn = ownRows(load<u64>(key)) != 0;
    let dead: u32 = 0;
    if (isOwn) dead = u32(dueOf(key, lag) < watermark);
    else while (dead < count && dueAt(load<i64>(sessionsOf(key) + dead * SESSION, LAST), lag) < watermark) dead++;
    let place = listed++;
    if (dead > 0) {
      sum += dead;
      announce(key, KEY_BYTES);
      if (isOwn) store<u64>(key, 0);
      else {
        const sessions = sessionsOf(key);
        for (let s = dead; s < count; s++) moveSession(sessions + (s - dead) * SESSION, sessions + s * SESSION);
        store<u32>(key, count - dead, COUNT);
      }
      if (dead == count) {
        store<u32>(hashes + (place << 2), load<u32>(hashes + (empty << 2)));
        place = empty++;
      }
    }
    store<u32>(hashes + (place << 2), <u32>slot);
  }
  store<u32>(lost, sum);
  return <f64>empty + 4294967296 * <f64>(listed - empty);
}

/** The slot with the hash that is due, else one that is not, or 0. A key without sessions is listed already. */
@inline
function keyToFree(directory: usize, mask: u32, hash: u32, payload: u32, lag: f64, watermark: f64): usize {
  let other: usize = 0;
  for (let index = homeOf(hash, mask), entry = entryOf(directory, mask, index); !isEnd(entry); entry = entryOf(directory, mask, ++index)) {
    const slot = slotOf(entry, hash);
    if (slot == 0 || countOf(slot + payload) == 0) continue;
    if (dueOf(slot + payload, lag) < watermark) return slot;
    other = slot;
  }
  return other;
}
