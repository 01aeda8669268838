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
import { escaped } from './escaped.ts';
import { fileError, openToRead } from './server_file.ts';

type CopyIn = Extract<Result, { kind: 'copyIn' }>;

const CHUNK_BYTES = 1 << 18;
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
    const chunks = options.format === 'parquet' ? parquetLines(path, copy) : bytesOf(path);
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

async function* bytesOf(path: string): AsyncGenerator<Buffer> {
  const file = await openToRead(path);
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw fileError('read from file %', path, error);
  } finally {
    await file.close();
  }
}

/** Rows as lines of COPY's text, by the names of their columns. */
async function* parquetLines(path: string, { columns }: CopyIn): AsyncGenerator<Buffer> {
  const file = await openToRead(path);
  let size: number;
  try {
    ({ size } = await file.stat());
  } finally {
    await file.close();
  }
  const [{ ParquetFile }, { textOf }] = await Promise.all([
    import('../../parquet/file.ts'),
    import('../../parquet/texts.ts'),
  ]);
  try {
    const parquet = await ParquetFile.open(path, size);
    const shapes = columns.map(({ name }) => {
      const found = parquet.columns.find((column) => column.name === name);
      if (found === undefined) {
        throw new SqlError('22P04', `file "${path}" has no column "${name}"`, {
          detail: `It has ${parquet.columns.map((column) => `"${column.name}"`).join(', ')}.`,
          hint: 'Columns of a Parquet file are found by their names. Name those that it has: COPY table (column, ...) FROM.',
        });
      }
      return found.shape;
    });
    const names = columns.map(({ name }) => name);
    for await (const { n, columns: values } of parquet.slices(names, 0)) {
      let lines = '';
      for (let row = 0; row < n; row++) {
        shapes.forEach((shape, i) => {
          const text = textOf(shape, values[i]?.[row], columns[i].type.oid);
          lines += `${i === 0 ? '' : '\t'}${escaped(text)}`;
        });
        lines += '\n';
        if (lines.length < CHUNK_BYTES && row < n - 1) continue;
        yield Buffer.from(lines, 'latin1');
        lines = '';
      }
    }
  } catch (error) {
    if (error instanceof SqlError || !(error instanceof Error)) throw error;
    throw badFormat(`could not read Parquet file "${path}": ${error.message}`);
  }
}
