/**
 * What a transaction drops stays for all others until it commits; ROLLBACK, ROLLBACK TO and any other end leave it as it was.
 *
 *   BEGIN; DROP TABLE t CASCADE     its own session finds t and the view v over it no more (Catalog.going); all others read and write them
 *   CREATE TABLE t                  its name is free there: two objects have it, and a search path finds one of them
 *   COMMIT                          one tick, one record of the log: the transaction's rows, what it has made is everybody's, t and v go
 *   ROLLBACK                        Catalog.going forgets them
 *
 * The log has a record of each such DROP (what the transaction makes after it may have its name, and reads what is left) and of each that is taken back. Rows that others have written to t
 * by then go with it: they came before the DROP. What others would make of t or v, or do to them, is refused with 55P03 (open_objects.ts); PostgreSQL would wait. What comes to need them in
 * another way fails the COMMIT with 40001.
 */
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import { SqlError } from '../../operators/errors.ts';
import { openIn } from '../../operators/expr/search_path.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import type { CatalogObject } from '../catalog/objects.ts';
import { isInSchema, placeOf } from '../catalog/places.ts';
import { rolesIn } from '../catalog/privileges.ts';
import { replacedBefore, replacementsOf } from '../catalog/replacing.ts';
import type { DefaultAcl, Secured } from '../catalog/rights.ts';
import { rightsOf } from '../catalog/rights_seen.ts';
import { settingsOf } from '../durable/journal.ts';
import type { SessionContext } from '../engine.ts';
import { applyChanges } from './change_at_commit.ts';
import { dropOne } from './drop_one.ts';
import type { TidemarkEngine } from './engine.ts';
import { dropForeignKeys, referencesTo } from './foreign_key.ts';
import type { Closing } from './free_types.ts';
import { wordsOf } from './function_users.ts';
import { checkUnchanged } from './open_objects.ts';
import { giveNames, renamingOf } from './rename_at_commit.ts';
import { allSecurables } from './securables.ts';
import { isUsed, usesInTables } from './type_users.ts';

/** A statement of a transaction drops these objects, what needs others before that, and then schemas. */
export function pend(engine: TidemarkEngine, sql: string, oids: number[], session: SessionContext): void {
  const transaction = engine.transactionOf(session).drops(oids, session);
  engine.catalog.leave(oids, transaction);
  const settings = settingsOf(session.evalContext, session.searchPath);
  const record = { sql, made: 0, dropped: [], going: oids, open: transaction, settings };
  engine.definitions.add({ ...record, now: '0' }, []);
  engine.journal?.leaving(engine.loop, record);
  session.done?.();
}

/** A transaction has dropped these in vain. */
export function unpend(engine: TidemarkEngine, oids: number[]): void {
  const there = oids.filter((oid) => engine.catalog.going.has(oid));
  if (there.length === 0) return;
  engine.catalog.stay(there);
  engine.definitions.stay(there);
  engine.journal?.staying(engine.loop, { oids: there });
}

/** Throws when what the transaction has dropped has come to be needed by something that stays. */
export function checkStillUnneeded(engine: TidemarkEngine, oids: number[]): void {
  const { catalog } = engine;
  const isGoing = (oid: number) => catalog.going.has(oid);
  for (const oid of oids) {
    const object = catalog.get(oid);
    const schema = catalog.schemaNamed(oid);
    const inside = catalog.objects().filter((o) => isInSchema(o, schema) && !catalog.open.has(o.oid));
    const uses = object !== undefined && isUsed(object) ? usesInTables(engine, object).map(({ table }) => table) : [];
    const users = object === undefined ? inside : [...catalog.dependents([oid]), ...uses];
    const left = users.find((user) => !isGoing(user.oid));
    if (left === undefined) continue;
    const words = object === undefined ? `schema ${schema}` : wordsOf(object);
    throw new SqlError('40001', `${words}, which the transaction has dropped, has come to be needed meanwhile`, {
      detail: `${wordsOf(left)} needs it.`,
      hint: 'Run the transaction again.',
    });
  }
}

/** They go, in the turn of the tick that says so; gives what is left to do, as connections end afterwards. */
export function dropPended(engine: TidemarkEngine, oids: number[]): Closing[] {
  if (oids.length === 0) return [];
  const { catalog } = engine;
  const objects = oids.flatMap((oid) => catalog.get(oid) ?? []);
  const lost = objects.flatMap((object) => (object.kind === 'table' ? (object.lostIndexes ?? []) : []));
  for (const object of objects) dropForeignKeys(referencesTo(engine, object, objects));
  const closing = objects.map((object) => dropOne(engine, object));
  for (const oid of oids) if (catalog.schemaNamed(oid) !== undefined) catalog.dropSchema(oid);
  engine.definitions.gone(oids, lost);
  return closing;
}

