/** pg_tables, pg_views, pg_matviews, pg_indexes: the catalogs joined for people. */
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { type CatalogRelation, type CatalogRow, ofCatalog } from './catalog_relation.ts';
import { indexDefinition, viewDefinition } from './definitions.ts';
import type { CatalogFacts, RelationFacts } from './facts.ts';
import { namedBy, roleName } from './roles.ts';

function ownerOf(r: RelationFacts, facts: CatalogFacts, context: EvalContext): string | null {
  return roleName(r.owner, namedBy(facts, context));
}

function tableRow(r: RelationFacts, facts: CatalogFacts, context: EvalContext): CatalogRow {
  return {
    schemaname: r.schema.name,
    tablename: r.name,
    tableowner: ownerOf(r, facts, context),
    tablespace: r.system?.shared === true ? 'pg_global' : null,
    hasindexes: r.indexes.length > 0,
    hasrules: false,
    hastriggers: false,
    rowsecurity: false,
  };
}

export const LISTINGS: Record<string, CatalogRelation> = {
  pg_tables: ofCatalog((facts, context) =>
    facts.relations.filter((r) => r.relkind === 'r').map((r) => tableRow(r, facts, context)),
  ),
  pg_views: ofCatalog((facts, context) =>
    facts.relations
      .filter((r) => r.relkind === 'v')
      .map((r) => ({
        schemaname: r.schema.name,
        viewname: r.name,
        viewowner: ownerOf(r, facts, context),
        definition: viewDefinition(r),
      })),
  ),
  pg_matviews: ofCatalog((facts, context) =>
    facts.own
      .filter((r) => r.relkind === 'm')
      .map((r) => ({
        schemaname: r.schema.name,
        matviewname: r.name,
        matviewowner: ownerOf(r, facts, context),
        hasindexes: r.indexes.length > 0,
        ispopulated: true,
        definition: viewDefinition(r),
      })),
  ),
  pg_indexes: ofCatalog((facts) =>
    facts.indexes.map((index) => ({
      schemaname: index.table.schema.name,
      tablename: index.table.name,
      indexname: index.name,
      indexdef: indexDefinition(index),
    })),
  ),
};
