/**
 * ALTER TABLE, STREAM, VIEW, MATERIALIZED VIEW, INDEX: other names, keys, NOT NULL, defaults; columns are in alter_columns.ts. All actions of a statement are checked before the first is done.
 *
 * The statement is kept and logged as CREATE is (kept_definitions.ts): done again in its place it gives the same catalog. Its OID is that of the first
 * index or sequence that it makes, so that this gets it again; of one that makes none the relation's.
 */

import { SqlError, unsupported } from '../../operators/errors.ts';
import { turn } from '../../operators/turn.ts';
import type { Relation, RelationColumn } from '../../planner/catalog_reader.ts';
import type { AlterAction, CheckDef, ForeignKeyDef, Statement } from '../../planner/parse/ast.ts';
import { inOrderOfNames } from '../catalog/constraint_order.ts';
import {
  type CatalogObject,
  type CheckConstraint,
  type ColumnDefault,
  type ForeignKey,
  KIND_NAMES,
  type RelationObject,
} from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { checkOwner } from './access.ts';
import { inOrder } from './action_order.ts';
import { checkConstraint, checkRows, withCheck } from './check_constraint.ts';
import { alterIdentity } from './column_sequence.ts';
import { addUnique, checkKey, keyColumns, uniqueConstraint } from './create_index.ts';
import { columnDefault, namedInLiterals } from './default_value.ts';
import { dropConstraint } from './drop_constraint.ts';
import type { TidemarkEngine } from './engine.ts';
import { type ConstraintsThere, foreignKey } from './foreign_key.ts';
import { columnNamed, isFree, objectNamed, pathOfParts } from './names.ts';
import { containsNull } from './not_null.ts';
import { changeOwner } from './owners.ts';
import { checkForeignKey } from './references.ts';
import { renameObject } from './rename.ts';
import { renameColumn } from './rename_column.ts';
import { renameConstraint } from './rename_constraint.ts';
import { bindAlone } from './row_expression.ts';
import { setSchema } from './set_schema.ts';
import type { StoredRelation } from './stored_relation.ts';
import { namedInSyntax } from './type_users.ts';

export type AlterRelation = Extract<Statement, { k: 'alter_relation' }>;
export type Apply = () => void;

/** What the actions before this one of the same statement will have done. */
export interface Planned {
  /** The statement changes no columns. */
  alone: boolean;
  names: string[];
  /** Names of keys that it drops. */
  gone: string[];
  key: number[] | null;
  columns: RelationColumn[];
  defaults: (ColumnDefault | null)[];
  checks: CheckConstraint[];
  foreignKeys: ForeignKey[];
  indexes: number[][];
  /** The rows that are looked at. */
  stored: StoredRelation | undefined;
  /** What looks through them, when all that the statement names is there: first for NULLs, then by CHECKs and foreign keys, as in PostgreSQL. */
  looks: (() => void)[];
}

export function alterRelation(
  engine: TidemarkEngine,
  statement: AlterRelation,
  session: SessionContext,
  signal: AbortSignal,
): void {
  const object = found(engine, statement, session);
  if (object === null) return;
  const made = engine.catalog.nextOid;
  const planned = nothingPlanned(object, engine.loop.relations.get(object.oid));
  const applies = turn.of(signal, () => {
    const prepared = inOrder(statement.actions).map((action) =>
      prepareAction(engine, object, action, planned, statement, session),
    );
    if (engine.replay === null) for (const look of planned.looks) look();
    return prepared;
  });
  const referenced = planned.foreignKeys.map(({ references }) => references);
  const schemas = statement.actions.flatMap((action) => {
    return action.k === 'set_schema' ? [engine.catalog.schemaOid(action.schema, session.searchPath)] : [];
  });
  const reads = [
    object.oid,
    ...schemas,
    ...referenced,
    ...namedInLiterals(engine, statement.actions, session),
    ...namedInSyntax(engine, statement.actions, session.searchPath),
  ];
  for (const apply of applies) apply?.();
  const oid = engine.catalog.nextOid === made ? object.oid : made;
  engine.defined({ sql: statement.text, made: oid, dropped: [], altered: object.oid }, session, [
    ...reads,
    ...defaultSequences(object),
  ]);
}

