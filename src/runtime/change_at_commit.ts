/**
 * COMMENT ON, GRANT, REVOKE and OWNER TO in a transaction, of what was there before it: the change is the transaction's alone until COMMIT, when all of them count from one tick on.
 *
 *   BEGIN; GRANT SELECT ON t TO r; COMMENT ON TABLE t IS 'x'; COMMIT       others see none of it, then all
 *
 * The log has a record of each (it says what the object has with it, so that nothing has to be done again), one where some are taken back, and the tick that they count from names the objects.
 * What ALTER TABLE changes (alter_at_commit.ts) comes to count, and is taken back, with them.
 */
import { isTable } from '../catalog/objects.ts';
import { type Change, type PendingChange, setComment, setRights } from '../catalog/pending.ts';
import { setTable, type TableChange } from '../catalog/table_change.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { definedAlone } from './open_objects.ts';

/** Changes an object, a schema or, with OID 0, the database: now, or, where ROLLBACK could take it back, when the transaction commits. `sql`: what does it again; `roles`: which that names. */
export function change(
  engine: TidemarkEngine,
  oid: number,
  what: Change,
  sql: string,
  session: SessionContext,
  roles: number[] = [],
): void {
  const { catalog } = engine;
  const at = oid === 0 ? {} : { altered: oid };
  const named = roles.filter((role) => !catalog.roles.isOwn(role));
  const reads = oid === 0 ? named : [oid, ...named];
  if (!isPending(engine, oid, session)) {
    apply(engine, oid, what);
    engine.defined({ sql, made: oid, dropped: [], ...at }, session, reads);
    return;
  }
  const transaction = engine.transactionOf(session).changes(session);
  catalog.pend({ ...what, oid, transaction });
  definedAlone(engine, { sql, made: oid, dropped: [], ...at, change: what, reads }, transaction, session, reads);
}

/** Also of what the transaction has made itself, once it has changed that behind a savepoint. */
export function isPending(engine: TidemarkEngine, oid: number, session: SessionContext): boolean {
  if (engine.replay !== null) return false;
  return (
    engine.transactionOf(session).leaves(oid, session) || engine.catalog.pending.isChanged(oid, session.searchPath)
  );
}

function apply({ catalog, loop }: TidemarkEngine, oid: number, what: Change | TableChange): void {
  const object = catalog.get(oid);
  const place = catalog.placeOfSchemaAt(oid);
  if (what.k === 'table') {
    // Who has written and not committed yet looks at what is new.
    if (isTable(object))
      setTable(object, { ...what, checks: what.checks.map((check) => ({ ...check, since: loop.tick })) });
    loop.constrained(oid);
  } else if (what.k === 'comment') {
    if (object !== undefined) setComment(object, what.part, what.comment);
    else if (what.comment === null) catalog.schemaComments.delete(place);
    else catalog.schemaComments.set(place, what.comment);
  } else {
    const rights = { owner: what.owner, acl: what.acl };
    if (object !== undefined) setRights(object, rights);
    else if (oid === 0) catalog.rights.database = rights;
    else catalog.rights.setSchema(place, rights);
  }
  catalog.version++;
}

/** OIDs of what the transaction has changed. */
export function changedBy({ catalog }: TidemarkEngine, transaction: number): number[] {
  return [...new Set(catalog.pending.of(transaction).flatMap(({ oid, k }) => (k === 'name' ? [] : [oid])))];
}

/** What transactions have changed of these counts for everybody. */
export function applyChanges(engine: TidemarkEngine, oids: number[]): void {
  if (oids.length === 0) return;
  const { catalog } = engine;
  for (const one of catalog.pending.save()) {
    if (one.k === 'name' || !oids.includes(one.oid)) continue;
    catalog.unpend((other) => other === one);
    apply(engine, one.oid, one);
  }
  engine.definitions.changed(oids);
}

/** Of what the transaction has changed, new names with it, only this is left. */
export function keepPending(engine: TidemarkEngine, transaction: number, kept: PendingChange[]): void {
  const { catalog } = engine;
  const all = catalog.pending.of(transaction);
  const left = all.flatMap((one, i) => (kept.includes(one) ? [i] : []));
  if (left.length === all.length) return;
  catalog.unpend((one) => one.transaction === transaction && !kept.includes(one));
  engine.definitions.keepPending(transaction, left);
  engine.journal?.staying(engine.loop, { oids: [], transaction, names: left });
}
