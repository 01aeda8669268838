/**
 * Replication slots: how far a client of replication has what it follows. A slot is no publication's: its position is a tick, up to which its client has
 * confirmed all, kept in the tick log and in checkpoints with those of subscriptions. It holds no changes back beyond their retention.
 */
import { SqlError } from '../../operators/errors.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import { parse } from '../../planner/parse/parse.ts';
import type { SlotObject } from '../catalog/objects.ts';
import type { Replication, SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { FollowedPublications } from './followed_publications.ts';
import { localSession } from './local_session.ts';
import { actingRole, isRestricted } from './role_names.ts';

/** PostgreSQL's rules for names: they are those of files there. */
function checkSlotName(name: string): void {
  if (name.length === 0 || name.length > 63) {
    const what = name.length === 0 ? 'short' : 'long';
    throw new SqlError(name.length === 0 ? '42602' : '42622', `replication slot name "${name}" is too ${what}`);
  }
  if (!/^[a-z0-9_]+$/.test(name))
    throw new SqlError('42602', `replication slot name "${name}" contains invalid character`, {
      hint: 'Replication slot names may only contain lower case letters, numbers, and the underscore character.',
    });
}

export function createSlot(
  engine: TidemarkEngine,
  { name, text: sql }: Extract<Statement, { k: 'create_slot' }>,
  session: SessionContext,
): void {
  checkSlotName(name);
  const role = engine.catalog.roles.get(actingRole(session));
  if (isRestricted(engine, session) && !role?.replication)
    throw new SqlError('42501', 'must be superuser or replication role to use replication slots');
  if (engine.catalog.ofServer('slot', name, session.searchPath) !== undefined)
    throw new SqlError('42710', `replication slot "${name}" already exists`);
  const oid = engine.catalog.newOid();
  engine.define({ kind: 'slot', oid, schema: 'public', name, sql, dependencies: [] }, session);
  engine.subscriptions.set(oid, engine.loop.tick);
}

/** 55006 while somebody reads it. */
export function checkUnread({ readers }: Replication, slot: string): void {
  const pid = readers.get(slot);
  if (pid !== undefined) throw new SqlError('55006', `replication slot "${slot}" is active for PID ${pid}`);
}

/** A definition of nobody's transaction. */
async function run(engine: TidemarkEngine, sql: string): Promise<void> {
  const session = localSession(engine);
  const prepared = engine.prepare(parse(sql)[0], [], session);
  try {
    await engine.execute(prepared, [], session, new AbortController().signal);
  } finally {
    session.transaction.rollback();
  }
}

export function replicationOf(engine: TidemarkEngine): Replication {
  const position = (slot: SlotObject) => engine.subscriptions.get(slot.oid) ?? 0n;
  return {
    get durable() {
      return engine.ticks.durable;
    },
    identity: String(engine.journal?.directory.identity ?? 0n),
    readers: new Map(),
    checkName: checkSlotName,
    async create(name, at) {
      await run(engine, `CREATE REPLICATION SLOT ${quoteIdent(name)}`);
      const slot = engine.catalog.ofServer('slot', name);
      if (slot === undefined) return;
      engine.subscriptions.set(slot.oid, at);
      engine.journal?.acknowledged(engine.loop, slot.oid, at);
      await engine.journal?.durable();
    },
    drop: (name) => run(engine, `DROP REPLICATION SLOT ${quoteIdent(name)}`),
    position(name) {
      const slot = engine.catalog.ofServer('slot', name);
      return slot === undefined ? null : position(slot);
    },
    confirm(name, upTo) {
      const slot = engine.catalog.ofServer('slot', name);
      if (slot === undefined || upTo <= position(slot) || upTo > engine.ticks.durable) return;
      engine.subscriptions.set(slot.oid, upTo);
      engine.journal?.acknowledged(engine.loop, slot.oid, upTo);
    },
    follow: (publications, after, wake) => new FollowedPublications(engine, publications, after, wake),
  };
}
