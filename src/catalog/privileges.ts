/**
 * Privileges as PostgreSQL keeps them: lists of who was given what by whom.
 *
 *   grantee=privileges/grantor   r*: with grant option   an empty grantee: PUBLIC
 *
 * An object without a list has the default of its kind: its owner has all, PUBLIC what acldefault() says. Grants form a tree: what a role gave by a grant option
 * stands as long as it has that.
 */
import { SqlError } from '../../operators/errors.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import { PUBLIC } from './roles.ts';

export const INSERT = 1;
export const SELECT = 2;
export const UPDATE = 4;
export const DELETE = 8;
export const TRUNCATE = 16;
export const REFERENCES = 32;
export const TRIGGER = 64;
export const EXECUTE = 128;
export const USAGE = 256;
export const CREATE = 512;
export const TEMPORARY = 1024;
export const CONNECT = 2048;

/** By name. */
export const PRIVILEGE_BITS: Record<string, number> = {
  INSERT,
  SELECT,
  UPDATE,
  DELETE,
  TRUNCATE,
  REFERENCES,
  TRIGGER,
  EXECUTE,
  USAGE,
  CREATE,
  TEMPORARY,
  TEMP: TEMPORARY,
  CONNECT,
};
/** The letters of aclitem, in its order. */
export const ACL_LETTERS: readonly [bit: number, letter: string][] = [
  [INSERT, 'a'],
  [SELECT, 'r'],
  [UPDATE, 'w'],
  [DELETE, 'd'],
  [TRUNCATE, 'D'],
  [REFERENCES, 'x'],
  [TRIGGER, 't'],
  [EXECUTE, 'X'],
  [USAGE, 'U'],
  [CREATE, 'C'],
  [TEMPORARY, 'T'],
  [CONNECT, 'c'],
];

/** Kinds of objects that have privileges. */
export type SecuredKind = 'table' | 'sequence' | 'schema' | 'database' | 'type' | 'function';

/** All that there is for a kind. */
export const ALL_OF: Record<SecuredKind, number> = {
  table: INSERT | SELECT | UPDATE | DELETE | TRUNCATE | REFERENCES | TRIGGER,
  sequence: USAGE | SELECT | UPDATE,
  schema: USAGE | CREATE,
  database: CREATE | TEMPORARY | CONNECT,
  type: USAGE,
  function: EXECUTE,
};

/** What PUBLIC has by default. */
const OF_PUBLIC: Record<SecuredKind, number> = {
  table: 0,
  sequence: 0,
  schema: 0,
  database: TEMPORARY | CONNECT,
  type: USAGE,
  function: EXECUTE,
};

export interface AclItem {
  grantee: number;
  grantor: number;
  privileges: number;
  /** Those of them with grant option. */
  grantable: number;
}

export type Acl = readonly AclItem[];

export function defaultAcl(kind: SecuredKind, owner: number): Acl {
  const acl: AclItem[] = [];
  if (OF_PUBLIC[kind] !== 0) acl.push({ grantee: PUBLIC, grantor: owner, privileges: OF_PUBLIC[kind], grantable: 0 });
  acl.push({ grantee: owner, grantor: owner, privileges: ALL_OF[kind], grantable: 0 });
  return acl;
}

/** What these roles, and PUBLIC, have. The owner can always grant. */
export function privilegesOf(acl: Acl, roles: ReadonlySet<number>): number {
  let mask = 0;
  for (const { grantee, privileges } of acl) if (grantee === PUBLIC || roles.has(grantee)) mask |= privileges;
  return mask;
}

/** What of it one role may give on: grant options that were given to just it. */
export function grantableBy(acl: Acl, owner: number, kind: SecuredKind, role: number): number {
  if (role === owner) return ALL_OF[kind];
  let mask = 0;
  for (const { grantee, grantable } of acl) if (grantee === role) mask |= grantable;
  return mask;
}

