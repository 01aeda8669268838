/** REASSIGN OWNED, DROP OWNED: all that roles have, so that they can be dropped. */
import { SqlError } from '../../operators/errors.ts';
import { isTemporary } from '../../operators/expr/search_path.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import type { RoleSpec, RoleStatement } from '../../planner/parse/role_statements.ts';
import { formatType } from '../../planner/types/type_name.ts';
import { typeTextNode } from '../../planner/types/type_text.ts';
import { KIND_NAMES } from '../catalog/objects.ts';
import { withoutRole } from '../catalog/privileges.ts';
import type { Role } from '../catalog/roles.ts';
import type { SessionContext } from '../engine.ts';
import { checkUnneeded, drop } from './drop.ts';
import type { TidemarkEngine } from './engine.ts';
import { checkUnchanged, tellDone } from './open_objects.ts';
import { setOwner } from './owners.ts';
import { actingRole, isRestricted, roleOf } from './role_names.ts';
import { allSecurables, schemaSecurable } from './securables.ts';
import { sessionWith } from './session_with.ts';
import { settleRights } from './settle_at_once.ts';

type Of<K extends RoleStatement['k']> = Extract<RoleStatement, { k: K }> & { text: string };

function rolesOf(engine: TidemarkEngine, specs: RoleSpec[], session: SessionContext): Role[] {
  const roles = specs.map((spec) => roleOf(engine, spec, session));
  for (const { oid, name } of roles) {
    if (engine.catalog.roles.isOwn(oid) && engine.replay === null)
      throw new SqlError('2BP01', `objects of role ${name} are required by the database system`);
    if (isRestricted(engine, session) && !engine.catalog.roles.hasRightsOf(actingRole(session), oid))
      throw new SqlError('42501', 'permission denied to reassign or drop objects', {
        detail: `Only roles with privileges of role "${name}" may do so.`,
      });
  }
  return roles;
}

export function reassignOwned(engine: TidemarkEngine, statement: Of<'reassign_owned'>, session: SessionContext): void {
  const roles = rolesOf(engine, statement.roles, session);
  const to = roleOf(engine, statement.to, session);
  if (isRestricted(engine, session) && !engine.catalog.roles.hasRightsOf(actingRole(session), to.oid))
    throw new SqlError('42501', `must be able to SET ROLE "${to.name}"`);
  settleRights(
    engine,
    roles.map(({ oid }) => oid),
    session,
  );
  for (const on of allSecurables(engine)) if (roles.some(({ oid }) => oid === on.owner)) setOwner(on, to.oid);
  const names = roles.map(({ name }) => quoteIdent(name)).join(', ');
  tellDone(engine, 'owners are changed', session);
  const sql = `REASSIGN OWNED BY ${names} TO ${quoteIdent(to.name)}`;
  engine.defined(
    { sql, made: 0, dropped: [] },
    session,
    [...roles, to].map(({ oid }) => oid),
  );
}

export async function dropOwned(
  engine: TidemarkEngine,
  { roles: specs, cascade }: Of<'drop_owned'>,
  session: SessionContext,
  signal: AbortSignal,
): Promise<void> {
  const roles = rolesOf(engine, specs, session);
  const owns = (owner: number) => roles.some(({ oid }) => oid === owner);
  const { catalog } = engine;
  const path = session.searchPath;
  // Done again, what it dropped has records of its own.
  const there = engine.replay === null ? catalog.there(session.searchPath) : [];
  const objects = there.filter((object) => object.kind !== 'index' && owns(catalog.ownerOf(object, path)));
  const schemas = catalog.schemas.filter((name) => {
    const isThere = engine.replay === null && catalog.schemaOid(name, path) !== 0;
    return isThere && owns(schemaSecurable(engine, name, path).owner);
  });
  for (const object of objects) {
    checkUnchanged(engine, `${KIND_NAMES[object.kind]} "${object.name}"`, object.oid, session);
    if (isTemporary(object.schema) && !session.searchPath.includes(object.schema))
      throw new SqlError('0A000', 'cannot access temporary tables of other sessions');
  }
  for (const name of schemas)
    checkUnchanged(engine, `schema "${name}"`, catalog.schemaOid(name, session.searchPath), session);
  if (!cascade && engine.replay === null) checkUnneeded(engine, objects, schemas, session);
  settleRights(
    engine,
    roles.map(({ oid }) => oid),
    session,
  );
  // What is left to go with another is theirs, too.
  const quiet = cascade ? session : sessionWith(session, { notice: () => undefined });
  // The youngest first: what reads others is younger.
  for (const object of objects.reverse()) {
    if (catalog.get(object.oid) === undefined || catalog.isGone(object.oid, session.searchPath)) continue;
    if (object.kind === 'sequence' && object.owner !== null) continue;
    const { schema, kind } = object;
    const name = catalog.nameOf(object, session.searchPath);
    const args = object.kind === 'function' ? object.proc.args.map((type) => formatType(type, null, [])) : undefined;
    const what = `${quoteIdent(schema)}.${quoteIdent(name)}${args === undefined ? '' : `(${args.join(', ')})`}`;
    const text = `DROP ${KIND_NAMES[kind].toUpperCase()} ${what} CASCADE`;
    const names = [{ schema, name, location: -1, ...(args === undefined ? {} : { args: args.map(typeTextNode) }) }];
    await drop(engine, { k: 'drop', kind, names, ifExists: false, cascade: true, text, offset: 0 }, quiet, signal);
  }
  for (const name of schemas) {
    const text = `DROP SCHEMA ${quoteIdent(name)} CASCADE`;
    const names = [{ name, location: -1 }];
    await drop(
      engine,
      { k: 'drop', kind: 'schema', names, ifExists: false, cascade: true, text, offset: 0 },
      quiet,
      signal,
    );
  }
  for (const { oid } of roles) {
    for (const on of allSecurables(engine))
      if (on.acl !== null) on.set({ owner: on.owner, acl: withoutRole(on.acl, oid) });
    catalog.rights.defaults = catalog.rights.defaults.flatMap((d) =>
      d.role === oid ? [] : [{ ...d, acl: withoutRole(d.acl, oid) }],
    );
  }
  catalog.version++;
  tellDone(engine, 'what roles were granted is revoked', session);
  const sql = `DROP OWNED BY ${roles.map(({ name }) => quoteIdent(name)).join(', ')}`;
  engine.defined(
    { sql, made: 0, dropped: [] },
    session,
    roles.map(({ oid }) => oid),
  );
}
