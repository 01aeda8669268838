/**
 * Makes room when memory gets short, before sources would have to wait for it (memory_hold.ts): what deletes have left of chunks of memory is moved together
 * (compaction.ts), old state moves to disk, and orders of keys, which only reads ask for, go.
 *
 *   use above `chill` -> between two ticks a slice of some milliseconds of both, as much as comes ... use below `chilled` -> enough       (batch/budget.ts has the marks)
 *   use above `hold`  -> longer slices
 *   use below `chilled` -> what is looked up again and again comes back
 *   a tick or a statement did not fit -> a part of all memory goes at once, and it is tried again
 *
 * Which state goes, and how it is read there: operators/state/chill.ts; where it goes: src/cold. On a full disk nothing goes: sources are held when memory
 * is, and it is tried again. Files of which little is alive are written again (cold_files.ts): all keys are looked at once for it, a slice at a time.
 *
 * Nothing here may be called in the middle of a tick.
 */
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import { chill } from '../../operators/state/chill.ts';
import { bringBack } from '../../operators/state/cold_reads.ts';
import type { ColdState } from '../../operators/state/cold_state.ts';
import type { ColdFiles } from '../cold/cold_files.ts';
import { diskTrouble } from '../durable/disk.ts';
import type { TidemarkEngine } from './engine.ts';
import type { StoredRelation } from './stored_relation.ts';

const SLICE_BYTES = 256 << 10;
/** A tick is followed by at least so much; by as much as has come since the last time when use is at `chilled`, and so many times as much more when it is at `hold`. */
const LEAST_BYTES = 1 << 20;
const URGENT = 3;
/** What is looked up often comes back, so much at a time. */
const BACK_BYTES = 1 << 20;
const RENEWED_SLOTS = 4096;
const COMPACTED_SLOTS = 16384;
const LOOK_MS = 250;
/** How long ticks may wait for it, and how long when memory is nearly at its end. */
const SLICE_MS = 5;
const LONG_SLICE_MS = 100;
/** Of the limit, what may be in use while a view is being filled. */
const FILL_SHARE = 0.6;
/** Of the limit, for what did not fit. */
const MORE_SHARE = 1 / 4;
/** Less is no room. */
const LEAST_FREED = 1 << 20;
/** When nothing can go, or not be written, it is tried again after so long. */
const RETRY_MS = 500;
/** A line in the log at most so often. */
const TELL_MS = 60_000;

export class Chilling {
  readonly #engine: TidemarkEngine;
  #active = false;
  /** Use when some went last. */
  #left = 0;
  #notBefore = 0;
  #told = Number.NEGATIVE_INFINITY;
  /** What the disk said last; null: it is well. */
  #trouble: string | null = null;

  /** Views, indexes and tables that are being filled apart have state too. */
  readonly filling = new Set<{ coldStates(): Iterable<ColdState> }>();
  #timer: NodeJS.Timeout | null = null;
  /** Indexes that are still to be looked through for what lies in sparse files, and where the first one goes on. */
  #renewing: { index: ColdState; cursor: number }[] = [];

  constructor(engine: TidemarkEngine) {
    this.#engine = engine;
  }

  /** Looks now and then, also while nothing happens. */
  start(): void {
    this.#timer ??= setInterval(() => this.makeRoom(), LOOK_MS).unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#renewing = [];
  }

