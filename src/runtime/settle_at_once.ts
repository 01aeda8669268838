/**
 * What a statement of a transaction does at once takes with it what the transaction has done before that it cannot be without: that counts for everybody in a tick before it, and ROLLBACK leaves both.
 *
 *   BEGIN; DROP VIEW v; ALTER TABLE t ALTER COLUMN a TYPE text      v is gone for all: it reads the column
 *   BEGIN; DROP SINK s; CREATE OR REPLACE VIEW v AS ...             s is gone for all: it was computed with the old v
 *   BEGIN; REVOKE ALL ON t FROM r; DROP ROLE r                      all see that r may do nothing with t
 *
 * What of it is needed is the DROP of what is in the way, with what replaces it; new names, as texts say them; changes of comments, owners and privileges, and what else was altered of the table.
 */
import { openIn } from '../../operators/expr/search_path.ts';
import type { CatalogObject } from '../catalog/objects.ts';
import { placeOf } from '../catalog/places.ts';
import { rolesIn } from '../catalog/privileges.ts';
import { replacedBefore, replacementsOf } from '../catalog/replacing.ts';
import type { DefaultAcl, Secured } from '../catalog/rights.ts';
import { rightsOf } from '../catalog/rights_seen.ts';
import type { SessionContext } from '../engine.ts';
import { checkAlteredAlone } from './alter_at_commit.ts';
import type { AlterRelation } from './alter_relation.ts';
import type { TidemarkEngine } from './engine.ts';
import { checkUnchanged } from './open_objects.ts';
import { renamingOf } from './rename_at_commit.ts';
import { allSecurables } from './securables.ts';
import { takeEffectNow } from './take_effect.ts';

/**
 * An ALTER of what was there before which does not wait for COMMIT is done at once, and so is what the transaction has done before that it cannot be without: the DROP of what reads the table
 * or has a name that it is given, and, as its text may say them, new names and names that others of the transaction's objects have now. False where there is nothing of that.
 */
export function settle(engine: TidemarkEngine, statement: AlterRelation, session: SessionContext): boolean {
  const { catalog } = engine;
  const path = session.searchPath;
  if (!catalog.hasOpen || engine.replay !== null) return false;
  const altered = catalog.find(statement.schema, statement.name, path);
  if (altered === undefined) return false;
  const names = statement.actions.flatMap((action) => (action.k === 'rename' ? [action.to, `${action.to}_pkey`] : []));
  const schemas = statement.actions.flatMap((action) => (action.k === 'set_schema' ? [action.schema] : []));
  const isPlain = names.length + schemas.length === statement.actions.length;
  // What it makes is its owner's, and has the privileges that go with that.
  const needs = catalog.pending.rightsOf(altered.oid, path) !== undefined;
  const isAltered = catalog.pending.tableChanges(altered.oid, path).length > 0;
  const saysMore = !isPlain && catalog.pending.saysConstraints(altered.oid, path);
  const changed = needs || isAltered || saysMore ? [altered.oid] : [];
  if (catalog.open.has(altered.oid)) {
    return settleOwn(engine, altered.oid, session, changed, names.length + schemas.length > 0);
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
  return settleThese(engine, [...catalog.dependents([altered.oid]), ...holds], true, session, schemasToo, changed);
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
): boolean {
  const { catalog } = engine;
  if (catalog.pending.size + catalog.going.size === 0 || engine.replay !== null) return false;
  const { dropped, pending } = engine.transactionOf(session).since(oid);
  const isRenamed = isMoved && catalog.pending.nameOf(oid, session.searchPath) !== undefined;
  const names = isRenamed || pending.some(({ k }) => k === 'name');
  const { objects, schemas } = retaken(engine, session.searchPath);
  const goes = (gone: number) => names || dropped.includes(gone);
  return settleThese(
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

/** The same for a view or a function that gives something else at once: rows of what reads it were computed with the old one. */
export function settleUsers(engine: TidemarkEngine, { oid }: CatalogObject, session: SessionContext): void {
  const { catalog } = engine;
  if (catalog.going.size === 0 || engine.replay !== null) return;
  settleThese(engine, catalog.dependents([oid]), false, session);
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

/** What the transaction has dropped of these, with what needs it, goes now; `names`: and what it has renamed has its new name for all; `changed`: and what it has changed of these counts. False where there is nothing of that. */
function settleThese(
  engine: TidemarkEngine,
  objects: CatalogObject[],
  names: boolean,
  session: SessionContext,
  schemas: number[] = [],
  changed: number[] = [],
): boolean {
  const { catalog } = engine;
  const dependents = catalog.dependents(objects.map(({ oid }) => oid));
  const all = new Set([...dependents, ...objects].map(({ oid }) => oid));
  const going = [...all, ...schemas].filter((oid) => catalog.isGone(oid, session.searchPath));
  going.push(...replacedBefore(catalog, going));
  // All have those instead.
  const shown = replacementsOf(catalog, going);
  const renaming = names || shown.length > 0 ? renamingOf(engine, openIn(session.searchPath)) : [];
  if (going.length + renaming.length + changed.length === 0) return false;
  checkAlteredAlone(engine, changed, session.searchPath);
  takeEffectNow(engine, { shown, dropped: going, renaming, changed });
  return true;
}
