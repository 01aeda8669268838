/**
 * Packs the runs of a keyed index, or the rows of partitions, that go to the cold store (operators/state/run_sender.ts), those of many slots in one call:
 *
 *   slot -> run, long values, where each lies                 ->      | entries | long values |pad to 16| entries | long values | ...
 *   slot -> address of each row, long values, where each lies ->      the same
 *
 * Nothing of the state is written: what was packed may yet find no room on the disk. By a call a key and one a long value it was half of what sending costs.
 */
import { BLOCK_BEFORE, BLOCK_FIRST, BLOCK_HEAD, KEY_DIRECTORY, KEY_ROOM, KEY_RUN, ROOM_SHIFT } from '../key_slot_layout';
import {
  PACK_ENOUGH,
  PACK_FREED,
  PACK_FREED_END,
  PACK_KEYS,
  PACK_KEYS_END,
  PACK_LEAVING,
  PACK_LIST,
  PACK_LIST_COUNT,
  PACK_LONG,
  PACK_LONG_COUNT,
  PACK_ONE,
  PACK_OUT,
  PACK_OUT_END,
  PACK_PAYLOAD,
  PACK_REST,
  PACK_REST_END,
  PACK_ROW_BYTES,
  PACK_SIGNED,
  PACK_SLOT_BYTES,
  PACK_WEIGHT,
  PACKED_AT,
  PACKED_BYTES,
  PACKED_ENTRIES,
  PACKED_SIZE,
} from '../pack_layout';
import { SLOT_STATE, SLOT_USED } from '../table_layout';
import { roomBytes } from './heap_blocks';
import { NUMERIC_WIDE } from './numeric';
import { entriesBefore, entriesOf, newestBlock } from './run_blocks';
import { INLINE } from './varlen';

/** Where a numeric's slot says what it is. */
const NUMERIC_KIND: usize = 10;

/** Whether the value of a slot lies outside of it; `at`: the slot's address, odd for a numeric. */
@inline
function isLong(at: usize): bool {
  return (at & 1) == 0 ? load<u32>(at) > INLINE : load<u8>(at - 1, NUMERIC_KIND) == NUMERIC_WIDE;
}

/** Where the slot has the address of such a value. */
@inline
function pointerOf(at: usize): usize {
  return (at & 1) == 0 ? at + 8 : at + 11;
}

@inline
function copyLong(to: usize, from: usize, length: u32): void {
  if (length > 256) {
    memory.copy(to, from, length);
    return;
  }
  // Also past the end: what comes next overwrites that.
  for (let at: u32 = 0; at < length; at += 16) v128.store(to + at, v128.load(from + at));
}

/** Entry i of a run, of which number `first` lies at `run`, or of a list of addresses where there is one. */
@inline
function entryAt(run: usize, first: u32, list: usize, i: u32, stride: u32): usize {
  return list == 0 ? run + (i - first) * stride : <usize>load<u32>(list + (<usize>i << 2));
}

/**
 * Packs the rows of the slots from `from` to `end` of which a part is leaving. Keys that cannot be packed (those that have a cold part already, or blocks that may stay, a directory or an entry of negative weight, and
 * what is larger than all the room there is) are listed; partitions that are cold have nothing in memory. Gives the slot to go on from: before the end when there is no room for the next key.
 */
