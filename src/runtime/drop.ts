/** DROP: objects and what must go with them, in one turn. */
import { SqlError } from '../../operators/errors.ts';
import { isTemporary } from '../../operators/expr/search_path.ts';
import type { FunctionName, Statement } from '../../planner/parse/ast.ts';
import { strings } from '../../planner/parse/node_fields.ts';
import { typeByName } from '../../planner/types/catalog.ts';
import { formatType } from '../../planner/types/type_name.ts';
import { forDrop } from '../catalog/for_drop.ts';
import { type CatalogObject, isDomain, KIND_NAMES, type ObjectKind } from '../catalog/objects.ts';
import { isInSchema } from '../catalog/places.ts';
import type { SessionContext } from '../engine.ts';
import { checkDroppable, checkOwnerOf } from './access.ts';
import { pendAlter } from './alter_at_commit.ts';
import { alterColumns, altersColumns } from './alter_columns.ts';
import { functionNamed } from './alter_function.ts';
import { type AlterRelation, alterRelation } from './alter_relation.ts';
import { usersOf } from './default_value.ts';
import { type Dependent, defaultsOn, foreignKeysOn, stillDependent, tellCascade } from './dependents.ts';
import { pend } from './drop_at_commit.ts';
import { dropOne } from './drop_one.ts';
import type { TidemarkEngine } from './engine.ts';
import { isBuiltIn } from './extensions.ts';
import { dropForeignKeys, referencesTo } from './foreign_key.ts';
import { type Closing, freeTypes, usesOf } from './free_types.ts';
import { wordsOf } from './kept_users.ts';
import { changeOnlyOwner } from './only_owner.ts';
import { checkUnchanged, tellDone, tellLeft } from './open_objects.ts';
import { identityOwner } from './owned_sequences.ts';
import { pendRename } from './rename_at_commit.ts';
import { checkUnread } from './replication_slots.ts';
import { schemaSecurable } from './securables.ts';
import { settle, settleReplaced } from './settle_at_once.ts';
import { indexesSaying, isUsed, type Used, usersOfType, usesInTables } from './type_users.ts';

export type Drop = Extract<Statement, { k: 'drop' }>;

export async function drop(
  engine: TidemarkEngine,
  statement: Drop,
  session: SessionContext,
  signal: AbortSignal,
): Promise<void> {
  if (statement.kind === 'schema') {
    await dropSchemas(engine, statement, session, signal);
    return;
  }
  const { kind: said } = statement;
  const kind: ObjectKind = said === 'source' ? 'stream' : said === 'domain' ? 'type' : said;
  const found: CatalogObject[] = [];
  for (const { schema, name, args } of statement.names) {
    if (kind === 'function') {
      const object = functionToDrop(engine, { schema, name, args: args ?? null }, statement.ifExists, session);
      if (object !== null) {
        checkDroppable(engine, object, session);
        found.push(object);
      }
      continue;
    }
    if (kind === 'type') checkNotBuiltIn(schema, name, said);
    if (kind === 'extension') checkNotOurs(name);
    if (kind === 'slot') checkUnread(engine.replication, name);
    const object = forDrop(engine.catalog, kind, { schema, name }, session.searchPath, statement.ifExists);
    if (object === null) session.notice('NOTICE', '00000', `${KIND_NAMES[kind]} "${name}" does not exist, skipping`);
    else if (said === 'domain' && !isDomain(object)) throw new SqlError('42809', `"${name}" is not a domain`);
    else {
      checkDroppable(engine, object, session);
      found.push(object);
    }
  }
  for (const object of found) checkNotRequired(engine, object, found);
  const types = withDomains(engine, found.filter(isUsed));
  if (!statement.cascade) for (const type of found.filter(isUsed)) checkUnused(engine, type, found, session);
  const closing: Closing[] = [];
  let endRun: (() => void) | null = null;
  try {
    while (usesOf(engine, types, [], session).length > 0) {
      endRun?.();
      endRun = await freeTypes(engine, types, [], (object) => dropOne(engine, object), closing, session, signal);
    }
    const lost = types.find(({ oid }) => engine.catalog.get(oid) === undefined);
    if (lost !== undefined) throw new SqlError('42704', `${KIND_NAMES[lost.kind]} "${lost.name}" does not exist`);
    const gone = removable(engine, found, statement.cascade, session);
    closing.push(...remove(engine, gone, statement, session, [], endRun !== null));
  } finally {
    endRun?.();
    for (const close of closing) await close?.();
  }
}

