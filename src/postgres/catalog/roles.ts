/**
 * Roles: pg_authid, pg_roles, pg_user, pg_shadow, pg_group. Anyone is let in and may do everything, so the only login role that a
 * session sees is its own user, a superuser who owns all; PostgreSQL's predefined group roles stand beside it.
 */
import { pgArray } from '../../../operators/datum.ts';
import { OID } from '../../../operators/types.ts';
import { systemTable } from '../../../planner/types/catalog_table.ts';
import { type CatalogRelation, type CatalogRow, type Moment, ofMoment } from './catalog_relation.ts';
import { OWNER } from './oids.ts';

function roles({ context }: Moment): CatalogRow[] {
  const flags = (on: boolean): CatalogRow => ({
    rolsuper: on,
    rolinherit: true,
    rolcreaterole: on,
    rolcreatedb: on,
    rolcanlogin: on,
    rolreplication: on,
    rolbypassrls: on,
    rolconnlimit: -1,
  });
  const t = systemTable('pg_authid');
  const groups = Array.from({ length: t.rowCount }, (_, r) => ({
    oid: t.number(r, 'oid'),
    rolname: t.text(r, 'rolname'),
    ...flags(false),
  }));
  return [{ oid: OWNER, rolname: context.user, ...flags(true) }, ...groups];
}

/** The name of a role; null when there is none. */
export function roleName(oid: number, user: string): string | null {
  if (oid === OWNER) return user;
  const t = systemTable('pg_authid');
  for (let r = 0; r < t.rowCount; r++) if (t.number(r, 'oid') === oid) return t.text(r, 'rolname');
  return null;
}

/** All roles, the session's user first. */
export function roleNames(user: string): string[] {
  const t = systemTable('pg_authid');
  return [user, ...Array.from({ length: t.rowCount }, (_, r) => t.text(r, 'rolname'))];
}

/** The OID of a role; null when there is none. */
export function roleOid(name: string, user: string): number | null {
  if (name === user) return OWNER;
  const t = systemTable('pg_authid');
  for (let r = 0; r < t.rowCount; r++) if (t.text(r, 'rolname') === name) return t.number(r, 'oid');
  return null;
}

function users(passwordColumn: string): (moment: Moment) => CatalogRow[] {
  return (moment) => [
    {
      usename: moment.context.user,
      usesysid: OWNER,
      usecreatedb: true,
      usesuper: true,
      userepl: true,
      usebypassrls: true,
      passwd: passwordColumn,
    },
  ];
}

const HIDDEN = '********';

export const ROLES: Record<string, CatalogRelation> = {
  pg_authid: ofMoment(roles),
  pg_roles: ofMoment((moment) => roles(moment).map((role) => ({ ...role, rolpassword: HIDDEN }))),
  pg_user: ofMoment(users(HIDDEN)),
  pg_shadow: ofMoment((moment) => users('')(moment).map((user) => ({ ...user, passwd: null }))),
  pg_group: ofMoment((moment) =>
    roles(moment)
      .filter((role) => role.rolcanlogin === false)
      .map((role) => ({ groname: role.rolname, grosysid: role.oid, grolist: pgArray(OID.oid, []) })),
  ),
};
