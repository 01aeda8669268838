/**
 * COPY FROM 'file': the bytes of a file of the server through the decoders of COPY FROM STDIN; rows of a Parquet file become lines of text on the way, so their
 * values are read by the types' input as all others, and an error has its row and column.
 */
import { Arena } from '../../../operators/batch/arena.ts';
import { BatchBuilder } from '../../../operators/batch/builder.ts';
import { SqlError } from '../../../operators/errors.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import type { Result } from '../../engine.ts';
import { badFormat } from './copy_errors.ts';
import { checkCopyOptions } from './copy_options.ts';
import type { CopyWait } from './copy_wait.ts';
import { decoderOf } from './decoder_of.ts';
import { bytesOf, sizeToRead } from './server_file.ts';

type CopyIn = Extract<Result, { kind: 'copyIn' }>;

const ROWS_AT_ONCE = 1000;
const MOST_PAGES = 2;

/** Takes the rows and gives the command tag. `table` is named in errors. */
export async function copyFromFile(
  path: string,
  table: string,
  copy: CopyIn,
  context: EvalContext,
  cancellation: CopyWait,
): Promise<string> {
  const { columns, options, target } = copy;
  checkCopyOptions(options);
  const types = columns.map(({ type }) => type);
  const arena = new Arena(MOST_PAGES);
  try {
    const decoder = decoderOf(table, columns, options, context);
    const rows = new BatchBuilder(types, arena, ROWS_AT_ONCE);
    const chunks = options.format === 'parquet' ? parquetLines(path, copy, cancellation) : bytesOf(path, cancellation);
    for await (const chunk of chunks) {
      cancellation.check();
      decoder.push(chunk, rows);
      if (rows.n < ROWS_AT_ONCE) continue;
      await cancellation.wait(target.write(rows.build()));
      arena.reset();
      rows.begin(arena, ROWS_AT_ONCE);
    }
    decoder.end(rows);
    if (rows.n > 0) await cancellation.wait(target.write(rows.build()));
    return `COPY ${await target.finish()}`;
  } catch (cause) {
    target.abort();
    throw cause;
  } finally {
    arena.release();
  }
}

/** Rows as lines of COPY's text, by the names of their columns. */
async function* parquetLines(path: string, { columns }: CopyIn, cancellation: CopyWait): AsyncGenerator<Buffer> {
  const size = await sizeToRead(path);
  const { ParquetReader } = await import('../../parquet/thread.ts');
  const wanted = { names: columns.map(({ name }) => name), oids: columns.map(({ type }) => type.oid) };
  try {
    const reader = await ParquetReader.open(path, size, 'lines', wanted, (answer) => cancellation.wait(answer));
    try {
      const pieces = reader.pieces(0);
      for (;;) {
        const { value, done } = await cancellation.wait(pieces.next());
        if (done) return;
        yield value.bytes;
      }
    } finally {
      reader.close();
    }
  } catch (error) {
    if (error instanceof SqlError || !(error instanceof Error)) throw error;
    throw badFormat(`could not read Parquet file "${path}": ${error.message}`);
  }
}
