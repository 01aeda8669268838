/**
 * An index: the rows of a relation, clustered by key (the literature's arrangement). Shared by every operator that needs the same
 * relation by the same key.
 *
 *   key table slot:  key row | u32 run, u32 count, u8 class of the run's block, u24 entries that this tick has appended, where that is counted (append-only input),
 *                    0 between ticks, u32 directory of a long run or 0; where rows die one by one: u32 entries that the calendar says are dead
 *   run:             count entries, each a row (but for what the slot has of it: entry_columns.ts) with its weight (runs.ts), contiguous, so a probe reads forward; a long
 *                    one whose rows only come, in a few blocks (run_blocks.ts)
 *
 * Runs and their long values have a heap of their own, so that its pages come back when runs are sent to the cold store (chill.ts). Rows that lie there
 * (cold_runs.ts) are seen by those who look a key up as if they were in memory.
 *
 * apply() adds a delta: a positive weight is appended without looking for an equal row unless the delta's row retracts; a negative
 * weight looks for equal entries (by slot hash, in a long run with a directory: run_directory.ts) and reduces them until it is used up. Cost O(1).
 * A retraction of a row that is not there is kept as a negative entry, so the integral stays exact whatever the order of deltas.
 *
 * takeNew() is apply() for an operator that has its rows in the index and puts out what is new (new_rows.ts).
 *
 * free() lets rows go that a watermark proves dead for those who read the index. Conditions on key columns: whole
 * keys, O(1) a dead row, 4 bytes a key (table_retention.ts). Others: row by row (dead_rows.ts).
 */
import { Arena } from '../batch/arena.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { budget } from '../batch/budget.ts';
import { I32, U8, U32 } from '../batch/memory.ts';
import type { Retention } from '../plan.ts';
import type { ColType } from '../types.ts';
import { AddedCounts } from './added_counts.ts';
import { BorrowedSlots } from './borrowed_slots.ts';
import { Chill } from './chill.ts';
import type { SavedColdParts } from './cold_parts.ts';
import type { ColdRuns } from './cold_runs.ts';
import type { ColdState } from './cold_state.ts';
import { cold } from './cold_store.ts';
import { DeadRows } from './dead_rows.ts';
import type { Watermarks } from './deadline.ts';
import { columnsOfEntries, EntryColumns, type EntryLoad } from './entry_columns.ts';
import type { SavedExpiry } from './expiry.ts';
import { Heap } from './heap.ts';
import { isAbandoning } from './heap_pages.ts';
import { IndexAppend } from './index_append.ts';
import { IndexChanges } from './index_changes.ts';
import { IndexProbe, type PairRows, type Pairs } from './index_probe.ts';
import { COUNT, isCold, KEY_DEAD_PAYLOAD_BYTES, KEY_PAYLOAD_BYTES, MOST_ADDED, newestBlock, RUN } from './key_slot.ts';
import type { KeyRows, Located } from './located.ts';
import { NewRows, type Taken } from './new_rows.ts';
import { placesOf, type SlotPlace } from './row_layout.ts';
import { RowTable, type SavedRowTable } from './row_table.ts';
import { entriesOf, RunCursor } from './run_blocks.ts';
import { Runs } from './runs.ts';
import type { SavedHeap } from './saved.ts';
import { TableRetention } from './table_retention.ts';

/** Fewer rows are taken in one by one. */
const FEW = 16;

type VisitRow = (row: number, weight: number, slot: number) => void;

export type SavedKeyedIndex = {
  entries: number;
  negative: number;
  shared: number;
  keys: SavedRowTable;
  runs: SavedHeap;
  cold: SavedColdParts;
  retention: SavedExpiry | undefined;
};

