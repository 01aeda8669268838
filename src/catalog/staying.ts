/** Whether what something is made over is there, and stays. */
import { SqlError } from '../../operators/errors.ts';
import { openMark } from '../../operators/expr/search_path.ts';
import { typeObjectOf } from '../../operators/types.ts';
import type { Catalog } from './catalog.ts';
import { type CatalogObject, KIND_NAMES } from './objects.ts';

/** Whether that is a transaction, and another than the one whose path this is. */
export function isAnother(transaction: number | undefined, path: string[]): boolean {
  return transaction !== undefined && !path.includes(openMark(transaction));
}

/** `what`: as the error calls it. */
export function inUse(what: string, does: string): SqlError {
  return new SqlError('55P03', `${what} is being ${does} by another transaction`, {
    hint: 'Try again when that transaction has ended.',
  });
}

/** 55P03 for what another transaction, which has not ended, has dropped, renamed or altered without rows (table_change.ts): nothing may come to need it. */
export function checkStaying(catalog: Catalog, oids: number[], path: string[]): void {
  if (!catalog.hasOpen) return;
  const isOthers = (by: number | undefined) => isAnother(by, path);
  const changed = oids.find((oid) => isOthers(catalog.going.get(oid)) || isOthers(catalog.pending.giver(oid)));
  // Who reads a table counts on what is NOT NULL.
  const altered = oids.find((oid) => isOthers(catalog.pending.alterer(oid)));
  const object = catalog.get(changed ?? altered ?? 0);
  if (object === undefined) return;
  const does = changed === undefined ? 'altered' : catalog.going.has(object.oid) ? 'dropped' : 'renamed';
  throw inUse(`${KIND_NAMES[object.kind]} "${object.name}"`, does);
}

/** 3F000, 42P01, 42704 where its schema, what it reads or the type of a column has gone. */
export function checkThere(catalog: Catalog, object: CatalogObject): void {
  const { name: of, schema, dependencies } = object;
  if (!catalog.hasSchema(schema)) throw new SqlError('3F000', `schema "${schema}" does not exist`);
  if (dependencies.some((oid) => catalog.get(oid) === undefined && catalog.relationByOid(oid) === null))
    throw new SqlError('42P01', `a relation that "${of}" reads was dropped meanwhile`);
  const columns = 'relation' in object ? object.relation.columns : [];
  for (const { name, type, dropped } of columns) {
    const needed = dropped ? 0 : typeObjectOf(type);
    if (needed === 0 || catalog.get(needed) !== undefined) continue;
    throw new SqlError('42704', `the type of column "${name}" of "${of}" was dropped meanwhile`);
  }
}
