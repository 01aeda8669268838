/** Blocks that a heap lets go at the end of the tick (heap.ts): a list of words, address and bytes of each. */

const NONE = new Uint32Array(0);
/** Nobody changes what is saved. */
const NOTHING: number[] = [];
/** Words of a list that stays for the next tick. */
const KEPT = 1 << 16;

export class FreedQueue {
  words = NONE;
  /** Words in use. */
  length = 0;

  add(address: number, bytes: number): void {
    const at = this.length;
    if (at === this.words.length) this.#grow();
    this.words[at] = address;
    this.words[at + 1] = bytes;
    this.length = at + 2;
  }

  #grow(): void {
    const bigger = new Uint32Array(Math.max(16, this.words.length * 2));
    bigger.set(this.words);
    this.words = bigger;
  }

  empty(): void {
    this.length = 0;
    if (this.words.length > KEPT) this.words = NONE;
  }

  /** Between ticks, and so at the beginning of each, it is empty. */
  save(): number[] {
    return this.length === 0 ? NOTHING : Array.from(this.words.subarray(0, this.length));
  }

  load(saved: number[]): void {
    this.words = Uint32Array.from(saved);
    this.length = saved.length;
  }
}
