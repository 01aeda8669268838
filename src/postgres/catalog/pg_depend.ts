/**
 * pg_depend: what goes when something else is dropped.
 *
 *   view's rule -> view (i), relations it reads (n)     index -> table's columns or its constraint (a, i)
 *   constraint, default -> column (a)                   relation -> schema (n)
 */
import { type CatalogRow, ofCatalog } from './catalog_relation.ts';
import type { IndexFacts, RelationFacts } from './facts.ts';
import { CATALOG, defaultOid, notNullOid, ruleOid } from './oids.ts';

type Item = [catalog: number, oid: number, column?: number];

function edge([classid, objid]: Item, [refclassid, refobjid, column = 0]: Item, deptype: 'n' | 'a' | 'i'): CatalogRow {
  return { classid, objid, objsubid: 0, refclassid, refobjid, refobjsubid: column, deptype };
}

function ofRelation(r: RelationFacts): CatalogRow[] {
  const self: Item = [CATALOG.pg_class, r.oid];
  const edges = [edge(self, [CATALOG.pg_namespace, r.schema.oid], 'n')];
  if (r.relkind !== 'r') {
    const rule: Item = [CATALOG.pg_rewrite, ruleOid(r.oid)];
    edges.push(edge(rule, self, 'i'));
    for (const oid of r.object?.dependencies ?? []) edges.push(edge(rule, [CATALOG.pg_class, oid], 'n'));
    return edges;
  }
  r.relation.columns.forEach((c, i) => {
    const column: Item = [CATALOG.pg_class, r.oid, i + 1];
    if (r.defaults[i] !== null) edges.push(edge([CATALOG.pg_attrdef, defaultOid(r.oid, i + 1)], column, 'a'));
    if (c.notNull) edges.push(edge([CATALOG.pg_constraint, notNullOid(r.oid, i + 1)], column, 'a'));
  });
  return edges;
}

function ofIndex(index: IndexFacts): CatalogRow[] {
  const self: Item = [CATALOG.pg_class, index.oid];
  const columns = index.columns.map((c): Item => [CATALOG.pg_class, index.table.oid, c + 1]);
  if (index.constraint === null) return columns.map((c) => edge(self, c, 'a'));
  const constraint: Item = [CATALOG.pg_constraint, index.constraint];
  return [...columns.map((c) => edge(constraint, c, 'a')), edge(self, constraint, 'i')];
}

export const PG_DEPEND = ofCatalog((facts) => [...facts.own.flatMap(ofRelation), ...facts.indexes.flatMap(ofIndex)]);
