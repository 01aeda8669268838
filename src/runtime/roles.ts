/**
 * CREATE, ALTER and DROP ROLE, and who is a member of whom (GRANT role TO role). Roles lie in the catalog and come back as other objects do: by the statements that
 * made them. In those a password is a verifier, whatever the client said.
 */
import { SqlError } from '../../operators/errors.ts';
import { inputText } from '../../operators/expr/io/index.ts';
import { quoteIdent, quoteLiteral } from '../../operators/expr/text/quote.ts';
import { colType, OID } from '../../operators/types.ts';
import type { RoleOptions, RoleSpec, RoleStatement } from '../../planner/parse/role_statements.ts';
import { keptPassword } from '../auth/verifier.ts';
import { BOOTSTRAP, NEW_ROLE, type Role } from '../catalog/roles.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { tellDone } from './open_objects.ts';
import { dependentsOfRole } from './owned.ts';
import { actingRole, isRestricted, roleNamed, roleOf } from './role_names.ts';
import { settingName, settingText } from './setting_text.ts';
import { settleOwned } from './settle_at_once.ts';

type Of<K extends RoleStatement['k']> = Extract<RoleStatement, { k: K }> & { text: string };

const denied = (message: string, fields: { detail?: string; hint?: string } = {}) =>
  new SqlError('42501', message, fields);

/** Throws unless the session may make roles. */
function checkCreator(
  engine: TidemarkEngine,
  session: SessionContext,
  message = 'permission denied to alter role',
): void {
  if (!isRestricted(engine, session)) return;
  if (engine.catalog.roles.get(actingRole(session))?.createRole !== true) throw denied(message);
}

function checkAttributes(engine: TidemarkEngine, options: RoleOptions, session: SessionContext, does: string): void {
  if (!isRestricted(engine, session)) return;
  if (options.superuser !== undefined) throw denied(`must be superuser to ${does} superusers`);
  if (options.replication !== undefined) throw denied(`must be superuser to ${does} replication users`);
  if (options.bypassRls !== undefined) throw denied('must be superuser to change bypassrls attribute');
}

function checkName(name: string): void {
  if (name === 'public' || name === 'none') throw new SqlError('42939', `role name "${name}" is reserved`);
  if (name.startsWith('pg_'))
    throw new SqlError('42939', `role name "${name}" is reserved`, {
      detail: 'Role names starting with "pg_" are reserved.',
    });
}

function checkFree({ catalog }: TidemarkEngine, name: string): void {
  if (catalog.roles.find(name) !== undefined) throw new SqlError('42710', `role "${name}" already exists`);
}

/** What was said as attributes of the role. */
function attributes(options: RoleOptions, session: SessionContext): Partial<Role> {
  const { memberOf: _of, members: _members, admins: _admins, password, validUntil, ...flags } = options;
  return {
    ...flags,
    ...(password === undefined ? {} : { password: keptPassword(password) }),
    ...(validUntil === undefined ? {} : { validUntil: momentOf(validUntil, session) }),
  };
}

const INFINITY = 9223372036854775807n;

function momentOf(text: string, session: SessionContext): bigint | null {
  const moment = inputText(text, colType(OID.timestamptz), session.evalContext);
  if (typeof moment !== 'bigint') throw new SqlError('22007', `invalid value for VALID UNTIL: "${text}"`);
  return moment === INFINITY ? null : moment;
}

const WORDS: [option: keyof RoleOptions, word: string][] = [
  ['superuser', 'SUPERUSER'],
  ['inherit', 'INHERIT'],
  ['createRole', 'CREATEROLE'],
  ['createDb', 'CREATEDB'],
  ['login', 'LOGIN'],
  ['replication', 'REPLICATION'],
  ['bypassRls', 'BYPASSRLS'],
];

