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

/** Blocks are powers of two, as large as those together that the log has not begun to write: at most half of what they take is empty. */
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

/** An empty block for `length` bytes at least; `before`: as openBytes(). */
export function newBlock(at: number, length: number, before: number, pool: BufferPool): Block {
  const usual = 2 ** Math.floor(Math.log2(Math.min(MOST_BYTES, Math.max(LEAST_BYTES, before))));
  const size = 2 ** Math.ceil(Math.log2(Math.max(length, usual)));
  return { at, memory: pool.take(size), length: 0, isClosed: false };
}

/** Bytes of the blocks that are not closed, which are the last ones. */
export function openBytes(blocks: readonly Block[]): number {
  let bytes = 0;
  for (let i = blocks.length - 1; i >= 0 && !blocks[i].isClosed; i--) bytes += blocks[i].length;
  return bytes;
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

/** Adds copies of its entries from the one that lies at `from` in the file on, or of all when that is before it: its memory is used again. */
export function addEntries(block: Block, from: number, to: Entry[]): void {
  const { memory, length } = block;
  for (let at = Math.max(0, from - block.at); at < length; ) {
    const end = at + (entryLength(memory, at) as number);
    to.push(entryOf(Buffer.from(memory.subarray(at, end))));
    at = end;
  }
}
