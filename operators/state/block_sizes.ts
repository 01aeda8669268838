/** The sizes of a heap's blocks (heap.ts): 16, 24, 32, ... 64, then eight steps per doubling up to 64 KiB, at most 12 % waste. Kernels know them, too (kernels/assembly/heap_blocks.ts). */
import { PAGE_BYTES } from '../batch/memory.ts';

/** By class. */
export const BLOCK_SIZES: number[] = [16, 24, 32, 40, 48, 56, 64];
for (let base = 64; base < PAGE_BYTES; base *= 2) {
  for (let step = 1; step <= 8; step++) BLOCK_SIZES.push(base + (base / 8) * step);
}

/** Class of a size, for sizes up to 64 KiB, by 8-byte units. */
const CLASS_OF = new Uint8Array(PAGE_BYTES / 8 + 1);
for (let units = 1, cls = 0; units < CLASS_OF.length; units++) {
  while (BLOCK_SIZES[cls] < units * 8) cls++;
  CLASS_OF[units] = cls;
}

/** The class of a block of so many bytes, at most 64 KiB. */
export function sizeClass(bytes: number): number {
  return CLASS_OF[(bytes + 7) >>> 3];
}

/** Bytes that a block of this size really gets. */
export function roundUp(bytes: number): number {
  if (bytes > PAGE_BYTES) return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
  return BLOCK_SIZES[sizeClass(bytes)];
}

/** The largest block that is not larger than this and has no room to spare. */
export function roundDown(bytes: number): number {
  if (bytes >= PAGE_BYTES) return Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES;
  const above = sizeClass(bytes);
  return BLOCK_SIZES[above] <= bytes || above === 0 ? BLOCK_SIZES[above] : BLOCK_SIZES[above - 1];
}