export function packRuns(from: usize, end: usize, pack: usize): usize {
  const slotBytes = load<u32>(pack, PACK_SLOT_BYTES);
  const payload = load<u32>(pack, PACK_PAYLOAD);
  const stride = load<u32>(pack, PACK_ROW_BYTES);
  const weightAt = load<u32>(pack, PACK_WEIGHT);
  const signed = load<u32>(pack, PACK_SIGNED) != 0;
  const leaving: usize = load<u32>(pack, PACK_LEAVING);
  const listAt: usize = load<u32>(pack, PACK_LIST);
  const listCount: usize = load<u32>(pack, PACK_LIST_COUNT);
  const longs = pack + PACK_LONG;
  const longsEnd = longs + (load<u32>(pack, PACK_LONG_COUNT) << 2);
  const enough: usize = load<u32>(pack, PACK_ENOUGH);
  const outEnd: usize = load<u32>(pack, PACK_OUT_END);
  const keysEnd: usize = load<u32>(pack, PACK_KEYS_END);
  const freedEnd: usize = load<u32>(pack, PACK_FREED_END);
  const restEnd: usize = load<u32>(pack, PACK_REST_END);
  const outFirst: usize = load<u32>(pack, PACK_OUT);
  const freedFirst: usize = load<u32>(pack, PACK_FREED);
  let out = outFirst;
  let keys: usize = load<u32>(pack, PACK_KEYS);
  let freed = freedFirst;
  let rest: usize = load<u32>(pack, PACK_REST);
  let slot = from;
  for (; slot < end; slot += slotBytes) {
    if (load<u8>(slot, SLOT_STATE) != SLOT_USED) continue;
    const key = slot + payload;
    let list: usize = 0;
    let run: usize = 0;
    let count: u32 = 0;
    let newest: usize = 0;
    if (listAt == 0) {
      newest = newestBlock(key);
      count = entriesOf(key);
      run = load<u32>(key, KEY_RUN);
    } else {
      list = key + listAt;
      const first = load<u32>(list);
      if (first == 0 || (first & 1) != 0) continue;
      count = listCount == PACK_ONE ? 1 : load<u32>(key + listCount);
    }
    if (count == 0) continue;
    let goes = leaving == 0 || (list == 0 && load<u8>(leaving + (run >> 16)) != 0);
    let bytes: u64 = <u64>count * stride;
    let blocks: u32 = list == 0 ? 1 : count;
    let block = newest;
    let first: u32 = block == 0 ? 0 : load<u32>(block, BLOCK_FIRST);
    // Newest first: so a run in blocks is linked.
    for (let i = count; i-- > 0; ) {
      if (i < first) {
        block = load<u32>(block, BLOCK_BEFORE);
        first = load<u32>(block, BLOCK_FIRST);
        run = block + BLOCK_HEAD;
        blocks++;
        if (!goes) goes = load<u8>(leaving + (block >> 16)) != 0;
      }
      const entry = entryAt(run, first, list, i, stride);
      if (!goes && list != 0) goes = load<u8>(leaving + (entry >> 16)) != 0;
      for (let long = longs; long < longsEnd; long += 4) {
        const at = entry + load<u32>(long);
        if (!isLong(at)) continue;
        bytes += load<u32>(at & ~1);
        blocks++;
        if (!goes) goes = load<u8>(leaving + (load<u32>(pointerOf(at)) >> 16)) != 0;
      }
    }
    if (!goes) continue;
    let plain = bytes <= <u64>(outEnd - outFirst) && <usize>blocks << 3 <= freedEnd - freedFirst;
    if (list == 0 && newest == 0 && load<u32>(key, KEY_DIRECTORY) != 0) plain = false;
    // Newer blocks may stay.
    if (newest != 0 && leaving != 0 && load<u8>(leaving + (newest >> 16)) == 0) plain = false;
    if (signed) for (let i: u32 = 0; plain && i < count; i++) plain = load<i32>(run + i * stride + weightAt) >= 0;
    if (!plain) {
      if (rest == restEnd) break;
      store<u32>(rest, <u32>slot);
      rest += 4;
      continue;
    }
    if (out >= enough || out + <usize>bytes > outEnd || keys == keysEnd || freed + (<usize>blocks << 3) > freedEnd) break;
    let to = out + count * stride;
    if (list == 0) {
      run = load<u32>(key, KEY_RUN);
      store<u32>(freed, <u32>(newest == 0 ? run : newest));
      store<u32>(freed, roomBytes(load<u32>(key, KEY_ROOM) >> ROOM_SHIFT), 4);
      freed += 8;
    }
    block = newest;
    first = block == 0 ? 0 : load<u32>(block, BLOCK_FIRST);
    for (let i = count; i-- > 0; ) {
      if (i < first) {
        const bytes = BLOCK_HEAD + entriesBefore(block) * stride;
        block = load<u32>(block, BLOCK_BEFORE);
        first = load<u32>(block, BLOCK_FIRST);
        run = block + BLOCK_HEAD;
        store<u32>(freed, <u32>block);
        store<u32>(freed, bytes, 4);
        freed += 8;
      }
      const copy = out + i * stride;
      const entry = entryAt(run, first, list, i, stride);
      for (let at: u32 = 0; at < stride; at += 8) store<u64>(copy + at, load<u64>(entry + at));
      if (list != 0) {
        store<u32>(freed, <u32>entry);
        store<u32>(freed, stride, 4);
        freed += 8;
      }
      for (let long = longs; long < longsEnd; long += 4) {
        const offset = load<u32>(long);
        const at = entry + offset;
        if (!isLong(at)) continue;
        const length = load<u32>(at & ~1);
        const value: usize = load<u32>(pointerOf(at));
        copyLong(to, value, length);
        store<u32>(pointerOf(copy + offset), <u32>(to - out));
        to += length;
        store<u32>(freed, <u32>value);
        store<u32>(freed, length, 4);
        freed += 8;
      }
    }
    store<u32>(keys, <u32>key);
    store<u32>(keys, <u32>out, PACKED_AT);
    store<u32>(keys, <u32>bytes, PACKED_BYTES);
    store<u32>(keys, count, PACKED_ENTRIES);
    keys += PACKED_SIZE;
    out = (to + 15) & ~15;
  }
  store<u32>(pack, <u32>out, PACK_OUT);
  store<u32>(pack, <u32>keys, PACK_KEYS);
  store<u32>(pack, <u32>freed, PACK_FREED);
  store<u32>(pack, <u32>rest, PACK_REST);
  return slot;
}