/** 2BP01 when something that is neither among these objects nor part of them needs one of them, or is in one of the schemas. */
export function checkUnneeded(
  engine: TidemarkEngine,
  found: CatalogObject[],
  schemas: string[],
  session: SessionContext,
): void {
  for (const schema of schemas) {
    const inside = engine.catalog
      .there(session.searchPath)
      .filter((o) => isInSchema(o, schema) && o.kind !== 'index' && !found.includes(o));
    const on = `schema ${schema}`;
    if (inside.length > 0)
      throw stillDependent(
        on,
        inside.map((object) => ({ text: wordsOf(object), on })),
      );
  }
  for (const type of found.filter(isUsed)) {
    const on = wordsOf(type);
    const users = usesInTables(engine, type, session.searchPath).filter(({ table }) => !found.includes(table));
    if (users.length > 0)
      throw stillDependent(
        on,
        users.map(({ text }) => ({ text, on })),
      );
  }
  removable(engine, found, false, session);
}

/** Null when it is not there and that was allowed. */
function functionToDrop(
  engine: TidemarkEngine,
  named: FunctionName,
  ifExists: boolean,
  session: SessionContext,
): CatalogObject | null {
  try {
    return functionNamed(engine, named, session);
  } catch (error) {
    const isMissing = error instanceof SqlError && ['42883', '42704', '3F000'].includes(error.sqlstate);
    if (!ifExists || !isMissing) throw error;
    const types =
      named.args?.map(({ names, arrayBounds }) => strings(names).join('.') + (arrayBounds ? '[]' : '')) ?? [];
    const path = named.schema === undefined ? named.name : `${named.schema}.${named.name}`;
    session.notice('NOTICE', '00000', `function ${path}(${types.join(',')}) does not exist, skipping`);
    return null;
  }
}

function checkNotBuiltIn(schema: string | undefined, name: string, said: Drop['kind']): void {
  const type = typeByName(schema, name);
  if (type === undefined) return;
  if (said === 'domain' && type.kind !== 'd') throw new SqlError('42809', `"${name}" is not a domain`);
  throw new SqlError('2BP01', `cannot drop type ${formatType(type.oid)} because it is required by the database system`);
}

function checkNotOurs(name: string): void {
  if (isBuiltIn(name))
    throw new SqlError('2BP01', `cannot drop extension ${name} because it is required by the database system`);
}

/** 2BP01 when something uses it. */
function checkUnused(
  engine: TidemarkEngine,
  object: Used,
  found: CatalogObject[],
  { searchPath }: SessionContext,
): void {
  const names = found.map(({ kind, name }) => `${KIND_NAMES[kind]} ${name}`);
  // As PostgreSQL, with what needs what needs it.
  const users = [...withDomains(engine, [object])]
    .reverse()
    .flatMap((type) => usersOfType(engine, type, searchPath))
    .filter(({ text }) => !names.includes(text));
  if (users.length > 0) throw stillDependent(wordsOf(object), users);
}

/** With the domains that go with them. */
function withDomains(engine: TidemarkEngine, types: Used[]): Used[] {
  const over = engine.catalog.dependents(types.map(({ oid }) => oid)).filter(isDomain);
  return [...new Set([...over, ...types])];
}

const SETTLED_IN_VAIN = 'the statement failed, but what it needed of what the transaction did before is done';

/** ALTER of a relation: what it drops goes as by DROP. */
export async function alter(
  engine: TidemarkEngine,
  statement: AlterRelation,
  session: SessionContext,
  signal: AbortSignal,
): Promise<void> {
  if (pendRename(engine, statement, session) || changeOnlyOwner(engine, statement, session)) return;
  if (pendAlter(engine, statement, session, signal)) return;
  const settled = settle(engine, statement, session);
  try {
    if (!altersColumns(statement)) alterRelation(engine, statement, session, signal);
    else await alterColumns(engine, statement, session, signal, (object) => dropOne(engine, object));
  } catch (error) {
    if (settled) tellDone(engine, SETTLED_IN_VAIN, session);
    throw error;
  }
}

