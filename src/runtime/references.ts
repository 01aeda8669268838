/**
 * Whether rows that others ask for by a foreign key are there.
 *
 *   at the end of a statement    rows that came: is the key that they ask for there?      rows that went: does a row ask for their key, which nobody has now?
 *   at COMMIT                    the same for all that the transaction changed, with the rows of now: of constraints that are deferred, and of tables that others changed meanwhile
 *
 * A statement's rows that came with another row's place (RowChange.from) and the same key are not looked at. Cost: a look-up a key, all of a statement at once; where no index has the
 * referencing columns, a look at all rows for each statement that takes keys away.
 */
import type { Batch } from '../../operators/batch/batch.ts';
import { readRow, weightOf } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { ReferentialAction } from '../../planner/parse/ast.ts';
import type { ForeignKey, RelationObject } from '../catalog/objects.ts';
import type { Reference } from '../catalog/parts_of_tables.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { askedKey, keyAsAsked, notPresent, stillReferenced } from './foreign_key.ts';
import { presentKeys, type RowView } from './key_search.ts';
import type { StoredRelation } from './stored_relation.ts';
import { type RowChange, valuesText } from './unique_keys.ts';

/** Of rows those whose key is not there. */
export function rowsWithout(key: ForeignKey, from: Relation, to: Relation, rows: Datum[][], view: RowView): Datum[][] {
  const missing: Datum[][] = [];
  const asking: Datum[][] = [];
  const keys: Datum[][] = [];
  for (const row of rows) {
    const asked = askedKey(key, from, row, to);
    if (asked === 'out') missing.push(row);
    else if (asked !== null) {
      asking.push(row);
      keys.push(asked);
    }
  }
  if (keys.length === 0) return missing;
  const present = presentKeys(to.oid, key.referenced, keys, view);
  return [...missing, ...asking.filter((_, i) => !present[i])];
}

/** Of rows of the referenced table, which have gone, those whose key rows ask for. */
export function askedRows({ table, key }: Reference, to: Relation, gone: Datum[][], view: RowView): Datum[][] {
  const rows: Datum[][] = [];
  const keys: Datum[][] = [];
  for (const row of gone) {
    const asked = keyAsAsked(key, to, row, table.relation);
    if (asked === null) continue;
    rows.push(row);
    keys.push(asked);
  }
  if (keys.length === 0) return [];
  const isAsked = presentKeys(table.oid, key.columns, keys, view);
  return rows.filter((_, i) => isAsked[i]);
}

/** The first of them that rows ask for though nobody has its key now; null when there is none. */
export function missedRow(reference: Reference, to: Relation, gone: Datum[][], view: RowView): Datum[] | null {
  const { referenced } = reference.key;
  const whole = gone.filter((row) => referenced.every((c) => row[c] !== null));
  const keys = whole.map((row) => referenced.map((c) => row[c]));
  // First, as a key has an index: of rows that have only changed nobody needs to look for who asks, which may be a look at all rows.
  const present = presentKeys(to.oid, referenced, keys, view);
  const missing = whole.filter((_, i) => !present[i]);
  return askedRows(reference, to, missing, view)[0] ?? null;
}

export function isAction(action: ReferentialAction): boolean {
  return action !== 'a' && action !== 'r';
}

export function hasAction({ onDelete, onUpdate }: ForeignKey): boolean {
  return isAction(onDelete) || isAction(onUpdate);
}

/** Whether an update left these columns as they were. */
function keeps(relation: Relation, columns: number[], { row, from }: RowChange): boolean {
  if (from === undefined) return false;
  if (columns.every((c) => row[c] === from[c])) return true;
  return valuesText(relation, columns, row) === valuesText(relation, columns, from);
}

/** Rows that come and may ask for a key that is not there. */
export function askingRows(relation: Relation, key: ForeignKey, changes: RowChange[]): Datum[][] {
  return changes
    .filter((change) => change.weight > 0 && !keeps(relation, key.columns, change))
    .map((change) => change.row);
}

/** A row of the referenced table that is no more, and the one that took its place; undefined: none did. */
export interface Gone {
  row: Datum[];
  next: Datum[] | undefined;
}

