/** CREATE INDEX and UNIQUE constraints: a keyed copy of a table's or view's rows for point reads; what is unique is checked at each write of a table. */
import { readRow } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { KeyedIndex } from '../../operators/state/keyed_index.ts';
import type { Relation, RelationColumn, UniqueKey } from '../../planner/catalog_reader.ts';
import type { KeyConstraint, Statement } from '../../planner/parse/ast.ts';
import { keyOfIndex } from '../catalog/index_key.ts';
import type { IndexObject, IndexWords } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { checkOwner } from './access.ts';
import { becoming } from './becoming.ts';
import { ComputedIndex } from './computed_index.ts';
import type { TidemarkEngine } from './engine.ts';
import { fillIndex } from './index_filling.ts';
import { checkComparable, type IndexParts, indexParts, partNames } from './index_parts.ts';
import { indexWords } from './index_words.ts';
import { freeName, isFree, nameTaken, pathOfParts, relationNamed } from './names.ts';
import { repeatedRow } from './repeated_keys.ts';
import { repeatedInIndex } from './rows_in_index.ts';
import type { StoredRelation } from './stored_relation.ts';
import { namedInSyntax } from './type_users.ts';
import { inWords, keyOf } from './unique_keys.ts';

export async function createIndex(
  engine: TidemarkEngine,
  statement: Extract<Statement, { k: 'create_index' }>,
  session: SessionContext,
  signal: AbortSignal,
): Promise<void> {
  const relation = relationNamed(engine, { schema: statement.schema, name: statement.relation }, session);
  const indexed = engine.catalog.get(relation.oid);
  if (indexed !== undefined) checkOwner(engine, indexed, session);
  const stored = engine.loop.relations.get(relation.oid);
  if (stored === undefined) {
    throw new SqlError('42809', `cannot create index on relation "${relation.name}"`, {
      detail: 'Only tables and materialized views keep rows that an index can be made of.',
    });
  }
  const { text: sql, unique } = statement;
  const oid = engine.catalog.newOid();
  const parts = indexParts(engine, relation, statement, oid, session);
  const words = indexWords(engine, relation, statement, parts);
  if (unique && relation.kind !== 'table' && engine.replay === null) checkProven(relation, parts);
  const name =
    statement.name ??
    freeName(`${relation.name}_${partNames(relation, parts, words).join('_')}_idx`, (wanted) =>
      isFree(engine, relation.schema, wanted, session.searchPath),
    );
  if (nameTaken(engine, relation.schema, name, statement.ifNotExists, session)) return;
  tellMethod(name, statement.method, session);
  const nullsEqual = unique && statement.nullsEqual ? { nullsEqual: true } : {};
  const said = words === undefined ? {} : { words };
  const object = { ...indexObject(relation, oid, name, parts, sql), unique, ...nullsEqual, ...said, constraint: false };
  const { check, live } = becoming(engine, object, session, namedInSyntax(engine, statement, session.searchPath));
  const { shape } = parts.computed ?? {};
  const index =
    shape === undefined ? new KeyedIndex(stored.types, parts.columns, true) : new ComputedIndex(stored.types, shape);
  const key = keyOfIndex(relation, object);
  await fillIndex(engine, { oid: relation.oid, stored, index }, signal, {
    taken(keyed, rows, arena) {
      if (!unique || engine.replay !== null) return;
      const row = repeatedInIndex(keyed, rows, statement.nullsEqual, arena);
      if (row >= 0) throw notUnique(relation, key, readRow(rows, row), session);
    },
    check,
    live() {
      addIndex(engine, engine.catalog.relationByOid(relation.oid) as Relation, parts, index);
      live();
    },
  });
}

/** Nobody writes to a view, so nobody could be refused: a unique index says what the view's query makes sure of. */
function checkProven({ name, key, columns }: Relation, parts: IndexParts): void {
  if (key !== null && parts.computed === undefined && key.every((column) => parts.columns.includes(column))) return;
  throw new SqlError('0A000', `cannot create a unique index on "${name}" over what may be equal in two of its rows`, {
    detail:
      key === null
        ? `No columns are known in which rows of "${name}" always differ.`
        : `Rows of "${name}" are known to differ in (${key.map((column) => columns[column].name).join(', ')}).`,
    hint: 'Create the index without UNIQUE.',
  });
}

/** Who asks for an index of containment, distance or ranges hears that it is none. */
function tellMethod(name: string, method: string, session: SessionContext): void {
  if (method === 'btree' || method === 'hash') return;
  session.notice(
    'NOTICE',
    '00000',
    `index "${name}" finds rows by equal values only, not as access method "${method}" does`,
  );
}