/** Also those that the statement made: one may be dropped without the table. */
export function defaultSequences(object: CatalogObject): number[] {
  return 'defaults' in object ? object.defaults.flatMap((value) => value?.sequences ?? []) : [];
}

/** `stored`: the rows that are looked at. */
export function nothingPlanned(object: CatalogObject, stored: StoredRelation | undefined): Planned {
  const columns = 'relation' in object ? object.relation.columns.map((column) => ({ ...column })) : [];
  const defaults = 'defaults' in object ? [...object.defaults] : [];
  const checks = 'checks' in object ? object.checks : [];
  const foreignKeys = 'foreignKeys' in object ? object.foreignKeys : [];
  const there = { columns, defaults, checks, foreignKeys };
  return { alone: true, names: [], gone: [], key: null, ...there, indexes: [], stored, looks: [] };
}

/** What the statement names; null, with a notice, when it is not there and IF EXISTS was said. */
export function found(engine: TidemarkEngine, statement: AlterRelation, session: SessionContext): CatalogObject | null {
  const { kind, name, actions } = statement;
  const object = objectNamed(engine, statement, session);
  // As in PostgreSQL any word will do for columns.
  if (object !== null) checkOwner(engine, object, session);
  if (object === null || actions[0].k === 'rename_column') return object;
  const fits = kind === 'table' ? object.kind !== 'sink' && object.kind !== 'subscription' : object.kind === kind;
  if (!fits) throw new SqlError('42809', `"${name}" is not ${kind === 'index' ? 'an' : 'a'} ${KIND_NAMES[kind]}`);
  return object;
}

/** Checks an action and gives what does it; null when there is nothing to do. */
export function prepareAction(
  engine: TidemarkEngine,
  object: CatalogObject,
  action: AlterAction,
  planned: Planned,
  { text }: AlterRelation,
  session: SessionContext,
): Apply | null {
  switch (action.k) {
    case 'rename':
      return () => renameObject(engine, object, action.to, session);
    case 'set_schema':
      return setSchema(engine, object, action.schema, session);
    case 'rename_column':
      return () => renameColumn(engine, object, action.column, action.to, session);
    case 'rename_constraint':
      return renameConstraint(engine, ownTable(object), action, session);
    case 'change_owner':
      return changeOwner(engine, object, action.owner, session);
    case 'no_effect':
    case 'add_column':
    case 'drop_column':
    case 'alter_type':
      return null;
    case 'add_key':
      return addKey(engine, ownTable(object), action, planned, text, session);
    case 'add_check':
      return addCheck(engine, ownTable(object), action.check, planned, text, session);
    case 'add_foreign_key':
      return addForeignKey(engine, ownTable(object), action.foreignKey, planned, session);
    case 'drop_constraint':
      return dropConstraint(engine, ownTable(object), action, planned, session);
    case 'validate_constraint':
      return validate(engine, ownTable(object), action.name, planned, session);
    case 'set_not_null':
      return setNotNull(engine, ownTable(object), action.column, action.notNull, planned);
    case 'set_default':
      return setDefault(engine, ownTable(object), action.column, action.value, planned, text, session);
    case 'add_identity':
    case 'set_identity':
    case 'drop_identity': {
      const table = ownTable(object);
      return alterIdentity(engine, table, columnNamed(table.relation, action.column), action, planned, text, session);
    }
  }
}

/** A table whose rows are written by statements. `action`: as PostgreSQL names what is wanted of its columns. */
export function ownTable(object: CatalogObject, action?: string): RelationObject {
  if (object.kind !== 'table') {
    if (action === undefined) throw new SqlError('42809', `"${object.name}" is not a table`);
    throw new SqlError('42809', `ALTER action ${action} cannot be performed on relation "${object.name}"`, {
      detail: `This operation is not supported for ${KIND_NAMES[object.kind]}${object.kind === 'index' ? 'e' : ''}s.`,
    });
  }
  if (object.source !== null) throw unsupported('altering the columns and keys of a table with a connector');
  return object;
}

