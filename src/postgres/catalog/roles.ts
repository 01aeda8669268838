/**
 * Roles: pg_authid, pg_roles, pg_user, pg_shadow, pg_group, pg_auth_members, pg_db_role_setting, pg_default_acl.
 *
 * A session that came in under a name that is no role is the bootstrap superuser, who has that name for it.
 */
import { type Datum, pgArray } from '../../../operators/datum.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { OID } from '../../../operators/types.ts';
import type { Membership, Role, Roles } from '../../catalog/roles.ts';
import { type CatalogRelation, type CatalogRow, type Moment, ofCatalog, ofMoment } from './catalog_relation.ts';
import type { CatalogFacts } from './facts.ts';
import { OWNER } from './oids.ts';

/** By whom roles are named. */
export interface Named {
  roles: Roles;
  /** The bootstrap superuser's name. */
  owner: string;
}

export function namedBy({ engine }: CatalogFacts, { user, role = OWNER, sessionUser = user }: EvalContext): Named {
  const { roles } = engine.catalog;
  const own = role === OWNER ? user : sessionUser;
  return { roles, owner: roles.find(own) === undefined ? own : (roles.get(OWNER)?.name ?? own) };
}

/** The name of a role; null when there is none. */
export function roleName(oid: number, { roles, owner }: Named): string | null {
  return oid === OWNER ? owner : (roles.get(oid)?.name ?? null);
}

/** All roles, the bootstrap superuser first. */
export function roleNames({ roles, owner }: Named): string[] {
  return roles.all().map(({ oid, name }) => (oid === OWNER ? owner : name));
}

/** The OID of a role; null when there is none. */
export function roleOid(name: string, { roles, owner }: Named): number | null {
  return roles.find(name)?.oid ?? (name === owner ? OWNER : null);
}

const HIDDEN = '********';

function configOf({ settings }: Pick<Role, 'settings'>): Datum {
  if (settings.length === 0) return null;
  return pgArray(
    OID.text,
    settings.map(([name, value]) => `${name}=${value}`),
  );
}

/** All roles as pg_authid has them; the password only for superusers. */
function authid({ facts, context }: Moment): CatalogRow[] {
  const named = namedBy(facts, context);
  return named.roles.all().map((role) => ({
    oid: role.oid,
    rolname: roleName(role.oid, named),
    rolsuper: role.superuser,
    rolinherit: role.inherit,
    rolcreaterole: role.createRole,
    rolcreatedb: role.createDb,
    rolcanlogin: role.login,
    rolreplication: role.replication,
    rolbypassrls: role.bypassRls,
    rolconnlimit: role.connectionLimit,
    rolpassword: context.restricted === true ? null : role.password,
    rolvaliduntil: role.validUntil,
  }));
}

/** pg_user and pg_shadow: roles that may log in. */
function users(passwordOf: (role: Role) => string | null): (moment: Moment) => CatalogRow[] {
  return ({ facts, context }) => {
    const named = namedBy(facts, context);
    const login = named.roles.all().filter(({ login }) => login);
    return login.map((role) => ({
      usename: roleName(role.oid, named),
      usesysid: role.oid,
      usecreatedb: role.createDb,
      usesuper: role.superuser,
      userepl: role.replication,
      usebypassrls: role.bypassRls,
      passwd: passwordOf(role),
      valuntil: role.validUntil,
      useconfig: configOf(role),
    }));
  };
}

/** A number that no other membership has, as PostgreSQL gives them OIDs. */
function membershipOid({ role, member }: Membership): number {
  return 0x70000000 + ((role * 8191 + member) % 0x0fffffff);
}

function settingRows({ facts }: Moment): CatalogRow[] {
  const { roles } = facts.engine.catalog;
  const lists = [{ oid: 0, settings: roles.everyone }, ...roles.all()].filter(({ settings }) => settings.length > 0);
  return lists.map(({ oid, settings }) => ({ setdatabase: 0, setrole: oid, setconfig: configOf({ settings }) }));
}

export const ROLES: Record<string, CatalogRelation> = {
  pg_authid: ofMoment(authid),
  pg_roles: ofMoment((moment) => {
    const { roles } = moment.facts.engine.catalog;
    return authid(moment).map((row) => {
      const role = roles.get(row.oid as number);
      return { ...row, rolpassword: HIDDEN, rolconfig: role === undefined ? null : configOf(role) };
    });
  }),
  pg_user: ofMoment(users(() => HIDDEN)),
  pg_shadow: ofMoment((moment) =>
    users(({ password }) => (moment.context.restricted === true ? null : password))(moment),
  ),
  pg_group: ofMoment(({ facts, context }) => {
    const named = namedBy(facts, context);
    const { memberships } = named.roles;
    const groups = named.roles.all().filter(({ login }) => !login);
    return groups.map(({ oid }) => ({
      groname: roleName(oid, named),
      grosysid: oid,
      grolist: pgArray(
        OID.oid,
        memberships.filter(({ role }) => role === oid).map(({ member }) => member),
      ),
    }));
  }),
  pg_auth_members: ofCatalog(({ engine }) =>
    engine.catalog.roles.memberships.map((membership) => ({
      oid: membershipOid(membership),
      roleid: membership.role,
      member: membership.member,
      grantor: membership.grantor,
      admin_option: membership.admin,
      inherit_option: engine.catalog.roles.get(membership.member)?.inherit === true,
      set_option: true,
    })),
  ),
  pg_db_role_setting: ofMoment(settingRows),
};
