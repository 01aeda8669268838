/**
 * ALTER TABLE in a transaction, of a table that was there before it: defaults, NOT NULL, CHECKs, and foreign keys that go, are the transaction's alone until COMMIT (catalog/table_change.ts).
 *
 *   an ALTER works on a copy of the table -> what is another -> Catalog.pending      COMMIT: looked at again, where others have written since; then it counts in the tick of the rows
 *
 * Its rows are looked at with what the transaction has written: UPDATE ... WHERE a IS NULL; ALTER a SET NOT NULL.
 *
 * Only what needs nothing that others could take away or rename meanwhile, and takes nothing away that needs such: no sequences, types and functions of users. The log has the statement: done
 * again it gives the same change.
 */
import type { Batch } from '../../operators/batch/batch.ts';
import { SqlError } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { turn } from '../../operators/turn.ts';
import { typeObjectOf } from '../../operators/types.ts';
import { visitExpr } from '../../planner/logical/walk.ts';
import type { AlterAction, PgNode } from '../../planner/parse/ast.ts';
import { strings } from '../../planner/parse/node_fields.ts';
import { walkTree } from '../../planner/parse/walk_tree.ts';
import { type CheckConstraint, type ColumnDefault, isTable, type RelationObject } from '../catalog/objects.ts';
import { isNothing, type TableChange, tableChange, tableCopy } from '../catalog/table_change.ts';
import type { SessionContext } from '../engine.ts';
import { inOrder } from './action_order.ts';
import { type AlterRelation, found, nothingPlanned, prepareAction } from './alter_relation.ts';
import { isPending } from './change_at_commit.ts';
import { checkRows } from './check_constraint.ts';
import { namedInLiterals } from './default_value.ts';
import type { TidemarkEngine } from './engine.ts';
import { containsNull } from './not_null.ts';
import { definedAlone } from './open_objects.ts';
import type { Correction } from './relation_scan.ts';
import { sessionWith } from './session_with.ts';
import { namedInSyntax } from './type_users.ts';
import { orConflict } from './write_conflict.ts';
import { parsed } from './written_expression.ts';

/** False where the statement says something else, or has to be done at once. */
export function pendAlter(
  engine: TidemarkEngine,
  statement: AlterRelation,
  session: SessionContext,
  signal: AbortSignal,
): boolean {
  const { catalog, loop, replay } = engine;
  const path = session.searchPath;
  const there = catalog.find(statement.schema, statement.name, path);
  if (statement.kind !== 'table' || !isTable(there) || there.source !== null || there.emptied) return false;
  if (replay === null ? !isPending(engine, there.oid, session) : replay.alone === undefined) return false;
  const before = catalog.pending.asSeen(there, path);
  if (!statement.actions.every((action) => isPendable(engine, before, action, session))) return false;
  found(engine, statement, session);
  const after = tableCopy(before);
  const told: (() => void)[] = [];
  const quiet = sessionWith(session, { notice: (...what) => told.push(() => session.notice(...what)) });
  turn.of(signal, () => {
    const planned = nothingPlanned(after, undefined);
    const applies = inOrder(statement.actions).map((action) =>
      prepareAction(engine, after, action, planned, statement, quiet),
    );
    for (const apply of applies) apply?.();
  });
  const change = tableChange(before, after, loop.tick);
  if (needsOthers(engine, before, after, change, path)) return false;
  for (const tell of told) tell();
  if (isNothing(change)) return true;
  const { oid } = there;
  const mine = engine.transactionOf(session);
  if (replay === null) {
    mine.checkWrites();
    const rows = mine.written(oid);
    turn.of(signal, () => look(engine, after, change, rows, session));
  }
  const transaction = replay?.alone ?? mine.changes(session);
  catalog.pend({ ...change, oid, transaction });
  const what = { sql: statement.text, made: oid, dropped: [], altered: oid, alters: true as const };
  definedAlone(engine, what, transaction, session, [oid]);
  return true;
}

function isPendable(
  engine: TidemarkEngine,
  table: RelationObject,
  action: AlterAction,
  session: SessionContext,
): boolean {
  const { catalog } = engine;
  const { searchPath } = session;
  switch (action.k) {
    case 'set_default':
    case 'add_check':
      return (
        namedInLiterals(engine, [action], session).length === 0 &&
        namedInSyntax(engine, [action], searchPath).length === 0
      );
    case 'set_not_null':
      // What reads it, and goes with the COMMIT, counts until then on what is NOT NULL.
      return action.notNull || catalog.dependents([table.oid]).every(({ oid }) => !catalog.isGone(oid, searchPath));
    case 'drop_constraint':
      return catalog.uniqueKeys(table.relation).every(({ name }) => name !== action.name);
    default:
      return false;
  }
}

