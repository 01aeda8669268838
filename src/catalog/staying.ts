/** Whether what something is made over stays. */
import { SqlError } from '../../operators/errors.ts';
import { openMark } from '../../operators/expr/search_path.ts';
import type { Catalog } from './catalog.ts';
import { KIND_NAMES } from './objects.ts';

/** 55P03 for what another transaction, which has not ended, has dropped or renamed: nothing may come to need it. */
export function checkStaying(catalog: Catalog, oids: number[], path: string[]): void {
  if (!catalog.hasOpen) return;
  const isOthers = (by: number | undefined) => by !== undefined && !path.includes(openMark(by));
  const changed = oids.find((oid) => isOthers(catalog.going.get(oid)) || isOthers(catalog.newNames.giver(oid)));
  const object = catalog.get(changed ?? 0);
  if (object === undefined) return;
  const does = catalog.going.has(object.oid) ? 'dropped' : 'renamed';
  throw new SqlError('55P03', `${KIND_NAMES[object.kind]} "${object.name}" is being ${does} by another transaction`, {
    hint: 'Try again when that transaction has ended.',
  });
}
