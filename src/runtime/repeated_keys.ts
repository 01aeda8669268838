/**
 * Rows of a relation that have a key in common though they must not: those that are there, when a key is declared, and those that a transaction's delta brings, when it ends.
 *
 * Keys with a NULL are no keys, unless NULLs are equal; nor are those of rows that the key's index is not over. Cost: a look at each row, or a look-up of each key of the delta.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { readRow, weightOf } from '../../operators/batch/builder.ts';
import { I32 } from '../../operators/batch/memory.ts';
import type { Datum } from '../../operators/datum.ts';
import { RowTable } from '../../operators/state/row_table.ts';
import type { UniqueKey } from '../../planner/catalog_reader.ts';
import { ComputedRows } from './computed_index.ts';
import { hasNull, storedOf } from './rows_in_index.ts';
import type { StoredRelation } from './stored_relation.ts';

/** What says which rows have a key in common. */
type Key = Pick<UniqueKey, 'columns' | 'shape' | 'nullsEqual'>;

/** A row whose key other rows have too, null when there is none. */
export function repeatedRow(stored: StoredRelation, { columns: own, shape, nullsEqual = false }: Key): Datum[] | null {
  const computed = shape === undefined ? null : new ComputedRows(stored.types, shape);
  const { types, keyColumns: columns } = computed ?? { types: stored.types, keyColumns: own };
  const table = new RowTable(
    columns.map((c) => types[c]),
    8,
    'sql',
  );
  try {
    let repeated: Datum[] | null = null;
    stored.inPieces((all, arena) => {
      const rows = computed?.of(all, arena, 'thrown') ?? all;
      const keys = columns.map((c) => rows.columns[c]);
      table.bind(keys);
      for (let row = 0; row < rows.n && repeated === null; row++) {
        if (!nullsEqual && hasNull(keys, row)) continue;
        table.findOrInsert(row);
        if (!table.inserted || weightOf(rows, row) > 1) repeated = readRow(rows, row);
      }
      return repeated !== null;
    });
    return repeated;
  } finally {
    table.release();
    computed?.release();
  }
}

/** A row of the delta whose key (by an index that exists) would be there more than once, null when there is none. */
export function repeatedKey(
  stored: StoredRelation,
  { columns, shape, nullsEqual = false }: Key,
  whole: Batch,
  arena: Arena,
): Datum[] | null {
  const computed = shape === undefined ? null : stored.computedThere(shape.oid);
  const index = computed?.index ?? stored.indexThere(columns);
  const delta = computed?.rows.of(whole, arena, 'thrown') ?? whole;
  const keys = index.keyColumns.map((c) => delta.columns[c]);
  const weights = delta.weights >>> 2;
  index.bindKeys(keys, arena);
  /** The delta's own keys: one that is new to the index may be there twice all the same. */
  const own = new RowTable(
    index.keyColumns.map((c) => index.types[c]),
    8,
    'sql',
  );
  try {
    own.bind(keys);
    /** By slot of `own`: how often the key would be there. */
    const totals = new Map<number, number>();
    const slots = Array.from({ length: delta.n }, (_, row) =>
      !nullsEqual && hasNull(keys, row) ? 0 : own.findOrInsert(row),
    );
    for (const [row, slot] of slots.entries()) {
      if (slot === 0) continue;
      if (!totals.has(slot)) {
        const there = index.seek(row);
        totals.set(slot, there === 0 ? 0 : storedOf(index, there));
      }
      totals.set(slot, (totals.get(slot) as number) + I32[weights + row]);
    }
    const first = slots.findIndex((slot, row) => I32[weights + row] > 0 && (totals.get(slot) ?? 0) > 1);
    return first < 0 ? null : readRow(delta, first);
  } finally {
    own.release();
  }
}
