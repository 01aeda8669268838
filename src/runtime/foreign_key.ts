/**
 * FOREIGN KEY: what a statement says of one, made sure of and kept by OIDs and positions, so that it lasts when tables and columns get other names.
 *
 *   table.columns  --references-->  referenced columns, which are the primary key or a unique key of their table
 *
 * When it is looked at is in references.ts, what CASCADE and its kin do in referential_actions.ts. As in PostgreSQL no index is made over the referencing columns: with one, deletions in
 * the other table find the rows at once.
 */

import type { Datum } from '../../operators/datum.ts';
import { SqlError, unsupported } from '../../operators/errors.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { isTemporary } from '../../operators/expr/search_path.ts';
import { OID } from '../../operators/types.ts';
import { hasColumns, presentColumns, type Relation } from '../../planner/catalog_reader.ts';
import type { ForeignKeyDef } from '../../planner/parse/ast.ts';
import { formatType } from '../../planner/types/type_name.ts';
import type { CatalogObject, ForeignKey, RelationObject } from '../catalog/objects.ts';
import type { Reference } from '../catalog/parts_of_tables.ts';
import { REFERENCES } from '../catalog/privileges.ts';
import type { SessionContext } from '../engine.ts';
import { checkNeeds } from './access.ts';
import type { TidemarkEngine } from './engine.ts';
import { freeName, objectName, relationNamed } from './names.ts';
import { checkNotOthers } from './open_objects.ts';
import { keyOf } from './unique_keys.ts';

/** What a constraint is made beside. */
export interface ConstraintsThere {
  /** Names of all constraints of the table, and the numbers of those that have one. */
  names: string[];
  numbers: number[];
  /** Keys of the table itself that the same statement makes. */
  keys: number[][];
  /** The table is ON COMMIT DELETE ROWS. */
  emptied: boolean;
}

function referencedTable(
  engine: TidemarkEngine,
  named: ForeignKeyDef['references'],
  session: SessionContext,
): Relation {
  const relation = relationNamed(engine, named, session);
  checkNotOthers(engine, `table "${relation.name}"`, relation.oid, session);
  checkNeeds(engine, [{ relation: relation.oid, privileges: REFERENCES, view: null }], session);
  return relation;
}

/** The constraint as a statement says it; it is added to what is there. `relation` need not be in the catalog yet. */
export function foreignKey(
  engine: TidemarkEngine,
  relation: Relation,
  definition: ForeignKeyDef,
  there: ConstraintsThere,
  session: SessionContext,
): ForeignKey {
  const { references, setColumns } = definition;
  const isOwn = references.name === relation.name && (references.schema ?? relation.schema) === relation.schema;
  const other = isOwn ? relation : referencedTable(engine, references, session);
  checkReferable(engine, relation, other, isOwn, there.emptied);
  const columns = definition.columns.map((name) => positionOf(relation, name));
  const keys = isOwn ? there.keys : [];
  const referenced = referencedColumns(engine, other, definition.referenced, keys, session);
  if (columns.length !== referenced.length) {
    throw new SqlError('42830', 'number of referencing and referenced columns for foreign key disagree');
  }
  const set = setColumns.map((name) => {
    const position = positionOf(relation, name);
    if (columns.includes(position)) return position;
    throw new SqlError('42P10', `column "${name}" referenced in ON DELETE SET action must be part of foreign key`);
  });
  const wanted = objectName(relation.name, definition.columns.join('_'), 'fkey');
  const name = definition.name ?? freeName(wanted, (tried) => !there.names.includes(tried));
  if (there.names.includes(name)) {
    throw new SqlError('42710', `constraint "${name}" for relation "${relation.name}" already exists`);
  }
  columns.forEach((column, i) => {
    checkTypes(name, relation, column, other, referenced[i]);
  });
  const { onUpdate, onDelete, full, deferrable, initiallyDeferred } = definition;
  const number = Math.max(0, ...there.numbers) + 1;
  there.names.push(name);
  there.numbers.push(number);
  return {
    ...{ number, name, columns, references: other.oid, referenced, onUpdate, onDelete },
    ...{ full, deferrable, initiallyDeferred, valid: !definition.notValid, since: engine.loop.tick },
    setColumns: set.length === 0 ? columns : set,
  };
}