/** Ends the connections of what has gone. */
export async function close(engine: TidemarkEngine, closing: Closing[]): Promise<void> {
  const ended = await Promise.allSettled(closing.map((one) => one?.()));
  for (const one of ended)
    if (one.status === 'rejected') engine.log('error', `what was dropped did not end in order: ${one.reason}`);
}

export type AlterRelation = Extract<Statement, { k: 'alter_relation' }>;

/**
 * An ALTER of what was there before is done at once, and so is what the transaction has done before that it cannot be without: the DROP of what reads the table or has a name that it is given,
 * and, as its text may say them, new names and names that others of the transaction's objects have now.
 *
 *   BEGIN; DROP VIEW v; ALTER TABLE t ALTER COLUMN a TYPE text; CREATE VIEW v AS SELECT a FROM t; COMMIT
 */
export function settle(engine: TidemarkEngine, statement: AlterRelation, session: SessionContext): void {
  const { catalog } = engine;
  const path = session.searchPath;
  if (!catalog.hasOpen || engine.replay !== null) return;
  const altered = catalog.find(statement.schema, statement.name, path);
  if (altered === undefined) return;
  const names = statement.actions.flatMap((action) => (action.k === 'rename' ? [action.to, `${action.to}_pkey`] : []));
  const schemas = statement.actions.flatMap((action) => (action.k === 'set_schema' ? [action.schema] : []));
  const isPlain = names.length + schemas.length === statement.actions.length;
  // What it makes is its owner's, and has the privileges that go with that.
  const needs = catalog.pending.rightsOf(altered.oid, path) !== undefined;
  const changed = needs || (!isPlain && catalog.pending.saysConstraints(altered.oid, path)) ? [altered.oid] : [];
  if (catalog.open.has(altered.oid)) {
    settleOwn(engine, altered.oid, session, changed, names.length + schemas.length > 0);
    return;
  }
  const taken = retaken(engine, path);
  const isInto = taken.schemas.some((oid) => schemas.includes(catalog.schemaNamed(oid) as string));
  const saysTaken = !isPlain || isInto || renamingOf(engine, openIn(path)).length > 0;
  const holds = catalog.objects().filter((object) => {
    const { oid, name, schema } = object;
    if (!catalog.isGone(oid, path)) return false;
    if (saysTaken && taken.objects.includes(object)) return true;
    return schema === altered.schema ? names.includes(name) : schemas.includes(schema) && name === altered.name;
  });
  const schemasToo = saysTaken ? taken.schemas : [];
  settleThese(engine, [...catalog.dependents([altered.oid]), ...holds], true, session, schemasToo, changed);
}

/**
 * The same of what the transaction has made itself. What it has changed of that behind a savepoint would count after what is done at once; and the text of that may say names that ROLLBACK TO
 * could take back, or give back to what was dropped, while the object stays. `isMoved`: it gets another name or schema.
 */
export function settleOwn(
  engine: TidemarkEngine,
  oid: number,
  session: SessionContext,
  changed: number[] = [],
  isMoved = false,
): void {
  const { catalog } = engine;
  if (catalog.pending.size + catalog.going.size === 0 || engine.replay !== null) return;
  const { dropped, pending } = engine.transactionOf(session).since(oid);
  const isRenamed = isMoved && catalog.pending.nameOf(oid, session.searchPath) !== undefined;
  const names = isRenamed || pending.some(({ k }) => k === 'name');
  const { objects, schemas } = retaken(engine, session.searchPath);
  const goes = (gone: number) => names || dropped.includes(gone);
  settleThese(
    engine,
    objects.filter((object) => goes(object.oid)),
    names,
    session,
    schemas.filter(goes),
    changed,
  );
}

/** The same for comments on constraints of a domain. */
export function settleDomain(engine: TidemarkEngine, { oid }: CatalogObject, session: SessionContext): void {
  if (engine.replay !== null || !engine.catalog.pending.saysConstraints(oid, session.searchPath)) return;
  settleThese(engine, [], false, session, [], [oid]);
}

/** The same for another statement that is done at once: `reads` are what it needs. */
export function settleNeeded(engine: TidemarkEngine, reads: number[], session: SessionContext): void {
  const { catalog } = engine;
  if (engine.replay !== null) return;
  if (!reads.some((oid) => catalog.open.has(oid) || catalog.pending.giver(oid) !== undefined)) return;
  const { objects, schemas } = retaken(engine, session.searchPath);
  settleThese(engine, objects, true, session, schemas);
}

