/**
 * A piece of a change log in memory: whole entries, one behind the other, as they will lie in the file.
 *
 *   at of the first | entry | entry | entry ... length | room for more
 *
 * An entry has no buffer of its own. One of 100 bytes would keep the 8 KiB alive that Node cuts small buffers from, and V8, which counts those, would collect the whole heap every
 * few hundred milliseconds at some thousand ticks a second (docs/decisions/0489).
 */
import type { BufferPool } from './buffer_pool.ts';
import { type Entry, entryLength, entryOf, seal } from './entry.ts';

/** Blocks are powers of two, as large as what is in memory of the log already: at most half of what they take is empty. */
const LEAST_BYTES = 512;
const MOST_BYTES = 256 << 10;

export interface Block {
  /** Where its first entry lies in the file. */
  readonly at: number;
  readonly memory: Buffer;
  /** Bytes of its entries. */
  length: number;
  /** It is being written: nothing is added. */
  isClosed: boolean;
}

/** An empty block for `length` bytes at least; `before`: so many of the log are in memory. */
export function newBlock(at: number, length: number, before: number, pool: BufferPool): Block {
  const size = Math.max(length, Math.min(MOST_BYTES, Math.max(LEAST_BYTES, before)));
  return { at, memory: pool.take(2 ** Math.ceil(Math.log2(size))), length: 0, isClosed: false };
}

export function hasRoom({ memory, length, isClosed }: Block, bytes: number): boolean {
  return !isClosed && length + bytes <= memory.length;
}

export function contents({ memory, length }: Block): Buffer {
  return memory.subarray(0, length);
}

/** Nothing is added any more, and its entries get their checksums. */
export function closeBlock(block: Block): void {
  block.isClosed = true;
  for (let at = 0; at < block.length; ) {
    const end = at + (entryLength(block.memory, at) as number);
    seal(block.memory.subarray(at, end));
    at = end;
  }
}

/** Copies of its entries from the one that lies at `from` in the file on, or of all when that is before it: its memory is used again. */
export function* entriesFrom(block: Block, from: number): Iterable<Entry> {
  const { memory, length } = block;
  for (let at = Math.max(0, from - block.at); at < length; ) {
    const end = at + (entryLength(memory, at) as number);
    yield entryOf(Buffer.from(memory.subarray(at, end)));
    at = end;
  }
}
