/** What an index has of some keys. */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch, Column } from '../../operators/batch/batch.ts';
import { BatchBuilder, weightOf } from '../../operators/batch/builder.ts';
import { I32, U8, U32 } from '../../operators/batch/memory.ts';
import { COUNT } from '../../operators/state/key_slot.ts';
import type { KeyedIndex } from '../../operators/state/keyed_index.ts';
import { RowTable } from '../../operators/state/row_table.ts';
import type { ColType } from '../../operators/types.ts';

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
  const count = slots.reduce((sum, slot) => sum + index.countOf(slot), 0);
  return rowsIn(index, slots, count, arena);
}

/** The same, unless they are more than `most`: null. `isGone` hears of each key that has none. */
export function rowsIfFew(
  index: KeyedIndex,
  keys: Batch,
  most: number,
  arena: Arena,
  isGone: (key: number) => void,
): Batch | null {
  index.bindKeys(keys.columns, arena);
  if (index.coldBytes > 0 && entriesOf(index, keys.n) > most) return null;
  const slots = slotsOf(index, keys.n);
  let count = 0;
  for (const [key, slot] of slots.entries()) {
    if (slot === 0) isGone(key);
    else count += index.countOf(slot);
  }
  return count > most ? null : rowsIn(index, slots, count, arena);
}

/** How many rows the index has of the keys that are bound, of which those on disk are not read: they may be more than there is memory for. */
function entriesOf({ keys, runs, payloadOffset }: KeyedIndex, n: number): number {
  let count = 0;
  for (let row = 0; row < n; row++) {
    const slot = keys.find(row);
    const payload = (slot + payloadOffset) >>> 2;
    if (slot !== 0) count += U32[payload + COUNT] + runs.cold.entriesOf(payload);
  }
  return count;
}

function rowsIn(index: KeyedIndex, slots: number[], room: number, arena: Arena): Batch {
  const out = new BatchBuilder(index.types, arena, room);
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

/** Rows of several batches of these types, each once, with weight 1. */
export function distinctRows(batches: Batch[], types: ColType[], arena: Arena): Batch {
  const out = new BatchBuilder(types, arena);
  const table = new RowTable(types, 0, 'sql');
  try {
    for (const batch of batches) {
      table.bind(batch.columns);
      for (let row = 0; row < batch.n; row++) {
        table.findOrInsert(row);
        if (table.inserted) out.copyRow(batch, row, 1);
      }
    }
  } finally {
    table.release();
  }
  return out.build();
}

/** Of the keys that are bound; 0: it has none. */
function slotsOf(index: KeyedIndex, n: number): number[] {
  if (n < FEW) return Array.from({ length: n }, (_, row) => index.seek(row));
  const slots = index.seekAll({ n, weights: 0, skipNulls: false });
  return Array.from(U32.subarray(slots, slots + n));
}

/** A row of those, all of which the index has, whose key others have too; -1 when there is none. Keys with a NULL are no keys, unless NULLs are equal. */
export function repeatedInIndex(index: KeyedIndex, rows: Batch, nullsEqual: boolean, arena: Arena): number {
  const keys = index.keyColumns.map((c) => rows.columns[c]);
  index.bindKeys(keys, arena);
  for (let row = 0; row < rows.n; row++) {
    const isKey = weightOf(rows, row) > 0 && (nullsEqual || !hasNull(keys, row));
    if (isKey && storedOf(index, index.seek(row)) > 1) return row;
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
