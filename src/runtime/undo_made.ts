/**
 * What a transaction made goes when it does not commit: ROLLBACK, a failed COMMIT, ROLLBACK TO (what was made since the savepoint), the end of the session, and, at the
 * next start, the end of the server.
 *
 *   BEGIN; CREATE TABLE a; CREATE VIEW v; ROLLBACK     ->  DROP VIEW v · DROP TABLE a      each as a record of the log, in one turn; dependents first
 *
 * The catalog knows what is open (Catalog.open): each record that makes such a thing says of which transaction it is, and the tick of the COMMIT shows all of it together with the
 * rows, so the log never has one without the other. What comes back open was never committed.
 *
 * Nothing goes with it that was there before: what that has come to need stays and is everybody's (ALTER TABLE old ALTER COLUMN c TYPE made_now; CREATE OR REPLACE VIEW
 * old over a table made now). At ROLLBACK TO that, and what else of the transaction stays, waits for its end.
 */
import { SqlError } from '../../operators/errors.ts';
import { openMark } from '../../operators/expr/search_path.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import { parse } from '../../planner/parse/parse.ts';
import { formatType } from '../../planner/types/type_name.ts';
import { type CatalogObject, KIND_NAMES } from '../catalog/objects.ts';
import { isOfServer } from '../catalog/places.ts';
import type { SessionContext } from '../engine.ts';
import { keepPending } from './change_at_commit.ts';
import { usersOf } from './default_value.ts';
import { type Drop, drop } from './drop.ts';
import { unpend } from './drop_at_commit.ts';
import type { TidemarkEngine } from './engine.ts';
import { localSession } from './local_session.ts';
import { takeEffectNow } from './take_effect.ts';
import { isUsed, usesInTables } from './type_users.ts';

/** Takes back what the transaction has made with OIDs from this one on; with 0 as the first, all of it. */
export function undoMade(engine: TidemarkEngine, transaction: number, from: number): void {
  const { catalog } = engine;
  const made = catalog.madeBy(transaction, from);
  if (made.length === 0) return;
  const gone = unneeded(engine, made);
  for (const oid of inOrder(engine, gone)) {
    const object = catalog.get(oid);
    const schema = catalog.schemaNamed(oid);
    // It went with what it is a part of.
    if (object === undefined && schema === undefined) continue;
    // What it has dropped, renamed or changed again goes like the rest: by its first name, which younger ones have given back by now.
    const all = [oid, ...catalog.dependents([oid]).map((other) => other.oid)];
    unpend(engine, all);
    keepPending(
      engine,
      transaction,
      catalog.pending.of(transaction).filter((given) => !all.includes(given.oid)),
    );
    const what = object === undefined ? `SCHEMA ${quoteIdent(schema as string)}` : nameOf(object);
    dropMade(engine, what, [object?.schema ?? (schema as string), openMark(transaction)]);
  }
  const kept = made.filter((oid) => !gone.has(oid) && catalog.open.has(oid));
  if (kept.length === 0 || from > 0) return;
  takeEffectNow(engine, { shown: kept, dropped: [], renaming: [], changed: [] });
  engine.log('warn', `ROLLBACK left ${kept.length} objects that were needed by others`);
}

/** Those of transactions of before: a server that ended in their midst has left them. */
export function undoLeft(engine: TidemarkEngine): void {
  const { open, going, pending } = engine.catalog;
  for (const transaction of new Set([...open.values()].reverse())) undoMade(engine, transaction, 0);
  unpend(engine, [...going.keys()]);
  for (const { transaction } of pending.save()) keepPending(engine, transaction, []);
}

/** Those of these objects and schemas that nothing else needs. */
function unneeded(engine: TidemarkEngine, made: number[]): Set<number> {
  const gone = new Set(made);
  for (let before = -1; before !== gone.size; ) {
    before = gone.size;
    for (const oid of [...gone]) if (needing(engine, oid).some((user) => !gone.has(user.oid))) gone.delete(oid);
    // A constraint's index, and the sequence of a column, stay with their table.
    for (const oid of [...gone])
      if (isPartOf(engine, oid, (whole) => made.includes(whole) && !gone.has(whole))) gone.delete(oid);
  }
  return gone;
}

/** What would go, or would lose a column, a default or a CHECK, with it. A foreign key is its own: it goes with what it references. */
function needing(engine: TidemarkEngine, oid: number): CatalogObject[] {
  const { catalog } = engine;
  const object = catalog.get(oid);
  if (object === undefined) {
    // Another that the transaction has dropped may have its name, and has objects of its own.
    const path = [openMark(catalog.open.get(oid) ?? 0)];
    return catalog.there(path).filter(({ schema }) => catalog.schemaOid(schema, path) === oid);
  }
  const tables = isUsed(object) ? usesInTables(engine, object) : object.kind === 'sequence' ? usersOf(engine, oid) : [];
  return [...catalog.dependents([oid]), ...tables.map(({ table }) => table)];
}

/** What reads before what is read, then types, functions and extensions, then schemas. */
function inOrder(engine: TidemarkEngine, oids: Set<number>): number[] {
  const { catalog } = engine;
  const rank = (oid: number) => {
    const object = catalog.get(oid);
    return object === undefined ? 2 : isUsed(object) ? 1 : 0;
  };
  const wholes = [...oids].filter((oid) => !isPartOf(engine, oid, (whole) => oids.has(whole)));
  return wholes.sort((a, b) => rank(a) - rank(b) || b - a);
}

/** An index, or the sequence of a column, of one of these. */
function isPartOf({ catalog }: TidemarkEngine, oid: number, whole: (oid: number) => boolean): boolean {
  const object = catalog.get(oid);
  return (object?.kind === 'index' || object?.kind === 'sequence') && object.dependencies.some(whole);
}

function nameOf(object: CatalogObject): string {
  const { kind, schema, name } = object;
  const words = KIND_NAMES[kind].toUpperCase();
  if (isOfServer(kind)) return `${words} ${quoteIdent(name)}`;
  const args = kind === 'function' ? `(${object.proc.args.map((type) => formatType(type)).join(', ')})` : '';
  return `${words} ${quoteIdent(schema)}.${quoteIdent(name)}${args}`;
}

/** In this turn: nothing has to be freed of it first. Who has connections closes them later. */
function dropMade(engine: TidemarkEngine, what: string, searchPath: string[]): void {
  const text = `DROP ${what} CASCADE`;
  const [statement] = parse(text);
  const session: SessionContext = localSession(engine, undefined, { searchPath });
  drop(engine, statement as Drop, session, new AbortController().signal)
    .catch((error: unknown) => {
      const reason = error instanceof SqlError ? error.message : String(error);
      engine.log('error', `what a transaction made could not be taken back: ${text}: ${reason}`);
    })
    .finally(() => session.transaction.rollback());
}
