/** Who may do what: the session's user may do everything with everything, everyone may read the system relations. */
import type { EvalContext } from '../../../../operators/expr/ir.ts';
import { presentColumns } from '../../../../planner/catalog_reader.ts';
import { type CatalogRelation, type CatalogRow, ofCatalog } from '../catalog_relation.ts';
import type { CatalogFacts, RelationFacts } from '../facts.ts';
import { roleNames } from '../roles.ts';
import { tableName } from './tables.ts';
import { yesNo } from './yes_no.ts';

const OWNER_PRIVILEGES = ['INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'];
const COLUMN_PRIVILEGES = ['INSERT', 'SELECT', 'UPDATE', 'REFERENCES'];

function ownerGrants(r: RelationFacts, { user, database }: EvalContext): CatalogRow[] {
  return OWNER_PRIVILEGES.map((privilege) => ({
    grantor: user,
    grantee: user,
    ...tableName(r, database),
    privilege_type: privilege,
    is_grantable: 'YES',
    with_hierarchy: yesNo(privilege === 'SELECT'),
  }));
}

function publicGrants(r: RelationFacts, { user, database }: EvalContext): CatalogRow[] {
  if (r.system === null) return [];
  return [
    {
      grantor: user,
      grantee: 'PUBLIC',
      ...tableName(r, database),
      privilege_type: 'SELECT',
      is_grantable: 'NO',
      with_hierarchy: 'YES',
    },
  ];
}

function columnGrants(facts: CatalogFacts, { user, database }: EvalContext): CatalogRow[] {
  return facts.own
    .filter((r) => r.relkind !== 'm' && r.relkind !== 'S')
    .flatMap((r) =>
      presentColumns(r.relation).flatMap((column) =>
        COLUMN_PRIVILEGES.map((privilege) => ({
          grantor: user,
          grantee: user,
          ...tableName(r, database),
          column_name: column.name,
          privilege_type: privilege,
          is_grantable: 'YES',
        })),
      ),
    );
}

function grants(facts: CatalogFacts, context: EvalContext): CatalogRow[] {
  return facts.relations
    .filter((r) => r.relkind !== 'm' && r.relkind !== 'S')
    .flatMap((r) => [...ownerGrants(r, context), ...publicGrants(r, context)]);
}

export const PRIVILEGES: Record<string, CatalogRelation> = {
  table_privileges: ofCatalog(grants),
  role_table_grants: ofCatalog((facts, context) => grants(facts, context).filter((g) => g.grantee !== 'PUBLIC')),
  column_privileges: ofCatalog(columnGrants),
  role_column_grants: ofCatalog(columnGrants),
  enabled_roles: ofCatalog((_facts, { user }) => roleNames(user).map((name) => ({ role_name: name }))),
};
