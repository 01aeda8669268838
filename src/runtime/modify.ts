/**
 * What INSERT, UPDATE, DELETE and MERGE do to their table: the source plan is read as the transaction sees it (source_rows.ts), and its rows become changes.
 * Those of a whole statement (statement_changes.ts) are checked for the table's keys and written into the transaction.
 */
import { withScratch } from '../../operators/batch/arena.ts';
import { batchFromRows } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { kernels } from '../../operators/kernels/index.ts';
import type { DataflowPlan } from '../../operators/plan.ts';
import { turn } from '../../operators/turn.ts';
import type { BoundDelete, BoundInsert, BoundMerge, BoundModification, BoundUpdate } from '../../planner/bind/index.ts';
import type { Relation, UniqueKey } from '../../planner/catalog_reader.ts';
import { outputColumns } from '../../planner/logical/columns.ts';
import type { Col } from '../../planner/logical/plan.ts';
import type { CheckConstraint, ForeignKey, GeneratedColumn } from '../catalog/objects.ts';
import type { Reference } from '../catalog/parts_of_tables.ts';
import type { ChangeSource } from './change_source.ts';
import { changeByColumns } from './column_changes.ts';
import { completeRow } from './complete_row.ts';
import { haveNewKeys } from './new_keys.ts';
import { onePerTarget } from './one_per_target.ts';
import type { Reader } from './reads.ts';
import { returningOf, returningOfInsert } from './returned_rows.ts';
import { listedRows, rowsOfPieces, sourcePieces, takesAway } from './source_rows.ts';
import type { EngineTransaction } from './transaction.ts';
import { checkUnique, type RowChange } from './unique_keys.ts';
import { upsertRows } from './upsert.ts';

export interface ModifyContext extends Reader {
  transaction: EngineTransaction;
  /** Unique keys of the relation: column positions, and the constraint's name for messages. */
  uniqueKeys: UniqueKey[];
  checks: CheckConstraint[];
  /** Columns that are NOT NULL for the transaction alone. */
  notNull: number[];
  generated: GeneratedColumn[];
  foreignKeys: ForeignKey[];
  /** Foreign keys of all tables that reference the relation. */
  referencing: Reference[];
  /** The same for another table, which foreign keys lead to. */
  other(relation: Relation): ModifyContext;
  relationOf(oid: number): Relation;
  /** What a column gets that no value was given for. */
  defaultOf(column: number): Datum;
  /** The statement's cancellation; null: it has none. */
  signal: AbortSignal | null;
  /** Throws when the relation was dropped while the statement waited; its constraints are those of now. */
  checkThere(): void;
  /** The same reader at another moment, until it is released. */
  asOf(plan: DataflowPlan, moment: Expr): Promise<{ reader: Reader; release(): void }>;
}

export interface Modified {
  count: number;
  /** Rows of RETURNING, or null. */
  returned: Datum[][] | null;
}

/** What a modification does to its table, before it is written. */
export interface Changes extends Modified {
  delta: RowChange[];
}

/**
 * The changes of a bound modification with parameters already replaced; its unique keys are not checked yet. `before`: what other
 * modifications of the statement change in the same table. `alone`: there are none, so that changes may be written at once, and are not in the delta then. `planned`: the source, with
 * parameters that `at.context` has.
 */
export async function changesOf(
  bound: BoundModification,
  at: ModifyContext,
  before: RowChange[],
  alone: boolean,
  planned: ChangeSource | null,
): Promise<Changes> {
  if (takesAway(bound)) at.transaction.keepTick();
  const ids = outputColumns(bound.source).map((c) => c.id);
  const position = new Map(ids.map((id, i) => [id, i]));
  const values = turn.of(at.signal, () => listedRows(bound, at));
  if (values !== null) return turn.of(at.signal, () => changesOfRows(bound, { rows: values, position }, at, before));
  const found = planned?.rows(at) ?? (await sourcePieces(bound, ids, at, planned?.plan));
  try {
    at.checkThere();
    return turn.of(at.signal, () => {
      const count = alone ? changeByColumns(bound, found, position, at) : null;
      if (count !== null) return { delta: [], count, returned: null };
      return changesOfRows(bound, { rows: rowsOfPieces(found), position }, at, before);
    });
  } finally {
    found.arena.release();
  }
}

function changesOfRows(bound: BoundModification, source: Source, at: ModifyContext, before: RowChange[]): Changes {
  switch (bound.k) {
    case 'insert':
      return inserted(bound, source, at, before);
    case 'delete':
      return deleted(bound, source, at, before);
    case 'update':
      return updated(bound, source, at, before);
    case 'merge':
      return merged(bound, source, at, before);
  }
}

/** What the source plan gave, and where its columns (by id) are in the rows. */
interface Source {
  rows: Datum[][];
  position: Map<number, number>;
}

function pick({ position }: Source, row: Datum[], columns: Col[]): Datum[] {
  return columns.map(({ id }) => row[position.get(id) as number]);
}

