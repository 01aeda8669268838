/**
 * SELECTs that take one short pass over live rows (a point look-up in a view): run and answered within the turn that brought the message, without a
 * promise, a signal or a timer. What clients do thousands of times a second. Everything else goes through run_plan.ts and result_sender.ts, and so does
 * the sending of a result that is longer than a few rows or finds the output full.
 */
import { U8, U32 } from '../../../operators/batch/memory.ts';
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { PHYS_WIDTH } from '../../../operators/types.ts';
import { withOffset } from '../../../planner/parse/positions.ts';
import type { Result, RowChunk } from '../../engine.ts';
import { writeCommandComplete } from '../wire/control_message.ts';
import type { Prepared } from './prepared_statements.ts';
import { resultForm } from './result_form.ts';
import type { Session } from './session.ts';

const FEW_ROWS = 64;
const FEW_BYTES = 64 * 1024;

/** Null: the statement is not of this kind, and nothing has happened. `text`: as pg_stat_activity shows it. */
export function runNow(session: Session, prepared: Prepared, params: Datum[], text = prepared.text): Result | null {
  const { plan, statement } = prepared;
  const { engine } = session.options;
  if (plan === null || statement?.k !== 'select' || engine.executeNow === undefined) return null;
  session.block.ensure();
  try {
    const result = engine.executeNow(plan, params, session.context);
    if (result !== null) session.noteStatement(text);
    return result;
  } catch (cause) {
    throw cause instanceof SqlError ? withOffset(cause, statement.offset) : cause;
  }
}

/** Sends all rows and CommandComplete; the rows are closed. False: nothing was sent, they are too many for this turn. */
export function sendNow(session: Session, result: Result, formats: number[], describe: boolean): boolean {
  if (result.kind !== 'rows') return false;
  const { out } = session.connection;
  const rows = result.rows.rest?.();
  if (rows === undefined || rows.count > FEW_ROWS || out.blocked || !isSmall(rows)) return false;
  const { batch, from, count } = rows;
  try {
    const { writer, description } = resultForm(session, result.columns, formats);
    if (describe) out.messages(description);
    for (let row = from; row < from + count; row++) writer.writeRow(out, batch, row);
  } finally {
    result.rows.close();
  }
  writeCommandComplete(out, result.tag(count));
  return true;
}

/** What a client does not take waits in the output: the texts of these rows are short together. */
function isSmall({ batch, from, count }: RowChunk): boolean {
  let bytes = 0;
  for (const column of batch.columns) {
    if (column.phys !== 'varlen') continue;
    for (let row = from; row < from + count; row++) {
      if (column.valid === 0 || U8[column.valid + row] !== 0)
        bytes += U32[(column.data + row * PHYS_WIDTH.varlen) >>> 2];
    }
  }
  return bytes <= FEW_BYTES;
}
