/**
 * Open objects: what a transaction has made that has not ended (Catalog.open). Its own session alone finds them, by a mark in its search path (operators/expr/search_path.ts); their
 * names are taken for all. What it drops (Catalog.going) it alone does not find any more, until it commits (drop_at_commit.ts), and what it has renamed or changed otherwise (Catalog.pending) is so
 * for it alone (rename_at_commit.ts, change_at_commit.ts, alter_at_commit.ts). What else it does to anything is done at once, and stays.
 */
import { KIND_NAMES } from '../catalog/objects.ts';
import { inUse, isAnother } from '../catalog/staying.ts';
import { settingsOf } from '../durable/journal.ts';
import type { DefinitionRecord } from '../durable/records.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';

/** 55P03 for what another transaction, which has not ended, has made, dropped or renamed; PostgreSQL would wait. `what`: as the error calls it. */
export function checkNotOthers(engine: TidemarkEngine, what: string, oid: number, session: SessionContext): void {
  const { catalog } = engine;
  if (!catalog.hasOpen) return;
  const isOthers = (by: number | undefined) => isAnother(by, session.searchPath);
  // What the log says was allowed.
  const isLive = engine.replay === null;
  const does = isOthers(catalog.open.get(oid))
    ? 'made'
    : isLive && isOthers(catalog.going.get(oid))
      ? 'dropped'
      : isLive && isOthers(catalog.pending.giver(oid))
        ? 'renamed'
        : null;
  if (does !== null) throw inUse(what, does);
}

/** The same of what is about to be dropped or changed, which another transaction may have changed. `oid`: 0: the database. */
export function checkUnchanged(engine: TidemarkEngine, what: string, oid: number, session: SessionContext): void {
  checkNotOthers(engine, what, oid, session);
  const by = engine.replay === null ? engine.catalog.pending.changer(oid) : undefined;
  if (isAnother(by, session.searchPath)) throw inUse(what, 'changed');
}

/** As engine.defined(), of what a transaction does to something of before for itself alone until it commits. */
export function definedAlone(
  engine: TidemarkEngine,
  what: Omit<DefinitionRecord, 'settings' | 'now' | 'open'>,
  transaction: number,
  session: SessionContext,
  reads: number[] = [],
): void {
  const record = { ...what, open: transaction, settings: settingsOf(session.evalContext, session.searchPath) };
  engine.definitions.add({ ...record, now: '0' }, reads);
  engine.journal?.definedAlone(engine.loop, record);
  session.done?.();
}

/** Says what ROLLBACK will not take back: what the statement does to objects, schemas and roles that were there before the transaction, or before its last savepoint. */
export function tellLeft(engine: TidemarkEngine, oids: number[], session: SessionContext): void {
  if (engine.replay !== null) return;
  const transaction = engine.transactionOf(session);
  const left = oids.find((oid) => transaction.leaves(oid, session));
  if (left === undefined) return;
  const since = transaction.hasSavepoint ? 'savepoint' : 'transaction';
  tell(session, `${nameOf(engine, left)} was there before the ${since}: what is done to it is done at once`);
}

/** The same of what is no object that could be open: `what` is done, "role "r" is made". */
export function tellDone(engine: TidemarkEngine, what: string, session: SessionContext): void {
  if (engine.replay === null && engine.transactionOf(session).leaves(0, session)) tell(session, `${what} at once`);
}

function tell(session: SessionContext, message: string): void {
  session.notice('WARNING', '01000', message, {
    detail: 'Neither ROLLBACK nor an error that comes later undoes it.',
  });
}

function nameOf({ catalog }: TidemarkEngine, oid: number): string {
  const object = catalog.get(oid);
  if (object !== undefined) return `${KIND_NAMES[object.kind]} "${object.name}"`;
  const role = catalog.roles.get(oid);
  if (role !== undefined) return `role "${role.name}"`;
  return `schema "${catalog.schemaNamed(oid)}"`;
}
