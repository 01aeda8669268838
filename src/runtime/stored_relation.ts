/**
 * A relation whose rows the engine keeps: tables, local streams, materialized views, error relations, late ledgers.
 *
 * One store holds the rows; each index is a KeyedIndex over the same rows, maintained in the same tick. Rows of a view with a key, or of a table with a primary key, lie in the
 * index of that alone (KeyedRows). Else the store is a RelationStore; rows of an append-only view go to a RowLog as soon as there are many of which nearly all differ. Where few differ the
 * table of those is smaller.
 */
import { type Arena, withScratch } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { budget } from '../../operators/batch/budget.ts';
import { BatchBuilder, weightOf } from '../../operators/batch/builder.ts';
import { I32 } from '../../operators/batch/memory.ts';
import { pages } from '../../operators/batch/pages.ts';
import { OutOfMemory } from '../../operators/errors.ts';
import type { ColdState } from '../../operators/state/cold_state.ts';
import { KeyedIndex, type SavedKeyedIndex } from '../../operators/state/keyed_index.ts';
import { KeyedRows } from '../../operators/state/keyed_rows.ts';
import { RelationStore, type RowStore, type SavedRelationStore } from '../../operators/state/relation_store.ts';
import { ProjectedIndex, type RowIndex } from '../../operators/state/row_index.ts';
import { RowLog, type SavedRowLog } from '../../operators/state/row_log.ts';
import type { Undo } from '../../operators/state/undo.ts';
import type { ColType } from '../../operators/types.ts';
import type { IndexShape } from '../../planner/catalog_reader.ts';
import { ComputedIndex, type SavedComputedIndex } from './computed_index.ts';
import type { IndexName } from './index_name.ts';
import { KeyOrders } from './key_orders.ts';
import { type Correction, RelationScan } from './relation_scan.ts';
import { hasNull, rowsInIndex } from './rows_in_index.ts';

const LEAST_LOGGED = 16384;
/** Of so many rows of a log at least this share differed when it began. */
const LEAST_DIFFERENT = 0.9;
/** Rows that are looked at a time. */
const PIECE_ROWS = 4096;

export type SavedRelation = {
  /** Null: the rows are those of the first index. */
  store: SavedRelationStore | SavedRowLog | null;
  indexes: { columns: number[]; index: SavedKeyedIndex }[];
  computed: SavedComputedIndex[];
};

type ShapeOf = (index: number) => IndexShape;

export class StoredRelation {
  readonly types: ColType[];
  /** The last tick that changed it, and TickLoop.constraints when its rows had to fit something new for the last time. */
  changedAt = 0n;
  constrainedAt = 0;
  /** The tick since which its rows have their present columns, and its name then; null: they always had. */
  altered: { tick: bigint; name: string } | null = null;
  #store: RelationStore | RowLog | KeyedRows;
  /** The key by whose index the rows lie is one only as long as it is declared. */
  #keyMayEnd: boolean;
  /** It never takes a row back, and its rows may go to a log. */
  #appendOnly: boolean;
  readonly #indexes = new Map<string, KeyedIndex>();
  /** By OID. */
  readonly #computed = new Map<number, ComputedIndex>();
  /** Of the keys of its indexes. */
  readonly orders = new KeyOrders();
  readonly #scans = new Set<RelationScan>();

  /**
   * `key`: columns of which each row has values of its own after every tick; null where none are known. `mayEnd`: as long as it is declared, and some day several
   * rows may have the same.
   */
  constructor(
    types: ColType[],
    indexes: number[][] = [],
    appendOnly = false,
    key: number[] | null = null,
    mayEnd = false,
  ) {
    this.types = types;
    this.#appendOnly = appendOnly && key === null;
    this.#keyMayEnd = mayEnd;
    if (key === null) this.#store = new RelationStore(types);
    else {
      const index = new KeyedIndex(types, key, true, [], false, !mayEnd);
      this.#store = new KeyedRows(index);
      this.#indexes.set(key.join(','), index);
    }
    for (const columns of indexes) this.addIndex(columns);
  }

