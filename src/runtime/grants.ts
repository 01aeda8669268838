/**
 * GRANT and REVOKE of privileges on relations, schemas, types and the database.
 *
 * Who gives is the owner where the session has its rights, else a role of the session's that has grant options. One record of the log is written for each object,
 * which goes with it; it names who gave, since that hangs on what roles were then.
 */
import { SqlError } from '../../operators/errors.ts';
import { isTemporary } from '../../operators/expr/search_path.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import type { GrantStatement, Privilege } from '../../planner/parse/role_statements.ts';
import type { CatalogObject } from '../catalog/objects.ts';
import {
  type Acl,
  ALL_OF,
  defaultAcl,
  grantableBy,
  granted,
  PRIVILEGE_BITS,
  privilegeNames,
  privilegesOf,
  revoked,
  type SecuredKind,
} from '../catalog/privileges.ts';
import { PUBLIC } from '../catalog/roles.ts';
import type { SessionContext } from '../engine.ts';
import { change } from './change_at_commit.ts';
import type { TidemarkEngine } from './engine.ts';
import { securableNamed } from './granted_names.ts';
import { checkUnchanged } from './open_objects.ts';
import { actingRole, granteeOf, roleOf } from './role_names.ts';
import { objectSecurable, type Securable } from './securables.ts';

export function grant(engine: TidemarkEngine, statement: GrantStatement, session: SessionContext): void {
  const to = [...new Set(statement.to.map((spec) => granteeOf(engine, spec, session)))];
  if (statement.isGrant && statement.grantOption) checkOptionFor(to);
  // All of it may be done, or nothing is.
  const changes = targets(engine, statement, session).flatMap((on) => {
    checkUnchanged(engine, on.words, on.oid, session);
    const mask = maskOf(statement.privileges, on.kind, on);
    const { role, allowed } = grantorOf(engine, statement, on, mask, session);
    const given = mask & allowed;
    if (engine.replay === null) tellMissing(statement, on, mask, given, session);
    if (given === 0) return [];
    const acl = changedAcl(statement, on.acl ?? defaultAcl(on.kind, on.owner), to, role, given, on.owner);
    const sql = sqlOf(engine, statement, on, to, role, given);
    return [{ on, acl, sql, role }];
  });
  for (const { on, acl, sql, role } of changes)
    change(engine, on.oid, { k: 'rights', owner: on.owner, acl }, sql, session, [...to, role]);
}

export function checkOptionFor(to: number[]): void {
  if (to.includes(PUBLIC)) throw new SqlError('0LP01', 'grant options can only be granted to roles');
}

function targets(engine: TidemarkEngine, { on }: GrantStatement, session: SessionContext): Securable[] {
  if (on.k === 'objects') return on.names.map((name) => securableNamed(engine, on.kind, name, session));
  const { catalog } = engine;
  for (const name of on.schemas)
    if (!catalog.seesSchema(name, session.searchPath)) throw new SqlError('3F000', `schema "${name}" does not exist`);
  const isTarget = (kind: string) =>
    on.kind === 'sequence'
      ? kind === 'sequence'
      : ['table', 'stream', 'view', 'materialized_view', 'subscription'].includes(kind);
  // Temporary ones of others cannot be named, also when it is done again.
  const isMine = (schema: string) => !isTemporary(schema) || session.searchPath.includes(schema);
  return catalog
    .seen(session.searchPath)
    .filter(({ kind, schema }) => on.schemas.includes(schema) && isTarget(kind) && isMine(schema))
    .map(({ oid }) => objectSecurable(engine, catalog.get(oid) as CatalogObject, session.searchPath));
}

/** The bits of what was said; `on` only for messages. */
export function maskOf(privileges: Privilege[] | null, kind: SecuredKind, on?: Securable): number {
  if (privileges === null) return ALL_OF[kind];
  let mask = 0;
  for (const { name, columns } of privileges) {
    if (columns.length > 0)
      throw new SqlError('0A000', 'privileges on columns are not supported', {
        hint: 'Grant on a view of the columns.',
      });
    const bit = name === 'ALL' ? ALL_OF[kind] : PRIVILEGE_BITS[name];
    if (bit === undefined) throw new SqlError('42601', `unrecognized privilege type "${name.toLowerCase()}"`);
    // A sequence that is named as a table takes what tables take, as far as it has it.
    if ((bit & ALL_OF[kind]) === 0 && name !== 'ALL')
      throw new SqlError(
        '0LP01',
        `invalid privilege type ${name} for ${on === undefined || kind !== 'table' ? kind : 'relation'}`,
      );
    mask |= bit & ALL_OF[kind];
  }
  return mask;
}

