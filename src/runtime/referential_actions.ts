/**
 * What a statement's changes do to rows that reference those that it changed, and the look at its foreign keys when all is done.
 *
 *   DELETE FROM p  -->  rows of c that reference them: CASCADE - row, SET NULL / SET DEFAULT - row + row with other values  -->  what these do in turn  -->  are all keys there?
 *
 * Rows of c are found as they are when the rows of p have changed; those whose key became another get that one (ON UPDATE CASCADE), each once. What is changed is looked at as rows of a statement
 * are: NOT NULL, CHECK, unique keys, and written into the transaction. NO ACTION is looked at when all of that is done; RESTRICT too, but whether somebody has the key again does not count.
 */
import { readRow, weightOf } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import { formatType } from '../../planner/types/type_name.ts';
import type { Reference } from '../catalog/parts_of_tables.ts';
import { completeRow } from './complete_row.ts';
import { checkedNull } from './default_value.ts';
import { asType, keyAsAsked, notPresent, stillReferenced } from './foreign_key.ts';
import { searchKeys } from './key_search.ts';
import { type ModifyContext, writeChanges } from './modify.ts';
import {
  actionFor,
  askedRows,
  askingRows,
  type Gone,
  goneRows,
  hasAction,
  isAction,
  missedRow,
  rowsWithout,
} from './references.ts';
import { checkHeap } from './source_rows.ts';
import type { RowChange } from './unique_keys.ts';

/** What is changed in a table. */
export interface TableChanges {
  relation: Relation;
  at: ModifyContext;
  delta: RowChange[];
}

/** About what a row takes in JavaScript. */
const ROW_BYTES = 200;

/** To be called when the changes are written. */
export function followReferences(changed: TableChanges[]): void {
  const all = [...changed];
  for (let i = 0; i < all.length; i++) {
    for (const reference of all[i].at.referencing) {
      const next = changesBehind(all[i], reference);
      if (next === null || next.delta.length === 0) continue;
      writeChanges(next.relation, next.delta, next.at);
      all.push(next);
    }
  }
  for (const one of all) checkTable(one);
}

/** Throws when a row that came asks for a key that is not there, or a key that rows ask for has gone; but for what waits for COMMIT. */
function checkTable({ relation, delta, at }: TableChanges): void {
  for (const key of at.foreignKeys) {
    if (at.transaction.isDeferred(relation.oid, key)) continue;
    const to = at.relationOf(key.references);
    const [missing] = rowsWithout(key, relation, to, askingRows(relation, key, delta), at);
    if (missing !== undefined) throw notPresent(key, relation, missing, to, at.context);
  }
  for (const reference of at.referencing) {
    const { table, key } = reference;
    const gone = goneRows(relation, key, delta);
    const strict = gone.filter((one) => actionFor(key, one) === 'r').map(({ row }) => row);
    const [restricted] = askedRows(reference, relation, strict, at);
    if (restricted !== undefined) throw stillReferenced(key, relation, restricted, table.relation, at.context, 'r');
    if (at.transaction.isDeferred(table.oid, key)) continue;
    const others = gone.map(({ row }) => row);
    const missed = missedRow(reference, relation, others, at);
    if (missed !== null) throw stillReferenced(key, relation, missed, table.relation, at.context);
  }
}

/** Of rows that came those that ask for a key that is not there yet. */
export function missingReferences({ relation, delta, at }: TableChanges): RowChange[] {
  const missing = at.foreignKeys
    .filter((key) => !at.transaction.isDeferred(relation.oid, key))
    .flatMap((key) => {
      return rowsWithout(key, relation, at.relationOf(key.references), askingRows(relation, key, delta), at);
    });
  return [...new Set(missing)].map((row) => ({ row, weight: 1 }));
}

/** What the action of a foreign key changes in the table that has it; null where there is nothing to do. */
function changesBehind({ relation, delta, at }: TableChanges, { table, key }: Reference): TableChanges | null {
  if (!hasAction(key)) return null;
  const gone = goneRows(relation, key, delta);
  if (gone.length === 0) return null;
  const from = table.relation;
  const moved: Gone[] = [];
  const keys: Datum[][] = [];
  for (const one of gone) {
    const asked = isAction(actionFor(key, one)) ? keyAsAsked(key, relation, one.row, from) : null;
    if (asked === null) continue;
    moved.push(one);
    keys.push(asked);
  }
  if (keys.length === 0) return null;
  const its = at.other(from);
  const changes: RowChange[] = [];
  for (const { row, move } of referencingRows(table.relation, key.columns, keys, at)) {
    const { next } = moved[move];
    const action = actionFor(key, moved[move]);
    changes.push({ row, weight: -1 });
    if (next === undefined && action === 'c') continue;
    const changed = [...row];
    for (const column of next === undefined ? key.setColumns : key.columns) {
      const i = key.columns.indexOf(column);
      if (action === 'n') changed[column] = checkedNull(table.relation.columns[column].type, its.context);
      else if (action === 'd') changed[column] = its.defaultOf(column);
      else
        changed[column] = movedValue((next as Datum[])[key.referenced[i]], relation, key.referenced[i], from, column);
    }
    completeRow(from, changed, its);
    changes.push({ row: changed, weight: 1, from: row });
  }
  return { relation: from, at: its, delta: changes };
}

/** The rows that have a key, each as often as it is there, with the number of the key. */
function referencingRows(
  relation: Relation,
  columns: number[],
  keys: Datum[][],
  at: ModifyContext,
): { row: Datum[]; move: number }[] {
  const found: { row: Datum[]; move: number }[] = [];
  searchKeys(relation.oid, columns, keys, at, (move, rows, i) => {
    if (found.length % 4096 === 0) checkHeap(found.length * ROW_BYTES);
    const row = readRow(rows, i);
    for (let n = weightOf(rows, i); n > 0; n--) found.push({ row, move });
  });
  return found;
}

/** ON UPDATE CASCADE: the value that a referencing column gets. */
function movedValue(value: Datum, to: Relation, referenced: number, from: Relation, column: number): Datum {
  const { oid } = from.columns[column].type;
  const moved = asType(value, to.columns[referenced].type.oid, oid);
  if (moved === undefined) throw new SqlError('22003', `${formatType(oid)} out of range`);
  return moved;
}