function changed(acl: Acl, grantee: number, grantor: number, change: (item: AclItem) => AclItem): AclItem[] {
  const at = acl.findIndex((item) => item.grantee === grantee && item.grantor === grantor);
  const item = change(at < 0 ? { grantee, grantor, privileges: 0, grantable: 0 } : acl[at]);
  const list = at < 0 ? [...acl, item] : acl.map((other, i) => (i === at ? item : other));
  return list.filter(({ privileges }) => privileges !== 0);
}

export function granted(acl: Acl, grantee: number, grantor: number, mask: number, option: boolean): Acl {
  return changed(acl, grantee, grantor, (item) => ({
    ...item,
    privileges: item.privileges | mask,
    grantable: item.grantable | (option ? mask : 0),
  }));
}

/** `optionOnly`: GRANT OPTION FOR. What the grantee gave on goes too, with CASCADE; without, it is 2BP01. */
export function revoked(
  acl: Acl,
  grantee: number,
  grantor: number,
  mask: number,
  optionOnly: boolean,
  cascade: boolean,
  owner: number,
): Acl {
  const before = acl.find((item) => item.grantee === grantee && item.grantor === grantor);
  if (before === undefined) return acl;
  const lost = before.grantable & mask;
  const next = changed(acl, grantee, grantor, (item) => ({
    ...item,
    privileges: optionOnly ? item.privileges : item.privileges & ~mask,
    grantable: item.grantable & ~mask,
  }));
  return lost === 0 || grantee === owner ? next : withoutDependents(next, grantee, lost, cascade, owner);
}

/** What a role gave by grant options that it has from nobody any more. */
function withoutDependents(acl: Acl, role: number, lost: number, cascade: boolean, owner: number): Acl {
  const still = acl.reduce((mask, { grantee, grantable }) => (grantee === role ? mask | grantable : mask), 0);
  const gone = lost & ~still;
  let next = acl;
  for (const { grantee, grantor, privileges } of acl) {
    if (grantor !== role || (privileges & gone) === 0) continue;
    if (!cascade)
      throw new SqlError('2BP01', 'dependent privileges exist', { hint: 'Use CASCADE to revoke them too.' });
    next = revoked(next, grantee, grantor, privileges & gone, false, true, owner);
  }
  return next;
}

/** The list with one item for each that was given something by each. */
export function merged(acl: Acl): Acl {
  const byWhom = new Map<string, AclItem>();
  for (const item of acl) {
    const key = `${item.grantee} ${item.grantor}`;
    const { privileges = 0, grantable = 0 } = byWhom.get(key) ?? {};
    byWhom.set(key, { ...item, privileges: privileges | item.privileges, grantable: grantable | item.grantable });
  }
  return [...byWhom.values()];
}

/** The list when the object has another owner: what the old one had and gave is the new one's. */
export function withOwner(acl: Acl, from: number, to: number): Acl {
  const as = (role: number) => (role === from ? to : role);
  return merged(acl.map((item) => ({ ...item, grantee: as(item.grantee), grantor: as(item.grantor) })));
}

/** Roles that the list names. */
export function rolesIn(acl: Acl): number[] {
  return acl.flatMap(({ grantee, grantor }) => [grantee, grantor]).filter((role) => role !== PUBLIC);
}

/** The list without what a role has, and gave. */
export function withoutRole(acl: Acl, role: number): Acl {
  return acl.filter(({ grantee, grantor }) => grantee !== role && grantor !== role);
}

export function aclText({ grantee, grantor, privileges, grantable }: AclItem, nameOf: (oid: number) => string): string {
  const letters = ACL_LETTERS.filter(([bit]) => (privileges & bit) !== 0).map(([bit, letter]) =>
    (grantable & bit) === 0 ? letter : `${letter}*`,
  );
  const name = (role: number) => (role === PUBLIC ? '' : quoteIdent(nameOf(role)));
  return `${name(grantee)}=${letters.join('')}/${name(grantor)}`;
}

/** The privileges of a mask by name. */
export function privilegeNames(mask: number): string[] {
  return Object.entries(PRIVILEGE_BITS).flatMap(([name, bit]) => (name !== 'TEMP' && (mask & bit) !== 0 ? [name] : []));
}
