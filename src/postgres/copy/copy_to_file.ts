/** COPY TO 'file': rows through the writers of COPY TO STDOUT, whose messages lose their heads, or into a Parquet file (src/parquet/writer.ts). */
import { setImmediate as immediately } from 'node:timers/promises';
import { readRow } from '../../../operators/batch/builder.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import type { Result } from '../../engine.ts';
import { type ByteSink, Output } from '../wire/output.ts';
import { BinaryWriter } from './binary_writer.ts';
import { checkCopyOptions } from './copy_options.ts';
import type { CopyWait } from './copy_wait.ts';
import { FileToWrite } from './server_file.ts';
import { TextWriter } from './text_writer.ts';

type CopyOut = Extract<Result, { kind: 'copyOut' }>;

const ROWS_AT_ONCE = 8192;
const BYTES_AT_ONCE = 1 << 20;
/** Rows of a Parquet file that are taken before others have their turn. */
const ROWS_OF_A_TURN = 1024;
const HEAD_BYTES = 5;

/** Writes the file and gives the command tag. */
export async function copyToFile(
  path: string,
  copy: CopyOut,
  context: EvalContext,
  cancellation: CopyWait,
): Promise<string> {
  try {
    checkCopyOptions(copy.options);
    const file = await FileToWrite.open(path, cancellation);
    try {
      const write = copy.options.format === 'parquet' ? writeParquet : writeRows;
      const rows = await write(file, copy, context, cancellation);
      await file.done();
      return `COPY ${rows}`;
    } catch (error) {
      await file.abandon();
      throw error;
    }
  } finally {
    copy.rows.close();
  }
}

type Write = (file: FileToWrite, copy: CopyOut, context: EvalContext, cancellation: CopyWait) => Promise<number>;

const writeRows: Write = async (file, { columns, options, rows }, context, cancellation) => {
  const payload = new Payload();
  const out = new Output(payload);
  const writer =
    options.format === 'binary' ? new BinaryWriter(columns, context) : new TextWriter(columns, options, context);
  if (writer instanceof TextWriter && writer.hasHeader) writer.header(out);
  let count = 0;
  const flush = async () => {
    out.flush();
    for (const bytes of payload.take()) await cancellation.wait(file.write(bytes));
  };
  for (;;) {
    const chunk = await cancellation.wait(rows.next(ROWS_AT_ONCE));
    if (chunk === null) break;
    const end = chunk.from + chunk.count;
    for (let row = chunk.from; row < end; ) {
      row = writer.write(out, chunk.batch, row, end, out.sent + BYTES_AT_ONCE);
      await flush();
      cancellation.check();
    }
    count += chunk.count;
  }
  if (writer instanceof BinaryWriter) writer.trailer(out);
  await flush();
  return count;
};

const writeParquet: Write = async (file, { columns, rows }, context, cancellation) => {
  const { ParquetRows } = await import('../../parquet/writer.ts');
  const parquet = new ParquetRows(columns, context);
  let count = 0;
  const flush = async () => {
    const bytes = parquet.take();
    if (bytes !== null) await cancellation.wait(file.write(bytes));
  };
  for (;;) {
    const chunk = await cancellation.wait(rows.next(ROWS_OF_A_TURN));
    if (chunk === null) break;
    for (let i = 0; i < chunk.count; i++) parquet.add(readRow(chunk.batch, chunk.from + i));
    count += chunk.count;
    await flush();
    await immediately();
    cancellation.check();
  }
  parquet.end();
  await flush();
  return count;
};

/** Takes CopyData messages, each whole, and keeps what is in them. */
class Payload implements ByteSink {
  readonly destroyed = false;
  #parts: Buffer[] = [];

  write(bytes: Buffer, done: () => void): boolean {
    const taken = Buffer.allocUnsafe(bytes.length);
    let length = 0;
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + bytes.readInt32BE(at + 1);
      length += bytes.copy(taken, length, at + HEAD_BYTES, end);
      at = end;
    }
    this.#parts.push(taken.subarray(0, length));
    done();
    return true;
  }

  take(): Buffer[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  on(): void {
    // Never full, never closed.
  }
}
