/**
 * An index over expressions, or over a part of a relation's rows: a map before a KeyedIndex.
 *
 *   delta -> rows for which `where` is true -> their columns, and behind these the keys that are no column -> KeyedIndex by the keys
 *
 * Whoever has the rows of a key gets the relation's columns. All expressions are immutable, so a row that goes has the key that it came with. A row for which one fails is not in the
 * index: of a table none such is taken in, and one of a view would be in no result of a query that asks for the index's rows.
 * State: that of a KeyedIndex; a computed key is stored once a key. Cost: the map, and that of a KeyedIndex.
 */
import { type Arena, withScratch } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { BatchBuilder } from '../../operators/batch/builder.ts';
import { defaultContext, withoutClock } from '../../operators/expr/context.ts';
import { MapOperator } from '../../operators/map.ts';
import type { ErrorSink } from '../../operators/operator.ts';
import { KeyedIndex, type SavedKeyedIndex } from '../../operators/state/keyed_index.ts';
import type { ColType } from '../../operators/types.ts';
import type { IndexShape } from '../../planner/catalog_reader.ts';
import { rowsInIndex } from './rows_in_index.ts';

export type SavedComputedIndex = { oid: number; index: SavedKeyedIndex };

const LEFT_OUT: ErrorSink = { report: () => undefined };

/** A row that goes may have come when there was no index. */
const REFUSED: ErrorSink = {
  report(error, _, weight) {
    if (weight > 0) throw error;
  },
};

/** What they are computed in: they are the same in every other. */
export const COMPUTED_CONTEXT = withoutClock(defaultContext());

/** Rows of a relation as an index over expressions has them. */
export class ComputedRows {
  /** The relation's columns, and behind them what is computed. */
  readonly types: ColType[];
  /** Positions of the keys in them. */
  readonly keyColumns: number[];
  readonly #map: MapOperator;

  constructor(types: ColType[], { keys, where }: IndexShape) {
    const computed = keys.filter((key) => key.k !== 'col');
    this.types = [...types, ...computed.map((key) => key.t)];
    this.keyColumns = keys.map((key) => (key.k === 'col' ? key.id : types.length + computed.indexOf(key)));
    const columns = types.map((t, id) => ({ k: 'col' as const, id, t }));
    this.#map = new MapOperator(where, computed.length === 0 ? null : [...columns, ...computed], types, this.types);
  }

  /** Those of the rows that are in the index; what fails is left out, or, where they are to become rows of a table, thrown. */
  of(rows: Batch, arena: Arena, whatFails: 'left out' | 'thrown'): Batch {
    return this.#map.step([rows], {
      number: 0n,
      first: false,
      arena,
      evalContext: COMPUTED_CONTEXT,
      errors: whatFails === 'thrown' ? REFUSED : LEFT_OUT,
      now: 0n,
      watermark: () => null,
    });
  }

  /** The keys of rows that of() gave. */
  keysOf({ n, columns, weights }: Batch): Batch {
    return { n, columns: this.keyColumns.map((c) => columns[c]), weights };
  }

  release(): void {
    this.#map.release();
  }
}

export class ComputedIndex {
  readonly shape: IndexShape;
  readonly rows: ComputedRows;
  readonly index: KeyedIndex;
  readonly #width: number;

  /** `types`: the relation's. */
  constructor(types: ColType[], shape: IndexShape) {
    this.shape = shape;
    this.#width = types.length;
    this.rows = new ComputedRows(types, shape);
    this.index = new KeyedIndex(this.rows.types, this.rows.keyColumns, true);
  }

  get keyTypes(): ColType[] {
    return this.rows.keyColumns.map((c) => this.rows.types[c]);
  }

  apply(delta: Batch, arena: Arena): void {
    this.index.apply(this.rows.of(delta, arena, 'left out'), arena);
  }

  /** Throws the error of a row that comes. */
  check(delta: Batch): void {
    withScratch((arena) => this.rows.of(delta, arena, 'thrown'));
  }

  /** The rows of some keys, as the relation has them. */
  lookup(keys: Batch, arena: Arena): Batch {
    return this.#cut(rowsInIndex(this.index, keys, arena));
  }

  /** All its rows, as the relation has them. */
  all(arena: Arena): Batch {
    const out = new BatchBuilder(this.rows.types, arena, Math.max(1, this.index.size));
    this.index.forEach(arena, (slot, entry, weight) =>
      this.index.loadRow(slot, entry, out.columns, out.addRow(weight)),
    );
    return this.#cut(out.build());
  }

  /** Those of a relation's rows that it would have. */
  ofThese(rows: Batch, arena: Arena): Batch {
    return this.#cut(this.rows.of(rows, arena, 'left out'));
  }

  #cut({ n, columns, weights }: Batch): Batch {
    return { n, columns: columns.slice(0, this.#width), weights };
  }

  endTick(): void {
    this.index.endTick();
  }

  get bytes(): number {
    return this.index.bytes;
  }

  save(): SavedComputedIndex {
    return { oid: this.shape.oid, index: this.index.save() };
  }

  load(saved: SavedComputedIndex): void {
    this.index.load(saved.index);
  }

  release(): void {
    this.rows.release();
    this.index.release();
  }
}
