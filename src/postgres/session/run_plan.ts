/** Executing a plan of the engine, and what is checked before it. */
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import type { Statement } from '../../../planner/parse/ast.ts';
import { commandTag } from '../../../planner/parse/command_tag.ts';
import { withOffset } from '../../../planner/parse/positions.ts';
import type { Result } from '../../engine.ts';
import type { Cancellation } from './cancellation.ts';
import type { Prepared } from './prepared_statements.ts';
import type { Session } from './session.ts';

const WRITES = new Set<Statement['k']>([
  'insert',
  'update',
  'delete',
  'create_relation',
  'create_view',
  'create_index',
  'create_sink',
  'create_schema',
  'create_subscription',
  'drop',
  'truncate',
]);

/** 25006 for what writes in a read-only transaction. */
export function checkReadOnly(session: Session, statement: Statement): void {
  const writes = WRITES.has(statement.k) || (statement.k === 'copy' && statement.node.is_from === true);
  if (!writes || !session.settings.isOn('transaction_read_only')) return;
  throw new SqlError('25006', `cannot execute ${commandTag(statement)} in a read-only transaction`);
}

/** Executes a plan; the late result of a cancelled one is closed, not leaked. */
export async function runPlan(
  session: Session,
  prepared: Prepared,
  params: Datum[],
  cancellation: Cancellation,
): Promise<Result> {
  const { plan, statement } = prepared;
  if (plan === null || statement === null) throw new Error('a statement without a plan cannot be executed');
  const running = session.options.engine.execute(plan, params, session.context, cancellation.signal);
  try {
    return await cancellation.wait(running);
  } catch (cause) {
    if (cancellation.reason !== null) running.then(discard, () => undefined);
    throw cause instanceof SqlError ? withOffset(cause, statement.offset) : cause;
  }
}

function discard(result: Result): void {
  if (result.kind === 'rows' || result.kind === 'copyOut') result.rows.close();
  else if (result.kind === 'copyIn') result.target.abort();
}

export function noCursor(name: string): SqlError {
  return new SqlError('34000', `cursor "${name}" does not exist`);
}
