/** ALTER ... OWNER TO. */
import { SqlError } from '../../operators/errors.ts';
import type { RoleSpec, RoleStatement } from '../../planner/parse/role_statements.ts';
import type { CatalogObject } from '../catalog/objects.ts';
import { withOwner } from '../catalog/privileges.ts';
import type { Secured } from '../catalog/rights.ts';
import type { Role } from '../catalog/roles.ts';
import type { SessionContext } from '../engine.ts';
import { checkCreateIn, checkOwnerOf } from './access.ts';
import { functionNamed } from './alter_function.ts';
import { change } from './change_at_commit.ts';
import type { TidemarkEngine } from './engine.ts';
import { actingRole, isRestricted, roleOf } from './role_names.ts';
import { databaseSecurable, objectSecurable, type Securable, schemaSecurable } from './securables.ts';
import { typeNamed } from './user_types.ts';

type Of<K extends RoleStatement['k']> = Extract<RoleStatement, { k: K }> & { text: string };

export function setOwner(on: Securable, owner: number): void {
  on.set(ownedBy(on, owner));
}

export function ownedBy(on: Securable, owner: number): Secured {
  return { owner, acl: on.acl === null ? null : withOwner(on.acl, on.owner, owner) };
}

/** Of a role that is no superuser: it must have the object, be the new owner too, and that must be allowed to make it. */
function checkGivable(
  engine: TidemarkEngine,
  on: Securable,
  role: Role,
  schema: string | null,
  session: SessionContext,
): void {
  checkOwnerOf(engine, on, session);
  if (!isRestricted(engine, session)) return;
  if (!engine.catalog.roles.isMember(actingRole(session), role.oid))
    throw new SqlError('42501', `must be able to SET ROLE "${role.name}"`);
  if (schema !== null) checkCreateIn(engine, schema, role.oid, session);
}

/** ALTER TABLE ... OWNER TO and its kin beside other actions: checks it and gives what does it. */
export function changeOwner(
  engine: TidemarkEngine,
  object: CatalogObject,
  spec: RoleSpec,
  session: SessionContext,
): () => void {
  const given = ownerToGive(engine, object, spec, session);
  return () => given !== null && setOwner(given.on, given.role);
}

/** The new owner of an object, when it is allowed; null where nothing is to be done. */
export function ownerToGive(
  engine: TidemarkEngine,
  object: CatalogObject,
  spec: RoleSpec,
  session: SessionContext,
): { on: Securable; role: number } | null {
  const role = roleOf(engine, spec, session);
  if (object.kind === 'index') {
    session.notice('WARNING', '42809', `cannot change owner of index "${object.name}"`, {
      hint: "Change the ownership of the index's table instead.",
    });
    return null;
  }
  if (object.kind === 'sequence' && object.owner !== null) {
    const table = engine.catalog.get(object.owner.table);
    throw new SqlError('0A000', `cannot change owner of sequence "${object.name}"`, {
      detail: `Sequence "${object.name}" is linked to table "${table?.name}".`,
    });
  }
  const on = objectSecurable(engine, object, session.searchPath);
  checkGivable(engine, on, role, object.schema, session);
  return { on, role: role.oid };
}

export function alterOwner(engine: TidemarkEngine, statement: Of<'alter_owner'>, session: SessionContext): void {
  const { kind, name, text } = statement;
  const role = roleOf(engine, statement.owner, session);
  const give = (on: Securable) =>
    change(engine, on.oid, { k: 'rights', ...ownedBy(on, role.oid) }, text, session, [role.oid]);
  switch (kind) {
    case 'schema': {
      if (!engine.catalog.seesSchema(name, session.searchPath))
        throw new SqlError('3F000', `schema "${name}" does not exist`);
      const on = schemaSecurable(engine, name, session.searchPath);
      checkGivable(engine, on, role, null, session);
      give(on);
      return;
    }
    case 'function':
    case 'type': {
      const object =
        statement.kind === 'function'
          ? functionNamed(engine, statement, session)
          : typeNamed(engine, statement.schema, name, session);
      const on = objectSecurable(engine, object, session.searchPath);
      checkGivable(engine, on, role, object.schema, session);
      give(on);
      return;
    }
    case 'database':
      if (databaseSecurable(engine, name).owner !== role.oid)
        throw new SqlError('0A000', 'the owner of the database cannot be changed', {
          hint: 'GRANT CREATE ON DATABASE lets a role make schemas.',
        });
  }
}
