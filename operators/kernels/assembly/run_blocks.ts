/** Runs of a keyed index that lie in several blocks (operators/state/run_blocks.ts). `key`: the payload of a key's slot (key_slot_layout.ts). */
import {
  BLOCK_BEFORE,
  BLOCK_FIRST,
  BLOCK_HEAD,
  BLOCK_SHARE,
  IN_BLOCKS,
  KEY_COUNT,
  KEY_DIRECTORY,
  LEAST_BLOCK,
  MOST_BLOCK,
} from '../key_slot_layout';

/** The newest block of the key's run; 0: the run does not lie in blocks. */
@inline
export function newestBlock(key: usize): usize {
  const directory: usize = load<u32>(key, KEY_DIRECTORY);
  return (directory & IN_BLOCKS) != 0 ? directory - IN_BLOCKS : 0;
}

/** All entries of the key's run. */
@inline
export function entriesOf(key: usize): u32 {
  const newest = newestBlock(key);
  return load<u32>(key, KEY_COUNT) + (newest == 0 ? 0 : load<u32>(newest, BLOCK_FIRST));
}

/** Entries of the block before this one, which is full. */
@inline
export function entriesBefore(block: usize): u32 {
  return load<u32>(block, BLOCK_FIRST) - load<u32>(<usize>load<u32>(block, BLOCK_BEFORE), BLOCK_FIRST);
}

/** Where the entry of this number lies, in a block before this one. */
@inline
export function entryBefore(block: usize, entry: u32, stride: u32): usize {
  do block = load<u32>(block, BLOCK_BEFORE);
  while (load<u32>(block, BLOCK_FIRST) > entry);
  return block + BLOCK_HEAD + (entry - load<u32>(block, BLOCK_FIRST)) * stride;
}

/** The entries for which a block behind so many has room at least. */
@inline
export function furtherEntries(count: u32, stride: u32): u32 {
  return <u32>(min<u64>(max<u64>((<u64>count * stride) / BLOCK_SHARE, LEAST_BLOCK), MOST_BLOCK) / stride);
}
