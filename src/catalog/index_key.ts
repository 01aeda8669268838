/** The key of a unique index, as statements that write look at it. */
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import type { Relation, UniqueKey } from '../../planner/catalog_reader.ts';
import type { ComputedIndexText, IndexObject } from './objects.ts';

export function keyOfIndex(
  relation: Relation,
  { columns, name, constraint, computed, nullsEqual }: Omit<IndexObject, 'kind'>,
): UniqueKey {
  const key: UniqueKey = { columns, name, isConstraint: constraint, nullsEqual };
  if (computed === undefined) return key;
  return { ...key, shape: computed.shape, parts: partTexts(relation, computed) };
}

/** The keys of an index as CREATE INDEX has them. */
function partTexts({ columns }: Relation, { parts }: ComputedIndexText): string[] {
  return parts.map((part) => {
    if (typeof part === 'number') return quoteIdent(columns[part].name);
    return part.call ? part.text : `(${part.text})`;
  });
}
