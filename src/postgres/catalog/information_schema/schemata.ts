/** schemata, information_schema_catalog_name, character_sets, collations. */
import { systemTable } from '../../../../planner/types/catalog_table.ts';
import { CREATE, USAGE } from '../../../catalog/privileges.ts';
import { type CatalogRelation, ofCatalog } from '../catalog_relation.ts';
import { namedBy, roleName } from '../roles.ts';
import { knownTo } from './known.ts';

export const SCHEMATA: Record<string, CatalogRelation> = {
  schemata: ofCatalog((facts, context) =>
    facts.schemas
      .filter(({ name }) => knownTo(facts, context).schema(name, CREATE | USAGE))
      .map(({ name, owner }) => ({
        catalog_name: context.database,
        schema_name: name,
        schema_owner: roleName(owner, namedBy(facts, context)),
      })),
  ),
  information_schema_catalog_name: ofCatalog((_facts, { database }) => [{ catalog_name: database }]),
  character_sets: ofCatalog((_facts, { database }) => [
    {
      character_set_name: 'UTF8',
      character_repertoire: 'UCS',
      form_of_use: 'UTF8',
      default_collate_catalog: database,
    },
  ]),
  collations: ofCatalog((_facts, { database }) => {
    const t = systemTable('pg_collation');
    return Array.from({ length: t.rowCount }, (_, r) => ({
      collation_catalog: database,
      collation_schema: 'pg_catalog',
      collation_name: t.text(r, 'collname'),
      pad_attribute: 'NO PAD',
    }));
  }),
};
