/**
 * Sends runs of keyed indexes (runs.ts), and rows of partitions (kept_rows.ts), to the cold store, between two ticks, so that their pages come back:
 *
 *   chunks of the runs' heap:   closed, some of them leaving  |  the present one, from which new runs come
 *   key table:                  place 0 ...... cursor ...... end      a slot whose run, or a long value of it, lies in a chunk that is leaving goes
 *
 * A pass chooses the chunks that have least in them and walks the table once, a slice a call; then they hold nothing. Runs that grow move to younger
 * chunks, so those hold least whose runs have changed most since, and what goes is what was left behind. Nothing is noted when a run is read: a cold key is
 * read without being brought back (cold_runs.ts).
 *
 * compact(): the same for chunks that are at most half full, after deletes: what is left in them moves to others (compaction.ts does so for tables).
 *
 * Cost: a look at every slot a pass, and at every row where rows can have long values; and the bytes that go, many keys at once (run_sender.ts).
 */
import type { ColdState } from './cold_state.ts';
import type { RowTable } from './row_table.ts';
import { RunSender, type SentRuns } from './run_sender.ts';
import type { Runs } from './runs.ts';
import { SlotWalk } from './slot_walk.ts';
import { isUndoable } from './undo_log.ts';

/** A pass closes at least this share of a heap. */
const SHARE = 1 / 4;
/** Slots between two looks at what was sent, and the most of a call. */
const STRETCH = 1 << 12;
const MOST_SLOTS = 1 << 15;

/** What a pass works on. */
export interface ChillRuns extends SentRuns {
  /** Sends the rows of a slot by themselves, where a part of them is leaving or all go; gives the bytes that went. What may not go has another place then. */
  sendOne(payload: number, all: boolean): number;
  /** Gives rows of which a part is leaving another place in memory. */
  stay(payload: number): void;
}

/** The passes over one index, or over the rows of one operator's partitions. */
export class Chill {
  readonly #runs: ChillRuns;
  readonly #walk: SlotWalk;
  readonly #sender: RunSender;
  /** Bytes of the heap's pages when the pass began. */
  #before = 0;
  /** The pass under way is one of compact(). */
  #compacting = false;

  constructor(runs: ChillRuns) {
    this.#runs = runs;
    this.#walk = new SlotWalk(runs.keys);
    this.#sender = new RunSender(runs);
  }

  /** Of the runs of a keyed index. */
  static of(keys: RowTable, runs: Runs): Chill {
    return new Chill({
      keys,
      heap: runs.heap,
      layout: runs.rows.layout,
      weightAt: runs.weightAt,
      isSigned: () => runs.negative > 0,
      list: 0,
      listCount: 0,
      sendPacked: (out, packed, end) => runs.cold.sendPacked(out, packed, end),
      sendOne: (payload, all) => runs.sendOne(payload, all),
      stay: (payload) => runs.stay(payload),
    });
  }

  /** Sends about so many bytes; gives how many, at least 1 when that was of use; 0: nothing more can go. Infinity: all that may go. */
  slice(bytes: number): number {
    if (isUndoable()) throw new Error('runs go cold between ticks only');
    const { keys, heap } = this.#runs;
    const all = bytes === Number.POSITIVE_INFINITY;
    const isNew = !heap.emptying;
    if (isNew) {
      this.#walk.begin();
      this.#before = heap.pageBytes;
      this.#compacting = false;
      if (!heap.empty(Math.max(bytes, heap.pageBytes * SHARE)) && !all) return heap.pageBytes < this.#before ? 1 : 0;
    }
    let sent = 0;
    const rest = (slot: number) => this.#runs.sendOne((slot + keys.payloadOffset) >>> 2, all);
    let slots = all ? Number.POSITIVE_INFINITY : MOST_SLOTS;
    while (sent < bytes && slots > 0) {
      const isEnd = this.#walk.nextStretch(STRETCH, (start, end) => {
        const done = this.#sender.send(start, end, bytes - sent, all, rest);
        sent += done.bytes;
        return done.next;
      });
      slots -= STRETCH;
      if (!isEnd) continue;
      heap.endEmptying();
      if (sent > 0 || heap.pageBytes < this.#before) return Math.max(sent, 1);
      // Runs that may not be sent have moved to other pages: when nothing else was there, that was of no use. What came after the cursor had passed can go yet.
      return isNew ? 0 : this.slice(bytes);
    }
    heap.endTick();
    return Math.max(sent, 1);
  }

  /** Whether compact() has something to do. */
  get sparse(): boolean {
    const { heap, keys } = this.#runs;
    return heap.emptying ? this.#compacting : heap.isSparse || keys.isThin;
  }

  /** Of chunks that are at most half full, takes away what is left in them: it stays in memory. */
  compact(slots: number): void {
    if (isUndoable()) throw new Error('runs are moved between ticks only');
    const { keys, heap } = this.#runs;
    if (!heap.emptying) {
      this.#walk.begin();
      this.#before = heap.pageBytes;
      this.#compacting = true;
      keys.shrink();
      keys.endTick();
      if (!heap.emptySparse()) return;
    }
    const isEnd = this.#walk.next(slots, (slot) => this.#runs.stay((slot + keys.payloadOffset) >>> 2));
    if (isEnd) heap.endEmptying();
    else heap.endTick();
  }
}

/**
 * Sends about so many bytes of these indexes, of the one that is under way or else of the largest; gives how many, 0 when nothing more can go. To be called
 * where a tick has just ended: after endTick(), when no batch of the tick lives.
 */
export function chill(indexes: Iterable<ColdState>, bytes: number): number {
  const largestFirst = [...indexes].filter((index) => index.runBytes > 0).sort((a, b) => b.runBytes - a.runBytes);
  const underWay = largestFirst.filter((index) => index.chilling);
  for (const index of [...underWay, ...largestFirst]) {
    const sent = index.chill(bytes);
    if (sent > 0) return sent;
  }
  return 0;
}
