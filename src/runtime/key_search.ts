/**
 * The rows of a table that have one of some keys in some of its columns, as a reader sees them: by an index where one has the columns, in any order, else by a look at all rows.
 * For foreign keys: whether the row that is referenced is there, and which rows reference it.
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { batchFromRows, weightOf } from '../../operators/batch/builder.ts';
import { F64 } from '../../operators/batch/memory.ts';
import type { Datum } from '../../operators/datum.ts';
import { RowTable } from '../../operators/state/row_table.ts';
import { hasColumns } from '../../planner/catalog_reader.ts';
import { isIndexed, type RowReader, rowsOfKeys } from './reads.ts';
import type { StoredRelation } from './stored_relation.ts';

/** What sees the rows. */
export interface RowView extends RowReader {
  /** The rows of a table that are looked at in place of those of the engine. */
  instead?: { relation: number; stored: StoredRelation };
}

/** Calls back with each row that has a key, and which of the keys it has, of equal ones the first; gives for each key the first that is equal. No key has a NULL. */
export function searchKeys(
  relation: number,
  columns: number[],
  keys: Datum[][],
  view: RowView,
  found: (key: number, rows: Batch, row: number) => void,
): number[] {
  const instead = view.instead?.relation === relation ? view.instead.stored : undefined;
  const stored = instead ?? view.loop.relations.get(relation);
  if (stored === undefined || keys.length === 0) return keys.map((_, i) => i);
  const types = columns.map((c) => stored.types[c]);
  const arena = new Arena();
  const table = new RowTable(types, 8, 'sql');
  try {
    table.bind(batchFromRows(types, keys, arena).columns);
    const firsts = keys.map((_, i) => {
      const slot = table.findOrInsert(i);
      if (table.inserted) F64[(slot + table.payloadOffset) / 8] = i;
      return F64[(slot + table.payloadOffset) / 8];
    });
    const look = (rows: Batch) => {
      table.bind(columns.map((c) => rows.columns[c]));
      for (let row = 0; row < rows.n; row++) {
        const slot = weightOf(rows, row) > 0 ? table.find(row) : 0;
        if (slot !== 0) found(F64[(slot + table.payloadOffset) / 8], rows, row);
      }
    };
    const indexed = instead === undefined ? indexOver(relation, columns, view) : undefined;
    if (indexed !== undefined) {
      // An index gives the rows of a key as often as it is asked.
      const different = keys.filter((_, i) => firsts[i] === i);
      const inOrder = different.map((key) => indexed.map((c) => key[columns.indexOf(c)]));
      const indexTypes = indexed.map((c) => stored.types[c]);
      look(rowsOfKeys(relation, indexed, batchFromRows(indexTypes, inOrder, arena), view, arena));
      return firsts;
    }
    const lookOn = (rows: Batch) => {
      look(rows);
      return false;
    };
    stored.inPieces(lookOn, instead === undefined ? view.transaction.corrections(relation) : []);
    return firsts;
  } finally {
    table.release();
    arena.release();
  }
}

/** The columns of an index that finds rows by these columns, in its order. */
export function indexOver(relation: number, columns: number[], view: RowReader): number[] | undefined {
  const indexed = view.loop.relations.get(relation)?.indexedColumns() ?? [];
  const its = indexed.find((own) => hasColumns({ columns: own }, columns));
  return its !== undefined && isIndexed(relation, its, view) ? its : undefined;
}

/** For each key whether a row has it. */
export function presentKeys(relation: number, columns: number[], keys: Datum[][], view: RowView): boolean[] {
  const found = new Set<number>();
  return searchKeys(relation, columns, keys, view, (key) => found.add(key)).map((first) => found.has(first));
}
