/** CREATE INDEX and UNIQUE constraints: a keyed copy of a table's or view's rows for point reads; what is unique is checked at each write of a table. */
import { readRow } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError, unsupported } from '../../operators/errors.ts';
import type { KeyedIndex } from '../../operators/state/keyed_index.ts';
import type { Relation, RelationColumn } from '../../planner/catalog_reader.ts';
import type { KeyConstraint, PgNode, Statement } from '../../planner/parse/ast.ts';
import { lessThanOf } from '../../planner/types/catalog.ts';
import { formatType } from '../../planner/types/type_name.ts';
import type { IndexObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { becoming } from './create_view.ts';
import type { TidemarkEngine } from './engine.ts';
import { fillIndex } from './index_filling.ts';
import { freeName, isFree, nameTaken, relationNamed } from './names.ts';
import { repeatedInIndex } from './rows_in_index.ts';
import type { StoredRelation } from './stored_relation.ts';
import { keyOf } from './unique_keys.ts';

export async function createIndex(
  engine: TidemarkEngine,
  statement: Extract<Statement, { k: 'create_index' }>,
  session: SessionContext,
  signal: AbortSignal,
): Promise<void> {
  const relation = relationNamed(engine, { schema: statement.schema, name: statement.relation }, session);
  const stored = engine.loop.relations.get(relation.oid);
  if (stored === undefined) {
    throw new SqlError('42809', `cannot create index on relation "${relation.name}"`, {
      detail: 'Only tables and materialized views keep rows that an index can be made of.',
    });
  }
  const columns = statement.columns.map((element) =>
    indexColumn(
      element,
      relation.columns.map((c) => c.name),
    ),
  );
  if (engine.replay === null) checkComparable(relation.columns, columns);
  if (statement.unique && relation.kind !== 'table') throw unsupported('a unique index on a view');
  const name =
    statement.name ??
    freeName(`${relation.name}_${columns.map((c) => relation.columns[c].name).join('_')}_idx`, (wanted) =>
      isFree(engine, relation.schema, wanted),
    );
  if (nameTaken(engine, relation.schema, name, statement.ifNotExists, session)) return;
  const { text: sql, unique } = statement;
  const object = { ...indexObject(engine, relation, name, columns, sql), unique, constraint: false };
  const { check, live } = becoming(engine, object, session);
  const { oid } = relation;
  await fillIndex(engine, { oid, stored, columns }, signal, {
    taken(index, rows, arena) {
      if (!unique || engine.replay !== null) return;
      const row = repeatedInIndex(index, rows, arena);
      if (row >= 0) throw notUnique(relation, { columns, name }, readRow(rows, row), session);
    },
    check,
    live(index) {
      addIndex(engine, engine.catalog.relationByOid(oid) as Relation, columns, index);
      live();
    },
  });
}

function addIndex(engine: TidemarkEngine, relation: Relation, columns: number[], filled?: KeyedIndex): void {
  engine.loop.addIndex(relation.oid, columns, filled);
  relation.indexes = [...relation.indexes, columns];
}

function indexObject(engine: TidemarkEngine, relation: Relation, name: string, columns: number[], sql: string) {
  const { oid: on, schema } = relation;
  return { kind: 'index' as const, oid: engine.catalog.newOid(), schema, name, sql, dependencies: [on], on, columns };
}

/** A UNIQUE constraint of a statement: the columns, the name of its index, and what the statement was. */
export interface UniqueConstraint {
  columns: number[];
  name: string;
  sql: string;
}

/** The constraint as CREATE TABLE or ALTER TABLE says it; its name is free. Errors: 42703, 42701, 42P07. `taken`: names of constraints beside it. */
export function uniqueConstraint(
  engine: TidemarkEngine,
  relation: Relation,
  { name, columns }: KeyConstraint,
  sql: string,
  planned: { names: string[]; gone: string[] },
): UniqueConstraint {
  const positions = keyColumns(relation.columns, columns);
  const free = (wanted: string) => {
    return (
      !planned.names.includes(wanted) && (planned.gone.includes(wanted) || isFree(engine, relation.schema, wanted))
    );
  };
  if (name !== null && !free(name)) throw new SqlError('42P07', `relation "${name}" already exists`);
  return { columns: positions, sql, name: name ?? freeName(`${relation.name}_${columns.join('_')}_key`, free) };
}

/** Positions of a key's columns; all of them can be compared. */
export function keyColumns(columns: RelationColumn[], names: string[]): number[] {
  const positions = names.map((name, i) => {
    const position = keyColumn(columns, name);
    if (names.indexOf(name) !== i) throw new SqlError('42701', `column "${name}" appears twice in unique constraint`);
    return position;
  });
  checkComparable(columns, positions);
  return positions;
}

export function keyColumn(columns: RelationColumn[], name: string): number {
  const position = columns.findIndex((c) => c.name === name);
  if (position < 0) throw new SqlError('42703', `column "${name}" named in key does not exist`);
  return position;
}

/** Throws 42704 for types without an order, such as json. */
export function checkComparable(columns: RelationColumn[], positions: number[]): void {
  for (const position of positions) {
    const { oid } = columns[position].type;
    if (lessThanOf(oid) !== null) continue;
    const message = `data type ${formatType(oid)} has no default operator class for access method "btree"`;
    throw new SqlError('42704', message);
  }
}

/** Throws 23505 when rows of the table have a key in common. */
export function checkKey(
  stored: StoredRelation | undefined,
  relation: Relation,
  key: { columns: number[]; name: string },
  session: SessionContext,
): void {
  if (stored !== undefined) checkUnique(relation, stored, key, session);
}

/** Makes the constraint's index. It has no statement of its own: that of the constraint makes it again. */
export function addUnique(engine: TidemarkEngine, relation: Relation, { columns, name, sql }: UniqueConstraint): void {
  addIndex(engine, relation, columns);
  engine.catalog.add({ ...indexObject(engine, relation, name, columns, sql), unique: true, constraint: true });
}

/** An index that is no constraint's, of a table which is made with it. `taken`: names of those beside it. */
export function plainIndex(
  engine: TidemarkEngine,
  relation: Relation,
  { columns, unique }: { columns: number[]; unique: boolean },
  sql: string,
  taken: string[],
): IndexObject {
  const names = columns.map((c) => relation.columns[c].name).join('_');
  const free = (wanted: string) => !taken.includes(wanted) && isFree(engine, relation.schema, wanted);
  const name = freeName(`${relation.name}_${names}_idx`, free);
  return { ...indexObject(engine, relation, name, columns, sql), unique, constraint: false };
}

export function addPlainIndex(engine: TidemarkEngine, relation: Relation, index: IndexObject): void {
  addIndex(engine, relation, index.columns);
  engine.catalog.add(index);
}

function checkUnique(
  relation: Relation,
  stored: StoredRelation,
  key: { columns: number[]; name: string },
  session: SessionContext,
): void {
  const row = stored.repeatedRow(key.columns);
  if (row !== null) throw notUnique(relation, key, row, session);
}

function notUnique(
  relation: Relation,
  { columns, name }: { columns: number[]; name: string },
  row: Datum[],
  { evalContext }: SessionContext,
): SqlError {
  return new SqlError('23505', `could not create unique index "${name}"`, {
    detail: `Key ${keyOf(relation, columns, row, evalContext)} is duplicated.`,
    schema: relation.schema,
    table: relation.name,
    constraint: name,
  });
}

function indexColumn(element: PgNode, names: string[]): number {
  const node = element.IndexElem ?? element;
  if (node.name === undefined) throw unsupported('an index on an expression');
  const column = names.indexOf(node.name);
  if (column < 0) throw new SqlError('42703', `column "${node.name}" does not exist`);
  return column;
}