function inserted(bound: BoundInsert, source: Source, at: ModifyContext, before: RowChange[]): Changes {
  const { relation, inOrder, onConflict } = bound;
  const rows = source.rows.map((row) => pick(source, row, bound.columns));
  // Values that are made in the order of the rows.
  for (const row of inOrder.length === 0 ? [] : rows)
    for (const { column, value } of inOrder) row[column] = evaluate(value, [], at.context);
  const returning = returningOfInsert(bound, source.position, at.context);
  for (const row of rows) completeRow(relation, row, at);
  if (onConflict !== null) return upsertRows(relation, rows, onConflict, returning, at, before);
  const returned = returning === null ? null : rows.map((row) => returning(row, null));
  return { delta: added(rows), count: rows.length, returned };
}

function added(rows: Datum[][]): RowChange[] {
  return rows.map((row) => ({ row, weight: 1 }));
}

function deleted(bound: BoundDelete, source: Source, at: ModifyContext, before: RowChange[]): Changes {
  const old = (row: Datum[]) => pick(source, row, bound.oldColumns);
  const seen = onePerTarget(bound.relation, source.rows, old, at, before);
  return changes(
    bound,
    source,
    seen,
    seen.map((row) => ({ row: old(row), weight: -1 })),
    at,
  );
}

function updated(bound: BoundUpdate, source: Source, at: ModifyContext, before: RowChange[]): Changes {
  const old = (row: Datum[]) => pick(source, row, bound.oldColumns);
  const seen = onePerTarget(bound.relation, source.rows, old, at, before);
  const delta = seen.flatMap((row): RowChange[] => {
    const next = newRow(bound, source, row, at, [bound.newColumns]);
    const from = old(row);
    return [
      { row: from, weight: -1 },
      { row: next, weight: 1, from },
    ];
  });
  return changes(bound, source, seen, delta, at);
}

function merged(bound: BoundMerge, source: Source, at: ModifyContext, before: RowChange[]): Changes {
  const { relation } = bound;
  const action = (row: Datum[]) => pick(source, row, [bound.action])[0];
  const old = (row: Datum[]) => pick(source, row, bound.oldColumns);
  const changed = source.rows.filter((row) => action(row) !== 'INSERT');
  if (onePerTarget(relation, changed, old, at, []).length < changed.length) {
    throw new SqlError('21000', 'MERGE command cannot affect row a second time', {
      hint: 'Ensure that not more than one source row matches any one target row.',
    });
  }
  const left = new Set(onePerTarget(relation, changed, old, at, before));
  const seen = source.rows.filter((row) => action(row) === 'INSERT' || left.has(row));
  const delta: RowChange[] = [];
  for (const row of seen) {
    const from = action(row) === 'INSERT' ? undefined : old(row);
    if (from !== undefined) delta.push({ row: from, weight: -1 });
    if (action(row) === 'DELETE') continue;
    delta.push({ row: newRow(bound, source, row, at, [bound.newColumns, bound.currentColumns]), weight: 1, from });
  }
  return changes(bound, source, seen, delta, at);
}

/** The new row that a row of the source has, complete; RETURNING finds its generated values in `states` of the source's row. */
function newRow(
  { relation, newColumns }: BoundUpdate | BoundMerge,
  source: Source,
  row: Datum[],
  at: ModifyContext,
  states: Col[][],
): Datum[] {
  const next = pick(source, row, newColumns);
  completeRow(relation, next, at);
  for (const { column } of at.generated)
    for (const state of states) row[source.position.get(state[column].id) as number] = next[column];
  return next;
}

/** `seen`: the rows of the source that the delta is of. */
function changes(
  { returning }: BoundModification,
  { position }: Source,
  seen: Datum[][],
  delta: RowChange[],
  at: ModifyContext,
): Changes {
  const shown = returningOf(returning, position, at.context);
  return { delta, count: seen.length, returned: shown === null ? null : seen.map(shown) };
}

/** Checks the table's unique keys and writes. */
export function writeChanges(relation: Relation, delta: RowChange[], at: ModifyContext): void {
  const types = relation.columns.map((c) => c.type);
  const rows = delta.map((r) => r.row);
  const weights = delta.map((r) => r.weight);
  withScratch((arena) => {
    const batch = batchFromRows(types, rows, arena, weights);
    const onlyComes = kernels.allPositive(batch.weights, batch.n) !== 0;
    if (!onlyComes || !haveNewKeys(relation, at.uniqueKeys, [batch], at))
      checkUnique(relation, at.uniqueKeys, delta, at);
    at.transaction.write(relation.oid, batch);
  });
}

/** Rows of COPY FROM: checked and written like INSERT's, but for foreign keys: gives the changes, for these to be looked at. */
export function insertDatums(relation: Relation, rows: Datum[][], at: ModifyContext): RowChange[] {
  at.checkThere();
  for (const row of rows) completeRow(relation, row, at);
  const delta = added(rows);
  writeChanges(relation, delta, at);
  return delta;
}