export class KeyedIndex implements ColdState {
  /** The key table, its long values, and what belongs to runs but is none: directories, calendars. */
  readonly heap = new Heap();
  /** Runs and keys: for who keeps a relation's rows in the index alone (keyed_rows.ts). */
  readonly runs: Runs;
  readonly #cold: ColdRuns;
  readonly #chill: Chill;
  /** Copies of cold keys' slots for the readers of the bound keys. */
  readonly #borrowed: BorrowedSlots;
  #arena: Arena | null = null;
  readonly #cursor = new RunCursor();
  readonly keys: RowTable;
  readonly types: ColType[];
  /** Bytes of an entry, and where in it its weight is. */
  readonly entryStride: number;
  readonly weightOffset: number;
  readonly columns: EntryColumns;
  readonly loadRow: EntryLoad;
  readonly places: (SlotPlace | null)[];
  readonly keyColumns: number[];
  readonly #nullKeys: boolean;
  readonly #appendOnly: boolean;
  readonly #appender: IndexAppend;
  readonly #changes: IndexChanges;
  readonly #probe: IndexProbe;
  readonly #added: AddedCounts;
  #appends = true;
  readonly #new: NewRows;
  /** Those of the delta that is taken in. */
  readonly #deltaKeys: Column[] = [];
  readonly #keyRetention: TableRetention | null = null;
  readonly #deadRows: DeadRows | null = null;

