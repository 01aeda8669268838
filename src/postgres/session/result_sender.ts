/**
 * Sends rows: encodes chunk after chunk, stops while the socket is full, lets others run about every megabyte. Rows of a
 * subscription leave as they come.
 */
import { setImmediate as immediate } from 'node:timers/promises';
import { SqlError } from '../../../operators/errors.ts';
import type { RowStream } from '../../engine.ts';
import type { RowWriter } from '../encode/row_writer.ts';
import type { Output } from '../wire/output.ts';
import type { Cancellation } from './cancellation.ts';

const ROWS_AT_ONCE = 8192;
const BYTES_BETWEEN_YIELDS = 1 << 20;

/** Nobody is there to read: the session ends without a word. */
export function connectionLost(): SqlError {
  return new SqlError('08006', 'connection to client lost', { severity: 'FATAL' });
}

/** Sends at most `maxRows` rows (0: all) and says how many, and whether the stream has ended. */
export async function sendRows(
  out: Output,
  rows: RowStream,
  writer: RowWriter,
  maxRows: number,
  live: boolean,
  cancellation: Cancellation,
): Promise<{ sent: number; ended: boolean }> {
  let sent = 0;
  let limit = out.sent + BYTES_BETWEEN_YIELDS;
  while (maxRows === 0 || sent < maxRows) {
    if (live) out.flush();
    const chunk = await cancellation.wait(
      rows.next(maxRows === 0 ? ROWS_AT_ONCE : Math.min(ROWS_AT_ONCE, maxRows - sent)),
    );
    if (chunk === null) return { sent, ended: true };
    const end = chunk.from + chunk.count;
    let row = chunk.from;
    for (;;) {
      row = writer.write(out, chunk.batch, row, end, limit);
      if (out.closed) throw connectionLost();
      if (out.blocked) await cancellation.wait(out.drain());
      if (out.sent >= limit) {
        limit = out.sent + BYTES_BETWEEN_YIELDS;
        await immediate();
        cancellation.check();
      }
      if (row >= end) break;
    }
    sent += chunk.count;
  }
  return { sent, ended: false };
}
