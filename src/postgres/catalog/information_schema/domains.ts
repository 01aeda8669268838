/** domains, domain_constraints, domain_udt_usage, column_domain_usage: those of users. */
import { declaredOid } from '../../../../operators/types.ts';
import { presentColumns } from '../../../../planner/catalog_reader.ts';
import type { DomainObject } from '../../../catalog/objects.ts';
import { type CatalogRelation, type CatalogRow, ofCatalog } from '../catalog_relation.ts';
import { domainConstraints, domainDefaultText, domainObjects } from '../domains.ts';
import { domainLimits, domainTypeName, udt } from './sql_type.ts';
import { tableName } from './tables.ts';

function domainName({ schema, name }: Pick<DomainObject, 'schema' | 'name'>, database: string): CatalogRow {
  return { domain_catalog: database, domain_schema: schema, domain_name: name };
}

export const DOMAINS: Record<string, CatalogRelation> = {
  domains: ofCatalog((facts, { database, searchPath }) =>
    domainObjects(facts).map((object) => {
      const { base } = object.type;
      return {
        ...domainName(object, database),
        data_type: domainTypeName(base),
        ...domainLimits(base),
        domain_default: domainDefaultText(object.type, facts, searchPath),
        ...udt(declaredOid(base), database),
        dtd_identifier: '1',
      };
    }),
  ),
  domain_constraints: ofCatalog((facts, { database }) =>
    domainConstraints(facts).map(({ name, object }) => ({
      constraint_catalog: database,
      constraint_schema: object.schema,
      constraint_name: name,
      ...domainName(object, database),
      is_deferrable: 'NO',
      initially_deferred: 'NO',
    })),
  ),
  domain_udt_usage: ofCatalog((facts, { database }) =>
    domainObjects(facts).map((object) => ({
      ...udt(declaredOid(object.type.base), database),
      ...domainName(object, database),
    })),
  ),
  column_domain_usage: ofCatalog((facts, { database }) =>
    domainObjects(facts).flatMap((object) =>
      facts.own.flatMap((r) =>
        presentColumns(r.relation).flatMap(({ name, position }) =>
          r.relation.columns[position].type.domain === object.type.oid
            ? [{ ...domainName(object, database), ...tableName(r, database), column_name: name }]
            : [],
        ),
      ),
    ),
  ),
};
