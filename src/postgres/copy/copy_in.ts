/**
 * COPY FROM STDIN: CopyInResponse, then CopyData until CopyDone or CopyFail. Sync and Flush are ignored meanwhile: a client may have
 * sent Parse, Bind, Execute and Sync in one go. The target's backpressure stops the reading of the socket.
 */
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import type { Result, ResultColumn } from '../../engine.ts';
import type { Cancellation } from '../session/cancellation.ts';
import { connectionLost } from '../session/result_sender.ts';
import type { Session } from '../session/session.ts';
import { copyResponse } from '../wire/control_message.ts';
import { readString } from '../wire/frontend_message.ts';
import { FRONTEND, protocolError } from '../wire/protocol.ts';
import { BinaryDecoder } from './binary_decoder.ts';
import { checkCopyOptions } from './copy_options.ts';
import type { RowDecoder } from './row_decoder.ts';
import { TextDecoder } from './text_decoder.ts';

type CopyIn = Extract<Result, { kind: 'copyIn' }>;

const ROWS_AT_ONCE = 1000;

/** Takes the data and gives the command tag. `table` is named in errors. */
export async function copyIn(
  session: Session,
  table: string,
  copy: CopyIn,
  cancellation: Cancellation,
): Promise<string> {
  const { columns, options, target } = copy;
  checkCopyOptions(options);
  const { connection } = session;
  connection.out.messages(copyResponse('in', options.format === 'binary', columns.length));
  connection.out.flush();
  const decoder = decoderOf(session, table, columns, copy);
  let waiting: Datum[][] = [];
  const take = async (rows: Datum[][], all: boolean): Promise<void> => {
    waiting = waiting.length === 0 ? rows : waiting.concat(rows);
    if (waiting.length === 0 || (!all && waiting.length < ROWS_AT_ONCE)) return;
    const full = waiting;
    waiting = [];
    await cancellation.wait(target.write(full));
  };
  try {
    for (;;) {
      cancellation.check();
      const message = connection.next();
      if (message === null) {
        if (connection.ended) throw connectionLost();
        await cancellation.wait(connection.changed());
        continue;
      }
      switch (message.type) {
        case FRONTEND.copyData:
          await take(decoder.push(message.body), false);
          break;
        case FRONTEND.copyDone:
          await take(decoder.end(), true);
          return `COPY ${await target.finish()}`;
        case FRONTEND.copyFail:
          throw new SqlError('57014', `COPY from stdin failed: ${readString(message)}`, {
            context: `COPY ${table}, line ${decoder.line + 1}`,
          });
        case FRONTEND.sync:
        case FRONTEND.flush:
          break;
        case FRONTEND.terminate:
          throw connectionLost();
        default:
          throw protocolError(
            `unexpected message type 0x${message.type.toString(16).toUpperCase()} during COPY from stdin`,
          );
      }
    }
  } catch (cause) {
    target.abort();
    throw cause;
  }
}

function decoderOf(session: Session, table: string, columns: ResultColumn[], copy: CopyIn): RowDecoder {
  return copy.options.format === 'binary'
    ? new BinaryDecoder(table, columns)
    : new TextDecoder(table, columns, copy.options, session.context.evalContext);
}
