/**
 * Sends a statement's result: rows, COPY in or out, or nothing but its tag. Returns the tag for CommandComplete ('' for the empty
 * statement, which has EmptyQueryResponse instead), or null when a row limit stopped it.
 */
import type { Statement } from '../../../planner/parse/ast.ts';
import { copyFromFile } from '../copy/copy_from_file.ts';
import { copyIn } from '../copy/copy_in.ts';
import { copyOut } from '../copy/copy_out.ts';
import { copyToFile } from '../copy/copy_to_file.ts';
import { DataRowWriter } from '../encode/row_writer.ts';
import { EMPTY_QUERY, rowDescription } from '../wire/control_message.ts';
import type { Cancellation } from './cancellation.ts';
import type { Portal, StatementResult } from './portals.ts';
import { sendRows } from './result_sender.ts';
import type { Session } from './session.ts';

const BINARY = [1];

/** Of a simple query: with RowDescription, all rows, in text unless the cursor is binary. */
export async function sendSimpleResult(
  session: Session,
  statement: Statement | null,
  result: StatementResult,
  cancellation: Cancellation,
): Promise<string> {
  const { out } = session.connection;
  switch (result.kind) {
    case 'empty':
      out.messages(EMPTY_QUERY);
      return '';
    case 'command':
      return result.tag;
    case 'copyIn':
      if (result.file !== undefined)
        return copyFromFile(result.file, copyTable(statement), result, session.context.evalContext, cancellation);
      return copyIn(session, copyTable(statement), result, cancellation);
    case 'copyOut':
      if (result.file !== undefined) return copyToFile(result.file, result, session.context.evalContext, cancellation);
      return copyOut(session, result, result.live === true, cancellation);
    case 'rows': {
      const formats = result.binary === true ? BINARY : [];
      const writer = new DataRowWriter(result.columns, formats, session.context.evalContext);
      session.endless = result.live === true;
      try {
        out.messages(rowDescription(result.columns, formats));
        const { sent } = await sendRows(session.connection, result.rows, writer, 0, result.live === true, cancellation);
        return result.tag(sent);
      } finally {
        session.endless = false;
        result.rows.close();
      }
    }
  }
}

/** The table that COPY FROM names, for errors. */
function copyTable(statement: Statement | null): string {
  return statement?.k === 'copy' ? String(statement.node.relation?.relname ?? '') : '';
}

/** Of an Execute message: in the portal's formats, up to `maxRows` rows (0: all). */
export async function sendPortalResult(
  session: Session,
  portal: Portal,
  result: StatementResult,
  maxRows: number,
  cancellation: Cancellation,
): Promise<string | null> {
  if (result.kind !== 'rows') {
    portal.done = true;
    return sendSimpleResult(session, portal.prepared.statement, result, cancellation);
  }
  if (portal.done) return result.tag(0);
  const formats = result.binary === true ? BINARY : portal.formats;
  const writer = new DataRowWriter(result.columns, formats, session.context.evalContext);
  const live = result.live === true;
  session.endless = live && maxRows === 0;
  try {
    const { sent, ended } = await sendRows(session.connection, result.rows, writer, maxRows, live, cancellation);
    if (!ended) return null;
    portal.done = true;
    result.rows.close();
    return result.tag(sent);
  } catch (cause) {
    portal.done = true;
    result.rows.close();
    throw cause;
  } finally {
    session.endless = false;
  }
}
