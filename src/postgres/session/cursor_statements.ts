/** DECLARE, FETCH and MOVE. */
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { inputText } from '../../../operators/expr/io/index.ts';
import { colType, OID } from '../../../operators/types.ts';
import type { Option, Statement } from '../../../planner/parse/ast.ts';
import type { Cancellation } from './cancellation.ts';
import { type Cursor, ForwardCursor, ScrollCursor } from './cursor.ts';
import { plannedPart } from './plan.ts';
import type { Portal, StatementResult } from './portals.ts';
import type { Prepared } from './prepared_statements.ts';
import { noCursor, runPlan } from './run_plan.ts';
import type { Session } from './session.ts';
import { StoredRows } from './stored_rows.ts';
import { inTransactionBlock } from './transaction_statements.ts';

type Declare = Extract<Statement, { k: 'declare_cursor' }>;

/** Opens the cursor; `declaration` holds the plan of its query. */
export async function declareCursor(
  session: Session,
  statement: Declare,
  declaration: Prepared,
  params: Datum[],
  cancellation: Cancellation,
): Promise<void> {
  if (!statement.hold && !inTransactionBlock(session)) {
    throw new SqlError('25P01', 'DECLARE CURSOR can only be used in transaction blocks');
  }
  if (statement.name === '') throw new SqlError('34000', 'invalid cursor name: must not be empty');
  if (session.portals.find(statement.name) !== undefined) {
    throw new SqlError('42P03', `cursor "${statement.name}" already exists`);
  }
  const live = 'k' in statement.query;
  const prepared: Prepared = { ...declaration, name: statement.name, statement: plannedPart(statement) };
  const result = await runPlan(session, prepared, params, cancellation);
  if (result.kind !== 'rows') throw new SqlError('42P11', 'cannot open a query that gives no rows as cursor');
  const { binary, scroll, noScroll, hold } = statement;
  const declared = { binary, scroll, noScroll, hold };
  let cursor: Cursor;
  if (statement.scroll && !live) {
    const stored = await cancellation.wait(StoredRows.copy(result.columns, result.rows));
    result.rows.close();
    cursor = new ScrollCursor(declared, result.columns, stored);
  } else cursor = new ForwardCursor(declared, result.columns, result.rows, live);
  // Describe of the portal tells the cursor's columns.
  prepared.columns = result.columns;
  session.portals.add(statement.name, prepared, params, [], cursor);
}

/** FETCH ... WITH (timeout = '...') in milliseconds; undefined: none. */
function timeoutOf(session: Session, options: Option[]): number | undefined {
  const option = options.find(({ name }) => name === 'timeout');
  if (option === undefined) return undefined;
  const value = inputText(option.value, colType(OID.interval), session.context.evalContext);
  if (value === null || typeof value !== 'object' || !('micros' in value)) throw new Error('not an interval');
  const days = value.days + value.months * 30;
  return Math.max(0, Math.min(days * 86400000 + Number(value.micros) / 1000, 2147483647));
}

/** A portal of the protocol can be fetched from by its name too. */
async function cursorOf(session: Session, portal: Portal, cancellation: Cancellation): Promise<Cursor> {
  if (portal.cursor !== null) return portal.cursor;
  const result = portal.result ?? (await runPlan(session, portal.prepared, portal.params, cancellation));
  if (result.kind !== 'rows') throw new SqlError('55000', `portal "${portal.name}" cannot be run`);
  portal.result = result;
  const declared = { binary: false, scroll: false, noScroll: false, hold: false };
  portal.cursor = new ForwardCursor(
    declared,
    result.columns,
    result.rows,
    portal.prepared.statement?.k === 'subscribe',
  );
  return portal.cursor;
}

/** FETCH gives rows; MOVE only counts them. */
export async function fetchRows(
  session: Session,
  statement: Extract<Statement, { k: 'fetch' }>,
  cancellation: Cancellation,
): Promise<StatementResult> {
  const portal = session.portals.find(statement.name);
  if (portal === undefined) throw noCursor(statement.name);
  const cursor = await cursorOf(session, portal, cancellation);
  const { direction, count } = statement;
  const rows = cursor.fetch({ direction, count, timeoutMs: timeoutOf(session, statement.options) });
  if (!statement.move) {
    const tag = (n: number): string => `FETCH ${n}`;
    return { kind: 'rows', columns: cursor.columns, rows, tag, binary: cursor.declared.binary, live: cursor.live };
  }
  let moved = 0;
  try {
    for (;;) {
      const chunk = await cancellation.wait(rows.next(8192));
      if (chunk === null) break;
      moved += chunk.count;
    }
  } finally {
    rows.close();
  }
  return { kind: 'command', tag: `MOVE ${moved}` };
}

/** The rest of a cursor as a result: for an Execute message that names it. */
export function cursorResult(cursor: Cursor): StatementResult {
  const rows = cursor.fetch({ direction: 'forward', count: 'all', timeoutMs: undefined });
  const tag = (n: number): string => `SELECT ${n}`;
  return { kind: 'rows', columns: cursor.columns, rows, tag, binary: cursor.declared.binary, live: cursor.live };
}
