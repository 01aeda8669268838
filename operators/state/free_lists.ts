/** A heap's free blocks (heap.ts): a list a size class, of which the array has the first block; the first word of each block is the next one's address, 0 at the end. */
import { U32 } from '../batch/memory.ts';
import { BLOCK_SIZES } from './block_sizes.ts';
import { touch } from './write_marks.ts';

export function eachFree(freeLists: Uint32Array, visit: (address: number, size: number) => void): void {
  freeLists.forEach((head, cls) => {
    for (let at = head; at !== 0; at = U32[at >>> 2]) visit(at, BLOCK_SIZES[cls]);
  });
}

/** Takes the blocks out that go. O(free blocks). */
export function unlink(freeLists: Uint32Array, goes: (address: number, size: number) => boolean): void {
  freeLists.forEach((head, cls) => {
    let last = 0;
    for (let at = head; at !== 0; at = U32[at >>> 2]) {
      if (goes(at, BLOCK_SIZES[cls])) continue;
      if (last === 0) freeLists[cls] = at;
      else if (U32[last >>> 2] !== at) {
        touch(last);
        U32[last >>> 2] = at;
      }
      last = at;
    }
    if (last === 0) freeLists[cls] = 0;
    else if (U32[last >>> 2] !== 0) {
      touch(last);
      U32[last >>> 2] = 0;
    }
  });
}

/** A block that is free from now on: as kernels/assembly/heap_blocks.ts. */
export function push(freeLists: Uint32Array, cls: number, address: number): void {
  touch(address);
  const first = freeLists[cls];
  const second = first === 0 ? 0 : U32[first >>> 2];
  const third = second === 0 ? 0 : U32[second >>> 2];
  U32[address >>> 2] = first;
  U32[(address >>> 2) + 1] = third === 0 ? 0 : U32[third >>> 2];
  freeLists[cls] = address;
}
