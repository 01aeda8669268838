/**
 * Blocks of cold files that were read lately, verified: bounded, counted in the budget.
 *
 *   find(key) -> place in `bytes`, or -1 ... make(key) -> a place for it; who was not asked for since the hand passed gives it up (clock)
 *
 * It takes memory as it fills, 256 KiB at a time. Cost: a lookup in a Map; 4 KiB and some 30 bytes a block.
 */
import { budget } from '../../operators/batch/budget.ts';
import { BLOCK_BYTES } from './block.ts';

const CHUNK_BLOCKS = 64;
const CHUNK_BYTES = CHUNK_BLOCKS * BLOCK_BYTES;
/** In the budget. */
const KIND = 'cold blocks';

export class BlockCache {
  readonly #most: number;
  readonly #chunks: Buffer[] = [];
  readonly #cells = new Map<number, number>();
  readonly #keys: Float64Array;
  readonly #used: Uint8Array;
  #count = 0;
  #hand = 0;

  /** At most so many bytes, and one chunk at the least. */
  constructor(bytes: number) {
    this.#most = Math.max(1, Math.floor(bytes / CHUNK_BYTES)) * CHUNK_BLOCKS;
    this.#keys = new Float64Array(this.#most).fill(-1);
    this.#used = new Uint8Array(this.#most);
  }

  get bytes(): number {
    return this.#chunks.length * CHUNK_BYTES;
  }

  /** The cell of a block, or -1. */
  find(key: number): number {
    const cell = this.#cells.get(key);
    if (cell === undefined) return -1;
    this.#used[cell] = 1;
    return cell;
  }

  /** Where the bytes of a cell are: chunk and offset in it. */
  chunkOf(cell: number): Buffer {
    return this.#chunks[Math.floor(cell / CHUNK_BLOCKS)];
  }

  offsetOf(cell: number): number {
    return (cell % CHUNK_BLOCKS) * BLOCK_BYTES;
  }

  /** A cell for a block that is not here; the caller fills it at once. */
  make(key: number): number {
    const cell = this.#count < this.#most ? this.#grow() : this.#evict();
    this.#keys[cell] = key;
    this.#used[cell] = 0;
    this.#cells.set(key, cell);
    return cell;
  }

  #grow(): number {
    if (this.#count === this.#chunks.length * CHUNK_BLOCKS) {
      this.#chunks.push(Buffer.allocUnsafeSlow(CHUNK_BYTES));
      budget.count(KIND, CHUNK_BYTES);
    }
    return this.#count++;
  }

  #evict(): number {
    for (;;) {
      const cell = this.#hand;
      this.#hand = (cell + 1) % this.#most;
      if (this.#used[cell] !== 0) {
        this.#used[cell] = 0;
        continue;
      }
      this.#cells.delete(this.#keys[cell]);
      return cell;
    }
  }

  /** Blocks with keys from `first` to `end` - 1 are no more. */
  forget(first: number, end: number): void {
    for (const [key, cell] of this.#cells) {
      if (key < first || key >= end) continue;
      this.#cells.delete(key);
      this.#keys[cell] = -1;
      this.#used[cell] = 0;
    }
  }

  /** Gives all memory back. */
  release(): void {
    budget.count(KIND, -this.bytes);
    this.#chunks.length = 0;
    this.#cells.clear();
    this.#count = 0;
    this.#hand = 0;
  }
}
