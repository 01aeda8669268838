/**
 * SELECTs that take one short pass over live rows (a point look-up in a view): run and answered within the turn that brought the message, without a
 * promise, a signal or a timer, unless it takes its time (session.lateSignal). What clients do thousands of times a second. Everything else goes through run_plan.ts and result_sender.ts, and so does
 * the sending of a result that is longer than a few rows or finds the output full.
 */
import { U8, U32 } from '../../../operators/batch/memory.ts';
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { turn } from '../../../operators/turn.ts';
import { PHYS_WIDTH } from '../../../operators/types.ts';
import { withOffset } from '../../../planner/parse/positions.ts';
import type { Result, ResultColumn, RowChunk } from '../../engine.ts';
import { selectComplete } from '../wire/control_message.ts';
import type { Prepared } from './prepared_statements.ts';
import { resultForm } from './result_form.ts';
import type { Session } from './session.ts';

const FEW_ROWS = 64;
const FEW_BYTES = 64 * 1024;

/** How the rows are to look, and what pg_stat_activity is to show. */
export interface Answer {
  formats: number[];
  /** RowDescription goes before. */
  describe: boolean;
  text: string;
}

/**
 * 'answered': all rows and CommandComplete are in the output. A result: it ran, and its rows are too many for this turn. Null: the statement is not of
 * this kind, and nothing has happened. `answer` null: the rows are not to be sent now.
 */
export function answerNow(
  session: Session,
  prepared: Prepared,
  params: Datum[],
  answer: Answer | null,
): Result | 'answered' | null {
  const { plan, statement } = prepared;
  const { engine } = session.options;
  if (plan === null || statement?.k !== 'select' || engine.executeNow === undefined) return null;
  session.block.ensure();
  let sent = 0;
  try {
    const result = turn.of(session.lateSignal, () =>
      engine.executeNow?.(plan, params, session.context, (rows) => {
        if (answer === null || plan.columns === null || !sendNow(session, plan.columns, rows, answer)) return false;
        sent = rows.count;
        return true;
      }),
    );
    if (result === null || result === undefined) return null;
    session.noteStatement(answer?.text ?? prepared.text);
    if (result !== 'taken') return result;
  } catch (cause) {
    throw cause instanceof SqlError ? withOffset(cause, statement.offset) : cause;
  } finally {
    session.endLateSignal();
  }
  session.connection.out.messages(selectComplete(sent));
  return 'answered';
}

/** False: nothing was sent. */
function sendNow(session: Session, columns: ResultColumn[], rows: RowChunk, { formats, describe }: Answer): boolean {
  const { out } = session.connection;
  const { batch, from, count } = rows;
  if (count > FEW_ROWS || out.blocked || !isSmall(rows)) return false;
  const { writer, description } = resultForm(session, columns, formats);
  if (describe) out.messages(description);
  for (let row = from; row < from + count; row++) writer.writeRow(out, batch, row);
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
