/** The decoder of COPY FROM for a format. Rows of a Parquet file come as lines of text. */
import type { EvalContext } from '../../../operators/expr/ir.ts';
import type { CopyOptions, ResultColumn } from '../../engine.ts';
import { BinaryDecoder } from './binary_decoder.ts';
import type { RowDecoder } from './row_decoder.ts';
import { TextDecoder } from './text_decoder.ts';

export function decoderOf(
  table: string,
  columns: ResultColumn[],
  options: CopyOptions,
  context: EvalContext,
): RowDecoder {
  if (options.format === 'binary') return new BinaryDecoder(table, columns);
  return new TextDecoder(
    table,
    columns,
    options.format === 'parquet' ? { ...options, format: 'text' } : options,
    context,
  );
}
