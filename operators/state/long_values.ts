/**
 * The long values of rows of state, moved with their rows:  | entries | values one behind the other |, where a slot points to its value by its offset.
 */
import { U8, U32 } from '../batch/memory.ts';
import { NUMERIC_WIDE } from '../batch/slots.ts';
import { kernels } from '../kernels/index.ts';
import type { Heap } from './heap.ts';
import { isLeaving } from './leaving.ts';
import type { RowLayout } from './row_layout.ts';

/** Takes a value, and the word that points to it. */
type Visit = (address: number, bytes: number, pointer: number) => void;

export class LongValues {
  readonly #stride: number;
  /** Where the slots that may have one lie in an entry. */
  readonly #texts: number[];
  readonly #numerics: number[];

  constructor({ phys, offsets, stride }: RowLayout) {
    this.#stride = stride;
    const of = (kind: 'varlen' | 'numeric') => offsets.filter((_, i) => phys[i] === kind);
    this.#texts = of('varlen');
    this.#numerics = of('numeric');
  }

  /** Calls back with every long value of a run. */
  #each(run: number, count: number, visit: Visit): void {
    const end = run + count * this.#stride;
    for (const at of this.#texts) {
      for (let slot = run + at; slot < end; slot += this.#stride) {
        const word = slot >>> 2;
        if (U32[word] > 12) visit(U32[word + 2], U32[word], word + 2);
      }
    }
    for (const at of this.#numerics) {
      for (let slot = run + at; slot < end; slot += this.#stride) {
        const word = slot >>> 2;
        if (U8[slot + 10] === NUMERIC_WIDE) visit(U32[word + 3], U32[word], word + 3);
      }
    }
  }

  /** Their bytes. */
  bytesOf(run: number, count: number): number {
    let sum = 0;
    this.#each(run, count, (_, bytes) => {
      sum += bytes;
    });
    return sum;
  }

  /** Whether one of them lies in pages that are leaving. Asked of every run: so without #each(). */
  areLeaving(run: number, count: number): boolean {
    const end = run + count * this.#stride;
    for (const at of this.#texts) {
      for (let slot = run + at; slot < end; slot += this.#stride) {
        const word = slot >>> 2;
        if (U32[word] > 12 && isLeaving(U32[word + 2])) return true;
      }
    }
    for (const at of this.#numerics) {
      for (let slot = run + at; slot < end; slot += this.#stride)
        if (U8[slot + 10] === NUMERIC_WIDE && isLeaving(U32[(slot >>> 2) + 3])) return true;
    }
    return false;
  }

  /** Copies the values to `at` and on; their slots have offsets from `base` then. */
  pack(run: number, count: number, at: number, base: number): void {
    let end = at;
    this.#each(run, count, (address, bytes, pointer) => {
      kernels.copyBytes(end, address, bytes);
      U32[pointer] = end - base;
      end += bytes;
    });
  }

  /** The slots have offsets from `base`: they get addresses. */
  unpack(run: number, count: number, base: number): void {
    this.#each(run, count, (offset, _, pointer) => {
      U32[pointer] = offset + base;
    });
  }

  /** Gives the slots copies of their own of the values that lie where `test` says; `gone` takes those that they had. The run is announced. */
  copy(
    run: number,
    count: number,
    heap: Heap,
    test: (address: number) => boolean,
    gone: (address: number, bytes: number) => void,
  ): void {
    this.#each(run, count, (address, bytes, pointer) => {
      if (!test(address)) return;
      const copy = heap.alloc(bytes);
      kernels.copyBytes(copy, address, bytes);
      U32[pointer] = copy;
      gone(address, bytes);
    });
  }

  /** copy() of all of them, which lie in memory that is given back as a whole. */
  own(run: number, count: number, heap: Heap): void {
    this.copy(run, count, heap, isAny, forgetIt);
  }

  /** Frees them. */
  free(run: number, count: number, heap: Heap): void {
    this.#each(run, count, (address, bytes) => heap.free(address, bytes));
  }
}

const isAny = () => true;
const forgetIt = () => {
  // Nothing is there to be freed by itself.
};
