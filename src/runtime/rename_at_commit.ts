/**
 * RENAME in a transaction, of what was there before it: its new name is the transaction's alone until COMMIT, when all new names are given in the turn of one tick. Others never see a moment between
 *
 *   BEGIN; ALTER TABLE t RENAME TO old; ALTER TABLE new RENAME TO t; COMMIT       readers of t have the one or the other at each tick
 *
 * Only where nothing says the name: views over the object would be read in the transaction by texts with other names than those of all others, so it is renamed at once then.
 */

import { checkFree } from '../catalog/free_name.ts';
import type { CatalogObject } from '../catalog/objects.ts';
import type { PendingChange } from '../catalog/pending.ts';
import type { SessionContext } from '../engine.ts';
import { type AlterRelation, found } from './alter_relation.ts';
import type { TidemarkEngine } from './engine.ts';
import { boundFunctions } from './function_users.ts';
import { nameTaken } from './names.ts';
import { definedAlone } from './open_objects.ts';
import { renameOwnRow } from './own_texts.ts';
import { checkKeyName } from './rename.ts';

/** False where the statement is another, or has to be done at once. */
export function pendRename(engine: TidemarkEngine, statement: AlterRelation, session: SessionContext): boolean {
  const { catalog } = engine;
  const [action] = statement.actions;
  if (action.k !== 'rename' || statement.actions.length > 1 || engine.replay !== null) return false;
  const object = catalog.find(statement.schema, statement.name, session.searchPath);
  if (object === undefined) return false;
  // Also of what the transaction has made itself, once it has given that a name behind a savepoint.
  const isPending = catalog.pending.nameOf(object.oid, session.searchPath) !== undefined;
  if (!isPending && !engine.transactionOf(session).leaves(object.oid, session)) return false;
  if (isNamed(engine, object)) return false;
  found(engine, statement, session);
  const { to } = action;
  checkKeyName(engine, object, to, session.searchPath);
  nameTaken(engine, object.schema, to, false, session);
  checkFree(catalog, object, to, session.searchPath);
  const checkFunctions = boundFunctions(engine, session);
  const transaction = engine.transactionOf(session).changes(session);
  const name: PendingChange = { oid: object.oid, transaction, k: 'name', name: to };
  catalog.pend(name);
  try {
    checkFunctions();
  } catch (error) {
    catalog.unpend((one) => one === name);
    throw error;
  }
  const { oid } = object;
  const what = { sql: statement.text, made: oid, dropped: [], altered: oid, named: to };
  definedAlone(engine, what, transaction, session, [oid]);
  return true;
}

function isNamed({ catalog }: TidemarkEngine, { oid }: CatalogObject): boolean {
  const says = new Set(['view', 'materialized_view', 'function']);
  return catalog.objects().some((other) => says.has(other.kind) && other.dependencies.includes(oid));
}

/** The transaction, if it has given names. */
export function renamingOf({ catalog }: TidemarkEngine, transaction: number | null): number[] {
  const given = catalog.pending.of(transaction).find(({ k }) => k === 'name');
  return given === undefined ? [] : [given.transaction];
}

/** The transaction's objects get their new names. */
export function giveNames(engine: TidemarkEngine, transaction: number): void {
  const { catalog } = engine;
  for (const given of catalog.pending.of(transaction)) {
    if (given.k !== 'name') continue;
    const object = catalog.get(given.oid) as CatalogObject;
    const from = object.name;
    catalog.unpend((one) => one === given);
    catalog.setName(object, given.name);
    renameOwnRow(engine, object, from, given.name);
    const running = engine.loop.view(object.oid);
    if (running !== undefined) running.name = given.name;
  }
  engine.definitions.named(transaction);
}
