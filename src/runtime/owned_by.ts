/** REASSIGN OWNED, DROP OWNED: all that roles have, so that they can be dropped. */
import { SqlError } from '../../operators/errors.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import type { RoleSpec, RoleStatement } from '../../planner/parse/role_statements.ts';
import { KIND_NAMES } from '../catalog/objects.ts';
import { withoutRole } from '../catalog/privileges.ts';
import type { Role } from '../catalog/roles.ts';
import type { SessionContext } from '../engine.ts';
import { drop } from './drop.ts';
import type { TidemarkEngine } from './engine.ts';
import { setOwner } from './owners.ts';
import { actingRole, isRestricted, roleOf } from './role_names.ts';
import { allSecurables } from './securables.ts';

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
  for (const on of allSecurables(engine)) if (roles.some(({ oid }) => oid === on.owner)) setOwner(on, to.oid);
  const names = roles.map(({ name }) => quoteIdent(name)).join(', ');
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
  // The youngest first: what reads others is younger.
  for (const object of catalog.objects().reverse()) {
    if (catalog.get(object.oid) === undefined || object.kind === 'index' || !owns(catalog.ownerOf(object))) continue;
    if (object.kind === 'sequence' && object.owner !== null) continue;
    const { schema, name, kind } = object;
    const word = KIND_NAMES[kind].toUpperCase();
    const text = `DROP ${word} ${quoteIdent(schema)}.${quoteIdent(name)}${cascade ? ' CASCADE' : ''}`;
    const names = [{ schema, name, location: -1 }];
    await drop(engine, { k: 'drop', kind, names, ifExists: false, cascade, text, offset: 0 }, session, signal);
  }
  for (const name of catalog.schemas) {
    if (!owns(catalog.rights.schema(name).owner)) continue;
    const text = `DROP SCHEMA ${quoteIdent(name)}${cascade ? ' CASCADE' : ''}`;
    const names = [{ name, location: -1 }];
    await drop(
      engine,
      { k: 'drop', kind: 'schema', names, ifExists: false, cascade, text, offset: 0 },
      session,
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
  const sql = `DROP OWNED BY ${roles.map(({ name }) => quoteIdent(name)).join(', ')}`;
  engine.defined(
    { sql, made: 0, dropped: [] },
    session,
    roles.map(({ oid }) => oid),
  );
}