/** An index of a constraint, or a sequence of an identity column, goes with its table alone. */
function checkNotRequired(engine: TidemarkEngine, object: CatalogObject, found: CatalogObject[]): void {
  const identity = object.kind === 'sequence' ? identityOwner(engine, object) : null;
  if (identity !== null && !found.includes(identity.table)) {
    const { name, relation } = identity.table;
    const column = `column ${relation.columns[identity.column].name} of table ${name}`;
    throw new SqlError('2BP01', `cannot drop sequence ${object.name} because ${column} requires it`, {
      hint: `You can drop ${column} instead.`,
    });
  }
  if (object.kind !== 'index' || !object.constraint) return;
  const table = engine.catalog.get(object.on);
  if (table === undefined || found.includes(table)) return;
  throw new SqlError(
    '2BP01',
    `cannot drop index ${object.name} because constraint ${object.name} on table ${table.name} requires it`,
  );
}

async function dropSchemas(
  engine: TidemarkEngine,
  statement: Drop,
  session: SessionContext,
  signal: AbortSignal,
): Promise<void> {
  const schemas: string[] = [];
  const inside = (name: string) =>
    engine.catalog.there(session.searchPath).filter((object) => isInSchema(object, name));
  for (const { name } of statement.names) {
    // The session goes on with it.
    if (isTemporary(name) && session.useTemporary !== undefined)
      throw new SqlError('0A000', `cannot drop the schema of a session's temporary objects "${name}"`, {
        hint: 'DISCARD TEMP drops what is in it.',
      });
    if (!engine.catalog.seesSchema(name, session.searchPath)) {
      if (!statement.ifExists) throw new SqlError('3F000', `schema "${name}" does not exist`);
      session.notice('NOTICE', '00000', `schema "${name}" does not exist, skipping`);
      continue;
    }
    checkOwnerOf(engine, schemaSecurable(engine, name, session.searchPath), session);
    if (inside(name).length > 0 && !statement.cascade) {
      const what = `schema ${name}`;
      throw stillDependent(
        what,
        inside(name).map((object) => ({ text: wordsOf(object), on: what })),
      );
    }
    schemas.push(name);
  }
  const types = () => withDomains(engine, schemas.flatMap(inside).filter(isUsed));
  const closing: Closing[] = [];
  let endRun: (() => void) | null = null;
  try {
    while (usesOf(engine, types(), schemas, session).length > 0) {
      endRun?.();
      endRun = await freeTypes(engine, types(), schemas, (object) => dropOne(engine, object), closing, session, signal);
    }
    const oidOf = (name: string) => engine.catalog.schemaOid(name, session.searchPath);
    const lost = schemas.find((name) => oidOf(name) === 0);
    if (lost !== undefined) throw new SqlError('3F000', `schema "${lost}" does not exist`);
    const gone = schemas.flatMap((name) => removable(engine, inside(name).reverse(), true, session));
    closing.push(...remove(engine, [...new Set(gone)], statement, session, schemas.map(oidOf), endRun !== null));
  } finally {
    endRun?.();
    for (const close of closing) await close?.();
  }
}

