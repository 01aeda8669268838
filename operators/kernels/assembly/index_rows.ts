/**
 * The rows of a tick into a keyed index (operators/state/keyed_index.ts) and pairs of rows out of it, all rows of a batch in one call. A key's slot has
 * at `payload` what key_slot_layout.ts says; an entry is a row with its weight in it.
 */
import { KEY_COLUMN_AT, KEY_COLUMN_BYTES, KEY_COLUMN_DATA, KEY_COLUMN_KIND, KEY_COLUMN_VALID, KEY_COLUMN_WIDTH } from '../key_layout';
import { BLOCK_BEFORE, BLOCK_FIRST, BLOCK_HEAD, IN_BLOCKS, KEY_COUNT, KEY_DIRECTORY, KEY_ROOM, MOST_ADDED, ROOM_SHIFT } from '../key_slot_layout';
import { classBytes, classOf, LARGEST, roomBytes, takeBlock } from './heap_blocks';
import { announce } from './marks';
import { entriesOf, entryBefore, furtherEntries, newestBlock } from './run_blocks';
import { INLINE } from './varlen';

/** Bytes of scratch memory of the rows that are stored together. */
const STRETCH: u32 = 128 * 8;

/** Lists where n rows of a log (operators/state/row_log.ts) go, one behind the other from `at` on. */
export function placeInLog(at: usize, stride: usize, n: u32, places: usize): void {
  for (let i: u32 = 0; i < n; i++, at += stride) {
    store<u32>(places + (<usize>i << 2), <u32>at);
  }
}

/** Counts the rows of each key at KEY_ROOM and lists the slots of these keys; gives their number. */
export function countAdded(slots: usize, n: u32, payload: u32, touched: usize): u32 {
  let count: u32 = 0;
  for (let row: u32 = 0; row < n; row++) {
    const slot: usize = load<u32>(slots + (row << 2));
    if (slot == 0) continue;
    const room = load<u32>(slot + payload, KEY_ROOM);
    if ((room & MOST_ADDED) == 0) store<u32>(touched + (count++ << 2), <u32>slot);
    store<u32>(slot + payload, room + 1, KEY_ROOM);
  }
  return count;
}

/**
 * Gives the runs of these keys room for the rows that were counted. Lists at `old` the blocks that the runs had, address and bytes, and a 0; at `left` the slots that are
 * left to the caller, and gives their number: runs beyond the heap's classes, and those for which its present chunk has no room. `blocksFrom`: runs of more bytes lie in
 * blocks (operators/state/run_blocks.ts, whose grow() is the same for one key); 0: none does.
 */