/** Rows of the referenced table that go, or get another key. */
export function goneRows(relation: Relation, key: ForeignKey, changes: RowChange[]): Gone[] {
  const successors = new Map<Datum[], RowChange>();
  for (const change of changes) if (change.from !== undefined) successors.set(change.from, change);
  return changes.flatMap(({ row, weight }) => {
    const change = successors.get(row);
    if (weight > 0 || (change !== undefined && keeps(relation, key.referenced, change))) return [];
    return [{ row, next: change?.row }];
  });
}

/** What a foreign key does about a row that is no more. */
export function actionFor({ onDelete, onUpdate }: ForeignKey, { next }: Gone): ReferentialAction {
  return next === undefined ? onDelete : onUpdate;
}

/** What a transaction changed, looked at with the rows of now. */
export interface WholeChange {
  tables: (oid: number) => RelationObject | undefined;
  referencing: (oid: number) => Reference[];
  deltas: Map<number, Batch>;
  view: RowView;
  context: EvalContext;
}

/** Throws when the changes leave a row without the one that it references. `looked`: which constraints are looked at. */
export function checkReferences(
  { tables, referencing, deltas, view, context }: WholeChange,
  looked: (reference: Reference, changed: 'row' | 'key') => boolean,
): void {
  for (const [oid, delta] of deltas) {
    const object = tables(oid);
    for (const key of object?.foreignKeys ?? []) {
      const [table, other] = [object as RelationObject, tables(key.references)];
      if (other === undefined || !looked({ table, key }, 'row')) continue;
      const [missing] = rowsWithout(key, table.relation, other.relation, newlyAsking(table, key, delta), view);
      if (missing !== undefined) throw notPresent(key, table.relation, missing, other.relation, context);
    }
  }
  for (const [oid, delta] of deltas) {
    const object = tables(oid);
    if (object === undefined) continue;
    for (const reference of referencing(oid)) {
      const { key, table } = reference;
      if (!looked(reference, 'key')) continue;
      const missed = missedRow(reference, object.relation, rowsOf(delta, -1), view);
      if (missed === null) continue;
      if (hasAction(key)) throw referencedMeanwhile(object, table);
      throw stillReferenced(key, object.relation, missed, table.relation, context);
    }
  }
}

/** Rows that come, but for those whose key a row that goes asked for as well: it was there, and if it goes that is looked at by itself. */
function newlyAsking({ relation }: RelationObject, { columns }: ForeignKey, delta: Batch): Datum[][] {
  const before = new Set(rowsOf(delta, -1).map((row) => valuesText(relation, columns, row)));
  const rows = rowsOf(delta, 1);
  return before.size === 0 ? rows : rows.filter((row) => !before.has(valuesText(relation, columns, row)));
}

/** Its rows would have been changed with those of the statement, had they been there. */
function referencedMeanwhile({ name }: RelationObject, table: RelationObject): SqlError {
  return new SqlError('40001', 'could not serialize access due to concurrent update', {
    detail: `Another transaction has written a row of "${table.name}" that references one of "${name}" that this one has changed or deleted.`,
    hint: 'Run the transaction again.',
    schema: table.schema,
    table: table.name,
  });
}

function rowsOf(delta: Batch, sign: 1 | -1): Datum[][] {
  const rows: Datum[][] = [];
  for (let i = 0; i < delta.n; i++) if (weightOf(delta, i) * sign > 0) rows.push(readRow(delta, i));
  return rows;
}

/** Throws when a row that is there asks for a key that is not. `stored`: the rows of the table. */
export function checkForeignKey(
  { catalog, loop }: TidemarkEngine,
  relation: Relation,
  key: ForeignKey,
  stored: StoredRelation | undefined,
  { evalContext }: SessionContext,
): void {
  const isOwn = key.references === relation.oid;
  const other = isOwn ? relation : catalog.relationByOid(key.references);
  if (stored === undefined || other === null) return;
  const view: RowView = {
    loop,
    transaction: UNCORRECTED,
    instead: isOwn ? { relation: relation.oid, stored } : undefined,
  };
  stored.inPieces((rows) => {
    const [missing] = rowsWithout(key, relation, other, rowsOf(rows, 1), view);
    if (missing !== undefined) throw notPresent(key, relation, missing, other, evalContext);
    return false;
  });
}

/** The rows of now. */
const UNCORRECTED: RowView['transaction'] = { corrections: () => [], corrects: () => false, ofKeys: null };