/** The objects and what must go with them, dependents first; 2BP01 when there is such and CASCADE was not said. */
function removable(
  engine: TidemarkEngine,
  objects: CatalogObject[],
  cascade: boolean,
  session: SessionContext,
): CatalogObject[] {
  const named = new Set(objects.map((o) => o.oid));
  const isGone = ({ oid }: CatalogObject) => engine.catalog.isGone(oid, session.searchPath);
  const dependents = engine.catalog.dependents([...named]).filter((o) => !named.has(o.oid) && !isGone(o));
  const indexes = objects
    .filter(isUsed)
    .flatMap((type) => indexesSaying(engine, type))
    .filter((index) => !named.has(index.oid) && !dependents.includes(index) && !isGone(index));
  const gone = [...new Set(indexes), ...dependents, ...[...objects].reverse()];
  const on = objects.length === 0 ? '' : wordsOf(objects[0]);
  const relations = [...new Set(indexes), ...dependents.filter((o) => o.kind !== 'index' && o.kind !== 'sequence')].map(
    (o) => ({ text: wordsOf(o), on }),
  );
  const others = [...defaultsWithout(engine, gone, session), ...foreignKeysWithout(engine, gone, session)];
  const users = gone.flatMap((object) => [
    object,
    ...(object.kind === 'sequence' ? usersOf(engine, object.oid) : [])
      .map(({ table }) => table)
      .filter((t) => !isGone(t)),
    ...referencesTo(engine, object, gone, session.searchPath).map(({ table }) => table),
  ]);
  for (const user of users) checkUnchanged(engine, wordsOf(user), user.oid, session);
  if (!cascade && relations.length + others.length > 0) throw stillDependent(on, [...relations.reverse(), ...others]);
  tellCascade([...relations, ...others], session);
  return gone;
}

/** Defaults of columns that stay, and need a sequence that goes. */
function defaultsWithout(engine: TidemarkEngine, gone: CatalogObject[], { searchPath }: SessionContext): Dependent[] {
  return gone.flatMap((object) => {
    if (object.kind !== 'sequence') return [];
    return defaultsOn(
      engine,
      object,
      (table) => !gone.includes(table) && !engine.catalog.isGone(table.oid, searchPath),
    );
  });
}

/** Foreign keys of tables that stay, and reference a table that goes. */
function foreignKeysWithout(
  engine: TidemarkEngine,
  gone: CatalogObject[],
  { searchPath }: SessionContext,
): Dependent[] {
  const needing = gone.flatMap((object) => {
    // What an index is needed for its table is, too.
    if (object.kind === 'index' && gone.some(({ oid }) => oid === object.on)) return [];
    const references = referencesTo(engine, object, gone, searchPath).filter(({ table }) => {
      return gone.every(({ oid }) => oid !== table.oid);
    });
    references.sort((a, b) => a.table.oid - b.table.oid || a.key.number - b.key.number);
    return foreignKeysOn(wordsOf(object), references);
  });
  // Two keys of the same columns may go.
  return needing.filter(({ text }, i) => needing.findIndex((other) => other.text === text) === i);
}

/**
 * Takes objects (and schemas, by OID) away in one turn, so that no tick sees half of it; gives what is left to do, as connections end afterwards. In a transaction they stay for all others
 * until it commits, unless it has made all of them since its last savepoint, or `atOnce`: what was done to tables that stay cannot be taken back.
 */
function remove(
  engine: TidemarkEngine,
  objects: CatalogObject[],
  statement: Drop,
  session: SessionContext,
  schemas: number[] = [],
  atOnce = false,
): Closing[] {
  const { catalog } = engine;
  const oids = [...objects.map(({ oid }) => oid), ...schemas];
  const transaction = engine.transactionOf(session);
  if (!atOnce && transaction.keepsDropped(oids, session)) {
    pend(engine, statement.text, oids, session);
    return [];
  }
  tellLeft(engine, oids, session);
  // What the transaction has dropped before goes now with what it needs; what it has replaced all have anew.
  settleReplaced(engine, oids, session);
  const before = catalog.dependents(oids).filter((o) => catalog.isGone(o.oid, session.searchPath));
  const all = [...new Set([...before, ...objects])];
  const gone = all.flatMap((object) => [object.oid, ...(object.kind === 'table' ? (object.lostIndexes ?? []) : [])]);
  for (const { oid } of all) transaction.forget(oid);
  for (const object of all) dropForeignKeys(referencesTo(engine, object, all));
  const closing = all.map((object) => dropOne(engine, object));
  for (const schema of schemas) {
    gone.push(schema);
    catalog.dropSchema(schema);
  }
  if (gone.length > 0) engine.defined({ sql: statement.text, made: 0, dropped: gone }, session);
  return closing;
}
