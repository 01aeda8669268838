/**
 * Finds entries of a long run by their hash: for indexes whose rows are retracted (keyed_index.ts). Beside the run, in its heap:
 *
 *   directory:  | u32 mask | u32 number of an entry + 1, 0 empty | ...      open addressing by the hash that every entry has
 *
 * At most half full; an entry that goes leaves no mark, the entries behind it close up. 8 to 16 bytes an entry.
 */
import { U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import type { Heap } from './heap.ts';
import { touch, touchLarge } from './write_marks.ts';

export class RunDirectory {
  readonly #heap: Heap;
  readonly #stride: number;
  readonly #hashAt: number;

  /** `stride`: bytes of an entry of the runs; `hashAt`: where in it its hash is. */
  constructor(heap: Heap, stride: number, hashAt: number) {
    this.#heap = heap;
    this.#stride = stride;
    this.#hashAt = hashAt;
  }

  /** A new directory of the first `count` entries of a run. */
  build(run: number, count: number): number {
    let capacity = 16;
    while (capacity < count * 2) capacity *= 2;
    const directory = this.#heap.alloc(bytesFor(capacity));
    const word = directory >>> 2;
    touchLarge(directory, bytesFor(capacity));
    kernels.fillBytes(directory, 0, bytesFor(capacity));
    U32[word] = capacity - 1;
    for (let entry = 0; entry < count; entry++) this.#put(word, run, entry);
    return directory;
  }

  free(directory: number): void {
    this.#heap.free(directory, bytesFor(U32[directory >>> 2] + 1));
  }

  /** Whether `count` entries may stand in it. */
  fits(directory: number, count: number): boolean {
    return count * 2 <= U32[directory >>> 2] + 1;
  }

  add(directory: number, run: number, entry: number): void {
    this.#put(directory >>> 2, run, entry);
  }

  #hash(run: number, entry: number): number {
    return U32[(run + entry * this.#stride + this.#hashAt) >>> 2];
  }

  #put(word: number, run: number, entry: number): void {
    const mask = U32[word];
    let index = this.#hash(run, entry) & mask;
    while (U32[word + 1 + index] !== 0) index = (index + 1) & mask;
    touch((word + 1 + index) * 4);
    U32[word + 1 + index] = entry + 1;
  }

  /** Calls back with entries that may have the hash, until one is taken; gives that one's number, or -1. */
  find(directory: number, hash: number, takes: (entry: number) => boolean): number {
    const word = directory >>> 2;
    const mask = U32[word];
    for (let index = hash & mask; U32[word + 1 + index] !== 0; index = (index + 1) & mask) {
      const entry = U32[word + 1 + index] - 1;
      if (takes(entry)) return entry;
    }
    return -1;
  }

  #indexOf(word: number, run: number, entry: number): number {
    const mask = U32[word];
    let index = this.#hash(run, entry) & mask;
    while (U32[word + 1 + index] !== entry + 1) {
      if (U32[word + 1 + index] === 0) throw new Error(`entry ${entry} is not in the directory of its run`);
      index = (index + 1) & mask;
    }
    return index;
  }

  /** Entry `from` is about to stand at `to`. */
  renumber(directory: number, run: number, from: number, to: number): void {
    const word = directory >>> 2;
    const at = word + 1 + this.#indexOf(word, run, from);
    touch(at * 4);
    U32[at] = to + 1;
  }

  /** The entry is about to go. */
  remove(directory: number, run: number, entry: number): void {
    const word = directory >>> 2;
    const mask = U32[word];
    let hole = this.#indexOf(word, run, entry);
    for (let index = (hole + 1) & mask; U32[word + 1 + index] !== 0; index = (index + 1) & mask) {
      // An entry may move back into the hole unless its home lies behind the hole.
      const home = this.#hash(run, U32[word + 1 + index] - 1) & mask;
      if (((index - home) & mask) < ((index - hole) & mask)) continue;
      touch((word + 1 + hole) * 4);
      U32[word + 1 + hole] = U32[word + 1 + index];
      hole = index;
    }
    touch((word + 1 + hole) * 4);
    U32[word + 1 + hole] = 0;
  }
}

function bytesFor(capacity: number): number {
  return (capacity + 1) * 4;
}
