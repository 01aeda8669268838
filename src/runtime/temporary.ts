/**
 * Temporary objects: those of a schema that one session has, pg_temp_N, made with the first of them and dropped with all that is in it when the session ends.
 *
 *   CREATE TEMP TABLE t    ->  pg_temp_3.t, found before all other t by this session (search_path.ts), by no other
 *   DISCARD TEMP, the end  ->  DROP SCHEMA pg_temp_3 CASCADE
 *   a start after a crash  ->  the same, for all such schemas that there are
 *
 * To the tick log and to checkpoints they are objects like all others: tables of all sessions are made of them (CREATE TABLE AS, LIKE), and a statement that
 * is done again must find what it read. Dropping waits for nothing: its record is short, and the log has kept room for it.
 */

import { SqlError, unsupported } from '../../operators/errors.ts';
import { isTemporary, openMark, temporaryIn } from '../../operators/expr/search_path.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import { parse } from '../../planner/parse/parse.ts';
import type { CatalogObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { type Drop, drop } from './drop.ts';
import { unpend } from './drop_at_commit.ts';
import type { TidemarkEngine } from './engine.ts';
import { localSession } from './local_session.ts';
import { ownerOfNew } from './role_names.ts';
import { sessionWith } from './session_with.ts';
import type { EngineTransaction } from './transaction.ts';

/** The schema of the session's temporary objects, made when there is none. */
export function temporarySchema(engine: TidemarkEngine, session: SessionContext): string {
  const there = temporaryIn(session.searchPath);
  if (there !== undefined) return there;
  if (session.useTemporary === undefined) throw unsupported('a temporary object outside of a session');
  const { catalog } = engine;
  // By its OID: what is still under way for a session that has ended, or remembers its path, never finds another's schema under the name.
  const schema = `pg_temp_${catalog.nextOid}`;
  const made = catalog.createSchema(schema, false, ownerOfNew(engine, session));
  // What the statement is for can still be cancelled.
  const quiet = sessionWith(session, {});
  engine.defined({ sql: `CREATE SCHEMA ${schema}`, made, dropped: [] }, quiet);
  session.useTemporary(schema);
  session.onEnd?.(() => dropTemporary(engine, session));
  return schema;
}

/** Drops all temporary objects of a session; `transaction`: that in which it does so, if it goes on. */
export function dropTemporary(
  engine: TidemarkEngine,
  session: SessionContext,
  transaction: EngineTransaction | null = null,
): void {
  const schema = temporaryIn(session.searchPath);
  if (schema === undefined) return;
  session.useTemporary?.(null);
  void dropNow(engine, `SCHEMA ${schema}`, schema, transaction);
}

/** Drops those of sessions of before: a server that ended in their midst has left them. */
export async function dropLeftTemporaries(engine: TidemarkEngine): Promise<void> {
  for (const schema of engine.catalog.schemas.filter(isTemporary)) await dropNow(engine, `SCHEMA ${schema}`, schema);
}

/** ON COMMIT DROP. While the log is replayed, the record of its DROP says when. */
export function dropAtEnd(engine: TidemarkEngine, { oid }: CatalogObject, session: SessionContext): void {
  if (engine.replay !== null) return;
  engine.transactionOf(session).atEnd(() => {
    const object = engine.catalog.get(oid);
    if (object !== undefined) void dropNow(engine, `TABLE ${object.schema}.${quoteIdent(object.name)}`, object.schema);
  });
}

/** ON COMMIT DELETE ROWS. */
export function isEmptied({ catalog }: TidemarkEngine, relation: number): boolean {
  const object = catalog.get(relation);
  return object !== undefined && 'emptied' in object && object.emptied === true;
}

/** In this turn, unless a table that stays says a temporary type while columns are altered: then afterwards. Who has connections closes them later. */
function dropNow(
  engine: TidemarkEngine,
  what: string,
  schema: string,
  transaction: EngineTransaction | null = null,
): Promise<void> {
  const text = `DROP ${what} CASCADE`;
  const [statement] = parse(text);
  const { catalog } = engine;
  // Also what its open transaction has made, dropped and renamed.
  const inside = catalog.objects().filter((object) => object.schema === schema);
  unpend(
    engine,
    inside.map(({ oid }) => oid),
  );
  const givers = catalog.pending.save().map((given) => given.transaction);
  const open = [...new Set([...catalog.open.values(), ...givers])].map(openMark);
  const own = localSession(engine, undefined, { searchPath: [schema, ...open] });
  const session = { ...own, transaction: transaction ?? own.transaction };
  return drop(engine, statement as Drop, session, new AbortController().signal)
    .catch((error: unknown) => {
      const reason = error instanceof SqlError ? error.message : String(error);
      engine.log('error', `temporary objects could not be dropped: ${text}: ${reason}`);
    })
    .finally(() => own.transaction.rollback());
}

/** 0A000 for what lasts longer than what it reads; `what`: as the error calls it. */
export function checkLasting(engine: TidemarkEngine, what: string, reads: number[]): void {
  if (readsTemporary(engine, reads)) throw new SqlError('0A000', `${what} must not use temporary tables or views`);
}

export function readsTemporary({ catalog }: TidemarkEngine, reads: number[]): boolean {
  return reads.some((oid) => isTemporary(catalog.get(oid)?.schema ?? ''));
}
