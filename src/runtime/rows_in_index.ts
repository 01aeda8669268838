/** What an index has of some keys. */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch, Column } from '../../operators/batch/batch.ts';
import { BatchBuilder, weightOf } from '../../operators/batch/builder.ts';
import { I32, U8, U32 } from '../../operators/batch/memory.ts';
import type { KeyedIndex } from '../../operators/state/keyed_index.ts';

/** So few keys are looked up faster one by one. */
const FEW = 8;

/** Whether one of the row's values is NULL. */
export function hasNull(columns: Column[], row: number): boolean {
  return columns.some(({ valid }) => valid !== 0 && U8[valid + row] === 0);
}

/** The rows that an index has of some keys; `keys` is a batch of the key's columns. */
export function rowsInIndex(index: KeyedIndex, keys: Batch, arena: Arena): Batch {
  index.bindKeys(keys.columns, arena);
  const slots = slotsOf(index, keys.n);
  const out = new BatchBuilder(
    index.types,
    arena,
    slots.reduce((sum, slot) => sum + index.countOf(slot), 1),
  );
  for (const slot of slots) {
    const count = index.countOf(slot);
    if (count === 0) continue;
    let at = index.runOf(slot);
    for (let i = 0; i < count; i++, at += index.entryStride) {
      index.loadRow(slot, at, out.columns, out.addRow(I32[(at + index.weightOffset) >>> 2]));
    }
  }
  return out.build();
}

/** Of the keys that are bound; 0: it has none. */
function slotsOf(index: KeyedIndex, n: number): number[] {
  if (n < FEW) return Array.from({ length: n }, (_, row) => index.seek(row));
  const slots = index.seekAll({ n, weights: 0, skipNulls: false });
  return Array.from(U32.subarray(slots, slots + n));
}

/** A row of those, all of which the index has, whose key others have too; -1 when there is none. Keys with a NULL are no keys. */
export function repeatedInIndex(index: KeyedIndex, rows: Batch, arena: Arena): number {
  const keys = index.keyColumns.map((c) => rows.columns[c]);
  index.bindKeys(keys, arena);
  for (let row = 0; row < rows.n; row++) {
    if (weightOf(rows, row) > 0 && !hasNull(keys, row) && storedOf(index, index.seek(row)) > 1) return row;
  }
  return -1;
}

/** Sum of the weights of a key's rows. */
export function storedOf(index: KeyedIndex, slot: number): number {
  let total = 0;
  let at = index.runOf(slot);
  for (let i = index.countOf(slot); i > 0; i--, at += index.entryStride) total += I32[(at + index.weightOffset) >>> 2];
  return total;
}