/** Who gives, and what that may give. */
function grantorOf(
  engine: TidemarkEngine,
  { grantor, isGrant }: GrantStatement,
  on: Securable,
  mask: number,
  session: SessionContext,
): { role: number; allowed: number } {
  const { roles } = engine.catalog;
  const acting = actingRole(session);
  if (grantor !== null) {
    const { oid } = roleOf(engine, grantor, session);
    if (engine.replay !== null) return { role: oid, allowed: ALL_OF[on.kind] };
    if (oid !== acting) throw new SqlError('0A000', 'grantor must be current user');
  }
  if (roles.hasRightsOf(acting, on.owner)) return { role: on.owner, allowed: ALL_OF[on.kind] };
  const acl = on.acl ?? defaultAcl(on.kind, on.owner);
  const mine = roles.rightsOf(acting);
  let best = { role: acting, allowed: 0 };
  for (const role of mine) {
    const allowed = grantableBy(acl, on.owner, on.kind, role) & mask;
    if (bits(allowed) > bits(best.allowed)) best = { role, allowed };
  }
  if (best.allowed === 0 && privilegesOf(acl, mine) === 0)
    throw new SqlError('42501', `permission denied for ${on.words}`, {
      hint: isGrant ? undefined : 'Only its owner, and who has grant options, can revoke privileges.',
    });
  return best;
}

function bits(mask: number): number {
  let n = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) n++;
  return n;
}

function tellMissing(
  { isGrant, privileges }: GrantStatement,
  { name }: Securable,
  wanted: number,
  given: number,
  session: SessionContext,
): void {
  const [code, does] = isGrant ? ['01007', 'were granted'] : ['01006', 'could be revoked'];
  if (given === 0) session.notice('WARNING', code, `no privileges ${does} for "${name}"`);
  else if (privileges !== null && given !== wanted)
    session.notice('WARNING', code, `not all privileges ${does} for "${name}"`);
}

export function changedAcl(
  { isGrant, grantOption, cascade }: Pick<GrantStatement, 'isGrant' | 'grantOption' | 'cascade'>,
  acl: Acl,
  to: number[],
  grantor: number,
  mask: number,
  owner: number,
): Acl {
  return to.reduce<Acl>((list, grantee) => {
    if (isGrant) return granted(list, grantee, grantor, mask, grantOption);
    return revoked(list, grantee, grantor, mask, grantOption, cascade, owner);
  }, acl);
}

/** GRANT ... TO, or REVOKE ... FROM, around what it is about. */
export function grantText(
  engine: TidemarkEngine,
  { isGrant, grantOption }: Pick<GrantStatement, 'isGrant' | 'grantOption'>,
  mask: number,
  on: string,
  to: number[],
): string {
  const { roles } = engine.catalog;
  const names = to.map((oid) => (oid === PUBLIC ? 'PUBLIC' : quoteIdent(roles.nameOf(oid)))).join(', ');
  const what = `${privilegeNames(mask).join(', ')} ON ${on}`;
  if (isGrant) return `GRANT ${what} TO ${names}${grantOption ? ' WITH GRANT OPTION' : ''}`;
  return `REVOKE ${grantOption ? 'GRANT OPTION FOR ' : ''}${what} FROM ${names}`;
}

function sqlOf(
  engine: TidemarkEngine,
  statement: GrantStatement,
  on: Securable,
  to: number[],
  grantor: number,
  mask: number,
): string {
  const by = ` GRANTED BY ${quoteIdent(engine.catalog.roles.nameOf(grantor))}`;
  return `${grantText(engine, statement, mask, on.sql, to)}${by}${statement.cascade ? ' CASCADE' : ''}`;
}
