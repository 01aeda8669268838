/**
 * What dead slots of a hash table keep outside of themselves goes back to the heaps, all slots of a stretch of the calendar in one call
 * (operators/state/row_table.ts, keyed_index.ts). By a callback a slot it was a third of what a short window's state costs.
 */
import { BLOCK_HEAD, KEY_COUNT, KEY_DIRECTORY, KEY_ROOM, KEY_RUN, ROOM_SHIFT } from '../key_slot_layout';
import { giveBlock, LARGEST, roomBytes } from './heap_blocks';
import { entriesBefore, entriesOf, newestBlock } from './run_blocks';
import { INLINE } from './varlen';


/** Whether what lies outside, by the words at `texts`, is of the heap's classes. */
@inline
function fits(row: usize, texts: usize, end: usize): bool {
  for (let at = texts; at < end; at += 4) if (load<u32>(row + load<u32>(at)) > LARGEST) return false;
  return true;
}

@inline
function giveTexts(row: usize, texts: usize, end: usize, heap: usize): void {
  for (let at = texts; at < end; at += 4) {
    const text = row + load<u32>(at);
    if (load<u32>(text) > INLINE) giveBlock(heap, load<u32>(text, 8), load<u32>(text));
  }
}

/** Puts a slot of the list to the front, behind `done` others. */
@inline
function toFront(slots: usize, i: u32, done: u32): void {
  const slot = load<u32>(slots + (i << 2));
  store<u32>(slots + (i << 2), load<u32>(slots + (done << 2)));
  store<u32>(slots + (done << 2), slot);
}

/**
 * Gives the long texts of n slots back; `texts`: `count` words, where in a slot they are. Gives the number of slots that are done, which come first in the list: not those
 * with a text of more than a page.
 */
export function freeTexts(slots: usize, n: u32, texts: usize, count: u32, heap: usize): u32 {
  const end = texts + (count << 2);
  let done: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const slot: usize = load<u32>(slots + (i << 2));
    if (!fits(slot, texts, end)) continue;
    giveTexts(slot, texts, end, heap);
    toFront(slots, i, done++);
  }
  return done;
}

@inline
function entriesFit(run: usize, count: u32, stride: u32, texts: usize, end: usize): bool {
  for (const last = run + count * stride; run < last; run += stride) if (!fits(run, texts, end)) return false;
  return true;
}

/** Gives the long texts of entries back, and counts those of negative weight. */
@inline
function giveEntries(run: usize, count: u32, stride: u32, weightAt: u32, texts: usize, end: usize, heap: usize, counts: usize): void {
  for (const last = run + count * stride; run < last; run += stride) {
    giveTexts(run, texts, end, heap);
    if (load<i32>(run + weightAt) < 0) store<u32>(counts, load<u32>(counts, 4) + 1, 4);
  }
}

/**
 * Gives the runs of n keys back with the long texts in them; `texts`: `count` words, where in an entry they are. Adds the entries, and those of negative weight, up at `counts`.
 * Gives the number of keys that are done, which come first in the list: not those with a directory or with cold rows, a run of more than a page or such a text in it.
 */
export function freeRuns(
  slots: usize,
  n: u32,
  payload: u32,
  stride: u32,
  weightAt: u32,
  texts: usize,
  count: u32,
  heap: usize,
  counts: usize,
): u32 {
  const end = texts + (count << 2);
  let done: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const key: usize = <usize>load<u32>(slots + (i << 2)) + payload;
    const bytes = roomBytes(load<u32>(key, KEY_ROOM) >> ROOM_SHIFT);
    const newest = newestBlock(key);
    if (newest == 0 && load<u32>(key, KEY_DIRECTORY) != 0) continue;
    const run: usize = load<u32>(key, KEY_RUN);
    const entries = load<u32>(key, KEY_COUNT);
    let plain = bytes <= LARGEST && entriesFit(run, entries, stride, texts, end);
    for (let block = newest; plain && block != 0 && load<u32>(block) != 0; block = load<u32>(block)) {
      const n = entriesBefore(block);
      plain = BLOCK_HEAD + <u64>n * stride <= LARGEST && entriesFit(<usize>load<u32>(block) + BLOCK_HEAD, n, stride, texts, end);
    }
    if (!plain) continue;
    store<u32>(counts, load<u32>(counts) + entriesOf(key));
    giveEntries(run, entries, stride, weightAt, texts, end, heap, counts);
    let block = newest;
    let length = bytes;
    while (block != 0) {
      const before: usize = load<u32>(block);
      const n = before == 0 ? 0 : entriesBefore(block);
      if (before != 0) giveEntries(before + BLOCK_HEAD, n, stride, weightAt, texts, end, heap, counts);
      giveBlock(heap, block, length);
      block = before;
      length = BLOCK_HEAD + n * stride;
    }
    if (newest == 0 && bytes > 0) giveBlock(heap, run, bytes);
    toFront(slots, i, done++);
  }
  return done;
}
