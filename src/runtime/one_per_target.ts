/**
 * Which rows of a modification's source change the table: one for each row of it that is to be changed. A target that joins several FROM rows stands several
 * times in the source: the first counts. Equal rows of a table without a key are as many targets as there are, less those taken away before.
 */
import { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows, weightOf } from '../../operators/batch/builder.ts';
import { F64 } from '../../operators/batch/memory.ts';
import type { Datum } from '../../operators/datum.ts';
import { RowTable } from '../../operators/state/row_table.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import { type Reader, relationRows } from './reads.ts';
import type { RowChange } from './unique_keys.ts';

/** `oldRow`: the row of the table that a row of the source changes; `before`: what the statement has changed in the table already. */
export function onePerTarget(
  relation: Relation,
  rows: Datum[][],
  oldRow: (row: Datum[]) => Datum[],
  at: Reader,
  before: RowChange[],
): Datum[][] {
  const gone = before.filter((c) => c.weight < 0).map((c) => c.row);
  if (rows.length + gone.length < 2) return rows;
  const types = relation.columns.map((c) => c.type);
  const arena = new Arena();
  const table = new RowTable(types, 16, 'identity');
  try {
    const batch = batchFromRows(types, [...gone, ...rows.map(oldRow)], arena);
    table.bind(batch.columns);
    const slots: number[] = [];
    let repeated = false;
    for (let i = 0; i < batch.n; i++) {
      slots.push(table.findOrInsert(i));
      if (!table.inserted) repeated = true;
    }
    if (!repeated) return rows;
    countStored(relation, table, arena, at);
    const isLeft = slots.map((slot) => --F64[(slot + table.payloadOffset) / 8] >= 0);
    return rows.filter((_, i) => isLeft[gone.length + i]);
  } finally {
    table.release();
    arena.release();
  }
}

/** Writes into the payload of each of the table's rows how often the relation has it. */
function countStored(relation: Relation, table: RowTable, arena: Arena, at: Reader): void {
  const stored = relationRows(at, arena)(relation.oid);
  table.bind(stored.columns);
  for (let i = 0; i < stored.n; i++) {
    const slot = table.find(i);
    if (slot !== 0) F64[(slot + table.payloadOffset) / 8] += weightOf(stored, i);
  }
}
