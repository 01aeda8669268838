/** ALTER DEFAULT PRIVILEGES: what objects that a role makes from now on are born with, everywhere or in a schema. */
import { SqlError } from '../../operators/errors.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import type { RoleStatement } from '../../planner/parse/role_statements.ts';
import { type Acl, defaultAcl } from '../catalog/privileges.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { changedAcl, checkOptionFor, grantText, maskOf } from './grants.ts';
import { tellDone } from './open_objects.ts';
import { actingRole, granteeOf, isRestricted, roleOf } from './role_names.ts';

type DefaultPrivileges = Extract<RoleStatement, { k: 'default_privileges' }>;

export function setDefaultPrivileges(
  engine: TidemarkEngine,
  statement: DefaultPrivileges,
  session: SessionContext,
): void {
  const { kind, schemas, isGrant, grantOption } = statement;
  const { catalog } = engine;
  const specs = statement.roles ?? [{ k: 'current' as const }];
  const roles = specs.map((spec) => roleOf(engine, spec, session));
  const to = [...new Set(statement.to.map((spec) => granteeOf(engine, spec, session)))];
  const mask = maskOf(statement.privileges, kind);
  if (isGrant && grantOption) checkOptionFor(to);
  if (schemas !== null && kind === 'schema')
    throw new SqlError('0LP01', 'cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS');
  for (const name of schemas ?? [])
    if (!catalog.seesSchema(name, session.searchPath)) throw new SqlError('3F000', `schema "${name}" does not exist`);
  for (const { oid, name } of roles) {
    if (isRestricted(engine, session) && !catalog.roles.hasRightsOf(actingRole(session), oid))
      throw new SqlError('42501', 'permission denied to change default privileges');
    for (const schema of schemas ?? [null]) {
      const { rights } = catalog;
      const standard: Acl = schema === null ? defaultAcl(kind, oid) : [];
      const place = schema === null ? null : catalog.placeOfSchema(schema, session.searchPath);
      const isIt = (d: (typeof rights.defaults)[number]) => d.role === oid && d.kind === kind && d.schema === place;
      const acl = changedAcl(statement, rights.defaults.find(isIt)?.acl ?? standard, to, oid, mask, oid);
      const others = rights.defaults.filter((d) => !isIt(d));
      const isStandard = sorted(acl) === sorted(standard);
      rights.defaults = isStandard ? others : [...others, { role: oid, schema: place, kind, acl }];
      catalog.version++;
      const where = schema === null ? '' : ` IN SCHEMA ${quoteIdent(schema)}`;
      const given = grantText(engine, statement, mask, `${kind.toUpperCase()}S`, to);
      const sql = `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteIdent(name)}${where} ${given}${statement.cascade ? ' CASCADE' : ''}`;
      const needed = [oid, ...to].filter((role) => !catalog.roles.isOwn(role));
      const inSchema = schema === null ? [] : [catalog.schemaOid(schema, session.searchPath)];
      // Those of a schema go with it.
      const made = inSchema[0] ?? 0;
      if (!catalog.open.has(made)) tellDone(engine, 'default privileges are changed', session);
      engine.defined({ sql, made, dropped: [] }, session, [...needed, ...inSchema]);
    }
  }
}

function sorted(acl: Acl): string {
  return acl
    .map((item) => JSON.stringify([item.grantee, item.grantor, item.privileges, item.grantable]))
    .sort()
    .join();
}
