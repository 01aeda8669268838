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
import { SqlError } from '../../operators/errors.ts';
import { isInSchema } from '../catalog/places.ts';
import type { SessionContext } from '../engine.ts';
import { dropOne } from './drop_one.ts';
import type { TidemarkEngine } from './engine.ts';
import { dropForeignKeys, referencesTo } from './foreign_key.ts';
import type { Closing } from './free_types.ts';
import { wordsOf } from './kept_users.ts';
import { definedAlone } from './open_objects.ts';
import { isUsed, usesInTables } from './type_users.ts';

/** A statement of a transaction drops these objects, what needs others before that, and then schemas. */
export function pend(engine: TidemarkEngine, sql: string, oids: number[], session: SessionContext): void {
  const transaction = engine.transactionOf(session).drops(oids, session);
  engine.catalog.leave(oids, transaction);
  definedAlone(engine, { sql, made: 0, dropped: [], going: oids }, transaction, session);
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
