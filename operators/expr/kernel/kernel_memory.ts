/**
 * Memory that the generated code of one kernel owns: constants and the slots and bytes of call sites.
 *
 * The blocks of all kernels lie in one heap, some bytes each, so that thousands of kernels stay small; a kernel gives its blocks back
 * when its operator is released. Ad hoc reads make kernels all the time: nothing may stay behind.
 */
import { BYTES, U8 } from '../../batch/memory.ts';
import type { Allocator } from '../../batch/slots.ts';
import { Heap } from '../../state/heap.ts';

const heap = new Heap();

export class KernelMemory implements Allocator {
  /** Address and size of each block. */
  #blocks: number[] = [];

  alloc(bytes: number): number {
    const size = Math.max(bytes, 1);
    const address = heap.alloc(size);
    this.#blocks.push(address, size);
    return address;
  }

  zeroed(bytes: number): number {
    const address = this.alloc(bytes);
    U8.fill(0, address, address + bytes);
    return address;
  }

  /** A text's UTF-8 bytes. */
  text(text: string): { address: number; length: number } {
    const length = Buffer.byteLength(text);
    const address = this.alloc(length);
    BYTES.utf8Write(text, address, length);
    return { address, length };
  }

  release(): void {
    for (let i = 0; i < this.#blocks.length; i += 2) heap.free(this.#blocks[i], this.#blocks[i + 1]);
    this.#blocks = [];
    heap.endTick();
    if (heap.liveBytes === 0) heap.release();
  }
}