export function growRuns(
  touched: usize,
  n: u32,
  payload: u32,
  stride: u32,
  heap: usize,
  old: usize,
  left: usize,
  blocksFrom: u32,
): u32 {
  let listed: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const slot: usize = load<u32>(touched + (i << 2));
    const key = slot + payload;
    const have = load<u32>(key, KEY_COUNT);
    const room = load<u32>(key, KEY_ROOM);
    const added = room & MOST_ADDED;
    const had = roomBytes(room >> ROOM_SHIFT);
    const newest = newestBlock(key);
    const whole = <u64>(have + added) * stride;
    if (whole + (newest == 0 ? 0 : BLOCK_HEAD) <= <u64>had) continue;
    const getsBlocks = newest == 0 && blocksFrom != 0 && whole > blocksFrom && load<u32>(key, KEY_DIRECTORY) == 0;
    /** Of the rows that come, those for which there is room. */
    const fits = newest == 0 ? 0 : (had - BLOCK_HEAD) / stride - have;
    let wanted: u64;
    if (newest != 0) wanted = BLOCK_HEAD + <u64>max(added - fits, furtherEntries(load<u32>(newest, BLOCK_FIRST) + have + fits, stride)) * stride;
    else if (getsBlocks) wanted = BLOCK_HEAD + <u64>(have + max(added, furtherEntries(have, stride))) * stride;
    else wanted = <u64>max(have + added, have * 2) * stride;
    let block: usize = 0;
    let size: u32 = 0;
    if (wanted <= LARGEST) {
      size = classBytes(<u32>wanted);
      block = takeBlock(heap, size);
    }
    if (block == 0) {
      store<u32>(left + (listed++ << 2), <u32>slot);
      continue;
    }
    let entries = block;
    if (newest != 0 || getsBlocks) {
      entries = block + BLOCK_HEAD;
      store<u32>(block, <u32>newest, BLOCK_BEFORE);
      store<u32>(block, newest == 0 ? 0 : load<u32>(newest, BLOCK_FIRST) + have + fits, BLOCK_FIRST);
      store<u32>(key, <u32>block | IN_BLOCKS, KEY_DIRECTORY);
    }
    if (newest != 0) store<i32>(key, -(<i32>fits), KEY_COUNT);
    else {
      const run: usize = load<u32>(key);
      const length = have * stride;
      for (let at: u32 = 0; at < length; at += 8) store<u64>(entries + at, load<u64>(run + at));
      if (had > 0) {
        store<u32>(old, <u32>run);
        store<u32>(old, had, 4);
        old += 8;
      }
    }
    store<u32>(key, <u32>entries);
    store<u32>(key, ((classOf(size) + 1) << ROOM_SHIFT) | added, KEY_ROOM);
  }
  store<u32>(old, 0);
  return listed;
}

/**
 * Gives every row an entry at the end of its run, where there is room; `rows`: the entries' addresses. Gives their number. A count below 0 is that of the rows for which
 * blocks before the newest have room.
 */
export function placeRows(slots: usize, n: u32, payload: u32, stride: u32, rows: usize): u32 {
  let placed: u32 = 0;
  for (let row: u32 = 0; row < n; row++) {
    const slot: usize = load<u32>(slots + (row << 2));
    if (slot == 0) {
      store<u32>(rows + (row << 2), 0);
      continue;
    }
    const count = load<i32>(slot + payload, KEY_COUNT);
    const run: usize = load<u32>(slot + payload);
    const newest = run - BLOCK_HEAD;
    const entry = count < 0 ? entryBefore(newest, load<u32>(newest, BLOCK_FIRST) + count, stride) : run + count * stride;
    store<u32>(slot + payload, count + 1, KEY_COUNT);
    announce(entry, stride);
    store<u32>(rows + (row << 2), <u32>entry);
    placed++;
  }
  return placed;
}

/**
 * Writes n rows of columns to the addresses in `rows` (0: not), with zeros for NULLs and padding. Lists the slots whose value lies outside, those of
 * numerics plus 1; gives their number. `chosen`: two words a row of scratch memory. `weights`: what goes to `weightAt` of each row; 0: nothing.
 *
 * A stretch of the rows that are stored, column by column: what a column is, is looked up once a stretch, and the rows stay in the cache meanwhile.
 */
