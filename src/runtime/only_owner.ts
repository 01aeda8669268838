/** ALTER TABLE ... OWNER TO and its kin, where that is all that the statement says: then it counts at COMMIT (change_at_commit.ts). */
import type { SessionContext } from '../engine.ts';
import { type AlterRelation, found } from './alter_relation.ts';
import { change } from './change_at_commit.ts';
import type { TidemarkEngine } from './engine.ts';
import { ownedBy, ownerToGive } from './owners.ts';

/** False: it says something else. */
export function changeOnlyOwner(engine: TidemarkEngine, statement: AlterRelation, session: SessionContext): boolean {
  const [action] = statement.actions;
  if (action.k !== 'change_owner' || statement.actions.length > 1) return false;
  const object = found(engine, statement, session);
  const given = object === null ? null : ownerToGive(engine, object, action.owner, session);
  if (given === null) return true;
  const { on, role } = given;
  change(engine, on.oid, { k: 'rights', ...ownedBy(on, role) }, statement.text, session, [role]);
  return true;
}
