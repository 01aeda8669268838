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
  'modifying_select',
  'insert',
  'update',
  'delete',
  'merge',
  'create_relation',
  'create_view',
  'create_index',
  'create_enum',
  'alter_enum',
  'create_domain',
  'alter_domain',
  'create_function',
  'alter_function',
  'create_sequence',
  'alter_sequence',
  'create_sink',
  'create_schema',
  'create_extension',
  'create_publication',
  'alter_publication',
  'create_slot',
  'comment',
  'create_subscription',
  'alter_relation',
  'alter_owner',
  'reassign_owned',
  'drop_owned',
  'create_role',
  'alter_role',
  'alter_role_set',
  'rename_role',
  'drop_role',
  'grant',
  'grant_role',
  'alter_group',
  'default_privileges',
  'do',
  'drop',
  'truncate',
]);

/** What a block undoes when it fails, and what is done for good at once when it is all of its transaction. */
const DEFINITIONS = new Set(
  [...WRITES].filter((kind) =>
    /^(create_|alter_|drop|comment$|grant|rename_role$|reassign_owned$|default_privileges$)/.test(kind),
  ),
);

/** What is published as soon as it has run, when it is all of its transaction. */
const MODIFICATIONS = new Set<Statement['k']>(['modifying_select', 'insert', 'update', 'delete', 'merge', 'truncate']);

/** EXPLAIN ANALYZE runs what it explains. */
function whatRuns(statement: Statement): Statement {
  return statement.k === 'explain' && statement.analyze ? statement.inner : statement;
}

/** 25006 for what writes in a read-only transaction. */
export function checkReadOnly(session: Session, statement: Statement): void {
  const what = whatRuns(statement);
  const writes = WRITES.has(what.k) || (what.k === 'copy' && what.node.is_from === true);
  if (!writes) return;
  // BEGIN has copied the default; outside a block the default itself counts.
  const setting = session.block.explicit ? 'transaction_read_only' : 'default_transaction_read_only';
  if (!session.settings.isOn(setting)) return;
  throw new SqlError('25006', `cannot execute ${commandTag(what)} in a read-only transaction`);
}

/** Executes a plan; the late result of a cancelled one is closed, not leaked. `alone`: it is all of its transaction. */
export async function runPlan(
  session: Session,
  prepared: Prepared,
  params: Datum[],
  cancellation: Cancellation,
  alone = false,
): Promise<Result> {
  const { plan, statement } = prepared;
  const { engine } = session.options;
  if (plan === null || statement === null) throw new Error('a statement without a plan cannot be executed');
  const { signal } = cancellation;
  session.sleepMs = 0;
  const slept = () => (session.sleepMs > 0 ? sleep(session.sleepMs, cancellation) : null);
  if (alone && DEFINITIONS.has(statement.k)) session.block.transaction.standAlone?.();
  const published =
    alone && MODIFICATIONS.has(whatRuns(statement).k)
      ? engine.executeAlone?.(plan, params, session.context, signal, slept)
      : undefined;
  const running = published ?? engine.execute(plan, params, session.context, signal);
  try {
    const result = await cancellation.wait(running);
    if (published === undefined) await slept();
    else cancellation.tooLate();
    return result;
  } catch (cause) {
    if (cancellation.reason !== null) running.then(discard, () => undefined);
    throw cause instanceof SqlError ? withOffset(cause, statement.offset) : cause;
  }
}

/** A timer takes no more than 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * pg_sleep: functions are computed at once, so the time that a statement's calls ask for is waited out before its result is sent.
 */
async function sleep(ms: number, cancellation: Cancellation): Promise<void> {
  for (let left = ms; left > 0; left -= LONGEST_TIMER_MS) {
    let timer: NodeJS.Timeout | undefined;
    const passed = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(left, LONGEST_TIMER_MS));
    });
    try {
      await cancellation.wait(passed);
    } finally {
      clearTimeout(timer);
    }
  }
}

function discard(result: Result): void {
  if (result.kind === 'rows' || result.kind === 'copyOut') result.rows.close();
  else if (result.kind === 'copyIn') result.target.abort();
}

export function noCursor(name: string): SqlError {
  return new SqlError('34000', `cursor "${name}" does not exist`);
}
