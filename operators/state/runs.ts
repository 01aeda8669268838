/**
 * The runs of a keyed index (keyed_index.ts): entries of the rows of one key each, one behind the other, and the long values of the rows.
 *
 *   entry:   | u32 slot hash | i32 weight | row |
 *
 * A payload is the word address of a key's (key_slot.ts). A retraction looks its row up in a run by the slot hash, in a long one in a directory (run_directory.ts).
 * Cost O(1) an entry; a run that grows gets twice the room.
 */
import type { Arena } from '../batch/arena.ts';
import { I32, U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import { ColdRuns } from './cold_runs.ts';
import { Heap, isLeaving } from './heap.ts';
import { ADDED, CAPACITY, COUNT, DIRECTORY, ENTRY_HEADER, isCold, KEY_PAYLOAD_BYTES, RUN } from './key_slot.ts';
import type { RowOps } from './row_ops.ts';
import { RunDirectory } from './run_directory.ts';
import { touch, touchRange } from './write_marks.ts';

/**
 * From this many entries on a retraction looks its row up in a directory of the run. Whoever moves entries of a run tells its directory
 * (#removeEntry) or drops it first (dropDirectory); another one is made when it is needed.
 */
export const LONG_RUN = 64;

export class Runs {
  readonly heap: Heap;
  readonly cold: ColdRuns;
  readonly rows: RowOps;
  /** Bytes of an entry. */
  readonly stride: number;
  /** Those in memory and the cold ones. */
  entries = 0;
  /** Entries with a negative weight; while there are none, inserts need not look for one to cancel. */
  negative = 0;
  readonly #directories: RunDirectory;
  /** Where in an entry texts are; null where there may be other values that lie outside of it. */
  readonly #texts: number[] | null;

  /** `keys` has what belongs to runs but is none. */
  constructor(rows: RowOps, keys: Heap) {
    this.heap = new Heap(keys);
    this.rows = rows;
    this.stride = ENTRY_HEADER + rows.layout.stride;
    this.cold = new ColdRuns(rows.layout, keys, this.heap);
    this.#directories = new RunDirectory(keys, this.stride);
    const { phys, offsets } = rows.layout;
    this.#texts = phys.includes('numeric')
      ? null
      : offsets.filter((_, i) => phys[i] === 'varlen').map((offset) => ENTRY_HEADER + offset);
  }

  /** Whether the key's run has an entry with a negative weight. */
  owes(payload: number): boolean {
    const end = U32[payload + RUN] + U32[payload + COUNT] * this.stride;
    for (let at = U32[payload + RUN]; at < end; at += this.stride) if (I32[(at >>> 2) + 1] < 0) return true;
    return false;
  }

  /** Gives the run another place, and those of its long values that lie where they may not stay. */
  moveAll(payload: number): void {
    const count = U32[payload + COUNT];
    touchRange(payload * 4, KEY_PAYLOAD_BYTES);
    const run = this.move(payload, U32[payload + RUN], count, count);
    this.cold.values.copy(run, count, this.heap, isLeaving, (address, bytes) => this.heap.free(address, bytes));
  }

  freeEntry(at: number): void {
    if (I32[(at >>> 2) + 1] < 0) this.negative--;
    this.rows.free(at + ENTRY_HEADER, this.heap);
    this.entries--;
  }

  /** Frees the runs of n keys whose slots are at an address, with their long values; gives of how many: those that are left to the caller come last in the list then. */
  freeAll(slots: number, n: number, payloadOffset: number, arena: Arena): number {
    if (this.#texts === null || !this.heap.canLend) return 0;
    const { length } = this.#texts;
    const texts = arena.alloc(length * 4);
    for (let i = 0; i < length; i++) U32[(texts >>> 2) + i] = this.#texts[i];
    const counts = arena.allocZeroed(8);
    const done = this.heap.lend((heap) =>
      kernels.freeRuns(slots, n, payloadOffset, this.stride, texts, length, heap, counts),
    );
    this.entries -= U32[counts >>> 2];
    this.negative -= U32[(counts >>> 2) + 1];
    return done;
  }

  /** Adds the bound row, whose hash is given, to a key's run; gives the entry. */
  add(payload: number, row: number, hash: number, weight: number): number {
    const stride = this.stride;
    const count = U32[payload + COUNT];
    let run = U32[payload + RUN];
    if (count === U32[payload + CAPACITY]) run = this.move(payload, run, count, count === 0 ? 1 : count * 2);
    const at = run + count * stride;
    touchRange(at, stride);
    U32[at >>> 2] = hash;
    I32[(at >>> 2) + 1] = weight;
    if (weight < 0) this.negative++;
    this.rows.store(row, at + ENTRY_HEADER, this.heap);
    U32[payload + COUNT] = count + 1;
    this.entries++;
    const directory = U32[payload + DIRECTORY];
    if (directory === 0 || isCold(payload)) return at;
    if (this.#directories.fits(directory, count + 1)) this.#directories.add(directory, run, count);
    else this.dropDirectory(payload);
    return at;
  }

  /** Uses the weight up on equal entries of the other sign; gives what is left of it. */
  cancel(payload: number, row: number, hash: number, weight: number): number {
    if (isCold(payload)) this.cold.thaw(payload);
    let rest = weight;
    while (rest !== 0) {
      const entry = this.#opposite(payload, row, hash, rest > 0);
      if (entry < 0) return rest;
      const at = U32[payload + RUN] + entry * this.stride;
      const have = I32[(at >>> 2) + 1];
      const sum = have + rest;
      if (sum !== 0 && sum > 0 === have > 0) {
        touch(at);
        I32[(at >>> 2) + 1] = sum;
        return 0;
      }
      this.#removeEntry(payload, entry);
      rest = sum;
    }
    return 0;
  }

  /** Number of an entry that equals the bound row and has a weight of the other sign; -1 when there is none. */
  #opposite(payload: number, row: number, hash: number, positive: boolean): number {
    const stride = this.stride;
    const run = U32[payload + RUN];
    const count = U32[payload + COUNT];
    const takes = (entry: number): boolean => {
      const at = run + entry * stride;
      if (U32[at >>> 2] !== hash || I32[(at >>> 2) + 1] > 0 === positive) return false;
      return this.rows.equal(row, at + ENTRY_HEADER);
    };
    if (count >= LONG_RUN) {
      if (U32[payload + DIRECTORY] === 0) U32[payload + DIRECTORY] = this.#directories.build(run, count);
      return this.#directories.find(U32[payload + DIRECTORY], hash, takes);
    }
    for (let entry = 0, at = run >>> 2; entry < count; entry++, at += stride >>> 2)
      if (U32[at] === hash && takes(entry)) return entry;
    return -1;
  }

  /** Takes an entry out; the last one takes its place. */
  #removeEntry(payload: number, entry: number): void {
    const stride = this.stride;
    const run = U32[payload + RUN];
    const at = run + entry * stride;
    const last = U32[payload + COUNT] - 1;
    if (I32[(at >>> 2) + 1] < 0) this.negative--;
    this.rows.free(at + ENTRY_HEADER, this.heap);
    const directory = U32[payload + DIRECTORY];
    if (directory !== 0) {
      this.#directories.remove(directory, run, entry);
      if (last !== entry) this.#directories.renumber(directory, run, last, entry);
    }
    if (last !== entry) {
      touchRange(at, stride);
      kernels.copyBytes(at, run + last * stride, stride);
    }
    this.entries--;
    U32[payload + COUNT] = last;
    if (directory !== 0 && last < LONG_RUN / 2) this.dropDirectory(payload);
  }

  dropDirectory(payload: number): void {
    if (U32[payload + DIRECTORY] !== 0) this.#directories.free(U32[payload + DIRECTORY]);
    U32[payload + DIRECTORY] = 0;
  }

  /** Gives the run a place for `room` entries and what the heap rounds them to. */
  move(payload: number, run: number, count: number, room: number): number {
    const stride = this.stride;
    const wanted = Heap.roundUp(room * stride);
    const capacity = Math.floor(wanted / stride);
    const target = this.heap.alloc(capacity * stride);
    if (count > 0) {
      kernels.copyBytes(target, run, count * stride);
      this.heap.free(run, U32[payload + CAPACITY] * stride);
    }
    U32[payload + RUN] = target;
    U32[payload + CAPACITY] = capacity;
    return target;
  }

  /**
   * Gives the runs room that growRuns() has left to the caller, so many slots at an address, for what was counted at ADDED; `old`: where it lists the blocks
   * that runs had.
   */
  makeRoom(old: number, left: number, listed: number, payloadOffset: number): void {
    const { heap: runs, stride } = this;
    this.freeOld(old);
    for (let n = listed; n > 0; ) {
      // After this one the heap has another chunk, where that was what was wanting.
      const payload = (U32[left >>> 2] + payloadOffset) >>> 2;
      const have = U32[payload + COUNT];
      this.move(payload, U32[payload + RUN], have, Math.max(have + U32[payload + ADDED], have * 2));
      kernels.copyBytes(left, left + 4, (n - 1) * 4);
      const rest = n - 1;
      n = runs.lend((heap) => kernels.growRuns(left, rest, payloadOffset, stride, heap, old, left));
      this.freeOld(old);
    }
  }

  /** Frees the blocks that growRuns() has listed. */
  freeOld(old: number): void {
    for (let at = old >>> 2; U32[at] !== 0; at += 2) this.heap.free(U32[at], U32[at + 1]);
  }

  /** The key is going: its run has no row that it keeps. */
  drop(payload: number): void {
    const capacity = U32[payload + CAPACITY];
    if (capacity > 0) this.heap.free(U32[payload + RUN], capacity * this.stride);
    this.dropDirectory(payload);
  }
}
