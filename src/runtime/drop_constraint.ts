/**
 * ALTER TABLE ... DROP CONSTRAINT of every kind. The index of a key goes with it; foreign keys that need the key go with CASCADE. Columns of a primary key stay NOT NULL, as in
 * PostgreSQL. Plans of views may rest on a primary key, that there is one row of each: it stays while a view reads the table.
 */
import { unsupported } from '../../operators/errors.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { AlterAction } from '../../planner/parse/ast.ts';
import type { CheckConstraint, ForeignKey, IndexObject, RelationObject } from '../catalog/objects.ts';
import type { Reference } from '../catalog/parts_of_tables.ts';
import type { SessionContext } from '../engine.ts';
import { dropCheck } from './check_constraint.ts';
import { foreignKeysOn, stillDependent, tellCascade } from './dependents.ts';
import type { TidemarkEngine } from './engine.ts';
import { dropForeignKeys, referencesToKey } from './foreign_key.ts';
import { checkNotOthers } from './open_objects.ts';

type DropConstraint = Extract<AlterAction, { k: 'drop_constraint' }>;

/** Checks it and gives what does it; null when there is none and IF EXISTS was said. `planned.alone`: the statement changes no columns. */
export function dropConstraint(
  engine: TidemarkEngine,
  object: RelationObject,
  action: DropConstraint,
  planned: { checks: CheckConstraint[]; foreignKeys: ForeignKey[]; gone: string[]; alone: boolean },
  session: SessionContext,
): (() => void) | null {
  const { catalog } = engine;
  if (planned.foreignKeys.some(({ name }) => name === action.name)) {
    planned.foreignKeys = planned.foreignKeys.filter(({ name }) => name !== action.name);
    return () => {
      object.foreignKeys = object.foreignKeys.filter(({ name }) => name !== action.name);
      catalog.version++;
    };
  }
  const isKey = catalog.uniqueKeys(object.relation).some(({ name }) => name === action.name);
  if (!isKey || planned.gone.includes(action.name)) return dropCheck(engine, object, action, planned, session);
  const index = constraintIndex(engine, object, action.name, session);
  const isPrimary = index === null && action.name === `${object.relation.name}_pkey` && object.relation.key !== null;
  // A unique index is no constraint.
  if (index === null && !isPrimary) return dropCheck(engine, object, action, planned, session);
  if (!planned.alone) throw unsupported('DROP CONSTRAINT of a key beside changes of columns');
  const references = without(engine, object, action, planned.gone, index, session);
  if (index === null) checkUnread(engine, object);
  planned.gone.push(action.name);
  return () => {
    dropForeignKeys(references);
    if (index === null) dropPrimary(engine, object);
    else dropIndex(engine, index);
    catalog.version++;
  };
}

function constraintIndex(
  { catalog }: TidemarkEngine,
  object: RelationObject,
  name: string,
  { searchPath }: SessionContext,
): IndexObject | null {
  const found = catalog.in(object.schema, name, searchPath);
  return found?.kind === 'index' && found.constraint && found.on === object.oid ? found : null;
}

/** The foreign keys that go with the key and others of the same columns; 2BP01 when there are such and CASCADE was not said. */
function without(
  engine: TidemarkEngine,
  { relation, name: table }: RelationObject,
  { name, cascade }: DropConstraint,
  others: string[],
  index: IndexObject | null,
  session: SessionContext,
): Reference[] {
  const references = referencesToKey(engine, relation, index?.columns ?? (relation.key as number[]), [...others, name]);
  for (const { table: user } of references) checkNotOthers(engine, `table ${user.name}`, user.oid, session);
  const dependents = foreignKeysOn(`index ${name}`, references);
  if (!cascade && dependents.length > 0) throw stillDependent(`constraint ${name} on table ${table}`, dependents);
  tellCascade(dependents, session);
  return references;
}

function checkUnread({ catalog }: TidemarkEngine, { oid }: RelationObject): void {
  if (catalog.dependents([oid]).every(({ kind }) => kind === 'index' || kind === 'sequence')) return;
  throw unsupported('DROP CONSTRAINT of the primary key of a table that views, sinks or subscriptions read');
}

function dropPrimary(engine: TidemarkEngine, { relation, comments }: RelationObject): void {
  const key = relation.key as number[];
  delete comments?.['primary key'];
  delete comments?.['primary index'];
  relation.key = null;
  relation.indexes = relation.indexes.filter((columns) => columns !== key);
  dropUnused(engine, relation.oid, key);
}

/** To be called when the object is out of the catalog or goes out of it. */
export function dropIndex(engine: TidemarkEngine, index: IndexObject): void {
  engine.catalog.remove(index.oid);
  const relation = engine.catalog.relationByOid(index.on);
  if (relation === null) return;
  if (index.computed !== undefined) {
    relation.computed = relation.computed?.filter(({ oid }) => oid !== index.oid);
    engine.loop.relations.get(index.on)?.removeComputed(index.oid);
    return;
  }
  relation.indexes = withoutIndex(relation, index.columns);
  dropUnused(engine, index.on, index.columns);
}

/** The indexes without one of these columns: another index or constraint may have the same. */
export function withoutIndex({ indexes, key }: Relation, columns: number[]): number[][] {
  const its = indexes.findIndex((c) => c !== key && c.join() === columns.join());
  return indexes.filter((_, i) => i !== its);
}

/** The rows of relations that share them keep an index that one of these has. */
export function dropUnused({ catalog, loop }: TidemarkEngine, oid: number, columns: number[]): void {
  const isUsed = (other: number) => {
    return catalog.relationByOid(other)?.indexes.some((its) => its.join() === columns.join());
  };
  if (!loop.sharing(oid).some(isUsed)) loop.dropIndex(oid, columns);
}