/** The options as a statement says them, with the password that is kept. */
function optionsText(options: RoleOptions, kept: Partial<Role>): string {
  const words = WORDS.flatMap(([option, word]) => {
    const on = options[option];
    return on === undefined ? [] : [on ? word : `NO${word}`];
  });
  if (options.connectionLimit !== undefined) words.push(`CONNECTION LIMIT ${options.connectionLimit}`);
  if (options.password !== undefined)
    words.push(kept.password == null ? 'PASSWORD NULL' : `PASSWORD ${quoteLiteral(kept.password)}`);
  if (options.validUntil !== undefined) words.push(`VALID UNTIL ${quoteLiteral(options.validUntil)}`);
  return words.map((word) => ` ${word}`).join('');
}

export function createRole(engine: TidemarkEngine, statement: Of<'create_role'>, session: SessionContext): void {
  const { name, word, options } = statement;
  const { roles } = engine.catalog;
  checkCreator(engine, session, 'permission denied to create role');
  checkAttributes(engine, { ...options, superuser: options.superuser || undefined }, session, 'create');
  checkName(name);
  checkFree(engine, name);
  const said = { login: word === 'user', ...options };
  const list = (specs: RoleSpec[] | undefined) => (specs ?? []).map((spec) => roleOf(engine, spec, session));
  const [of, members, admins] = [list(options.memberOf), list(options.members), list(options.admins)];
  for (const role of of) checkAdmin(engine, role, session);
  const kept = attributes(said, session);
  const role: Role = { ...NEW_ROLE, settings: [], ...kept, oid: engine.catalog.newOid(), name };
  roles.add(role);
  for (const group of of) join(engine, group, role, false, session);
  for (const member of members) join(engine, role, member, false, session);
  for (const member of admins) join(engine, role, member, true, session);
  const names = (word: string, list: Role[]) =>
    list.length === 0 ? '' : ` ${word} ${list.map((other) => quoteIdent(other.name)).join(', ')}`;
  const groups = names('IN ROLE', of) + names('ROLE', members) + names('ADMIN', admins);
  const sql = `CREATE ROLE ${quoteIdent(name)}${optionsText(said, kept)}${groups}`;
  const reads = [...of, ...members, ...admins].map(({ oid }) => oid);
  tellDone(engine, `role "${name}" is made`, session);
  engine.defined({ sql, made: role.oid, dropped: [] }, session, reads);
}

/** The statement has changed a role. */
function altered(engine: TidemarkEngine, role: Role, sql: string, session: SessionContext, reads: number[] = []): void {
  engine.catalog.roles.touch();
  engine.defined({ sql, made: role.oid, dropped: [], altered: role.oid }, session, [role.oid, ...reads]);
}

export function alterRole(engine: TidemarkEngine, { role: spec, options }: Of<'alter_role'>, session: SessionContext) {
  const role = roleOf(engine, spec, session);
  checkNotPredefined(engine, role, 'alter');
  if (isRestricted(engine, session)) {
    if (role.superuser || options.superuser !== undefined)
      throw denied('must be superuser to alter superuser roles or change superuser attribute');
    checkAttributes(engine, options, session, 'alter');
    const onlyPassword = Object.keys(options).every((option) => option === 'password');
    if (!onlyPassword || role.oid !== actingRole(session)) checkCreator(engine, session);
  }
  if (role.oid === BOOTSTRAP && (options.superuser === false || options.login === false))
    throw new SqlError('42501', 'permission denied to alter role', {
      detail: `The bootstrap user "${role.name}" must have the SUPERUSER and LOGIN attributes.`,
    });
  const kept = attributes(options, session);
  Object.assign(role, kept);
  altered(engine, role, `ALTER ROLE ${quoteIdent(role.name)}${optionsText(options, kept)}`, session);
}

function checkNotPredefined({ catalog }: TidemarkEngine, { oid, name }: Role, does: string): void {
  if (oid === BOOTSTRAP || !catalog.roles.isOwn(oid)) return;
  throw new SqlError('42939', `role name "${name}" is reserved`, { detail: `Cannot ${does} reserved roles.` });
}