/** What comes or goes has to do with something else that may go, or get another name, before COMMIT. */
function needsOthers(
  engine: TidemarkEngine,
  before: RelationObject,
  after: RelationObject,
  { defaults, checks, dropped }: TableChange,
  path: string[],
): boolean {
  const isNamed = (node: PgNode) => namedInSyntax(engine, node, path).length > 0;
  const ofUsers = (column: number) => typeObjectOf(before.relation.columns[column].type) !== 0;
  const needs = (value: ColumnDefault | null) => {
    return value !== null && (value.sequences.length + (value.functions?.length ?? 0) > 0 || isNamed(value.node));
  };
  const gone = before.checks.filter(({ number }) => dropped.includes(number));
  return (
    defaults.some(([column, value]) => ofUsers(column) || needs(value) || needs(before.defaults[column])) ||
    [...checks, ...gone].some((check) => {
      return (check.functions?.length ?? 0) > 0 || hasTypes(check) || isNamed(parsed(check).node);
    }) ||
    checks.some((check) => saysRow(check, after.relation.name))
  );
}

function hasTypes({ expr }: CheckConstraint): boolean {
  let found = false;
  visitExpr(expr, ({ t }) => {
    found ||= typeObjectOf(t) !== 0;
    return !found;
  });
  return found;
}

/** It may name the row by the name of its table, which may be another by COMMIT. */
function saysRow(check: CheckConstraint, table: string): boolean {
  let says = false;
  walkTree(parsed(check).node, ({ ColumnRef: column }) => {
    if (column !== undefined)
      says ||= strings(column.fields.filter((field: object) => 'String' in field)).includes(table);
  });
  return says;
}

/** Throws when a row that is there, with corrections, does not fit what comes: first for NULLs, as in PostgreSQL. */
function look(
  { loop }: TidemarkEngine,
  { oid, relation }: RelationObject,
  { notNull, checks }: TableChange,
  corrections: Correction[],
  session: Pick<SessionContext, 'evalContext'> = { evalContext: defaultContext() },
): void {
  const stored = loop.relations.get(oid);
  for (const [column, is] of notNull)
    if (is && stored?.hasNull(column, corrections)) throw containsNull(relation, column);
  for (const check of checks) if (check.valid) checkRows(stored, relation, check, session, corrections);
}

/** Throws when rows that others have written since do not fit what the transaction whose path this is has altered; `deltas`: its own. */
export function checkAltered(engine: TidemarkEngine, deltas: Map<number, Batch>, path: string[]): void {
  const { catalog, loop } = engine;
  for (const [table, change] of whatStands(engine, catalog.pending.alteredIn(path), path)) {
    const stored = loop.relations.get(table.oid);
    if (stored === undefined || stored.changedAt <= change.looked) continue;
    const own = deltas.get(table.oid);
    orConflict(() => look(engine, table, change, own === undefined ? [] : [{ batch: own, sign: 1 }]));
  }
}

/** The same before its COMMIT, so without its own rows: what it has altered of these counts at once. */
export function checkAlteredAlone(engine: TidemarkEngine, oids: number[], path: string[]): void {
  try {
    for (const [table, change] of whatStands(engine, oids, path)) look(engine, table, change, []);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw new SqlError('0A000', `${error.message}, but for rows that the transaction has not committed`, {
      detail: 'What the transaction has altered before counts at once with what is done at once.',
      hint: 'Commit the transaction in between.',
    });
  }
}

/** What it has altered of these, each as it sees it: what a later ALTER has taken back is not asked for. */
function* whatStands(
  { catalog }: TidemarkEngine,
  oids: number[],
  path: string[],
): Generator<[table: RelationObject, change: TableChange]> {
  for (const oid of oids) {
    const table = catalog.pending.asSeen(catalog.get(oid), path);
    if (!isTable(table) || catalog.isGone(oid, path)) continue;
    for (const change of catalog.pending.tableChanges(oid, path)) {
      const notNull = change.notNull.filter(([column]) => table.relation.columns[column].notNull);
      const checks = change.checks.filter((check) => table.checks.includes(check));
      yield [table, { ...change, notNull, checks }];
    }
  }
}
