/**
 * CREATE OR REPLACE in a transaction, of a view or a function that was there before it and that nothing needs: until COMMIT all others have the old one.
 *
 *   BEGIN; CREATE OR REPLACE VIEW v AS ...     v of before goes with COMMIT (drop_at_commit.ts); another v, with its comments, owner and privileges, is the transaction's until then (open_objects.ts)
 *
 * What something else reads is replaced at once: a view over it says its name, and would have to be bound in two ways. When what is done at once needs the old one gone by then, all get the new one
 * in the same tick (`replaces`). The new one has an OID of its own.
 */
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import { type FunctionObject, KIND_NAMES, type ViewObject } from '../catalog/objects.ts';
import { rolesIn } from '../catalog/privileges.ts';
import { checkStaying, checkThere } from '../catalog/staying.ts';
import type { SessionContext } from '../engine.ts';
import { pend } from './drop_at_commit.ts';
import type { TidemarkEngine } from './engine.ts';
import { argumentsText } from './securables.ts';
import { isUsed, usesInTables } from './type_users.ts';

type Replaced = ViewObject | FunctionObject;

/** Whether CREATE OR REPLACE of this waits for COMMIT. */
export function waitsForCommit(engine: TidemarkEngine, old: Replaced, session: SessionContext): boolean {
  const { catalog } = engine;
  if (engine.replay !== null || !engine.transactionOf(session).leaves(old.oid, session)) return false;
  const uses = isUsed(old) ? usesInTables(engine, old, session.searchPath).map(({ table }) => table) : [];
  return [...catalog.dependents([old.oid]), ...uses].every(({ oid }) => catalog.isGone(oid, session.searchPath));
}

/** `made` (its OID is new) takes the place of `old` when the transaction commits. `reads`: as in engine.define(). */
export function replaceAtCommit(
  engine: TidemarkEngine,
  old: Replaced,
  made: Replaced,
  session: SessionContext,
  reads: number[],
): void {
  const { catalog } = engine;
  checkStaying(catalog, [...reads, ...made.dependencies], session.searchPath);
  checkThere(catalog, made);
  const { comments, acl } = catalog.pending.asSeen(old, session.searchPath);
  const ownedBy = catalog.ownerOf(old, session.searchPath);
  const what = `${quoteIdent(old.schema)}.${quoteIdent(made.name)}${old.kind === 'function' ? argumentsText(old) : ''}`;
  pend(engine, `DROP ${KIND_NAMES[old.kind].toUpperCase()} ${what}`, [old.oid], session);
  const roles = [ownedBy, ...rolesIn(acl ?? [])];
  const needed = roles.filter((role) => !catalog.roles.isOwn(role));
  engine.define(made, session, [...reads, ...needed], { comments, ownedBy, acl, replaces: old.oid });
}