function checkReferable(
  engine: TidemarkEngine,
  relation: Relation,
  other: Relation,
  isOwn: boolean,
  emptied: boolean,
): void {
  if (relation.kind !== 'table') throw new SqlError('42809', `a ${relation.kind} has no foreign keys`);
  if (isOwn) return;
  const object = engine.catalog.get(other.oid);
  if (object?.kind !== 'table') throw new SqlError('42809', `referenced relation "${other.name}" is not a table`);
  if (object.source !== null) throw unsupported('a foreign key to a table with a connector');
  const lasting = ['permanent', 'temporary'].map(
    (kind) => `constraints on ${kind} tables may reference only ${kind} tables`,
  );
  const [own, others] = [relation, other].map(({ schema }) => isTemporary(schema));
  if (own !== others) throw new SqlError('42P16', lasting[own ? 1 : 0]);
  if (object.emptied === true && !emptied) {
    throw new SqlError('0A000', 'unsupported ON COMMIT and foreign key combination', {
      detail: `Table "${relation.name}" references "${other.name}", but they do not have the same ON COMMIT setting.`,
    });
  }
}

function positionOf({ columns }: Relation, name: string): number {
  const position = columns.findIndex((column) => column.name === name);
  if (position >= 0) return position;
  throw new SqlError('42703', `column "${name}" referenced in foreign key constraint does not exist`);
}

/** `made`: keys that the table gets with the statement. */
function referencedColumns(
  engine: TidemarkEngine,
  other: Relation,
  names: string[],
  made: number[][],
  { searchPath }: SessionContext,
): number[] {
  if (names.length === 0) {
    if (other.key !== null) return other.key;
    if (made.length > 0) return made[0];
    throw new SqlError('42704', `there is no primary key for referenced table "${other.name}"`);
  }
  const columns = names.map((name) => positionOf(other, name));
  const repeated = columns.some((column, i) => columns.indexOf(column) !== i);
  if (repeated) throw new SqlError('42830', 'foreign key referenced-columns list must not contain duplicates');
  const uniques = engine.catalog.uniqueKeys(other, searchPath).filter(({ shape }) => shape === undefined);
  const keys = [...uniques.map((key) => key.columns), ...made];
  if (other.key !== null) keys.push(other.key);
  if (keys.some((key) => hasColumns({ columns: key }, columns))) return columns;
  throw new SqlError('42830', `there is no unique constraint matching given keys for referenced table "${other.name}"`);
}

const INTEGERS: number[] = [OID.int2, OID.int4, OID.int8];
const TEXTS: number[] = [OID.text, OID.varchar];
const NUMBERS: number[] = [...INTEGERS, OID.numeric, OID.float4, OID.float8];

function checkTypes(name: string, relation: Relation, column: number, other: Relation, referenced: number): void {
  const [from, to] = [relation.columns[column], other.columns[referenced]];
  const [a, b] = [from.type.oid, to.type.oid];
  const fits = a === b || [INTEGERS, TEXTS].some((some) => some.includes(a) && some.includes(b));
  if (fits) return;
  const comparable = NUMBERS.includes(a) && NUMBERS.includes(b);
  if (comparable) throw unsupported(`a foreign key from ${formatType(a)} to ${formatType(b)}`);
  throw new SqlError('42804', `foreign key constraint "${name}" cannot be implemented`, {
    detail: `Key columns "${from.name}" of the referencing table and "${to.name}" of the referenced table are of incompatible types: ${formatType(a)} and ${formatType(b)}.`,
  });
}

const LARGEST: Record<number, bigint> = { [OID.int2]: 0x7fffn, [OID.int4]: 0x7fffffffn };

/** A value as another of the types that fit has it; undefined when that is too small for it. */
export function asType(value: Datum, from: number, to: number): Datum | undefined {
  if (value === null || from === to || !INTEGERS.includes(from)) return value;
  const whole = BigInt(value as number | bigint);
  const largest = LARGEST[to];
  if (largest !== undefined && (whole > largest || whole < -largest - 1n)) return undefined;
  return to === OID.int8 ? whole : Number(whole);
}