  /** When memory is short, a slice of state goes. */
  makeRoom(): void {
    const { cold } = this.#engine;
    if (usedBytes() > budget.chill) this.#letOrdersGo();
    if (usedBytes() > budget.chill) this.#compact(usedBytes() > budget.hold ? LONG_SLICE_MS : SLICE_MS);
    if (cold === null) return;
    this.#renew(cold);
    const used = usedBytes();
    if (used <= (this.#active ? budget.chilled : budget.chill)) {
      this.#active = false;
      if (used < budget.chilled) bringBack(Math.min(BACK_BYTES, budget.chilled - used));
      return;
    }
    if (performance.now() < this.#notBefore) return;
    this.#tell();
    if (!this.#active) this.#left = used;
    this.#active = true;
    if (used > budget.hold) this.#go(cold, budget.chilled, LONG_SLICE_MS);
    else this.#go(cold, budget.chilled, SLICE_MS, this.#pace(used));
    this.#left = usedBytes();
  }

  /** How much should go: as much as comes, not all that can in a slice's time, for every tick waits for it. */
  #pace(used: number): number {
    const urgency = (used - budget.chilled) / (budget.hold - budget.chilled);
    return Math.max(LEAST_BYTES, (used - this.#left) * (1 + URGENT * urgency));
  }

  /**
   * Where memory is short and many copies of a checkpoint's pages wait for the disk, who is about to change more pages waits for it, too: else there would be a copy of
   * all state. Null: nobody has to wait.
   */
  copiesWritten(): Promise<void> | null {
    return usedBytes() > budget.chilled ? (this.#engine.checkpoints?.room() ?? null) : null;
  }

  /** Goes on until enough has gone: after a start, which may have brought back more than there is room for. */
  settle(): void {
    const { cold } = this.#engine;
    if (cold !== null && usedBytes() > budget.chill) this.#go(cold, budget.chilled, Number.POSITIVE_INFINITY);
  }

  /** What is to come needs room beside what there is: less state stays in memory meanwhile, however long that takes. */
  makeRoomToFill(): void {
    const { cold } = this.#engine;
    if (cold !== null && usedBytes() > budget.limit * FILL_SHARE)
      this.#go(cold, budget.limit * FILL_SHARE * 0.9, Number.POSITIVE_INFINITY);
  }

  /** Something did not fit: more goes, however long it takes. False when that made no room. */
  makeMore(): boolean {
    const { cold } = this.#engine;
    const before = usedBytes();
    this.#letOrdersGo();
    this.#compact(Number.POSITIVE_INFINITY);
    if (cold !== null) this.#go(cold, before - budget.limit * MORE_SHARE, Number.POSITIVE_INFINITY);
    return usedBytes() <= before - LEAST_FREED;
  }

  /** What can be made again of what is there (key_order.ts). */
  #letOrdersGo(): void {
    for (const relation of this.#engine.loop.relations.values()) relation.orders.letGo();
  }

  #go(cold: ColdFiles, below: number, milliseconds: number, bytes = Number.POSITIVE_INFINITY): void {
    const indexes = [...this.#indexes()];
    const end = performance.now() + milliseconds;
    let sent = 0;
    do {
      const went = this.#slice(indexes);
      sent += went;
      if (went > 0) continue;
      this.#notBefore = performance.now() + RETRY_MS;
      break;
    } while (usedBytes() > below && sent < bytes && performance.now() < end);
    cold.clean();
  }

  #compact(milliseconds: number): void {
    const end = performance.now() + milliseconds;
    for (const part of this.#parts())
      while (part.sparse) {
        part.compact(COMPACTED_SLOTS);
        if (performance.now() >= end) return;
      }
  }

  /** What compact() can be asked of: views that are the same query have their rows in common. */
  *#parts(): Iterable<StoredRelation | ColdState> {
    yield* new Set(this.#engine.loop.relations.values());
    yield* this.#indexes();
  }

  *#indexes(): Iterable<ColdState> {
    const { loop } = this.#engine;
    yield* loop.graph.coldStates();
    for (const apart of this.filling) yield* apart.coldStates();
    for (const relation of new Set(loop.relations.values())) yield* relation.coldStates();
  }

  /** Sparse files: what is alive in them is written again, a slice at a time. */
  #renew(cold: ColdFiles): void {
    if (this.#renewing.length === 0) {
      if (performance.now() < this.#notBefore || !cold.wantsRenewal) return;
      this.#renewing = [...this.#indexes()].map((index) => ({ index, cursor: 0 }));
    }
    const end = performance.now() + SLICE_MS;
    try {
      while (this.#renewing.length > 0 && performance.now() < end) {
        const [next] = this.#renewing;
        next.cursor = next.index.visitCold(next.cursor, RENEWED_SLOTS, (place, bytes) => cold.renew(place, bytes));
        if (next.cursor < 0) this.#renewing.shift();
      }
    } catch (error) {
      this.#failed(error);
      this.#renewing = [];
      this.#notBefore = performance.now() + RETRY_MS;
    }
    cold.clean();
  }

  /** What is cold now, of all state, is what is alive of the files of the checkpoint that was loaded. */
  recount(): void {
    const { cold } = this.#engine;
    if (cold === null) return;
    cold.recount((count) => {
      for (const index of this.#indexes())
        index.visitCold(0, Number.POSITIVE_INFINITY, (place, bytes) => {
          count(place, bytes);
          return place;
        });
    });
  }

  /** Gives the bytes that went, 0 when nothing could. */
  #slice(indexes: ColdState[]): number {
    try {
      const went = chill(indexes, SLICE_BYTES);
      if (went > 0 && this.#trouble !== null) this.#well();
      return went;
    } catch (error) {
      this.#failed(error);
      return 0;
    }
  }

  /** The disk said no: what was not written is where it was. */
  #failed(error: unknown): void {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    const trouble = diskTrouble(error);
    if (this.#trouble !== trouble)
      this.#engine.log('error', `cold state: ${trouble}: nothing more goes to disk, sources wait when memory is short`);
    this.#trouble = trouble;
  }

  #tell(): void {
    const now = performance.now();
    if (this.#active || now - this.#told < TELL_MS) return;
    this.#told = now;
    const use = `${mega(usedBytes())} of ${mega(budget.limit)} MB are in use`;
    this.#engine.log('info', `memory: ${use}: old state goes to disk`);
  }

  #well(): void {
    this.#trouble = null;
    this.#engine.log('info', 'cold state: state goes to disk again');
  }
}

function usedBytes(): number {
  return pages.usedBytes + budget.outsideBytes;
}

function mega(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
