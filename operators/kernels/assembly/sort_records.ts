/** Puts records (sort_layout.ts) in the order of their keys; those with equal keys stay in their order. */
import {
  MERGE_A,
  MERGE_A_END,
  MERGE_B,
  MERGE_B_END,
  MERGE_TO,
  RECORD_BYTES,
} from '../sort_layout';

/** Records that are sorted by insertion. */
const FEW: u32 = 8;

@inline
export function isAfter(a: usize, b: usize): bool {
  const x = load<u64>(a);
  const y = load<u64>(b);
  if (x != y) return x > y;
  const p = load<u64>(a, 8);
  const q = load<u64>(b, 8);
  if (p != q) return p > q;
  return load<u64>(a, 16) > load<u64>(b, 16);
}

@inline
function isEqual(a: usize, b: usize): bool {
  return load<u64>(a) == load<u64>(b) && load<u64>(a, 8) == load<u64>(b, 8) && load<u64>(a, 16) == load<u64>(b, 16);
}

@inline
function copy(from: usize, to: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
}

function insertionSort(from: usize, end: usize): void {
  for (let at = from + RECORD_BYTES; at < end; at += RECORD_BYTES) {
    if (!isAfter(at - RECORD_BYTES, at)) continue;
    const low = v128.load(at);
    const high = v128.load(at, 16);
    let hole = at - RECORD_BYTES;
    copy(hole, at);
    const x = v128.extract_lane<u64>(low, 0);
    const p = v128.extract_lane<u64>(low, 1);
    const r = v128.extract_lane<u64>(high, 0);
    for (; hole > from; hole -= RECORD_BYTES) {
      const y = load<u64>(hole - RECORD_BYTES);
      if (y < x) break;
      if (y == x) {
        const q = load<u64>(hole - RECORD_BYTES, 8);
        if (q < p || (q == p && load<u64>(hole - RECORD_BYTES, 16) <= r)) break;
      }
      copy(hole - RECORD_BYTES, hole);
    }
    v128.store(hole, low);
    v128.store(hole, high, 16);
  }
}

/** Merges records [a, middle) and [middle, end), both sorted, to `to`. */
function mergeAll(a: usize, middle: usize, end: usize, to: usize): void {
  const aEnd = middle;
  let b = middle;
  if (b < end && isAfter(b - RECORD_BYTES, b)) {
    while (a < aEnd && b < end) {
      const after = isAfter(a, b);
      copy(after ? b : a, to);
      to += RECORD_BYTES;
      if (after) b += RECORD_BYTES;
      else a += RECORD_BYTES;
    }
  }
  memory.copy(to, a, aEnd - a);
  memory.copy(to + (aEnd - a), b, end - b);
}

/** Sorts n records; `other` has room for as many. */
export function sortRun(records: usize, n: u32, other: usize): void {
  const bytes: usize = <usize>n * RECORD_BYTES;
  for (let at: usize = 0; at < bytes; at += FEW * RECORD_BYTES)
    insertionSort(records + at, records + min(at + FEW * RECORD_BYTES, bytes));
  let from = records;
  let to = other;
  for (let run: usize = FEW * RECORD_BYTES; run < bytes; run <<= 1) {
    for (let at: usize = 0; at < bytes; at += run << 1)
      mergeAll(from + at, from + min(at + run, bytes), from + min(at + (run << 1), bytes), to + at);
    const swapped = from;
    from = to;
    to = swapped;
  }
  if (from != records) memory.copy(records, from, bytes);
}

/** Goes on with a merge, by so many records at most. False: it is done. */
export function mergeRecords(merge: usize, most: u32): bool {
  let a: usize = load<u32>(merge, MERGE_A);
  let b: usize = load<u32>(merge, MERGE_B);
  let to: usize = load<u32>(merge, MERGE_TO);
  const aEnd: usize = load<u32>(merge, MERGE_A_END);
  const bEnd: usize = load<u32>(merge, MERGE_B_END);
  for (; most > 0 && a < aEnd && b < bEnd; most--) {
    const after = isAfter(a, b);
    copy(after ? b : a, to);
    to += RECORD_BYTES;
    if (after) b += RECORD_BYTES;
    else a += RECORD_BYTES;
  }
  for (; most > 0 && a < aEnd; most--, a += RECORD_BYTES, to += RECORD_BYTES) copy(a, to);
  // What is left of the first run is before what is left of the second.
  for (; most > 0 && b < bEnd; most--, b += RECORD_BYTES, to += RECORD_BYTES) copy(b, to);
  store<u32>(merge, <u32>a, MERGE_A);
  store<u32>(merge, <u32>b, MERGE_B);
  store<u32>(merge, <u32>to, MERGE_TO);
  return a < aEnd || b < bEnd;
}

/** Of sorted records how many are not after the record `last`. */
export function recordsUpTo(records: usize, n: u32, last: usize): u32 {
  let low: u32 = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAfter(records + <usize>middle * RECORD_BYTES, last)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The first record from `i` on, before `n`, whose key is that of the next one; n - 1 or more if there is none. */
export function nextTie(records: usize, i: u32, n: u32): u32 {
  for (; i + 1 < n; i++) {
    const at = records + <usize>i * RECORD_BYTES;
    if (isEqual(at, at + RECORD_BYTES)) break;
  }
  return i;
}