/** The same for what is about to go at once, or to lose columns, with the old form of what the transaction has replaced. */
export function settleReplaced(engine: TidemarkEngine, oids: number[], session: SessionContext): void {
  const { catalog } = engine;
  if (catalog.going.size === 0 || engine.replay !== null) return;
  const replaced = catalog.dependents(oids).filter(({ oid }) => replacementsOf(catalog, [oid]).length > 0);
  settleThese(engine, replaced, false, session);
}

/** The same for what roles that go at once own, or were granted. */
export function settleOwned(engine: TidemarkEngine, roles: number[], session: SessionContext): void {
  const { catalog } = engine;
  settleRights(engine, roles, session);
  if (catalog.going.size === 0 || engine.replay !== null) return;
  const { rights } = catalog;
  const schemas = [...catalog.going.keys()].filter((oid) => {
    const place = catalog.placeOfSchemaAt(oid);
    if (place === '') return false;
    const isOf = (one: DefaultAcl) => one.schema === place && isOfRoles({ owner: one.role, acl: one.acl }, roles);
    return isOfRoles(rights.schema(place), roles) || rights.defaults.some(isOf);
  });
  const objects = catalog.objects().filter((object) => {
    const isIn = schemas.some((oid) => catalog.schemaNamed(oid) === object.schema);
    return isIn || isOfRoles(rightsOf(catalog, object, []), roles);
  });
  settleThese(engine, objects, false, session, schemas);
}

/** The same for owners and privileges that the transaction has changed, where these roles have or lose any; another's may not have changed those. */
export function settleRights(engine: TidemarkEngine, roles: number[], session: SessionContext): void {
  const { pending } = engine.catalog;
  if (pending.size === 0 || engine.replay !== null) return;
  const changed = allSecurables(engine).filter((on) => {
    const changes = pending.save().flatMap((one) => (one.oid === on.oid && one.k === 'rights' ? [one] : []));
    return changes.length > 0 && [on, ...changes].some((one) => isOfRoles(one, roles));
  });
  for (const { words, oid } of changed) checkUnchanged(engine, words, oid, session);
  const oids = changed.map(({ oid }) => oid);
  settleThese(engine, [], oids.length > 0, session, [], oids);
}

function isOfRoles({ owner, acl }: Secured, roles: number[]): boolean {
  return [owner, ...rolesIn(acl ?? [])].some((role) => roles.includes(role));
}

/** What the transaction has dropped whose name, or whose schema's name, another has for it: ROLLBACK may leave that other, as what is done at once may need it. */
function retaken({ catalog }: TidemarkEngine, path: string[]): { objects: CatalogObject[]; schemas: number[] } {
  const transaction = openIn(path);
  const schemas = [...catalog.going.keys()].filter((oid) => {
    const name = catalog.schemaNamed(oid);
    return name !== undefined && catalog.isGone(oid, path) && catalog.schemaOid(name, path) !== 0;
  });
  const inThese = new Set(schemas.map((oid) => catalog.schemaNamed(oid)));
  const places = new Set<string>();
  for (const object of catalog.there(path)) {
    const name = catalog.nameOf(object, path);
    const isOwn = catalog.open.get(object.oid) === transaction || name !== object.name;
    if (isOwn) places.add(placeOf({ ...object, name } as CatalogObject));
  }
  const objects = catalog.objects().filter((object) => {
    return catalog.isGone(object.oid, path) && (places.has(placeOf(object)) || inThese.has(object.schema));
  });
  return { objects, schemas };
}

/** What the transaction has dropped of these, with what needs it, goes now; `names`: and what it has renamed has its new name for all; `changed`: and what it has changed of these counts. */
function settleThese(
  engine: TidemarkEngine,
  objects: CatalogObject[],
  names: boolean,
  session: SessionContext,
  schemas: number[] = [],
  changed: number[] = [],
): void {
  const { catalog, journal } = engine;
  const dependents = catalog.dependents(objects.map(({ oid }) => oid));
  const all = new Set([...dependents, ...objects].map(({ oid }) => oid));
  const going = [...all, ...schemas].filter((oid) => catalog.isGone(oid, session.searchPath));
  going.push(...replacedBefore(catalog, going));
  // All have those instead.
  const shown = replacementsOf(catalog, going);
  const renaming = names || shown.length > 0 ? renamingOf(engine, openIn(session.searchPath)) : [];
  if (going.length + renaming.length + changed.length === 0) return;
  budget.makeRoom(pages.usedBytes, () => engine.publishRows(new Map()));
  engine.show(shown);
  const closing = dropPended(engine, going);
  for (const number of renaming) giveNames(engine, number);
  applyChanges(engine, changed);
  journal?.ended(engine.loop, { shown, dropped: going, renaming, changed });
  void close(engine, closing);
}