export function storeRows(
  columns: usize,
  count: u32,
  n: u32,
  validAt: u32,
  stride: u32,
  weights: usize,
  weightAt: u32,
  rows: usize,
  outside: usize,
  chosen: usize,
): u32 {
  const end = columns + count * KEY_COLUMN_BYTES;
  let last = chosen;
  for (let row: u32 = 0; row < n; row++) {
    const to = load<u32>(rows + (row << 2));
    if (to == 0) continue;
    store<u32>(last, row);
    store<u32>(last, to, 4);
    last += 8;
  }
  let listed = outside;
  for (let from = chosen; from < last; from += STRETCH) {
    const until = min(from + STRETCH, last);
    for (let at = from; at < until; at += 8) store<u64>(<usize>load<u32>(at, 4) + stride - 8, 0);
    if (weights != 0) {
      for (let at = from; at < until; at += 8) store<u32>(<usize>load<u32>(at, 4) + weightAt, load<u32>(weights + (load<u32>(at) << 2)));
    }
    let flag = validAt;
    for (let column = columns; column < end; column += KEY_COLUMN_BYTES, flag++) {
      const valid: usize = load<u32>(column, KEY_COLUMN_VALID);
      const data: usize = load<u32>(column, KEY_COLUMN_DATA);
      const offset = load<u32>(column, KEY_COLUMN_AT);
      const width = load<u32>(column, KEY_COLUMN_WIDTH);
      if (valid == 0) for (let at = from; at < until; at += 8) store<u8>(<usize>load<u32>(at, 4) + flag, 1);
      else {
        for (let at = from; at < until; at += 8) {
          store<u8>(<usize>load<u32>(at, 4) + flag, load<u8>(valid + load<u32>(at)) != 0 ? 1 : 0);
        }
      }
      if (width == 16) listed = storeWide(from, until, data, valid, offset, load<u32>(column, KEY_COLUMN_KIND), listed);
      else if (width == 8) {
        for (let at = from; at < until; at += 8) {
          const row = load<u32>(at);
          const value = load<u64>(data + (row << 3));
          store<u64>(<usize>load<u32>(at, 4) + offset, isPresent(valid, row) ? value : 0);
        }
      } else if (width == 4) {
        for (let at = from; at < until; at += 8) {
          const row = load<u32>(at);
          const value = load<u32>(data + (row << 2));
          store<u32>(<usize>load<u32>(at, 4) + offset, isPresent(valid, row) ? value : 0);
        }
      } else {
        for (let at = from; at < until; at += 8) {
          const row = load<u32>(at);
          const value = load<u8>(data + row);
          store<u8>(<usize>load<u32>(at, 4) + offset, isPresent(valid, row) ? value : 0);
        }
      }
    }
  }
  return <u32>(listed - outside) >> 2;
}

@inline
function isPresent(valid: usize, row: u32): bool {
  return valid == 0 || load<u8>(valid + row) != 0;
}

/** The slots of 16 bytes of a stretch; gives the end of the list. */
@inline
function storeWide(from: usize, until: usize, data: usize, valid: usize, offset: u32, kind: u32, listed: usize): usize {
  for (let at = from; at < until; at += 8) {
    const row = load<u32>(at);
    const to = <usize>load<u32>(at, 4) + offset;
    const present = isPresent(valid, row);
    const first = present ? load<u64>(data + (row << 4)) : 0;
    const rest = present ? load<u64>(data + (row << 4), 8) : 0;
    store<u64>(to, first);
    store<u64>(to, rest, 8);
    if (kind == 1) {
      if (<u32>first > INLINE) {
        store<u32>(listed, <u32>to);
        listed += 4;
      }
    } else if (kind == 2 && ((rest >> 16) & 0xff) != 0) {
      store<u32>(listed, <u32>to | 1);
      listed += 4;
    }
  }
  return listed;
}

/** How many entries of a key make pairs: all, or but those that the tick has appended if `older`. */
@inline
function pairedEntries(key: usize, older: bool): u32 {
  return entriesOf(key) - (older ? load<u32>(key, KEY_ROOM) & MOST_ADDED : 0);
}

/** Number of pairs of n rows with the entries of their keys. */
export function countPairs(slots: usize, n: u32, payload: u32, older: bool): f64 {
  let total: u64 = 0;
  for (let row: u32 = 0; row < n; row++) {
    const slot: usize = load<u32>(slots + (row << 2));
    if (slot == 0) continue;
    total += pairedEntries(slot + payload, older);
  }
  return <f64>total;
}

