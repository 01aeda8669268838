/** Roles, GRANT and REVOKE, owners: libpg-query's nodes as Tidemark's statements. What has no place there is refused by name. */
import type { PgNode, Statement } from './ast.ts';
import { functionName } from './convert_function.ts';
import { settingValue } from './convert_session.ts';
import { qualified, rangeVarName, strings } from './node_fields.ts';
import { errorAt, type Source } from './positions.ts';
import type { DefaultKind, GrantedKind, Privilege, RoleOptions, RoleSpec } from './role_statements.ts';
import { objectWords } from './utility_tags.ts';

const SPECIAL: Record<string, RoleSpec> = {
  ROLESPEC_CURRENT_ROLE: { k: 'current' },
  ROLESPEC_CURRENT_USER: { k: 'current' },
  ROLESPEC_SESSION_USER: { k: 'session' },
  ROLESPEC_PUBLIC: { k: 'public' },
};

export function roleSpec({ roletype, rolename, location = -1 }: PgNode): RoleSpec {
  return SPECIAL[roletype] ?? { k: 'name', name: rolename, location };
}

const specs = (list: PgNode[] | undefined): RoleSpec[] => (list ?? []).map(({ RoleSpec }) => roleSpec(RoleSpec));

const FLAGS: Record<
  string,
  'superuser' | 'inherit' | 'createRole' | 'createDb' | 'login' | 'replication' | 'bypassRls'
> = {
  superuser: 'superuser',
  inherit: 'inherit',
  createrole: 'createRole',
  createdb: 'createDb',
  canlogin: 'login',
  isreplication: 'replication',
  bypassrls: 'bypassRls',
};

const LISTS: Record<string, 'memberOf' | 'members' | 'admins'> = {
  addroleto: 'memberOf',
  rolemembers: 'members',
  adminmembers: 'admins',
};

function roleOptions(list: PgNode[] | undefined, source: Source): RoleOptions {
  const options: RoleOptions = {};
  const said = new Set<string>();
  for (const { DefElem } of list ?? []) {
    const { defname, arg, location } = DefElem;
    if (said.has(defname)) throw errorAt(source, '42601', 'conflicting or redundant options', location);
    said.add(defname);
    if (FLAGS[defname] !== undefined) options[FLAGS[defname]] = arg.Boolean.boolval === true;
    else if (LISTS[defname] !== undefined) options[LISTS[defname]] = specs(arg.List.items);
    else if (defname === 'password') options.password = arg === undefined ? null : (arg.String.sval ?? '');
    else if (defname === 'validUntil') options.validUntil = arg.String.sval ?? '';
    else if (defname === 'connectionlimit') {
      const limit: number = arg.Integer.ival ?? 0;
      if (limit < -1) throw errorAt(source, '22023', `invalid connection limit: ${limit}`, location);
      options.connectionLimit = limit;
    } else if (defname !== 'sysid') throw errorAt(source, '0A000', `role option ${defname} is not supported`, location);
  }
  return options;
}

const WORDS = { ROLESTMT_ROLE: 'role', ROLESTMT_USER: 'user', ROLESTMT_GROUP: 'group' } as const;

export function createRole(node: PgNode, source: Source): Statement {
  const word = WORDS[node.stmt_type as keyof typeof WORDS];
  return { ...source, k: 'create_role', name: node.role, word, options: roleOptions(node.options, source) };
}

export function alterRole(node: PgNode, source: Source): Statement {
  const options = roleOptions(node.options, source);
  const role = roleSpec(node.role);
  const { members } = options;
  // Members are only said by ALTER GROUP.
  if (members !== undefined) return { ...source, k: 'alter_group', role, add: node.action === 1, members };
  return { ...source, k: 'alter_role', role, options };
}

export function alterRoleSet({ role, database, setstmt }: PgNode, source: Source): Statement {
  if (database !== undefined) throw errorAt(source, '0A000', 'ALTER ROLE ... IN DATABASE is not supported');
  const { kind, name = null, args = [] } = setstmt;
  const set = { ...source, k: 'alter_role_set' as const, role: role === undefined ? null : roleSpec(role), name };
  if (kind === 'VAR_SET_VALUE') {
    if (args[0].TypeCast) throw errorAt(source, '0A000', 'ALTER ROLE ... SET TIME ZONE INTERVAL is not supported');
    return { ...set, values: args.map(settingValue) };
  }
  if (kind === 'VAR_RESET' || kind === 'VAR_RESET_ALL' || kind === 'VAR_SET_DEFAULT') return { ...set, values: null };
  throw errorAt(source, '0A000', 'ALTER ROLE ... SET ... FROM CURRENT is not supported');
}

export function dropRole(node: PgNode, source: Source): Statement {
  return { ...source, k: 'drop_role', roles: specs(node.roles), ifExists: node.missing_ok === true };
}

