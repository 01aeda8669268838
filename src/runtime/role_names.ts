/** Whom a statement means, and who gives it. */
import { SqlError } from '../../operators/errors.ts';
import type { RoleSpec } from '../../planner/parse/role_statements.ts';
import type { CatalogObject } from '../catalog/objects.ts';
import { BOOTSTRAP, PUBLIC, type Role } from '../catalog/roles.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { isSecured, securedKind } from './securables.ts';

/** OID of the role that acts. */
export function actingRole({ evalContext }: SessionContext): number {
  return evalContext.role ?? BOOTSTRAP;
}

/** Whether what the session does is checked: it is no superuser's, and not done again. */
export function isRestricted(engine: TidemarkEngine, { evalContext }: SessionContext): boolean {
  return evalContext.restricted === true && engine.replay === null;
}

/** The owner of what the session makes; a role of before that has gone left what it had to others. */
export function ownerOfNew({ catalog }: TidemarkEngine, session: SessionContext): number {
  const role = actingRole(session);
  return catalog.roles.get(role) === undefined ? BOOTSTRAP : role;
}

/** A new object is that of the role that makes it, and has what that gives others by default. */
export function own(engine: TidemarkEngine, object: CatalogObject, session: SessionContext): void {
  if (object.ownedBy === undefined && isSecured(object))
    ownAs(engine, object, ownerOfNew(engine, session), session.searchPath);
}

export function ownAs({ catalog }: TidemarkEngine, object: CatalogObject, owner: number, path: string[]): void {
  object.ownedBy = owner;
  const acl = catalog.rights.aclOfNew(securedKind(object), owner, catalog.placeOfSchema(object.schema, path));
  if (acl !== null) object.acl = acl;
}

/** The role of a name; a session's own is that of its role, which may have no other. */
export function roleNamed({ catalog }: TidemarkEngine, name: string, session: SessionContext): Role {
  const found = catalog.roles.find(name);
  if (found !== undefined) return found;
  const own = name === session.evalContext.user ? catalog.roles.get(actingRole(session)) : undefined;
  return own ?? catalog.roles.named(name);
}

/** 42704 when there is none; PUBLIC is no role. */
export function roleOf(engine: TidemarkEngine, spec: RoleSpec, session: SessionContext): Role {
  const { roles } = engine.catalog;
  switch (spec.k) {
    case 'name':
      return roleNamed(engine, spec.name, session);
    case 'public':
      throw new SqlError('42704', 'role "public" does not exist');
    case 'session': {
      const { sessionUser, user } = session.evalContext;
      if (sessionUser !== undefined && sessionUser !== user) return roles.named(sessionUser);
      break;
    }
    case 'current':
  }
  return roles.get(actingRole(session)) ?? roles.named(session.evalContext.user);
}

/** The same where PUBLIC may be said. */
export function granteeOf(engine: TidemarkEngine, spec: RoleSpec, session: SessionContext): number {
  return spec.k === 'public' ? PUBLIC : roleOf(engine, spec, session).oid;
}