/** The pairs of a row with the entries from `from` to `until` of its key, each at its place among the key's. What is not 0 of the result: a product is beyond 32 bits. */
@inline
function pairsOf(key: usize, from: u32, until: u32, row: u32, weight: i64, stride: u32, weightAt: u32, rows: usize, others: usize, products: usize): i64 {
  let beyond: i64 = 0;
  let block = newestBlock(key);
  let first: u32 = block == 0 ? 0 : load<u32>(block, BLOCK_FIRST);
  let end = first + load<u32>(key, KEY_COUNT);
  let run: usize = load<u32>(key);
  // Newest block first.
  for (;;) {
    const last = min(end, until);
    let i = max(first, from);
    for (let entry: usize = run + (i - first) * stride; i < last; i++, entry += stride) {
      const at: usize = <usize>i << 2;
      store<u32>(rows + at, row);
      store<u32>(others + at, <u32>entry);
      const product = weight * <i64>load<i32>(entry + weightAt);
      beyond |= product ^ <i64>(<i32>product);
      store<i32>(products + at, <i32>product);
    }
    if (first <= from) break;
    end = first;
    block = load<u32>(block, BLOCK_BEFORE);
    first = load<u32>(block, BLOCK_FIRST);
    run = block + BLOCK_HEAD;
  }
  return beyond;
}

/** These pairs: number of the row, address of the other's, product of the weights. False when a product is beyond 32 bits. */
export function expandPairs(
  slots: usize,
  weights: usize,
  n: u32,
  payload: u32,
  stride: u32,
  weightAt: u32,
  older: bool,
  rows: usize,
  others: usize,
  products: usize,
): bool {
  let beyond: i64 = 0;
  for (let row: u32 = 0; row < n; row++) {
    const slot: usize = load<u32>(slots + (row << 2));
    if (slot == 0) continue;
    const key = slot + payload;
    const end = pairedEntries(key, older);
    beyond |= pairsOf(key, 0, end, row, load<i32>(weights + (row << 2)), stride, weightAt, rows, others, products);
    const bytes: usize = <usize>end << 2;
    rows += bytes;
    others += bytes;
    products += bytes;
  }
  return beyond == 0;
}

/**
 * The next of these pairs, at most `most`: those from `place` on, which are two words, a row and how many of its pairs came before, and are moved on; behind the last the row is n.
 * Gives their number; -1: a product is beyond 32 bits.
 */
export function nextPairs(
  slots: usize,
  weights: usize,
  n: u32,
  payload: u32,
  stride: u32,
  weightAt: u32,
  older: bool,
  place: usize,
  most: u32,
  rows: usize,
  others: usize,
  products: usize,
): i32 {
  let beyond: i64 = 0;
  let count: u32 = 0;
  let row = load<u32>(place);
  let from = load<u32>(place, 4);
  for (; row < n && count < most; row++, from = 0) {
    const slot: usize = load<u32>(slots + (row << 2));
    if (slot == 0) continue;
    const key = slot + payload;
    const end = pairedEntries(key, older);
    const until = min(end, from + (most - count));
    if (from < until) {
      const to: usize = (count - from) << 2;
      beyond |= pairsOf(key, from, until, row, load<i32>(weights + (row << 2)), stride, weightAt, rows + to, others + to, products + to);
      count += until - from;
    }
    if (until < end) {
      from = until;
      break;
    }
  }
  store<u32>(place, row);
  store<u32>(place, from, 4);
  return beyond == 0 ? <i32>count : -1;
}

/** Whether n words are 0, 1, 2 ... */
export function inOrder(rows: usize, n: u32): bool {
  for (let i: u32 = 0; i < n; i++) if (load<u32>(rows + (i << 2)) != i) return false;
  return true;
}

/** Gives n keys that the tick has made the run `row`, one row in no block of their own, which counts as appended. */
export function shareRun(slots: usize, n: u32, payload: u32, row: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    const key = <usize>load<u32>(slots + (i << 2)) + payload;
    store<u32>(key, row);
    store<u32>(key, 1, KEY_COUNT);
    store<u32>(key, 1, KEY_ROOM);
  }
}

/** Between ticks no row is one that the tick has appended. */
export function clearAdded(slots: usize, n: u32, payload: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    const key = <usize>load<u32>(slots + (i << 2)) + payload;
    store<u32>(key, load<u32>(key, KEY_ROOM) & ~MOST_ADDED, KEY_ROOM);
  }
}
