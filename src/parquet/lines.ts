/** Rows of a Parquet file as lines of COPY's text, by the names of the columns that they go to. */
import { SqlError } from '../../operators/errors.ts';
import { escaped } from '../postgres/copy/escaped.ts';
import type { Piece } from '../sources/files/pieces.ts';
import type { ParquetFile } from './file.ts';
import type { Wanted } from './messages.ts';
import { ownBytes } from './own_bytes.ts';
import { textOf } from './texts.ts';

const PIECE_BYTES = 1 << 18;

export async function* linesOf(
  path: string,
  file: ParquetFile,
  { names, oids }: Wanted,
  from: number,
): AsyncGenerator<Piece> {
  const shapes = names.map((name) => {
    const found = file.columns.find((column) => column.name === name);
    if (found === undefined) {
      throw new SqlError('22P04', `file "${path}" has no column "${name}"`, {
        detail: `It has ${file.columns.map((column) => `"${column.name}"`).join(', ')}.`,
        hint: 'Columns of a Parquet file are found by their names. Name those that it has: COPY table (column, ...) FROM.',
      });
    }
    return found.shape;
  });
  for await (const { n, columns } of file.slices(names, from)) {
    let lines = '';
    for (let row = 0; row < n; row++) {
      shapes.forEach((shape, i) => {
        const text = textOf(shape, columns[i]?.[row], oids[i]);
        lines += `${i === 0 ? '' : '\t'}${escaped(text)}`;
      });
      lines += '\n';
      if (lines.length < PIECE_BYTES && row < n - 1) continue;
      yield { bytes: ownBytes(lines), starts: [], ends: [], n: 0, read: 0 };
      lines = '';
    }
  }
}
