/**
 * Whether rows that come have keys that nobody has yet: what most INSERTs find, looked up for all rows at once, by their columns.
 *
 *   keys of the rows -> a table of their own: each made a slot?  -> the relation's index, as the reader sees it: nothing there?
 *
 * Which row is one too many, and whether it only takes the place of one that goes, unique_keys.ts says.
 */
import { type Arena, withScratch } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { gatherColumn } from '../../operators/batch/gather.ts';
import { U32 } from '../../operators/batch/memory.ts';
import { RowTable } from '../../operators/state/row_table.ts';
import type { Relation, UniqueKey } from '../../planner/catalog_reader.ts';
import { indexNameOf } from './index_name.ts';
import { isIndexed, type Reader, rowsOfKeys } from './reads.ts';

/** `pieces`: rows that come, in the columns of the table; keys with a NULL are equal to none, unless it is said. False also where only a look at each row could tell. */
export function haveNewKeys(relation: Relation, keys: UniqueKey[], pieces: Batch[], reader: Reader): boolean {
  return keys.every((key) => hasNewKey(relation, key, pieces, reader));
}

function hasNewKey(relation: Relation, key: UniqueKey, pieces: Batch[], reader: Reader): boolean {
  const index = indexNameOf(key);
  const stored = reader.loop.relations.get(relation.oid);
  if (stored === undefined || !isIndexed(relation.oid, index, reader)) return false;
  const own = new RowTable(stored.keyTypes(index), 0, 'sql');
  try {
    return pieces.every((piece) => {
      return withScratch((scratch) => {
        const whole = wholeKeys(own, stored.keysOf(index, piece, scratch), key.nullsEqual !== true, scratch);
        return whole !== null && rowsOfKeys(relation.oid, index, whole, reader, scratch).n === 0;
      });
    });
  } finally {
    own.release();
  }
}

/** Those of the keys that have no NULL (or all), which the table then has; null: one of them is there twice. An index would give all rows with a NULL for each key with a NULL. */
function wholeKeys(table: RowTable, keys: Batch, skipNulls: boolean, arena: Arena): Batch | null {
  const { n, columns, weights } = keys;
  if (n === 0) return keys;
  table.begin(columns, n);
  const { slots, made } = table.findOrInsertAll({ n, weights: 0, skipNulls }, arena);
  const rows = arena.alloc(n * 4);
  let whole = 0;
  for (let row = 0; row < n; row++) if (U32[slots + row] !== 0) U32[(rows >>> 2) + whole++] = row;
  if (made !== whole) return null;
  if (whole === n) return keys;
  return { n: whole, columns: columns.map((column) => gatherColumn(column, rows >>> 2, whole, arena)), weights };
}
