/**
 * The runs of a keyed index (keyed_index.ts): entries of the rows of one key each, one behind the other, and the long values of the rows.
 *
 *   entry:   | row |, but for columns that lie in the key's slot (entry_columns.ts), of whose words (row_layout.ts) the first is the i32 weight and the second, where a key may have many rows of which some go, the u32 slot hash
 *
 * A payload is the word address of a key's (key_slot.ts). A retraction looks its row up in a run by the slot hash, in a long one in a directory (run_directory.ts).
 * Cost O(1) an entry; a run that grows gets twice the room, or, a long one whose rows only come, another block (run_blocks.ts).
 */
import type { Arena } from '../batch/arena.ts';
import { I32, U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import { BLOCK_HEAD, IN_BLOCKS } from '../kernels/key_slot_layout.ts';
import type { ColType } from '../types.ts';
import { ColdRuns } from './cold_runs.ts';
import { Heap } from './heap.ts';
import {
  addedTo,
  COUNT,
  DIRECTORY,
  isCold,
  KEY_PAYLOAD_BYTES,
  newestBlock,
  RUN,
  roomFor,
  roomOf,
  setRoom,
} from './key_slot.ts';
import { isLeaving } from './leaving.ts';
import { rowLayout } from './row_layout.ts';
import { type RowOps, rowOps } from './row_ops.ts';
import { BLOCKS_FROM, eachBlock, entriesOf, furtherEntries, mostEntries, writeHead } from './run_blocks.ts';
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
  /** Bytes of an entry, and where in it the weight is. */
  readonly stride: number;
  readonly weightAt: number;
  /** Where the hash is; -1: there is none, for no row is ever looked for, or a key has one. */
  readonly hashAt: number;
  /** Those in memory and the cold ones. */
  entries = 0;
  /** Entries with a negative weight; while there are none, inserts need not look for one to cancel. */
  negative = 0;
  /** Runs of more bytes get blocks when they grow; 0: none does. */
  blocksFrom = 0;
  readonly #inBlocks: boolean;
  readonly #directories: RunDirectory;
  /** Where in an entry texts are; null where there may be other values that lie outside of it. */
  readonly #texts: number[] | null;

  /** `types`: of the columns that entries have. `keys` has what belongs to runs but is none. `hashed`: a key may have many rows of which some go. `inBlocks`: no row goes before its key. */
  constructor(types: ColType[], keys: Heap, hashed: boolean, inBlocks: boolean) {
    this.#inBlocks = inBlocks;
    this.keepWhole(false);
    this.heap = new Heap(keys);
    const rows = rowOps(types, 'identity', rowLayout(types, hashed ? 2 : 1));
    this.rows = rows;
    const { phys, offsets, stride, words } = rows.layout;
    this.stride = stride;
    this.weightAt = words;
    this.hashAt = hashed ? words + 4 : -1;
    this.cold = new ColdRuns(rows.layout, keys, this.heap);
    this.#directories = new RunDirectory(keys, stride, this.hashAt);
    this.#texts = phys.includes('numeric') ? null : offsets.filter((_, i) => phys[i] === 'varlen');
  }

  /** Whether runs that grow from now on stay one block, though they may have several. */
  keepWhole(whole: boolean): void {
    this.blocksFrom = this.#inBlocks && !whole ? BLOCKS_FROM : 0;
  }

  /** Whether the key's run has an entry with a negative weight. */
  owes(payload: number): boolean {
    const end = U32[payload + RUN] + U32[payload + COUNT] * this.stride;
    for (let at = U32[payload + RUN]; at < end; at += this.stride) if (this.weight(at) < 0) return true;
    return false;
  }

  weight(entry: number): number {
    return I32[(entry + this.weightAt) >>> 2];
  }

  /** Sends the run of a key, where a part of it is leaving or all go; gives the bytes that went. One with an entry of negative weight has another place then. */
  sendOne(payload: number, all: boolean): number {
    if (U32[payload + COUNT] === 0 || (!all && !this.#isLeaving(payload))) return 0;
    if (this.negative > 0 && this.owes(payload)) {
      this.moveAll(payload);
      return 0;
    }
    if (newestBlock(payload) !== 0) return this.#sendBlocks(payload, all);
    if (!isCold(payload)) this.dropDirectory(payload);
    return this.cold.send(payload);
  }

  /** Sends a run that lies in blocks, but for the newest ones of which nothing is leaving: they become one block, for the key is cold then. */
  #sendBlocks(payload: number, all: boolean): number {
    const { heap, stride } = this;
    let kept = 0;
    let stays = !all;
    eachBlock(payload, stride, roomOf(payload), (run, count) => {
      stays &&= !isLeaving(run) && !this.cold.values.areLeaving(run, count);
      if (stays) kept += count;
    });
    touchRange(payload * 4, KEY_PAYLOAD_BYTES);
    const count = entriesOf(payload);
    this.move(payload, count);
    if (kept === 0) return this.cold.send(payload);
    const bytes = roomFor(kept * stride);
    const rest = heap.alloc(bytes);
    kernels.copyBytes(rest, U32[payload + RUN] + (count - kept) * stride, kept * stride);
    U32[payload + COUNT] = count - kept;
    let sent = 0;
    try {
      sent = this.cold.send(payload);
    } catch (error) {
      U32[payload + COUNT] = count;
      heap.free(rest, bytes);
      throw error;
    }
    U32[payload + RUN] = rest;
    U32[payload + COUNT] = kept;
    setRoom(payload, bytes);
    return sent;
  }

  /** Gives a run of which a part is leaving another place in memory. */
  stay(payload: number): void {
    if (U32[payload + COUNT] > 0 && this.#isLeaving(payload)) this.moveAll(payload);
  }

  #isLeaving(payload: number): boolean {
    let is = false;
    eachBlock(payload, this.stride, roomOf(payload), (run, count) => {
      is ||= isLeaving(run) || this.cold.values.areLeaving(run, count);
    });
    return is;
  }

  /** Gives the run another place, and those of its long values that lie where they may not stay. */
  moveAll(payload: number): void {
    touchRange(payload * 4, KEY_PAYLOAD_BYTES);
    const count = entriesOf(payload);
    this.move(payload, count);
    this.cold.values.copy(U32[payload + RUN], count, this.heap, isLeaving, (address, bytes) =>
      this.heap.free(address, bytes),
    );
  }

  freeEntry(at: number): void {
    if (this.weight(at) < 0) this.negative--;
    this.rows.free(at, this.heap);
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
      kernels.freeRuns(slots, n, payloadOffset, this.stride, this.weightAt, texts, length, heap, counts),
    );
    this.entries -= U32[counts >>> 2];
    this.negative -= U32[(counts >>> 2) + 1];
    return done;
  }

  /** Adds the bound row to a key's run; gives the entry. */
  add(payload: number, row: number, weight: number): number {
    const stride = this.stride;
    if ((U32[payload + COUNT] + 1) * stride > this.#spaceOf(payload)) this.#grow(payload, 1);
    const run = U32[payload + RUN];
    const count = U32[payload + COUNT];
    const at = run + count * stride;
    touchRange(at, stride);
    if (weight < 0) this.negative++;
    this.rows.store(row, at, this.heap);
    I32[(at + this.weightAt) >>> 2] = weight;
    if (this.hashAt >= 0) U32[(at + this.hashAt) >>> 2] = this.rows.slotHash(row);
    U32[payload + COUNT] = count + 1;
    this.entries++;
    const directory = U32[payload + DIRECTORY];
    if (directory === 0 || isCold(payload) || newestBlock(payload) !== 0) return at;
    if (this.#directories.fits(directory, count + 1)) this.#directories.add(directory, run, count);
    else this.dropDirectory(payload);
    return at;
  }

  /** Uses the weight up on equal entries of the other sign; gives what is left of it. */
  cancel(payload: number, row: number, weight: number): number {
    if (isCold(payload)) this.cold.thaw(payload);
    const hash = this.hashAt < 0 ? 0 : this.rows.slotHash(row);
    let rest = weight;
    while (rest !== 0) {
      const entry = this.#opposite(payload, row, hash, rest > 0);
      if (entry < 0) return rest;
      const at = U32[payload + RUN] + entry * this.stride;
      const have = this.weight(at);
      const sum = have + rest;
      if (sum !== 0 && sum > 0 === have > 0) {
        touch(at + this.weightAt);
        I32[(at + this.weightAt) >>> 2] = sum;
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
      if (this.hashAt >= 0 && U32[(at + this.hashAt) >>> 2] !== hash) return false;
      return this.weight(at) > 0 !== positive && this.rows.equal(row, at);
    };
    if (this.hashAt < 0) {
      for (let entry = 0; entry < count; entry++) if (takes(entry)) return entry;
      return -1;
    }
    if (count >= LONG_RUN) {
      if (U32[payload + DIRECTORY] === 0) U32[payload + DIRECTORY] = this.#directories.build(run, count);
      return this.#directories.find(U32[payload + DIRECTORY], hash, takes);
    }
    for (let entry = 0, at = (run + this.hashAt) >>> 2; entry < count; entry++, at += stride >>> 2)
      if (U32[at] === hash && takes(entry)) return entry;
    return -1;
  }

  /** Takes an entry out; the last one takes its place. */
  #removeEntry(payload: number, entry: number): void {
    const stride = this.stride;
    const run = U32[payload + RUN];
    const at = run + entry * stride;
    const last = U32[payload + COUNT] - 1;
    if (this.weight(at) < 0) this.negative--;
    this.rows.free(at, this.heap);
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
    if (U32[payload + DIRECTORY] === 0) return;
    this.#directories.free(U32[payload + DIRECTORY]);
    touch((payload + DIRECTORY) * 4);
    U32[payload + DIRECTORY] = 0;
  }

  /** Gives the run one block with room for so many entries and what is beyond; `inBlocks`: it is the first of several. */
  move(payload: number, room: number, inBlocks = false): void {
    const { heap, stride } = this;
    const count = entriesOf(payload);
    const had = roomOf(payload);
    const head = inBlocks ? BLOCK_HEAD : 0;
    const target = heap.alloc(setRoom(payload, head + room * stride));
    let end = target + head + count * stride;
    eachBlock(payload, stride, had, (run, n, block, bytes) => {
      end -= n * stride;
      kernels.copyBytes(end, run, n * stride);
      if (bytes > 0) heap.free(block, bytes);
    });
    if (inBlocks) writeHead(target, 0, 0);
    if (inBlocks) U32[payload + DIRECTORY] = target + IN_BLOCKS;
    else if (newestBlock(payload) !== 0) U32[payload + DIRECTORY] = 0;
    U32[payload + RUN] = target + head;
    U32[payload + COUNT] = count;
  }

  /** Gives the run room for so many entries more, as growRuns() of kernels/assembly/index_rows.ts does, where that is more than a block has in as many as it takes. */
  #grow(payload: number, added: number): void {
    const { stride } = this;
    const count = U32[payload + COUNT];
    const newest = newestBlock(payload);
    const most = mostEntries(stride);
    if (newest === 0) {
      const inBlocks =
        this.blocksFrom > 0 && U32[payload + DIRECTORY] === 0 && (count + added) * stride > this.blocksFrom;
      const more = Math.max(added, inBlocks ? furtherEntries(count, stride) : count);
      const room = inBlocks && count + more > most ? Math.max(count, (count + added) % most || most) : count + more;
      this.move(payload, room, inBlocks);
      if ((count + added) * stride > this.#spaceOf(payload)) this.#grow(payload, added);
      return;
    }
    /** Entries of those that come that lie in blocks before the newest, which are full then. */
    let before = Math.floor(this.#spaceOf(payload) / stride) - count;
    let entries = entriesOf(payload) + before;
    let last = newest;
    const rest = added - before;
    let room = rest <= most ? Math.max(rest, furtherEntries(entries, stride)) : rest % most || most;
    // The full ones come last: of most rows the kernel need not look for the block.
    while (added - before > room) {
      const full = this.heap.alloc(BLOCK_HEAD + room * stride);
      writeHead(full, last, entries);
      last = full;
      before += room;
      entries += room;
      room = most;
    }
    const block = this.heap.alloc(setRoom(payload, BLOCK_HEAD + room * stride));
    writeHead(block, last, entries);
    U32[payload + RUN] = block + BLOCK_HEAD;
    I32[payload + COUNT] = -before;
    U32[payload + DIRECTORY] = block + IN_BLOCKS;
  }

  /** Bytes that the newest block of the run has for entries. */
  #spaceOf(payload: number): number {
    return roomOf(payload) - (newestBlock(payload) === 0 ? 0 : BLOCK_HEAD);
  }

  /**
   * Gives the runs room that growRuns() has left to the caller, so many slots at an address, for what was counted (addedTo()); `old`: where it lists the blocks
   * that runs had.
   */
  makeRoom(old: number, left: number, listed: number, payloadOffset: number): void {
    const { heap: runs, stride } = this;
    this.freeOld(old);
    for (let n = listed; n > 0; ) {
      // After this one the heap has another chunk, where that was what was wanting.
      const payload = (U32[left >>> 2] + payloadOffset) >>> 2;
      this.#grow(payload, addedTo(payload));
      kernels.copyBytes(left, left + 4, (n - 1) * 4);
      const rest = n - 1;
      n = runs.lend((heap) => kernels.growRuns(left, rest, payloadOffset, stride, heap, old, left, this.blocksFrom));
      this.freeOld(old);
    }
  }

  /** Frees the blocks that growRuns() has listed. */
  freeOld(old: number): void {
    for (let at = old >>> 2; U32[at] !== 0; at += 2) this.heap.free(U32[at], U32[at + 1]);
  }

  /** The key is going: its run has no row that it keeps. */
  drop(payload: number): void {
    if (newestBlock(payload) !== 0) {
      eachBlock(payload, this.stride, roomOf(payload), (_run, _count, block, bytes) => this.heap.free(block, bytes));
      touch((payload + DIRECTORY) * 4);
      U32[payload + DIRECTORY] = 0;
      return;
    }
    const room = roomOf(payload);
    if (room > 0) this.heap.free(U32[payload + RUN], room);
    this.dropDirectory(payload);
  }
}
