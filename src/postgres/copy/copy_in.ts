/**
 * COPY FROM STDIN: CopyInResponse, then CopyData until CopyDone or CopyFail. Sync and Flush are ignored meanwhile: a client may have
 * sent Parse, Bind, Execute and Sync in one go. The target's backpressure stops the reading of the socket.
 */
import { Arena } from '../../../operators/batch/arena.ts';
import { BatchBuilder } from '../../../operators/batch/builder.ts';
import { SqlError } from '../../../operators/errors.ts';
import type { Result } from '../../engine.ts';
import type { Cancellation } from '../session/cancellation.ts';
import { connectionLost } from '../session/result_sender.ts';
import type { Session } from '../session/session.ts';
import { copyResponse } from '../wire/control_message.ts';
import { readString } from '../wire/frontend_message.ts';
import { FRONTEND, protocolError } from '../wire/protocol.ts';
import { checkCopyOptions } from './copy_options.ts';
import { decoderOf } from './decoder_of.ts';
import type { RowDecoder } from './row_decoder.ts';

type CopyIn = Extract<Result, { kind: 'copyIn' }>;

const ROWS_AT_ONCE = 1000;
/** Rows that there is room for at first. */
const FIRST_ROWS = 128;
/** Of a chunk of memory. */
const MOST_PAGES = 2;

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
  const arena = new Arena(MOST_PAGES);
  try {
    await receive(
      session,
      decoderOf(table, columns, options, session.context.evalContext),
      table,
      copy,
      cancellation,
      arena,
    );
    return `COPY ${await target.finish()}`;
  } catch (cause) {
    target.abort();
    throw cause;
  } finally {
    arena.release();
  }
}

/** Takes the data up to its end. */
async function receive(
  { connection }: Session,
  decoder: RowDecoder,
  table: string,
  { columns, target }: CopyIn,
  cancellation: Cancellation,
  arena: Arena,
): Promise<void> {
  const types = columns.map(({ type }) => type);
  const rows = new BatchBuilder(types, arena, FIRST_ROWS);
  for (;;) {
    cancellation.check();
    const message = connection.next();
    if (message === null) {
      if (connection.ended) throw connectionLost();
      // Who has sent the data with the statement gets one answer to all.
      connection.out.flush();
      await cancellation.wait(connection.changed());
      continue;
    }
    switch (message.type) {
      case FRONTEND.copyData:
        decoder.push(message.body, rows);
        if (rows.n < ROWS_AT_ONCE) break;
        await cancellation.wait(target.write(rows.build()));
        arena.reset();
        rows.begin(arena, ROWS_AT_ONCE);
        break;
      case FRONTEND.copyDone:
        decoder.end(rows);
        if (rows.n > 0) await cancellation.wait(target.write(rows.build()));
        return;
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
}
