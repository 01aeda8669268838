/**
 * Open objects: what a transaction has made that has not ended (Catalog.open). Its own session alone finds them, by a mark in its search path (operators/expr/search_path.ts); their
 * names are taken for all. What a transaction does to anything else is done at once, and stays.
 */
import { SqlError } from '../../operators/errors.ts';
import { KIND_NAMES } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';

/** 55P03 for what another transaction has made that has not ended; PostgreSQL would wait. `what`: as the error calls it. */
export function checkNotOthers({ catalog }: TidemarkEngine, what: string, oid: number, session: SessionContext): void {
  if (catalog.isSeen(oid, session.searchPath)) return;
  throw new SqlError('55P03', `${what} is being made by another transaction`, {
    hint: 'Try again when that transaction has ended.',
  });
}

/** Says what ROLLBACK will not take back: what the statement does to objects and schemas that were there before the transaction, or before its last savepoint. */
export function tellLeft(engine: TidemarkEngine, oids: number[], session: SessionContext): void {
  if (engine.replay !== null) return;
  const transaction = engine.transactionOf(session);
  const left = oids.find((oid) => transaction.leaves(oid, session));
  if (left === undefined) return;
  const object = engine.catalog.get(left);
  const schema = engine.catalog.schemas.find((name) => engine.catalog.schemaOid(name) === left);
  const what = object === undefined ? `schema "${schema}"` : `${KIND_NAMES[object.kind]} "${object.name}"`;
  const since = transaction.hasSavepoint ? 'savepoint' : 'transaction';
  session.notice('WARNING', '01000', `${what} was there before the ${since}: what is done to it is done at once`, {
    detail: 'Neither ROLLBACK nor an error that comes later undoes it.',
  });
}
