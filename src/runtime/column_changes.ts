/**
 * Changes of rows without a look at each: their columns go from the source to the transaction. INSERT has its own (insert_by_columns.ts); here DELETE and UPDATE of rows of one table.
 *
 *   source: old columns, new columns   -->   - old, + new
 *
 * For statements over the table alone, so that each of its rows stands in the source as often as it is there, without RETURNING; a DELETE from a table that no foreign key references, an UPDATE of a table
 * without CHECK and generated columns that assigns no column of a unique or a foreign key. A million rows as values of JavaScript would take seconds, in one turn.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { I32 } from '../../operators/batch/memory.ts';
import type { DataflowPlan } from '../../operators/plan.ts';
import type { BoundModification, BoundUpdate } from '../../planner/bind/index.ts';
import type { Col } from '../../planner/logical/plan.ts';
import { insertByColumns, lacksNone } from './insert_by_columns.ts';
import type { ModifyContext } from './modify.ts';
import type { SourcePieces } from './source_rows.ts';

/** Writes what the rows come to into the transaction and gives their number; null, and nothing is done, where rows are to be looked at. */
export function changeByColumns(
  bound: BoundModification,
  { plan, pieces, arena }: SourcePieces,
  position: Map<number, number>,
  at: ModifyContext,
): number | null {
  if (bound.k === 'insert') return insertByColumns(bound, pieces, position, at);
  if (bound.k === 'merge' || bound.returning !== null) return null;
  if (!readsOnly(plan, bound.relation.oid)) return null;
  if (bound.k === 'delete' && at.referencing.length > 0) return null;
  const places = (columns: Col[]) => columns.map(({ id }) => position.get(id) as number);
  const old = places(bound.oldColumns);
  const next = bound.k === 'update' && isPlain(bound, at) ? places(bound.newColumns) : null;
  if (bound.k === 'update' && next === null) return null;
  if (next !== null && !pieces.every((piece) => lacksNone(bound.relation, at, columnsOf(piece, next, 0)))) return null;
  let count = 0;
  for (const piece of pieces) {
    count += piece.n;
    at.transaction.write(bound.relation.oid, columnsOf(piece, old, negated(piece, arena)));
    if (next !== null) at.transaction.write(bound.relation.oid, columnsOf(piece, next, piece.weights));
  }
  return count;
}

/** Each row of the table, and of nothing else, is at most once in the plan's result. */
function readsOnly({ nodes }: DataflowPlan, relation: number): boolean {
  let sources = 0;
  for (const node of nodes) {
    if (node.op === 'source' && node.relation === relation) sources++;
    else if (node.op !== 'map') return false;
  }
  return sources === 1;
}

/** An UPDATE for which new rows need no look but for NOT NULL. */
function isPlain(bound: BoundUpdate, { checks, generated, uniqueKeys, foreignKeys }: ModifyContext): boolean {
  const keys = [...uniqueKeys, ...foreignKeys];
  return checks.length + generated.length === 0 && keys.every((key) => key.columns.every((c) => isKept(bound, c)));
}

/** The new row has the old one's value. */
function isKept({ source, oldColumns, newColumns }: BoundUpdate, column: number): boolean {
  if (source.op !== 'project') return false;
  const expr = source.items.find(({ col }) => col.id === newColumns[column].id)?.expr;
  return expr?.k === 'col' && expr.id === oldColumns[column].id;
}

function columnsOf({ n, columns }: Batch, places: number[], weights: number): Batch {
  return { n, columns: places.map((place) => columns[place]), weights };
}

/** The weights with the other sign: an address. */
function negated({ n, weights }: Batch, arena: Arena): number {
  const to = arena.alloc(n * 4);
  for (let i = 0; i < n; i++) I32[(to >>> 2) + i] = -I32[(weights >>> 2) + i];
  return to;
}
