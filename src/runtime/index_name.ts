/** Names by which a stored relation knows its indexes. */
import type { UniqueKey } from '../../planner/catalog_reader.ts';

/** Which index of a relation: the columns that it is over, or the OID of one over expressions, or over a part of the rows. */
export type IndexName = number[] | number;

export function indexNameOf({ columns, shape }: Pick<UniqueKey, 'columns' | 'shape'>): IndexName {
  return shape?.oid ?? columns;
}
