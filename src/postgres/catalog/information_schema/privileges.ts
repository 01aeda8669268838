/** Who was given what by whom; the server's own relations everyone may read. A session sees what its roles gave and were given, and what PUBLIC was. */
import type { EvalContext } from '../../../../operators/expr/ir.ts';
import { presentColumns } from '../../../../planner/catalog_reader.ts';
import { type AclItem, ALL_OF, defaultAcl, privilegeNames, SELECT } from '../../../catalog/privileges.ts';
import { PUBLIC } from '../../../catalog/roles.ts';
import { type CatalogRelation, type CatalogRow, ofCatalog } from '../catalog_relation.ts';
import type { CatalogFacts, RelationFacts } from '../facts.ts';
import { OWNER } from '../oids.ts';
import { namedBy, roleName, roleNames } from '../roles.ts';
import { tableName } from './tables.ts';
import { yesNo } from './yes_no.ts';

const COLUMN_PRIVILEGES = ['INSERT', 'SELECT', 'UPDATE', 'REFERENCES'];

interface Given {
  r: RelationFacts;
  grantor: string | null;
  grantee: string | null;
  privilege: string;
  grantable: boolean;
}

function itemsOf({ object, owner, system }: RelationFacts): readonly AclItem[] {
  if (object !== null) return object.acl ?? defaultAcl('table', owner);
  const own = defaultAcl('table', owner);
  return system === null ? own : [...own, { grantee: PUBLIC, grantor: owner, privileges: SELECT, grantable: 0 }];
}

function given(facts: CatalogFacts, context: EvalContext): Given[] {
  const named = namedBy(facts, context);
  const { roles } = named;
  const acting = context.role ?? OWNER;
  const name = (oid: number) => (oid === PUBLIC ? 'PUBLIC' : roleName(oid, named));
  const isSeen = ({ grantor, grantee }: AclItem) =>
    [grantor, grantee].some((role) => role === PUBLIC || roles.hasRightsOf(acting, role));
  return facts.relations
    .filter(({ relkind }) => relkind !== 'm' && relkind !== 'S')
    .flatMap((r) =>
      itemsOf(r)
        .filter(isSeen)
        .flatMap(({ grantee, grantor, privileges, grantable }) =>
          privilegeNames(privileges & ALL_OF.table).map((privilege) => ({
            r,
            grantor: name(grantor),
            grantee: name(grantee),
            privilege,
            grantable: grantee === r.owner || privilegeNames(grantable).includes(privilege),
          })),
        ),
    );
}

function tableGrants(facts: CatalogFacts, context: EvalContext): CatalogRow[] {
  return given(facts, context).map(({ r, grantor, grantee, privilege, grantable }) => ({
    grantor,
    grantee,
    ...tableName(r, context.database),
    privilege_type: privilege,
    is_grantable: yesNo(grantable),
    with_hierarchy: yesNo(privilege === 'SELECT'),
  }));
}

function columnGrants(facts: CatalogFacts, context: EvalContext): CatalogRow[] {
  return given(facts, context)
    .filter(({ r, privilege }) => r.system === null && COLUMN_PRIVILEGES.includes(privilege))
    .flatMap(({ r, grantor, grantee, privilege, grantable }) =>
      presentColumns(r.relation).map((column) => ({
        grantor,
        grantee,
        ...tableName(r, context.database),
        column_name: column.name,
        privilege_type: privilege,
        is_grantable: yesNo(grantable),
      })),
    );
}

const withoutPublic = (rows: CatalogRow[]): CatalogRow[] => rows.filter(({ grantee }) => grantee !== 'PUBLIC');

function enabledRoles(facts: CatalogFacts, context: EvalContext): CatalogRow[] {
  const named = namedBy(facts, context);
  const acting = context.role ?? OWNER;
  if (context.restricted !== true) return roleNames(named).map((name) => ({ role_name: name }));
  return [...named.roles.rightsOf(acting)].map((oid) => ({ role_name: roleName(oid, named) }));
}

export const PRIVILEGES: Record<string, CatalogRelation> = {
  table_privileges: ofCatalog(tableGrants),
  role_table_grants: ofCatalog((facts, context) => withoutPublic(tableGrants(facts, context))),
  column_privileges: ofCatalog(columnGrants),
  role_column_grants: ofCatalog((facts, context) => withoutPublic(columnGrants(facts, context))),
  enabled_roles: ofCatalog(enabledRoles),
};