/** What a constraint is made beside. */
function constraintsThere(
  { catalog }: TidemarkEngine,
  { relation, emptied }: RelationObject,
  planned: Planned,
): ConstraintsThere {
  const own = [...planned.checks, ...planned.foreignKeys];
  const names = [...own, ...catalog.uniqueKeys(relation)].map(({ name }) => name);
  return {
    names: [...names.filter((name) => !planned.gone.includes(name)), ...planned.names],
    numbers: own.map(({ number }) => number),
    keys: planned.indexes,
    emptied: emptied === true,
  };
}

function alreadyThere(name: string, { name: table }: RelationObject): SqlError {
  return new SqlError('42710', `constraint "${name}" for relation "${table}" already exists`);
}

function addKey(
  engine: TidemarkEngine,
  object: RelationObject,
  { primary, key }: Extract<AlterAction, { k: 'add_key' }>,
  planned: Planned,
  text: string,
  session: SessionContext,
): Apply {
  const { relation } = object;
  if (!primary) {
    const others = [...planned.checks, ...planned.foreignKeys].map(({ name }) => name);
    if (key.name !== null && others.includes(key.name)) throw alreadyThere(key.name, object);
    const constraint = uniqueConstraint(engine, relation, key, text, planned, session);
    planned.names.push(constraint.name);
    planned.indexes.push(constraint.columns);
    if (engine.replay === null) checkKey(planned.stored, relation, constraint, session);
    return () => addUnique(engine, relation, constraint);
  }
  const name = `${relation.name}_pkey`;
  if ((relation.key !== null && !planned.gone.includes(name)) || planned.key !== null) {
    throw new SqlError('42P16', `multiple primary keys for table "${relation.name}" are not allowed`);
  }
  const columns = keyColumns(relation.columns, key.columns);
  if (
    planned.names.includes(name) ||
    !isFree(engine, relation.schema, name, pathOfParts(engine, relation.oid, session))
  ) {
    throw new SqlError('42P07', `relation "${name}" already exists`);
  }
  planned.names.push(name);
  planned.key = columns;
  planned.indexes.push(columns);
  for (const column of columns) {
    if (relation.columns[column].notNull && !planned.columns[column].notNull) {
      throw new SqlError('42P16', `primary key column "${relation.columns[column].name}" is not marked NOT NULL`);
    }
    checkNoNull(engine, relation, column, planned.stored);
    planned.columns[column].notNull = true;
  }
  if (engine.replay === null) checkKey(planned.stored, relation, { columns, name }, session);
  return () => {
    for (const column of columns) relation.columns[column].notNull = true;
    relation.key = columns;
    relation.indexes = [...relation.indexes, columns];
    engine.loop.addIndex(relation.oid, columns);
    engine.loop.relations.get(relation.oid)?.storeBy(columns);
    engine.catalog.version++;
  };
}

function addCheck(
  engine: TidemarkEngine,
  object: RelationObject,
  definition: CheckDef,
  planned: Planned,
  text: string,
  session: SessionContext,
): Apply {
  const { relation } = object;
  const there = constraintsThere(engine, object, planned);
  if (definition.name !== null && there.names.includes(definition.name)) throw alreadyThere(definition.name, object);
  const check = checkConstraint(engine, relation, definition, text, there, session);
  planned.checks = withCheck(planned.checks, check);
  if (check.valid) planned.looks.push(() => checkRows(planned.stored, relation, check, session));
  return () => {
    object.checks = withCheck(object.checks, check);
    // One that has gone may have had its number.
    delete object.comments?.[`constraint ${check.number}`];
    engine.loop.constrained(relation.oid);
    engine.catalog.version++;
  };
}

