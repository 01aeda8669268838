/** All rows of a table as the transaction sees them, taken away in the transaction. */
import { Arena } from '../../operators/batch/arena.ts';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { ModifyContext } from './modify.ts';
import { relationRows } from './reads.ts';
import { concat } from './transaction.ts';

export function deleteAll(relation: Relation, at: ModifyContext): void {
  at.transaction.keepTick();
  const arena = new Arena();
  const narrow = budget.widen(pages.usedBytes);
  try {
    const rows = relationRows(at, arena)(relation.oid);
    if (rows.n > 0) at.transaction.write(relation.oid, concat([{ batch: rows, sign: -1 }], arena));
  } finally {
    narrow();
    arena.release();
  }
}