export function grantRole(node: PgNode, source: Source): Statement {
  let admin = false;
  for (const { DefElem } of node.opt ?? []) {
    // INHERIT and SET options are PostgreSQL 16's.
    if (DefElem.defname !== 'admin')
      throw errorAt(source, '0A000', `option ${DefElem.defname} of GRANT is not supported`, DefElem.location);
    admin = node.is_grant === true ? DefElem.arg.Boolean.boolval === true : true;
  }
  const roles = (node.granted_roles as PgNode[]).map(({ AccessPriv: { priv_name, cols } }) => {
    if (cols !== undefined) throw errorAt(source, '0LP01', 'column names cannot be included in GRANT/REVOKE ROLE');
    return priv_name as string;
  });
  return {
    ...source,
    k: 'grant_role',
    isGrant: node.is_grant === true,
    roles,
    to: specs(node.grantee_roles),
    admin,
    grantor: node.grantor === undefined ? null : roleSpec(node.grantor),
    cascade: node.behavior === 'DROP_CASCADE',
  };
}

function privileges(list: PgNode[] | undefined): Privilege[] | null {
  if (list === undefined) return null;
  return list.map(({ AccessPriv: { priv_name = 'ALL', cols } }) => ({
    name: priv_name.toUpperCase(),
    columns: strings(cols),
  }));
}

const GRANTED: Record<string, GrantedKind> = {
  OBJECT_TABLE: 'table',
  OBJECT_SEQUENCE: 'sequence',
  OBJECT_SCHEMA: 'schema',
  OBJECT_DATABASE: 'database',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'type',
};

function granted(
  node: PgNode,
  source: Source,
): { kind: GrantedKind; isGrant: boolean; privileges: Privilege[] | null } {
  const isGrant = node.is_grant === true;
  const kind = GRANTED[node.objtype];
  if (kind === undefined) {
    const what = `${isGrant ? 'GRANT' : 'REVOKE'} ... ON ${objectWords(node.objtype)}`;
    throw errorAt(source, '0A000', `${what} is not supported`);
  }
  return { kind, isGrant, privileges: privileges(node.privileges) };
}

export function grant(node: PgNode, source: Source): Statement {
  const { kind, ...what } = granted(node, source);
  const said = {
    ...source,
    ...what,
    k: 'grant' as const,
    to: specs(node.grantees),
    grantOption: node.grant_option === true,
    grantor: node.grantor === undefined ? null : roleSpec(node.grantor),
    cascade: node.behavior === 'DROP_CASCADE',
  };
  if (node.targtype !== 'ACL_TARGET_OBJECT') {
    if (kind !== 'table' && kind !== 'sequence') throw errorAt(source, '0A000', 'this GRANT is not supported');
    return { ...said, on: { k: 'all_in_schema', kind, schemas: strings(node.objects) } };
  }
  const names = (node.objects as PgNode[]).map((object) => {
    if (object.RangeVar) return rangeVarName(object.RangeVar);
    return object.List ? qualified(strings(object.List.items)) : { name: object.String.sval as string };
  });
  return { ...said, on: { k: 'objects', kind, names } };
}

const DEFAULTS: Record<string, DefaultKind> = {
  OBJECT_TABLE: 'table',
  OBJECT_SEQUENCE: 'sequence',
  OBJECT_SCHEMA: 'schema',
  OBJECT_TYPE: 'type',
  OBJECT_FUNCTION: 'function',
};

export function defaultPrivileges({ options, action }: PgNode, source: Source): Statement {
  const option = (name: string): PgNode[] | null =>
    (options ?? []).find(({ DefElem }: PgNode) => DefElem.defname === name)?.DefElem.arg.List.items ?? null;
  const roles = option('roles');
  const schemas = option('schemas');
  const kind = DEFAULTS[action.objtype];
  if (kind === undefined) throw errorAt(source, '0A000', 'ALTER DEFAULT PRIVILEGES of this kind is not supported');
  return {
    ...source,
    k: 'default_privileges',
    roles: roles === null ? null : specs(roles),
    schemas: schemas === null ? null : strings(schemas),
    kind,
    isGrant: action.is_grant === true,
    privileges: privileges(action.privileges),
    to: specs(action.grantees),
    grantOption: action.grant_option === true,
    cascade: action.behavior === 'DROP_CASCADE',
  };
}

const OWNED: Record<string, 'schema' | 'type' | 'database' | 'function'> = {
  OBJECT_DOMAIN: 'type',
  OBJECT_FUNCTION: 'function',
  OBJECT_SCHEMA: 'schema',
  OBJECT_TYPE: 'type',
  OBJECT_DATABASE: 'database',
};

export function alterOwner({ objectType, object, newowner }: PgNode, source: Source): Statement {
  const kind = OWNED[objectType];
  if (kind === undefined)
    throw errorAt(source, '0A000', `ALTER ${objectWords(objectType)} ... OWNER TO is not supported`);
  if (kind === 'function') {
    const { args, ...name } = functionName(object.ObjectWithArgs);
    return { ...source, k: 'alter_owner', kind, ...name, args, owner: roleSpec(newowner) };
  }
  const name = object.String ? { name: object.String.sval as string } : qualified(strings(object.List.items));
  return { ...source, k: 'alter_owner', kind, ...name, owner: roleSpec(newowner) };
}

export function reassignOwned({ roles, newrole }: PgNode, source: Source): Statement {
  return { ...source, k: 'reassign_owned', roles: specs(roles), to: roleSpec(newrole) };
}

export function dropOwned({ roles, behavior }: PgNode, source: Source): Statement {
  return { ...source, k: 'drop_owned', roles: specs(roles), cascade: behavior === 'DROP_CASCADE' };
}
