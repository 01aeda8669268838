/** COPY TO STDOUT: CopyOutResponse, one CopyData a row, CopyDone. Rows of a subscription leave as they come. */
import type { Result } from '../../engine.ts';
import { DataRowWriter, type RowWriter } from '../encode/row_writer.ts';
import type { Cancellation } from '../session/cancellation.ts';
import { sendRows } from '../session/result_sender.ts';
import type { Session } from '../session/session.ts';
import { COPY_DONE, copyResponse } from '../wire/control_message.ts';
import type { Output } from '../wire/output.ts';
import { BACKEND } from '../wire/protocol.ts';
import { COPY_SIGNATURE } from './binary_decoder.ts';
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
  const binary = options.format === 'binary';
  session.endless = live;
  try {
    out.messages(copyResponse('out', binary, columns.length));
    let writer: RowWriter;
    if (binary) {
      copyData(out, Buffer.concat([COPY_SIGNATURE, Buffer.alloc(8)]));
      writer = new DataRowWriter(columns, [1], context, BACKEND.copyData);
    } else {
      const text = new TextWriter(columns, options, context);
      if (text.hasHeader) text.header(out);
      writer = text;
    }
    const { sent } = await sendRows(out, rows, writer, 0, live, cancellation);
    if (binary) copyData(out, Buffer.from([0xff, 0xff]));
    out.messages(COPY_DONE);
    return `COPY ${sent}`;
  } finally {
    session.endless = false;
    rows.close();
  }
}

function copyData(out: Output, bytes: Buffer): void {
  out.begin(BACKEND.copyData);
  out.bytes(bytes);
  out.end();
}
