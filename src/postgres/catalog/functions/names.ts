/**
 * Names of catalog objects as text: `schema.name`, "Mixed Case", found by the search path and printed with the schema only where
 * the path would not find them. What the reg* types and the pg_*_is_visible functions share.
 */
import { SqlError } from '../../../../operators/errors.ts';
import { schemasOf } from '../../../../operators/expr/search_path.ts';
import { quoteIdent } from '../../../../operators/expr/text/quote.ts';
import type { Moment } from '../catalog_relation.ts';
import type { CatalogFacts, IndexFacts, RelationFacts, SchemaFacts } from '../facts.ts';

const PART = /\s*(?:"((?:[^"]|"")+)"|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*))\s*(\.|$)/y;

/** `a."B"` -> ['a', 'B']. Throws 42602. */
export function nameParts(text: string): string[] {
  const parts: string[] = [];
  PART.lastIndex = 0;
  for (let ended = false; !ended; ) {
    const m = PART.exec(text);
    if (m === null) throw new SqlError('42602', 'invalid name syntax');
    parts.push(m[1] === undefined ? m[2].toLowerCase() : m[1].replaceAll('""', '"'));
    ended = m[3] === '';
  }
  return parts;
}

/** Schema (undefined: none given) and name. A database name in front must be the session's. */
export function qualified(text: string, moment: Moment): { schema: string | undefined; name: string } {
  const parts = nameParts(text);
  if (parts.length > 3) throw new SqlError('42601', `improper qualified name (too many dotted names): ${text}`);
  if (parts.length === 3 && parts[0] !== moment.context.database) {
    throw new SqlError('0A000', `cross-database references are not implemented: "${parts.join('.')}"`);
  }
  return { schema: parts[parts.length - 2], name: parts[parts.length - 1] };
}

export type Named = RelationFacts | IndexFacts;

function schemaOf(named: Named): SchemaFacts {
  return 'table' in named ? named.table.schema : named.schema;
}

/** A relation or index by name; undefined when there is none. */
export function findRelation(
  facts: CatalogFacts,
  schema: string | undefined,
  name: string,
  path: string[],
): Named | undefined {
  for (const s of schemasOf(schema, path)) {
    const found = facts.named(s, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function findByOid(facts: CatalogFacts, oid: number): Named | undefined {
  return facts.relation(oid) ?? facts.index(oid);
}

/** True when the unqualified name finds this very relation. */
export function isVisible(facts: CatalogFacts, named: Named, path: string[]): boolean {
  return findRelation(facts, undefined, named.name, path) === named;
}

/** The name as regclass prints it. */
export function shownName(facts: CatalogFacts, named: Named, path: string[]): string {
  const name = quoteIdent(named.name);
  return isVisible(facts, named, path) ? name : `${quoteIdent(schemaOf(named).name)}.${name}`;
}
