/** COPY TO STDOUT: CopyOutResponse, one CopyData a row, CopyDone. Rows of a subscription leave as they come. */
import type { Result } from '../../engine.ts';
import type { Cancellation } from '../session/cancellation.ts';
import { sendRows } from '../session/result_sender.ts';
import type { Session } from '../session/session.ts';
import { COPY_DONE, copyResponse } from '../wire/control_message.ts';
import { BinaryWriter } from './binary_writer.ts';
import { checkCopyOptions } from './copy_options.ts';
import { TextWriter } from './text_writer.ts';

type CopyOut = Extract<Result, { kind: 'copyOut' }>;

/** Sends the rows and gives the command tag. */
export async function copyOut(
  session: Session,
  copy: CopyOut,
  live: boolean,
  cancellation: Cancellation,
): Promise<string> {
  const { columns, options, rows } = copy;
  const { out } = session.connection;
  const context = session.context.evalContext;
  checkCopyOptions(options);
  const binary = options.format === 'binary';
  session.endless = live;
  try {
    out.messages(copyResponse('out', binary, columns.length));
    const writer = binary ? new BinaryWriter(columns, context) : new TextWriter(columns, options, context);
    if (writer instanceof TextWriter && writer.hasHeader) writer.header(out);
    const { sent } = await sendRows(session.connection, rows, writer, 0, live, cancellation);
    if (writer instanceof BinaryWriter) writer.trailer(out);
    out.messages(COPY_DONE);
    return `COPY ${sent}`;
  } finally {
    session.endless = false;
    rows.close();
  }
}