function addForeignKey(
  engine: TidemarkEngine,
  object: RelationObject,
  definition: ForeignKeyDef,
  planned: Planned,
  session: SessionContext,
): Apply {
  const { relation } = object;
  const key = foreignKey(engine, relation, definition, constraintsThere(engine, object, planned), session);
  planned.foreignKeys = inOrderOfNames([...planned.foreignKeys, key]);
  if (key.valid) planned.looks.push(() => checkForeignKey(engine, relation, key, planned.stored, session));
  return () => {
    object.foreignKeys = inOrderOfNames([...object.foreignKeys, key]);
    delete object.comments?.[`constraint ${key.number}`];
    engine.loop.constrained(relation.oid);
    engine.catalog.version++;
  };
}

function validate(
  engine: TidemarkEngine,
  object: RelationObject,
  name: string,
  planned: Planned,
  session: SessionContext,
): Apply {
  const check = planned.checks.find((other) => other.name === name);
  const key = planned.foreignKeys.find((other) => other.name === name);
  if (key !== undefined) {
    if (!key.valid) planned.looks.push(() => checkForeignKey(engine, object.relation, key, planned.stored, session));
    return () => {
      key.valid = true;
      engine.catalog.version++;
    };
  }
  if (check === undefined) {
    throw new SqlError('42704', `constraint "${name}" of relation "${object.name}" does not exist`);
  }
  if (!check.valid) planned.looks.push(() => checkRows(planned.stored, object.relation, check, session));
  return () => {
    check.valid = true;
    engine.catalog.version++;
  };
}

function checkNoNull({ replay }: TidemarkEngine, relation: Relation, column: number, stored?: StoredRelation): void {
  if (relation.columns[column].notNull || replay !== null) return;
  if (stored?.hasNull(column)) throw containsNull(relation, column);
}

/** Plans of views may count on what is NOT NULL; what is no longer so has to have no view. */
function setNotNull(
  engine: TidemarkEngine,
  object: RelationObject,
  name: string,
  notNull: boolean,
  planned: Planned,
): Apply {
  const { relation } = object;
  const column = columnNamed(relation, name);
  if (!notNull) checkNoIdentity(relation.name, planned.columns[column]);
  if (notNull) planned.looks.push(() => checkNoNull(engine, relation, column, planned.stored));
  else if (relation.columns[column].notNull) {
    if (relation.key?.includes(column)) throw new SqlError('42P16', `column "${name}" is in a primary key`);
    const readers = engine.catalog.dependents([relation.oid]);
    if (readers.some(({ kind }) => kind !== 'index' && kind !== 'sequence')) {
      throw unsupported('DROP NOT NULL on a table that views, sinks or subscriptions read');
    }
  }
  planned.columns[column].notNull = notNull;
  return () => {
    relation.columns[column].notNull = notNull;
    if (!notNull) delete object.comments?.[`not null ${column}`];
    engine.loop.constrained(relation.oid);
    engine.catalog.version++;
  };
}

function setDefault(
  engine: TidemarkEngine,
  object: RelationObject,
  name: string,
  node: Extract<AlterAction, { k: 'set_default' }>['value'],
  planned: Planned,
  text: string,
  session: SessionContext,
): Apply {
  const column = columnNamed(object.relation, name);
  const hint = node === null ? 'Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.' : undefined;
  checkNoIdentity(object.name, planned.columns[column], hint);
  if (object.relation.columns[column].generated) {
    throw new SqlError('42601', `column "${name}" of relation "${object.name}" is a generated column`, {
      hint: `Use ALTER TABLE ... ALTER COLUMN ... ${node === null ? 'DROP' : 'SET'} EXPRESSION instead.`,
    });
  }
  const target = object.relation.columns[column].type;
  const value = node === null ? null : columnDefault(engine, node, text, target, session);
  if (value !== null) {
    bindAlone(engine, value.node, text, session, { target, place: 'default' });
  }
  planned.defaults[column] = value;
  return () => {
    object.defaults[column] = value;
    engine.catalog.version++;
  };
}

function checkNoIdentity(table: string, { name, identity }: RelationColumn, hint?: string): void {
  if (identity === undefined) return;
  throw new SqlError('42601', `column "${name}" of relation "${table}" is an identity column`, { hint });
}
