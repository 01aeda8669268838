/** CREATE, ALTER, COMMENT, DROP, GRANT, TRUNCATE: statements that change the catalog. Each takes effect between two ticks; what fills views, tables and indexes may wait for others before. */
import { SqlError } from '../../operators/errors.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import { commandTag } from '../../planner/parse/command_tag.ts';
import { CREATE } from '../catalog/privileges.ts';
import type { SessionContext } from '../engine.ts';
import { checkDatabase } from './access.ts';
import { alterFunction } from './alter_function.ts';
import { comment } from './comment.ts';
import { createFunction } from './create_function.ts';
import { createIndex } from './create_index.ts';
import { createRelation } from './create_relation.ts';
import { alterSequence, createSequence } from './create_sequence.ts';
import { createSink } from './create_sink.ts';
import { createView } from './create_view.ts';
import { setDefaultPrivileges } from './default_privileges.ts';
import { alterDomain, createDomain } from './domains.ts';
import { alter, drop } from './drop.ts';
import { acknowledge, createSubscription } from './durable_subscription.ts';
import type { TidemarkEngine } from './engine.ts';
import { createExtension } from './extensions.ts';
import { grant } from './grants.ts';
import { checkNotOthers } from './open_objects.ts';
import { dropOwned, reassignOwned } from './owned_by.ts';
import { alterOwner } from './owners.ts';
import { type RunnableStatement, runnable } from './prepared.ts';
import { alterPublication, createPublication } from './publications.ts';
import { createSlot } from './replication_slots.ts';
import { actingRole, isRestricted, ownerOfNew, roleOf } from './role_names.ts';
import { alterGroup, alterRole, createRole, dropRoles, grantRoles, renameRole, setOfRole } from './roles.ts';
import { truncate } from './truncate.ts';
import { alterEnum, createEnum } from './user_types.ts';

export function prepareDefinition(
  engine: TidemarkEngine,
  statement: Statement,
  _session: SessionContext,
): RunnableStatement {
  return runnable(statement, engine.catalogVersion, null, async (_params, session, signal) => {
    await engine.journal?.admitDefinition();
    const tag = await define(engine, statement, session, signal);
    if (session.getSetting('synchronous_commit') !== 'off') await engine.journal?.durable();
    return { kind: 'command', tag: tag ?? commandTag(statement) };
  });
}

/** Runs the definition; gives the command tag where it is not the statement's usual one. */
async function define(
  engine: TidemarkEngine,
  statement: Statement,
  session: SessionContext,
  signal: AbortSignal,
): Promise<string | null> {
  switch (statement.k) {
    case 'create_relation':
      return createRelation(engine, statement, session, signal);
    case 'create_view':
      await createView(engine, statement, session, signal);
      return null;
    case 'create_index':
      await createIndex(engine, statement, session, signal);
      return null;
    case 'create_sink':
      await createSink(engine, statement, session, signal);
      return null;
    case 'create_subscription':
      await createSubscription(engine, statement, session, signal);
      return null;
    case 'acknowledge':
      acknowledge(engine, statement, session);
      return null;
    case 'create_schema':
      createSchema(engine, statement, session);
      return null;
    case 'create_extension':
      createExtension(engine, statement, session);
      return null;
    case 'create_publication':
      createPublication(engine, statement, session);
      return null;
    case 'alter_publication':
      alterPublication(engine, statement, session);
      return null;
    case 'create_slot':
      createSlot(engine, statement, session);
      return null;
    case 'create_role':
      createRole(engine, statement, session);
      return null;
    case 'alter_role':
      alterRole(engine, statement, session);
      return null;
    case 'alter_group':
      alterGroup(engine, statement, session);
      return null;
    case 'alter_role_set':
      setOfRole(engine, statement, session);
      return null;
    case 'rename_role':
      renameRole(engine, statement, session);
      return null;
    case 'drop_role':
      dropRoles(engine, statement, session);
      return null;
    case 'grant_role':
      grantRoles(engine, statement, session);
      return null;
    case 'grant':
      grant(engine, statement, session);
      return null;
    case 'default_privileges':
      setDefaultPrivileges(engine, statement, session);
      return null;
    case 'alter_owner':
      alterOwner(engine, statement, session);
      return null;
    case 'reassign_owned':
      reassignOwned(engine, statement, session);
      return null;
    case 'drop_owned':
      await dropOwned(engine, statement, session, signal);
      return null;
    case 'comment':
      comment(engine, statement, session);
      return null;
    case 'create_enum':
      createEnum(engine, statement, session);
      return null;
    case 'alter_enum':
      alterEnum(engine, statement, session);
      return null;
    case 'create_domain':
      createDomain(engine, statement, session);
      return null;
    case 'alter_domain':
      alterDomain(engine, statement, session, signal);
      return null;
    case 'create_function':
      createFunction(engine, statement, session);
      return null;
    case 'alter_function':
      alterFunction(engine, statement, session);
      return null;
    case 'create_sequence':
      createSequence(engine, statement, session);
      return null;
    case 'alter_sequence':
      alterSequence(engine, statement, session);
      return null;
    case 'alter_relation':
      await alter(engine, statement, session, signal);
      return null;
    case 'drop':
      await drop(engine, statement, session, signal);
      return null;
    case 'truncate':
      truncate(engine, statement, session);
      return null;
    default:
      throw new SqlError('0A000', `${commandTag(statement)} is not supported`);
  }
}

function createSchema(
  engine: TidemarkEngine,
  { name, ifNotExists, owner: spec, text }: Extract<Statement, { k: 'create_schema' }>,
  session: SessionContext,
): void {
  // Logs of before may have such.
  if (engine.replay === null && name.startsWith('pg_')) throw reservedName(name);
  checkDatabase(engine, CREATE, session);
  const { catalog } = engine;
  // In logs of before it named nobody.
  const said =
    spec?.k === 'name' && engine.replay !== null && catalog.roles.find(spec.name) === undefined ? undefined : spec;
  const owner = said === undefined ? ownerOfNew(engine, session) : roleOf(engine, said, session).oid;
  if (isRestricted(engine, session) && !catalog.roles.isMember(actingRole(session), owner))
    throw new SqlError('42501', `must be able to SET ROLE "${catalog.roles.nameOf(owner)}"`);
  const there = catalog.schemaOid(name, session.searchPath);
  if (there !== 0) checkNotOthers(engine, `schema "${name}"`, there, session);
  const made = catalog.createSchema(name, ifNotExists, owner, session.searchPath);
  if (made === 0) {
    session.notice('NOTICE', '42P06', `schema "${name}" already exists, skipping`);
    return;
  }
  const reads = catalog.roles.isOwn(owner) ? [] : [owner];
  const open = engine.openFor(session, made);
  if (open !== undefined) catalog.open.set(made, open);
  engine.defined({ sql: text, made, dropped: [] }, session, reads);
}

function reservedName(schema: string): SqlError {
  return new SqlError('42939', `unacceptable schema name "${schema}"`, {
    detail: 'The prefix "pg_" is reserved for system schemas.',
  });
}