  get store(): RowStore {
    return this.#store;
  }

  /** Number of rows as they are kept: equal ones are one in a table, several in a log. */
  get rows(): number {
    return this.store.size;
  }

  get bytes(): number {
    return this.store.bytes + this.orders.bytes + this.indexBytes;
  }

  /** Of indexes beside the store. */
  get indexBytes(): number {
    return [...this.#furtherIndexes()].reduce((bytes, index) => bytes + index.bytes, 0);
  }

  /** The indexes of columns but for one that is the store. */
  *#plainIndexes(): Iterable<KeyedIndex> {
    for (const index of this.#indexes.values()) if (!this.#isStore(index)) yield index;
  }

  /** All indexes but for one that is the store. */
  *#furtherIndexes(): Iterable<KeyedIndex> {
    yield* this.#plainIndexes();
    for (const { index } of this.#computed.values()) yield index;
  }

  /** The columns by whose index its rows are stored; null: by none. */
  get key(): number[] | null {
    return this.#store instanceof KeyedRows ? this.#store.index.keyColumns : null;
  }

  #isStore(index: KeyedIndex | undefined): boolean {
    return this.#store instanceof KeyedRows && this.#store.index === index;
  }

  apply(delta: Batch): void {
    this.orders.note(delta);
    const store = this.#store;
    if (this.#scans.size > 0 && !(store instanceof RowLog)) this.#applyUnderScans(store, delta);
    else store.apply(delta);
    if (this.#indexes.size + this.#computed.size === (store instanceof KeyedRows ? 1 : 0)) return;
    withScratch((arena) => {
      for (const index of this.#plainIndexes()) index.apply(delta, arena);
      for (const index of this.#computed.values()) index.apply(delta, arena);
    });
  }

  /** The present rows plus `corrections`, to be taken piece by piece while the relation goes on changing; close() it. */
  scan(corrections: Correction[]): RelationScan {
    const scan = new RelationScan(this.store, corrections, (ended) => this.#scans.delete(ended));
    this.#scans.add(scan);
    return scan;
  }

  /** Applies a delta and tells each scan what it must undo. */
  #applyUnderScans(store: RelationStore | KeyedRows, delta: Batch): void {
    withScratch((arena) => {
      const undo = [...this.#scans].map((scan) => ({ scan, rows: new BatchBuilder(this.types, arena, delta.n) }));
      const changed = (row: number, weight: number, place: number) => {
        for (const { scan, rows } of undo) {
          if (!scan.sees(place)) continue;
          const to = rows.addRow(-weight);
          for (let c = 0; c < this.types.length; c++) rows.copySlot(c, to, delta.columns[c], row);
        }
      };
      if (store instanceof KeyedRows) store.applyEach(delta, changed);
      else store.apply(delta, (row, before, after, slot) => changed(row, after - before, store.table.placeOf(slot)));
      for (const { scan, rows } of undo) scan.undo(rows.build());
    });
  }

  index(columns: number[]): KeyedIndex | undefined {
    return this.#indexes.get(columns.join(','));
  }

  indexThere(columns: number[]): KeyedIndex {
    const index = this.index(columns);
    if (index === undefined) throw new Error(`no index on columns ${columns}`);
    return index;
  }

  indexedColumns(): number[][] {
    return [...this.#indexes.values()].map(({ keyColumns }) => keyColumns);
  }

  /** `filled`: one with all rows, which is the relation's from now on. */
  addIndex(columns: number[], filled?: KeyedIndex): void {
    const key = columns.join(',');
    if (this.#indexes.has(key)) filled?.release();
    else this.#indexes.set(key, filled ?? this.#filled(columns));
  }

  computed(oid: number): ComputedIndex | undefined {
    return this.#computed.get(oid);
  }

  has(index: IndexName): boolean {
    return typeof index === 'number' ? this.#computed.has(index) : this.index(index) !== undefined;
  }

  /** `filled`: as for addIndex(). Throws the error of a row for which it fails. */
  addComputed(shape: IndexShape, filled?: ComputedIndex): void {
    if (this.#computed.has(shape.oid)) filled?.release();
    else this.#computed.set(shape.oid, filled ?? this.#filledBy(new ComputedIndex(this.types, shape)));
  }

  /** These are its indexes over expressions from now on. */
  setComputed(shapes: IndexShape[]): void {
    for (const oid of [...this.#computed.keys()])
      if (!shapes.some((shape) => shape.oid === oid)) this.removeComputed(oid);
    for (const shape of shapes) this.addComputed(shape);
  }

  removeComputed(oid: number): void {
    this.#computed.get(oid)?.release();
    this.#computed.delete(oid);
  }

  /** Throws the error of a row that would come, of which an index computes something. */
  checkComputed(delta: Batch): void {
    for (const index of this.#computed.values()) index.check(delta);
  }

  #filled(columns: number[]): KeyedIndex {
    return this.#filledBy(new KeyedIndex(this.types, columns, true));
  }

  #filledBy<T extends KeyedIndex | ComputedIndex>(index: T): T {
    try {
      this.#fill(index);
    } catch (error) {
      index.release();
      throw error;
    }
    return index;
  }

  #fill(index: KeyedIndex | ComputedIndex): void {
    if (this.store.size === 0) return;
    this.inPieces((rows, arena) => {
      if (index instanceof ComputedIndex) index.check(rows);
      index.apply(rows, arena);
      index.endTick();
      return false;
    });
  }

  /** Goes through the rows, with `corrections`, until `look` says that it has seen enough; they may be more than there is memory for. */
  inPieces(look: (rows: Batch, arena: Arena) => boolean, corrections: Correction[] = []): void {
    const scan = this.scan(corrections);
    try {
      withScratch((arena) => {
        for (let piece = scan.next(PIECE_ROWS, arena); piece !== null; piece = scan.next(PIECE_ROWS, arena)) {
          if (look(piece, arena)) return;
          arena.reset();
        }
      });
    } finally {
      scan.close();
    }
  }

  hasNull(column: number, corrections: Correction[] = []): boolean {
    let found = false;
    this.inPieces((rows) => {
      const columns = [rows.columns[column]];
      for (let row = 0; row < rows.n && !found; row++) found = weightOf(rows, row) > 0 && hasNull(columns, row);
      return found;
    }, corrections);
    return found;
  }

  /** The rows are those of an index from now on, which it has: nothing is copied. Between two ticks. A scan that is under way knows rows by their places in the table. */
  storeBy(columns: number[]): void {
    const index = this.#indexes.get(columns.join(','));
    const table = this.#store;
    if (index === undefined || !(table instanceof RelationStore) || this.#scans.size > 0) return;
    table.release();
    this.#store = new KeyedRows(index);
    this.#keyMayEnd = true;
  }

  /** Takes an index out, for the caller to release when nobody reads it any more. One that has the rows stays, where its key lasts or there is no memory for another place. */
  removeIndex(columns: number[]): KeyedIndex | undefined {
    const key = columns.join(',');
    const index = this.#indexes.get(key);
    if (this.#isStore(index) && !(this.#keyMayEnd && this.#toTable())) return undefined;
    this.#indexes.delete(key);
    if (index !== undefined) this.orders.drop(index);
    return index;
  }

  /**
   * The rows go from the index that has them to a table. False: that does not fit, for of what was on disk nothing can go back there, or a scan is under way, which knows rows by
   * their places in the index; nothing has changed then.
   */
  #toTable(): boolean {
    if (this.#scans.size > 0) return false;
    const before = pages.usedBytes;
    const table = new RelationStore(this.types);
    try {
      this.inPieces((rows) => {
        table.apply(rows);
        table.endTick();
        budget.checkRoom(before, pages.usedBytes);
        return false;
      });
    } catch (error) {
      table.release();
      if (error instanceof OutOfMemory) return false;
      throw error;
    }
    this.#store = table;
    return true;
  }

  /** These columns of the rows by an index whose keys are `keys`, in any order; null when there is none. */
  lend(columns: number[], keys: number[]): RowIndex | null {
    for (const index of this.#indexes.values()) {
      if (index.keyColumns.length !== keys.length || !index.keyColumns.every((c) => keys.includes(c))) continue;
      const order = index.keyColumns.map((c) => keys.indexOf(c));
      return new ProjectedIndex(index, columns, order);
    }
    return null;
  }

  /** All rows with their weights, as a batch in the arena; long values are shared with the store until the next tick. */
  snapshot(arena: Arena): Batch {
    const out = new BatchBuilder(this.types, arena, Math.max(1, this.store.size));
    const { store } = this;
    for (let at = 0; at >= 0; )
      at = store.visitFrom(at, Number.POSITIVE_INFINITY, store.end, arena, (address, weight) => {
        store.ops.load(address, out.columns, out.addRow(weight));
      });
    return out.build();
  }

  /** The rows of some keys, by an index that exists; `keys` is a batch of the key's columns. */
  lookup(index: IndexName, keys: Batch, arena: Arena): Batch {
    if (typeof index !== 'number') return rowsInIndex(this.indexThere(index), keys, arena);
    return this.computedThere(index).lookup(keys, arena);
  }

  /** The types of an index's keys. */
  keyTypes(index: IndexName): ColType[] {
    return typeof index === 'number' ? this.computedThere(index).keyTypes : index.map((c) => this.types[c]);
  }

  /** The keys of those rows that are in an index; throws the error of a row that comes. */
  keysOf(index: IndexName, { n, columns, weights }: Batch, arena: Arena): Batch {
    if (typeof index !== 'number') return { n, columns: index.map((c) => columns[c]), weights };
    const { rows } = this.computedThere(index);
    return rows.keysOf(rows.of({ n, columns, weights }, arena, 'thrown'));
  }

  computedThere(oid: number): ComputedIndex {
    const index = this.#computed.get(oid);
    if (index === undefined) throw new Error(`no index ${oid}`);
    return index;
  }

  /** An index without rows that is as one that is there. */
  like(index: IndexName): KeyedIndex | ComputedIndex {
    if (typeof index !== 'number') return new KeyedIndex(this.types, index, true);
    return new ComputedIndex(this.types, this.computedThere(index).shape);
  }

  /** How many rows lookup() would find, equal ones counted once. */
  countOfKeys(columns: number[], keys: Batch, arena: Arena): number {
    const index = this.indexThere(columns);
    index.bindKeys(keys.columns, arena);
    let count = 0;
    for (let row = 0; row < keys.n; row++) count += index.countOf(index.seek(row));
    return count;
  }

  /** Whether each row that the delta takes away is there as often. The delta is consolidated. */
  hasRetracted(delta: Batch): boolean {
    const store = this.#store;
    if (store instanceof KeyedRows) return store.hasRetracted(delta);
    if (store instanceof RowLog) throw new Error('only rows of tables are asked for');
    const weights = delta.weights >>> 2;
    store.table.bind(delta.columns);
    for (let row = 0; row < delta.n; row++) {
      const weight = I32[weights + row];
      if (weight >= 0) continue;
      const slot = store.table.find(row);
      if (slot === 0 || store.weightAt(slot) + weight < 0) return false;
    }
    return true;
  }

  endTick(): void {
    this.store.endTick();
    for (const index of this.#furtherIndexes()) index.endTick();
    if (this.#appendOnly && this.store.size >= LEAST_LOGGED && this.#scans.size === 0) this.#toLog();
  }

  #toLog(): void {
    const table = this.#store;
    this.#appendOnly = false;
    if (!(table instanceof RelationStore)) return;
    let all = 0;
    table.table.forEach((slot) => {
      all += table.weightAt(slot);
    });
    if (table.size < LEAST_DIFFERENT * all || pages.usedBytes + table.bytes > budget.hold) return;
    budget.beyond(() => {
      const log = new RowLog(this.types);
      this.inPieces((rows) => {
        log.apply(rows);
        return false;
      });
      this.#store = log;
      table.release();
    });
  }

  save(): SavedRelation {
    const own = this.#store instanceof KeyedRows ? [this.#store.index] : [];
    const indexes = [...own, ...this.#plainIndexes()].map((index) => ({
      columns: index.keyColumns,
      index: index.save(),
    }));
    const computed = [...this.#computed.values()].map((index) => index.save());
    return { store: this.#store instanceof KeyedRows ? null : this.#store.save(), indexes, computed };
  }

  /**
   * Into a relation without rows, or back to what it was itself in a tick that is taken back; it has the saved indexes afterwards. `shapeOf`: what an index that it has not
   * yet is over.
   */
  load(saved: SavedRelation, shapeOf?: ShapeOf): void {
    this.#loadStore(saved.store);
    const present = new Map(this.#indexes);
    this.#indexes.clear();
    for (const { columns, index } of saved.indexes) {
      const key = columns.join(',');
      // Readers of an index that it lends keep it.
      const loaded = present.get(key) ?? new KeyedIndex(this.types, columns, true);
      loaded.load(index);
      this.#indexes.set(key, loaded);
    }
    const there = new Map(this.#computed);
    this.#computed.clear();
    for (const one of saved.computed) {
      const loaded = there.get(one.oid) ?? new ComputedIndex(this.types, (shapeOf as ShapeOf)(one.oid));
      loaded.load(one);
      this.#computed.set(one.oid, loaded);
    }
  }

  /** A table becomes a log between ticks only, so what was saved in a tick that is taken back is of the store that is there. */
  #loadStore(saved: SavedRelation['store']): void {
    if (this.#store instanceof KeyedRows || saved === null) {
      if (!(this.#store instanceof KeyedRows) || saved !== null) throw new Error('the rows were saved by another key');
    } else if ('chunks' in saved) {
      if (!(this.#store instanceof RowLog)) this.#store = new RowLog(this.types);
      this.#store.load(saved);
    } else if (this.#store instanceof RelationStore) this.#store.load(saved);
    else throw new Error('a log cannot take the rows of a table');
  }

  /** Whether compact() has something to do. A scan that is under way knows the table's slots by their places. */
  get sparse(): boolean {
    const store = this.#store;
    if (store instanceof RowLog) return false;
    if (store instanceof KeyedRows) return store.index.sparse && (store.index.chilling || this.#scans.size === 0);
    const { due } = store.compaction;
    return due === 'go on' || (due === 'begin' && this.#scans.size === 0);
  }

  /** Looks at so many rows for what lies in sparse chunks of memory, and moves it. Between two ticks. */
  compact(slots: number): void {
    if (this.#store instanceof RelationStore) this.#store.compaction.slice(slots);
    else if (this.#store instanceof KeyedRows) this.#store.index.compact(slots);
  }

  *coldStates(): Iterable<ColdState> {
    if (!(this.#store instanceof RelationStore)) yield this.#store;
    yield* this.#furtherIndexes();
  }

  /** On disk. */
  get coldBytes(): number {
    let bytes = 0;
    for (const state of this.coldStates()) bytes += state.coldBytes;
    return bytes;
  }

  get hasRowsOnDisk(): boolean {
    return !(this.#store instanceof RelationStore) && this.#store.coldBytes > 0;
  }

  keepIn(undo: Undo): void {
    undo.keep(this);
    for (const scan of this.#scans) undo.keep(scan);
  }

  release(): void {
    for (const scan of this.#scans) scan.detach();
    this.orders.letGo();
    this.store.release();
    for (const index of this.#plainIndexes()) index.release();
    for (const index of this.#computed.values()) index.release();
    this.#indexes.clear();
    this.#computed.clear();
  }
}
