/**
 * Frames of LZ4, as Kafka's batches have them: unpacked by a kernel in the shared memory (operators/kernels/assembly/lz4.ts), which makes no buffers that the
 * collector would have to find again.
 *
 *   u32 magic | flags | block size | [u64 size] | [u32 dictionary] | header checksum | blocks ... | u32 0 | [u32 checksum]       block: u32 length, top bit: not packed
 *
 * The frame's own checksums are not looked at: the record batch around it has one over all of it.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import { BYTES } from '../../operators/batch/memory.ts';
import { OutOfMemory } from '../../operators/errors.ts';
import { kernels } from '../../operators/kernels/index.ts';

const MAGIC = 0x184d2204;
const SKIPPED = 0x184d2a50;
const BEHIND = 16;

/** A block of a frame; `first`: it begins a frame, so nothing before it is referred to. */
interface Block {
  /** Bytes that it makes at most, as the frame says. */
  most: number;
  from: number;
  end: number;
  packed: boolean;
  first: boolean;
}

/** More than this, packed or not, is not unpacked here: the I/O thread has few pages. */
const MOST = 4 << 20;
/** Room for as much as the blocks may have is taken up to here. */
const LITTLE = 1 << 16;

/** How many times larger what was unpacked last is: for more room is taken by it, and counted only if that was not enough. */
let growth = 4;

/** What packed records are, in the arena; null when they are many, or there are no pages for them. Throws on damaged data. */
export function unpackLz4(data: Buffer, arena: Arena): Uint8Array | null {
  if (data.length > MOST) return null;
  const blocks = blocksOf(data);
  try {
    return unpacked(data, blocks, arena);
  } catch (error) {
    if (error instanceof OutOfMemory) return null;
    throw error;
  }
}

function unpacked(data: Buffer, blocks: Block[], arena: Arena): Uint8Array | null {
  const most = blocks.reduce((sum, block) => sum + block.most, 0);
  const guess = LITTLE + Math.ceil(data.length * growth * 1.2);
  const found = guess < Math.min(most, MOST) ? into(guess, data, blocks, arena) : null;
  if (found !== null) return found;
  const room = most <= LITTLE ? most : sizeOf(data, blocks, arena);
  if (room > MOST) return null;
  const whole = into(room, data, blocks, arena);
  if (whole === null) throw damaged();
  return whole;
}

/** Null when the blocks are damaged, or have more than `room` bytes. */
function into(room: number, data: Buffer, blocks: Block[], arena: Arena): Uint8Array | null {
  const size = room + data.length + 2 * BEHIND;
  const address = arena.alloc(size);
  // Behind the room, where it is no longer needed when the next batch takes its place.
  const packed = address + room + BEHIND;
  BYTES.fill(data, packed, packed + data.length);
  const end = unpack(blocks, packed, address, address + room);
  arena.trim(address, size, end === 0 ? 0 : end - address + BEHIND);
  if (end === 0) return null;
  growth = (end - address) / Math.max(1, data.length);
  return BYTES.subarray(address, end);
}

function sizeOf(data: Buffer, blocks: Block[], arena: Arena): number {
  const address = arena.alloc(data.length + BEHIND);
  BYTES.fill(data, address, address + data.length);
  let size = 0;
  for (const { from, end, packed } of blocks) {
    const length = packed ? kernels.lz4Size(address + from, address + end) : end - from;
    if (length < 0) throw damaged();
    size += length;
  }
  arena.trim(address, data.length + BEHIND, 0);
  return size;
}

/** Gives the end of what was written, 0 when it was too much or is damaged. */
function unpack(blocks: Block[], address: number, to: number, limit: number): number {
  let at = to;
  let first = to;
  for (const block of blocks) {
    if (block.first) first = at;
    const from = address + block.from;
    if (!block.packed) {
      const length = block.end - block.from;
      if (length > limit - at) return 0;
      kernels.copyBytes(at, from, length);
      at += length;
      continue;
    }
    at = kernels.lz4Block(from, address + block.end, first, at, limit) >>> 0;
    if (at === 0) return 0;
  }
  return at;
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
    const most = blockBytes((data[at + 5] >> 4) & 7);
    at += 7 + ((flags & 8) === 0 ? 0 : 8);
    let first = true;
    for (;;) {
      const head = word(data, at);
      at += 4;
      if (head === 0) break;
      const end = at + (head & 0x7fffffff);
      if (end > data.length) throw damaged();
      blocks.push({ from: at, end, most, packed: head >>> 31 === 0, first });
      first = false;
      at = end + ((flags & 16) === 0 ? 0 : 4);
    }
    if ((flags & 4) !== 0) at += 4;
  }
  return blocks;
}

/** Codes 4 to 7: 64 KiB, 256 KiB, 1 MiB, 4 MiB; any other makes the blocks be counted. */
function blockBytes(code: number): number {
  return code < 4 ? MOST : 1 << (8 + 2 * code);
}

function word(data: Buffer, at: number): number {
  if (at + 4 > data.length) throw damaged();
  return data.readUInt32LE(at);
}

function damaged(): Error {
  return new Error('the LZ4 frame is damaged');
}