export function renameRole(engine: TidemarkEngine, { name, to, text }: Of<'rename_role'>, session: SessionContext) {
  const role = roleNamed(engine, name, session);
  checkNotPredefined(engine, role, 'rename');
  if (engine.replay === null) {
    if (role.oid === BOOTSTRAP)
      throw new SqlError('0A000', `role "${role.name}" cannot be renamed: it is the bootstrap superuser`);
    const { user, sessionUser } = session.evalContext;
    if (role.name === sessionUser) throw new SqlError('0A000', 'session user cannot be renamed');
    if (role.name === user) throw new SqlError('0A000', 'current user cannot be renamed');
  }
  checkName(to);
  checkFree(engine, to);
  if (role.superuser && isRestricted(engine, session)) throw denied('must be superuser to rename superusers');
  checkCreator(engine, session, 'permission denied to rename role');
  engine.catalog.roles.rename(role, to);
  altered(engine, role, text, session);
}

export function setOfRole(engine: TidemarkEngine, statement: Of<'alter_role_set'>, session: SessionContext): void {
  const { roles } = engine.catalog;
  const role = statement.role === null ? null : roleOf(engine, statement.role, session);
  if (isRestricted(engine, session)) {
    if (role === null) throw denied('must be superuser to alter settings globally');
    if (role.superuser) throw denied('must be superuser to alter superusers');
    if (role.oid !== actingRole(session)) checkCreator(engine, session);
  }
  const { name, values } = statement;
  // Done again it says the text as it is kept.
  const value =
    name === null || values === null ? null : engine.replay === null ? settingText(name, values) : String(values[0]);
  if (name !== null && value !== null) session.checkSetting?.(name, value);
  const list = changedSettings(role === null ? roles.everyone : role.settings, name, value);
  const of = role === null ? 'ALL' : quoteIdent(role.name);
  const set =
    name === null
      ? 'RESET ALL'
      : value === null
        ? `RESET ${settingName(name)}`
        : `SET ${settingName(name)} = ${quoteLiteral(value)}`;
  const sql = `ALTER ROLE ${of} ${set}`;
  if (role === null) {
    roles.everyone = list;
    roles.touch();
    tellDone(engine, 'the settings of all roles are changed', session);
    engine.defined({ sql, made: 0, dropped: [] }, session);
    return;
  }
  role.settings = list;
  altered(engine, role, sql, session);
}

function changedSettings(list: Role['settings'], name: string | null, text: string | null): Role['settings'] {
  if (name === null) return [];
  const key = name.toLowerCase();
  const others = list.filter(([other]) => other !== key);
  if (text === null) return others;
  return [...others, [key, text]];
}

export function dropRoles(
  engine: TidemarkEngine,
  { roles: specs, ifExists, text }: Of<'drop_role'>,
  session: SessionContext,
): void {
  const { roles } = engine.catalog;
  checkCreator(engine, session, 'permission denied to drop role');
  const found: Role[] = [];
  for (const spec of specs) {
    if (spec.k !== 'name') throw new SqlError('22023', 'cannot use special role specifier in DROP ROLE');
    const role = roles.find(spec.name);
    if (role === undefined) {
      if (!ifExists) roles.named(spec.name);
      session.notice('NOTICE', '00000', `role "${spec.name}" does not exist, skipping`);
    } else if (!found.includes(role)) found.push(role);
  }
  if (engine.replay === null) for (const role of found) checkDroppable(engine, role, session);
  settleOwned(
    engine,
    found.map(({ oid }) => oid),
    session,
  );
  for (const role of found) {
    roles.remove(role);
    tellDone(engine, `role "${role.name}" is dropped`, session);
  }
  if (found.length > 0) engine.defined({ sql: text, made: 0, dropped: found.map(({ oid }) => oid) }, session);
}