/** `filled`: one with all rows. */
function addIndex(
  { loop }: TidemarkEngine,
  relation: Relation,
  { columns, computed }: IndexParts,
  filled?: KeyedIndex | ComputedIndex,
): void {
  if (computed === undefined) {
    loop.addIndex(relation.oid, columns, filled as KeyedIndex | undefined);
    relation.indexes = [...relation.indexes, columns];
  } else {
    loop.addComputed(relation.oid, computed.shape, filled as ComputedIndex | undefined);
    relation.computed = [...(relation.computed ?? []), computed.shape];
  }
}

function indexObject(relation: Relation, oid: number, name: string, parts: IndexParts, sql: string) {
  const { oid: on, schema } = relation;
  return { kind: 'index' as const, oid, schema, name, sql, dependencies: [on], on, ...parts };
}

/** A UNIQUE constraint of a statement: the columns, the name of its index, and what the statement was. */
export interface UniqueConstraint {
  columns: number[];
  nullsEqual: boolean;
  name: string;
  sql: string;
}

/** The constraint as CREATE TABLE or ALTER TABLE says it; its name is free. Errors: 42703, 42701, 42P07. `taken`: names of constraints beside it. */
export function uniqueConstraint(
  engine: TidemarkEngine,
  relation: Relation,
  { name, columns, nullsEqual }: KeyConstraint,
  sql: string,
  planned: { names: string[]; gone: string[] },
  session: SessionContext,
): UniqueConstraint {
  const path = pathOfParts(engine, relation.oid, session);
  const positions = keyColumns(relation.columns, columns);
  const free = (wanted: string) => {
    return (
      !planned.names.includes(wanted) &&
      (planned.gone.includes(wanted) || isFree(engine, relation.schema, wanted, path))
    );
  };
  if (name !== null && !free(name)) throw new SqlError('42P07', `relation "${name}" already exists`);
  return {
    columns: positions,
    nullsEqual,
    sql,
    name: name ?? freeName(`${relation.name}_${columns.join('_')}_key`, free),
  };
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

/** Throws 23505 when rows of the table have a key in common. */
export function checkKey(
  stored: StoredRelation | undefined,
  relation: Relation,
  key: IndexKey,
  session: SessionContext,
): void {
  const row = stored === undefined ? null : repeatedRow(stored, key);
  if (row !== null) throw notUnique(relation, key, row, session);
}

/** Makes the constraint's index. It has no statement of its own: that of the constraint makes it again. */
export function addUnique(
  engine: TidemarkEngine,
  relation: Relation,
  { columns, nullsEqual, name, sql }: UniqueConstraint,
): void {
  const oid = engine.catalog.newOid();
  addIndex(engine, relation, { columns });
  const equal = nullsEqual ? { nullsEqual } : {};
  engine.catalog.add({
    ...indexObject(relation, oid, name, { columns }, sql),
    unique: true,
    ...equal,
    constraint: true,
  });
}

/** An index that is no constraint's, of a table which is made with it. `partsFor`: what it is over, with its OID. `taken`: names of those beside it. */
export function plainIndex(
  engine: TidemarkEngine,
  relation: Relation,
  { partsFor, unique, nullsEqual, words }: CopiedIndex,
  sql: string,
  taken: string[],
  { searchPath }: SessionContext,
): IndexObject {
  const oid = engine.catalog.newOid();
  const parts = partsFor(oid);
  const names = partNames(relation, parts, words).join('_');
  const free = (wanted: string) => !taken.includes(wanted) && isFree(engine, relation.schema, wanted, searchPath);
  const name = freeName(`${relation.name}_${names}_idx`, free);
  const equal = nullsEqual ? { nullsEqual } : {};
  const said = words === undefined ? {} : { words };
  return { ...indexObject(relation, oid, name, parts, sql), unique, ...equal, ...said, constraint: false };
}

export interface CopiedIndex {
  partsFor(oid: number): IndexParts;
  unique: boolean;
  nullsEqual: boolean;
  words: IndexWords | undefined;
}

export function addPlainIndex(engine: TidemarkEngine, relation: Relation, index: IndexObject): void {
  addIndex(engine, relation, index);
  engine.catalog.add(index);
}

type IndexKey = Omit<UniqueKey, 'isConstraint'>;

function notUnique(relation: Relation, key: IndexKey, row: Datum[], { evalContext }: SessionContext): SqlError {
  return new SqlError('23505', `could not create unique index "${key.name}"`, {
    detail: `Key ${keyOf(relation, inWords(relation, key), row, evalContext)} is duplicated.`,
    schema: relation.schema,
    table: relation.name,
    constraint: key.name,
  });
}