  /**
   * `keyColumns` are positions of `types`. nullKeys false: rows with a NULL key column are not stored (they can never match). `frees`: free() lets
   * rows go for which all these hold; none: it lets nothing go. `appendOnly`: no row is ever retracted. `unique`: after a tick a key has one row.
   */
  constructor(
    types: ColType[],
    keyColumns: number[],
    nullKeys: boolean,
    frees: Retention[] = [],
    appendOnly = false,
    unique = false,
  ) {
    this.types = types;
    this.keyColumns = keyColumns;
    this.#nullKeys = nullKeys;
    this.#appendOnly = appendOnly;
    const keysDie = frees.every((r) => keyColumns.includes(r.column));
    this.keys = new RowTable(
      keyColumns.map((c) => types[c]),
      keysDie ? KEY_PAYLOAD_BYTES : KEY_DEAD_PAYLOAD_BYTES,
      'sql',
      this.heap,
    );
    this.#added = new AddedCounts(this.keys.payloadOffset);
    const dated = keysDie ? [] : frees.map((r) => r.column);
    const kept = columnsOfEntries(types, keyColumns, appendOnly, dated);
    const runs = new Runs(
      kept.map((c) => types[c]),
      this.heap,
      !appendOnly && !unique,
      appendOnly && keysDie,
    );
    this.runs = runs;
    this.entryStride = runs.stride;
    this.weightOffset = runs.weightAt;
    const { ops, rowOffset } = this.keys;
    this.columns = new EntryColumns(types.length, kept, keyColumns, runs.rows.layout, ops.layout, rowOffset);
    this.loadRow = this.columns.loader(types.map((_, c) => c));
    this.places = this.columns.places;
    this.#cold = runs.cold;
    this.#borrowed = new BorrowedSlots(this.keys, runs.cold, () => this.endTick());
    this.#appender = new IndexAppend(this.keys, runs, keyColumns, kept, !nullKeys);
    this.#new = new NewRows(this.keys, runs, this.columns, this.#appender, this.#borrowed);
    this.#changes = new IndexChanges(this.keys, runs, this.#appender);
    this.#probe = new IndexProbe(this.keys, this.entryStride, this.weightOffset);
    this.#chill = Chill.of(this.keys, runs);
    if (keysDie) {
      this.#keyRetention = TableRetention.of(this.keys, frees, keyColumns);
    } else {
      this.#deadRows = new DeadRows(runs.rows.layout, frees, (column) => kept.indexOf(column), {
        keys: this.keys,
        heap: this.heap,
        runs,
        eachEntry: (visit) => {
          const scratch = new Arena();
          this.#eachEntry(scratch, visit, (copied) => copied && scratch.reset());
          scratch.release();
        },
        dropKey: (slot) => this.#dropKey(slot),
        dropKeys: (slots, n, scratch) => this.#freeKeys(slots, n, scratch),
      });
    }
  }

  /** Number of stored entries. */
  get size(): number {
    return this.runs.entries;
  }

  /** In memory. */
  get bytes(): number {
    return this.heap.liveBytes + this.runs.heap.liveBytes;
  }

  /** In the cold store. */
  get coldBytes(): number {
    return this.#cold.bytes;
  }

  /** Bytes of the pages that chill() can make free. */
  get runBytes(): number {
    return this.runs.heap.pageBytes;
  }

  /** Whether a pass of chill() is under way. */
  get chilling(): boolean {
    return this.runs.heap.emptying;
  }

  /** Sends about so many bytes of runs to the cold store; gives how many, 0 when nothing more can go. Between two ticks. */
  chill(bytes: number): number {
    if (cold.store === null || this.#new.shared.address !== 0) return 0;
    this.endTick();
    return budget.beyond(() => this.#chill.slice(bytes));
  }

  /** Whether compact() has something to do. */
  get sparse(): boolean {
    return this.#chill.sparse;
  }

  /** Looks at so many keys for runs that lie in sparse chunks, and moves them. Between two ticks. */
  compact(slots: number): void {
    this.endTick();
    budget.beyond(() => this.#chill.compact(slots));
  }

  /**
   * Calls back with what is cold of the next so many slots: place and bytes; it lies at the place that is given from now on. Gives where to go on, -1 at
   * the end. Between two ticks; keys that come meanwhile may be missed or seen twice.
   */
  visitCold(cursor: number, slots: number, visit: (place: number, bytes: number) => number): number {
    if (!this.#cold.any) return -1;
    return this.keys.visitFrom(cursor, slots, (slot) => this.#cold.visit((slot + this.payloadOffset) >>> 2, visit));
  }

  /** Calls back with every entry, and its key's slot, and after each key: whether its entries lie in the arena, for it is cold. That may be reset then. */
  #eachEntry(arena: Arena, visit: (entry: number, slot: number) => void, after?: (copied: boolean) => void): void {
    const cursor = new RunCursor();
    this.keys.forEach((slot) => {
      const from = this.#borrowed.whole(slot, arena);
      for (let at = cursor.begin(this, from); at !== 0; at = cursor.next()) visit(at, slot);
      after?.(from !== slot);
    });
  }

  /** Lets rows go that are dead; false: there are more. Not while a step still reads the index or shows its rows: their memory is reused. */
  free(watermarks: Watermarks): boolean {
    if (this.#keyRetention === null && this.#deadRows === null) return true;
    // Slots may move.
    this.#added.clear();
    const done = this.#free(watermarks);
    this.endTick();
    return done;
  }

  #free(watermarks: Watermarks): boolean {
    if (this.#keyRetention === null) return this.#deadRows?.free(watermarks) ?? true;
    return this.#keyRetention.free(watermarks, this.#freeKey, this.#freeKeys);
  }

  readonly #freeKey = (slot: number): void => {
    const payload = (slot + this.keys.payloadOffset) >>> 2;
    this.runs.entries -= this.#cold.entriesOf(payload);
    this.#cold.forget(payload);
    for (let at = this.#cursor.begin(this, slot); at !== 0; at = this.#cursor.next()) this.runs.freeEntry(at);
    this.#dropKey(slot);
  };

  /** #freeKey() of n keys whose slots are at an address. */
  readonly #freeKeys = (slots: number, n: number, scratch: Arena): void => {
    const done = this.runs.freeAll(slots, n, this.payloadOffset, scratch);
    this.keys.removeDeadAll(slots, done, scratch);
    for (let i = (slots >>> 2) + done, end = (slots >>> 2) + n; i < end; i++) this.#freeKey(U32[i]);
  };

  /** Takes in those rows that are not there yet, each once, and gives which these are: they have come instead of by apply() (new_rows.ts). Rows die by their keys then. */
  takeNew(columns: Column[], { n, weights }: Batch, arena: Arena): Taken {
    // Rows are compared with those of a run that is one block; keys have few.
    this.runs.keepWhole(true);
    this.keys.begin(this.#begin(columns), n);
    const located = this.keys.findOrInsertAll({ n, weights, skipNulls: false }, arena);
    const taken = this.#new.take(columns, n, located, arena);
    this.#added.note(taken.touched, taken.count);
    if (located.made > 0) this.#keyRetention?.noteFresh(located, arena);
    return taken;
  }

  /** takeNew() takes too long, for keys have many rows. */
  get isCrowded(): boolean {
    return this.#new.isCrowded;
  }

  /** From now on rows come by apply(), and those that it would not store are gone. Between two ticks. */
  endTakingNew(): void {
    this.endTick();
    if (!this.#nullKeys) this.#dropNulls();
    this.#new.shared.end();
    this.runs.keepWhole(false);
    this.endTick();
  }

  #dropNulls(): void {
    const flags = placesOf(this.keys.ops.layout).map(({ flag }) => flag + this.keys.rowOffset);
    this.keys.forEach((slot) => {
      if (flags.some((flag) => U8[slot + flag] === 0)) this.#freeKey(slot);
    });
  }

  /** The delta of a tick begins; gives the columns of its keys. */
  #begin(columns: Column[]): Column[] {
    this.#added.clear();
    this.#borrowed.end();
    this.#appends = this.runs.negative === 0;
    const keys = this.#deltaKeys;
    for (let i = 0; i < this.keyColumns.length; i++) keys[i] = columns[this.keyColumns[i]];
    return keys;
  }

  /** Adds the delta's rows with their weights; with memory of the tick, where it can, all at once. */
  apply(delta: Batch, arena?: Arena): void {
    this.keys.begin(this.#begin(delta.columns), delta.n);
    const atOnce = arena !== undefined && delta.n <= MOST_ADDED;
    if (atOnce && (this.#appendOnly ? this.#append(delta, arena) : this.#change(delta, arena))) return;
    this.#applyRows(delta);
  }

  /** apply() row by row, while no slot moves: calls back with each row and its key's slot before it is taken in. */
  applyEach(delta: Batch, visit: VisitRow): void {
    this.keys.bind(this.#begin(delta.columns));
    this.#applyRows(delta, visit);
  }

  #applyRows(delta: Batch, visit?: VisitRow): void {
    this.runs.rows.bind(this.columns.of(delta.columns));
    for (let row = 0; row < delta.n; row++) {
      const weight = I32[(delta.weights >>> 2) + row];
      if (weight !== 0 && (this.#nullKeys || !this.keys.hasNull(row))) this.#applyRow(row, weight, visit);
    }
  }

  /** A bound row, whose key may be stored. */
  #applyRow(row: number, weight: number, visit?: VisitRow): void {
    const slot = this.keys.findOrInsert(row);
    if (this.keys.inserted) this.#keyRetention?.note(slot);
    visit?.(row, weight, slot);
    this.#add(slot, row, weight);
  }

  /** apply() by kernels; false: the rows are few, or of types that kernels do not know, or some entry has a negative weight. */
  #change(delta: Batch, arena: Arena): boolean {
    const { n, weights } = delta;
    if (n < FEW || !this.#changes.knows || this.runs.negative > 0) return false;
    this.runs.rows.bind(this.columns.of(delta.columns));
    const located = this.keys.findOrInsertAll({ n, weights, skipNulls: !this.#nullKeys }, arena);
    this.#keyRetention?.noteFresh(located, arena);
    const { rest, n: left, slots, places } = this.#changes.apply(delta, located, arena);
    this.#deadRows?.noteAll(slots, places, n, this.runs.entries, arena);
    for (let i = rest, end = rest + left * 2; i < end; i += 2) this.#applyRow(U32[i], I32[i + 1]);
    return true;
  }

  /** apply() of rows that come and never go, whose weights are positive; false: they are not. */
  #append(delta: Batch, arena: Arena): boolean {
    const located = this.#appender.append(delta, arena);
    if (located === null) return false;
    const { slots, places, touched, count } = located;
    this.#added.note(touched, count);
    this.#keyRetention?.noteFresh(located, arena);
    this.#deadRows?.noteAll(slots, places, delta.n, this.runs.entries, arena);
    return true;
  }

  #add(slot: number, row: number, weight: number): void {
    if (this.#appendOnly && weight < 0) throw new Error('a retraction reached an append-only index');
    const payload = (slot + this.keys.payloadOffset) >>> 2;
    const { runs } = this;
    const rest = weight < 0 || runs.negative > 0 ? runs.cancel(payload, row, weight) : weight;
    if (rest === 0) {
      if (U32[payload + COUNT] === 0) this.#dropKey(slot);
      return;
    }
    const entry = runs.add(payload, row, rest);
    this.#deadRows?.note(slot, entry, runs.entries);
  }

  #dropKey(slot: number): void {
    const payload = (slot + this.keys.payloadOffset) >>> 2;
    this.runs.drop(payload);
    this.keys.remove(slot);
  }

  /** True when the last delta met no entry with a negative weight: if it had no retractions, its rows all stand at the ends of their runs. */
  get appends(): boolean {
    return this.#appends;
  }

  /** True when the tick's delta was appended and each key's slot has the number of its rows in it. */
  get countsAdded(): boolean {
    return this.#added.any;
  }

  get payloadOffset(): number {
    return this.keys.payloadOffset;
  }

  /** Fixes the key columns of another batch for seek(). Rows that are cold are read into the arena. */
  bindKeys(columns: Column[], arena: Arena): void {
    this.keys.bind(columns);
    this.#arena = arena;
    this.#borrowed.end();
  }

  /** seek() for all rows that are not left out: word address of their slots. */
  seekAll(rows: KeyRows): number {
    const arena = this.#arena as Arena;
    const { slots } = this.keys.findAll(rows, arena);
    this.#borrowed.borrowAll(slots, rows.n, arena);
    return slots;
  }

  /** The pairs of few rows and the entries of their keys; null: they are not few, or are looked up another way. */
  pairsOfFew(delta: Batch, keyColumns: number[], rows: PairRows, pairs: Pairs, arena: Arena): boolean | null {
    return this.#cold.any ? null : this.#probe.find(delta, keyColumns, rows, pairs, arena);
  }

  /** The slots of a delta's keys, found or made, of cold ones copies. A key that was made has no row: apply() of rows of it has to follow. */
  locate({ columns, n, weights }: Batch, arena: Arena): Located {
    this.keys.begin(this.#begin(columns), n);
    const located = this.keys.findOrInsertAll({ n, weights, skipNulls: !this.#nullKeys }, arena);
    this.#keyRetention?.noteFresh(located, arena);
    this.#borrowed.borrowAll(located.slots, n, arena);
    return located;
  }

  /** Slot of the key of a bound row, or 0; of a cold key a copy of it, for runOf() and countOf(). */
  seek(row: number): number {
    const slot = this.keys.find(row);
    return slot !== 0 && this.#cold.any ? this.#borrowed.borrow(slot, this.#arena as Arena) : slot;
  }

  /** The words of a slot that seek() gives. */
  #payloadOf(slot: number): number {
    const payload = (slot + this.payloadOffset) >>> 2;
    if (isCold(payload)) throw new Error('rows of the key are cold: seek() gives a copy of its slot');
    return payload;
  }

  runOf(slot: number): number {
    const payload = this.#payloadOf(slot);
    if (newestBlock(payload) !== 0) throw new Error('the run lies in blocks: a cursor reads it');
    return U32[payload + RUN];
  }

  countOf(slot: number): number {
    return slot === 0 ? 0 : entriesOf(this.#payloadOf(slot));
  }

  /** Calls back with every entry, its key's slot and its weight, and after each key. Rows that are cold are read into the arena, which may be reset after a key. */
  forEach(arena: Arena, visit: (slot: number, entry: number, weight: number) => void, after?: () => void): void {
    this.#eachEntry(arena, (at, slot) => visit(slot, at, this.runs.weight(at)), after);
  }

  endTick(): void {
    this.#added.clear();
    this.#borrowed.end();
    this.#arena = null;
    this.heap.endTick();
    this.runs.heap.endTick();
  }

  save(): SavedKeyedIndex {
    const retention = this.#keyRetention ?? this.#deadRows;
    return {
      entries: this.runs.entries,
      negative: this.runs.negative,
      shared: this.#new.shared.address,
      keys: this.keys.save(),
      runs: this.runs.heap.save(),
      cold: this.#cold.save(),
      retention: retention?.save(),
    };
  }

  load(saved: SavedKeyedIndex): void {
    // A tick that is taken back has had its counts taken back with the memory.
    this.#added.forget();
    this.runs.entries = saved.entries;
    this.runs.negative = saved.negative;
    this.#new.shared.address = saved.shared;
    this.#borrowed.forget();
    this.keys.load(saved.keys);
    this.runs.heap.load(saved.runs);
    this.#cold.load(saved.cold);
    const retention = this.#keyRetention ?? this.#deadRows;
    if (saved.retention !== undefined) retention?.load(saved.retention);
  }

  release(): void {
    this.#added.forget();
    this.#borrowed.forget();
    // What is made anew still has them.
    if (this.#cold.any && !isAbandoning()) {
      this.keys.forEach((slot) => {
        this.#cold.forget((slot + this.payloadOffset) >>> 2);
      });
    }
    this.#cold.load({ parts: 0, bytes: 0 });
    this.#appender.release();
    this.#probe.release();
    this.keys.release();
    this.runs.heap.release();
    this.#keyRetention?.release();
    this.#deadRows?.release();
    this.runs.entries = 0;
    this.runs.negative = 0;
    this.#new.shared.address = 0;
  }
}