function checkDroppable(engine: TidemarkEngine, role: Role, session: SessionContext): void {
  const { roles } = engine.catalog;
  const { oid, name, superuser } = role;
  if (roles.isOwn(oid))
    throw new SqlError('2BP01', `cannot drop role ${quoteIdent(name)} because it is required by the database system`);
  if (oid === actingRole(session)) throw new SqlError('55006', 'current user cannot be dropped');
  if (name === session.evalContext.sessionUser) throw new SqlError('55006', 'session user cannot be dropped');
  if (superuser && isRestricted(engine, session)) throw denied('must be superuser to drop superusers');
  const dependents = dependentsOfRole(engine, oid, session.searchPath);
  if (dependents.length > 0)
    throw new SqlError('2BP01', `role "${name}" cannot be dropped because some objects depend on it`, {
      detail: dependents.join('\n'),
    });
}

function checkAdmin(engine: TidemarkEngine, role: Role, session: SessionContext): void {
  if (!isRestricted(engine, session)) return;
  const { roles } = engine.catalog;
  const acting = actingRole(session);
  if (role.superuser) throw denied('must be superuser to alter superusers');
  if (roles.get(acting)?.createRole === true || roles.isAdmin(acting, role.oid)) return;
  throw denied(`permission denied to grant role "${role.name}"`, {
    detail: `Only roles with the ADMIN option on role "${role.name}" may grant this role.`,
  });
}

/** False when it is so already. */
function join(engine: TidemarkEngine, role: Role, member: Role, admin: boolean, session: SessionContext): boolean {
  const { roles } = engine.catalog;
  if (roles.isMemberIndeed(role.oid, member.oid))
    throw new SqlError('0LP01', `role "${role.name}" is a member of role "${member.name}"`);
  const known = roles.memberships.find((m) => m.role === role.oid && m.member === member.oid);
  if (known !== undefined && (known.admin || !admin)) return false;
  const membership = { role: role.oid, member: member.oid, grantor: actingRole(session), admin };
  roles.memberships = [...roles.memberships.filter((m) => m !== known), membership];
  roles.touch();
  return true;
}

export function grantRoles(engine: TidemarkEngine, statement: Of<'grant_role'>, session: SessionContext): void {
  const { roles } = engine.catalog;
  const groups = statement.roles.map((name) => roleNamed(engine, name, session));
  const members = statement.to.map((spec) => roleOf(engine, spec, session));
  for (const group of groups) checkAdmin(engine, group, session);
  const before = roles.memberships;
  try {
    for (const group of groups)
      for (const member of members) changeMembership(engine, statement, group, member, session);
  } catch (error) {
    // Each is looked at with those before it; all are done, or none.
    roles.memberships = before;
    roles.touch();
    throw error;
  }
  const [altered, ...others] = [...members, ...groups].map(({ oid }) => oid);
  engine.defined({ sql: statement.text, made: altered, dropped: [], altered }, session, [altered, ...others]);
}

function changeMembership(
  engine: TidemarkEngine,
  { isGrant, admin }: Of<'grant_role'>,
  group: Role,
  member: Role,
  session: SessionContext,
): void {
  const { roles } = engine.catalog;
  const told = (what: string) =>
    session.notice(isGrant ? 'NOTICE' : 'WARNING', '01000', `role "${member.name}" ${what} role "${group.name}"`);
  if (isGrant) {
    if (!join(engine, group, member, admin, session)) told('is already a member of');
    return;
  }
  const known = roles.memberships.find((m) => m.role === group.oid && m.member === member.oid);
  if (known === undefined) {
    told('is not a member of');
    return;
  }
  const others = roles.memberships.filter((m) => m !== known);
  roles.memberships = admin ? [...others, { ...known, admin: false }] : others;
  roles.touch();
}

export function alterGroup(
  engine: TidemarkEngine,
  { role, add, members, ...rest }: Of<'alter_group'>,
  session: SessionContext,
): void {
  const group = roleOf(engine, role, session);
  const { text } = rest;
  grantRoles(
    engine,
    {
      k: 'grant_role',
      isGrant: add,
      roles: [group.name],
      to: members,
      admin: false,
      grantor: null,
      cascade: false,
      text,
    },
    session,
  );
}
