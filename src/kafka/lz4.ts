/**
 * Frames of LZ4, as Kafka's batches have them: unpacked by a kernel in the shared memory (operators/kernels/assembly/lz4.ts), which makes no buffers that the
 * collector would have to find again.
 *
 *   u32 magic | flags | block size | [u64 size] | [u32 dictionary] | header checksum | blocks ... | u32 0 | [u32 checksum]       block: u32 length, top bit: not packed
 *
 * The frame's own checksums are not looked at: the record batch around it has one over all of it.
 */
import { Arena } from '../../operators/batch/arena.ts';
import { BYTES } from '../../operators/batch/memory.ts';
import { kernels } from '../../operators/kernels/index.ts';
import type { Unpacked } from './codecs.ts';

const MAGIC = 0x184d2204;
const SKIPPED = 0x184d2a50;
const BEHIND = 16;

/** A block of a frame; `first`: it begins a frame, so nothing before it is referred to. */
interface Block {
  from: number;
  end: number;
  packed: boolean;
  first: boolean;
}

/** More than this, packed or not, is not unpacked here: the I/O thread has few pages. */
const MOST = 4 << 20;

/** What packed records are; null when they are many. Throws on damaged data, here or in copyTo(). */
export function unpackLz4(data: Buffer): Unpacked | null {
  if (data.length > MOST) return null;
  const blocks = blocksOf(data);
  const length = inMemory(data, (address) => sizeOf(blocks, address));
  if (length > MOST) return null;
  return {
    length,
    copyTo: (target, at) =>
      inMemory(data, (address, arena) => {
        const to = arena.alloc(length + BEHIND);
        unpack(blocks, address, to, to + length);
        target.set(BYTES.subarray(to, to + length), at);
      }),
  };
}

/** With the data in the shared memory. */
function inMemory<T>(data: Buffer, use: (address: number, arena: Arena) => T): T {
  const arena = new Arena();
  try {
    const address = arena.alloc(data.length + BEHIND);
    BYTES.set(data, address);
    return use(address, arena);
  } finally {
    arena.release();
  }
}

function sizeOf(blocks: Block[], address: number): number {
  let size = 0;
  for (const { from, end, packed } of blocks) {
    const length = packed ? kernels.lz4Size(address + from, address + end) : end - from;
    if (length < 0) throw damaged();
    size += length;
  }
  return size;
}

function unpack(blocks: Block[], address: number, to: number, limit: number): void {
  let at = to;
  let first = to;
  for (const block of blocks) {
    if (block.first) first = at;
    const from = address + block.from;
    if (!block.packed) {
      BYTES.copyWithin(at, from, address + block.end);
      at += block.end - block.from;
      continue;
    }
    at = kernels.lz4Block(from, address + block.end, first, at, limit) >>> 0;
    if (at === 0) throw damaged();
  }
}

function blocksOf(data: Buffer): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  while (at < data.length) {
    const magic = word(data, at);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPED) {
      at += 8 + word(data, at + 4);
      continue;
    }
    if (magic !== MAGIC) throw damaged();
    const flags = data[at + 4];
    if (flags >> 6 !== 1) throw new Error('an unknown version of the LZ4 frame');
    if ((flags & 1) !== 0) throw new Error('an LZ4 frame with a dictionary');
    at += 7 + ((flags & 8) === 0 ? 0 : 8);
    let first = true;
    for (;;) {
      const head = word(data, at);
      at += 4;
      if (head === 0) break;
      const end = at + (head & 0x7fffffff);
      if (end > data.length) throw damaged();
      blocks.push({ from: at, end, packed: head >>> 31 === 0, first });
      first = false;
      at = end + ((flags & 16) === 0 ? 0 : 4);
    }
    if ((flags & 4) !== 0) at += 4;
  }
  return blocks;
}

function word(data: Buffer, at: number): number {
  if (at + 4 > data.length) throw damaged();
  return data.readUInt32LE(at);
}

function damaged(): Error {
  return new Error('the LZ4 frame is damaged');
}
