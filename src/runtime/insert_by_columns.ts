/**
 * INSERT of rows without a look at each: their columns go from the source to the transaction.
 *
 * For statements without RETURNING, ON CONFLICT and values that are made in the order of the rows, into a table without CHECK, foreign keys and generated columns; the rows lack no value
 * and have keys that nobody has yet (new_keys.ts). A million rows as values of JavaScript take seconds, and most of the heap.
 */
import type { Batch } from '../../operators/batch/batch.ts';
import { kernels } from '../../operators/kernels/index.ts';
import type { BoundInsert } from '../../planner/bind/index.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { ModifyContext } from './modify.ts';
import { haveNewKeys } from './new_keys.ts';

/** Writes the rows of the pieces into the transaction and gives their number; null, and nothing is done, where rows are to be looked at. */
export function insertByColumns(
  bound: BoundInsert,
  pieces: Batch[],
  position: Map<number, number>,
  at: ModifyContext,
): number | null {
  const { relation, columns, returning, onConflict, inOrder } = bound;
  if (returning !== null || onConflict !== null || inOrder.length > 0) return null;
  if (at.checks.length + at.generated.length + at.foreignKeys.length > 0) return null;
  const places = columns.map(({ id }) => position.get(id) as number);
  const rows = pieces.map(({ n, columns: all, weights }) => {
    return { n, columns: places.map((place, c) => ({ ...all[place], type: relation.columns[c].type })), weights };
  });
  if (!rows.every((piece) => lacksNone(relation, at, piece))) return null;
  if (!haveNewKeys(relation, at.uniqueKeys, rows, at)) return null;
  for (const piece of rows) at.transaction.write(relation.oid, piece);
  return rows.reduce((sum, { n }) => sum + n, 0);
}

/** No column that is NOT NULL has a NULL. */
export function lacksNone(relation: Relation, at: ModifyContext, { n, columns }: Batch): boolean {
  const isNotNull = (c: number) => relation.columns[c].notNull || at.notNull.includes(c);
  return columns.every(({ valid }, c) => valid === 0 || !isNotNull(c) || kernels.allSet(valid, n) !== 0);
}