/** A key of one table as the other's types have it; null where a value is NULL or does not fit: no row has it. */
function converted(row: Datum[], from: Relation, columns: number[], to: Relation, others: number[]): Datum[] | null {
  const key: Datum[] = [];
  for (const [i, column] of columns.entries()) {
    const value = asType(row[column], from.columns[column].type.oid, to.columns[others[i]].type.oid);
    if (value === undefined || value === null) return null;
    key.push(value);
  }
  return key;
}

/** The key that a row of the referencing table asks for, null when it has a NULL; `out`: one that no row can have. */
export function askedKey(key: ForeignKey, from: Relation, row: Datum[], to: Relation): Datum[] | 'out' | null {
  if (key.columns.some((c) => row[c] === null)) return null;
  return converted(row, from, key.columns, to, key.referenced) ?? 'out';
}

/** The key of a row of the referenced table as referencing columns would have it; null when they cannot. */
export function keyAsAsked(key: ForeignKey, to: Relation, row: Datum[], from: Relation): Datum[] | null {
  return converted(row, to, key.referenced, from, key.columns);
}

/** A row asks for a key that is not there. */
export function notPresent(
  key: ForeignKey,
  from: Relation,
  row: Datum[],
  to: Relation,
  context: EvalContext,
): SqlError {
  const message = `insert or update on table "${from.name}" violates foreign key constraint "${key.name}"`;
  return new SqlError('23503', message, {
    detail: `Key ${keyOf(from, { columns: key.columns }, row, context)} is not present in table "${to.name}".`,
    schema: from.schema,
    table: from.name,
    constraint: key.name,
  });
}

/** A key that rows ask for goes; `r`: which RESTRICT forbids. */
export function stillReferenced(
  key: ForeignKey,
  to: Relation,
  row: Datum[],
  from: Relation,
  context: EvalContext,
  action: 'a' | 'r' = 'a',
): SqlError {
  const [state, broken, still] = action === 'r' ? ['23001', 'RESTRICT setting of ', ''] : ['23503', '', 'still '];
  const message = `update or delete on table "${to.name}" violates ${broken}foreign key constraint "${key.name}" on table "${from.name}"`;
  return new SqlError(state, message, {
    detail: `Key ${keyOf(to, { columns: key.referenced }, row, context)} is ${still}referenced from table "${from.name}".`,
    schema: from.schema,
    table: from.name,
    constraint: key.name,
  });
}

/** Foreign keys that cannot be without an object: those that reference a table, or a table's key whose index it is. `gone`: what goes with it. */
export function referencesTo(
  engine: TidemarkEngine,
  object: CatalogObject,
  gone: CatalogObject[],
  searchPath: string[] = [],
): Reference[] {
  if (object.kind !== 'index' || !object.unique) return engine.catalog.referencing(object.oid, searchPath);
  const table = engine.catalog.relationByOid(object.on);
  return table === null ? [] : referencesToKey(engine, table, object.columns, namesOf(gone, table.oid), searchPath);
}

function namesOf(gone: CatalogObject[], table: number): string[] {
  return gone.flatMap((object) => (object.kind === 'index' && object.on === table ? [object.name] : []));
}

/** Foreign keys that reference columns of which only keys of these names are. */
export function referencesToKey(
  { catalog }: TidemarkEngine,
  table: Relation,
  columns: number[],
  names: string[],
  searchPath: string[] = [],
): Reference[] {
  const others = catalog
    .uniqueKeys(table, searchPath)
    .filter(({ name, shape }) => shape === undefined && !names.includes(name));
  if (others.some((other) => hasColumns(other, columns))) return [];
  return catalog.referencing(table.oid, searchPath).filter(({ key }) => hasColumns({ columns }, key.referenced));
}

export function dropForeignKeys(references: Reference[]): void {
  for (const { table, key } of references) table.foreignKeys = table.foreignKeys.filter((other) => other !== key);
}

/** Positions of a table that its foreign keys, or those of others that reference it, are over. */
export function columnsOfForeignKeys(engine: TidemarkEngine, object: RelationObject): number[] {
  const own = object.foreignKeys.flatMap((key) => key.columns);
  const others = engine.catalog.referencing(object.oid).flatMap(({ key }) => key.referenced);
  const present = presentColumns(object.relation).map(({ position }) => position);
  return [...own, ...others].filter((position) => present.includes(position));
}
