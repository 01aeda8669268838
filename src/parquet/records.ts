/** Rows of a Parquet file as records of JSON: an object a row, with the columns that are wanted and there. */
import { isArrayType } from '../../operators/expr/array_types.ts';
import type { Piece } from '../sources/files/pieces.ts';
import type { ParquetFile, Slice } from './file.ts';
import type { Wanted } from './messages.ts';
import { ownBytes } from './own_bytes.ts';
import { latin1, type Shape } from './shape.ts';
import { jsonOf, quoted, textOf } from './texts.ts';

const PIECE_BYTES = 1 << 20;

interface Field {
  /** "name": with what comes before it. */
  lead: string;
  shape: Shape;
  oid: number;
}

export async function* recordsOf(file: ParquetFile, wanted: Wanted, from: number): AsyncGenerator<Piece> {
  const there = file.columns.filter(({ name }) => wanted.names.includes(name));
  const fields = there.map(({ name, shape }, i) => ({
    lead: `${i === 0 ? '{' : ','}${quoted(latin1(name))}:`,
    shape,
    oid: wanted.oids[wanted.names.indexOf(name)],
  }));
  const names = there.map(({ name }) => name);
  for await (const { n, columns, done } of file.slices(names, from)) {
    const read = Math.floor(file.size * done);
    let rows = '';
    let [starts, ends]: [number[], number[]] = [[], []];
    for (let row = 0; row < n; row++) {
      starts.push(rows.length);
      rows += record(fields, columns, row);
      ends.push(rows.length);
      if (rows.length < PIECE_BYTES && row < n - 1) continue;
      const lists = { starts: Uint32Array.from(starts), ends: Uint32Array.from(ends) };
      yield { bytes: ownBytes(rows), ...lists, n: starts.length, read };
      [starts, ends] = [[], []];
      rows = '';
    }
  }
}

function record(fields: Field[], columns: Slice['columns'], row: number): string {
  let text = fields.length === 0 ? '{' : '';
  fields.forEach(({ lead, shape, oid }, i) => {
    const value = columns[i]?.[row];
    // An array's text says what JSON cannot: more than one dimension, and texts that look like others.
    const array = shape.k === 'list' && isArrayType(oid) ? textOf(shape, value, oid) : null;
    text += lead + (array === null ? jsonOf(shape, value, oid) : quoted(array));
  });
  return `${text}}`;
}
