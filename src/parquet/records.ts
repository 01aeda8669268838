/** A Parquet file as records of JSON: an object a row, with the columns that the stream has too. */
import { setImmediate as immediately } from 'node:timers/promises';
import { isArrayType } from '../../../operators/expr/array_types.ts';
import { ParquetFile } from '../../parquet/file.ts';
import { latin1, type Shape } from '../../parquet/shape.ts';
import { jsonOf, quoted, textOf } from '../../parquet/texts.ts';
import type { FileReader, Piece } from './pieces.ts';
import type { FileColumns } from './source.ts';

const PIECE_BYTES = 1 << 20;

interface Field {
  /** "name": with what comes before it. */
  lead: string;
  shape: Shape;
  oid: number;
}

export class ParquetRecords implements FileReader {
  readonly #file: ParquetFile;
  readonly #size: number;
  readonly #fields: Field[];
  readonly #names: string[];

  constructor(file: ParquetFile, size: number, { names, oids }: FileColumns) {
    this.#file = file;
    this.#size = size;
    const there = file.columns.filter(({ name }) => names.includes(name));
    this.#names = there.map(({ name }) => name);
    this.#fields = there.map(({ name, shape }, i) => ({
      lead: `${i === 0 ? '{' : ','}${quoted(latin1(name))}:`,
      shape,
      oid: oids[names.indexOf(name)],
    }));
  }

  static async open(path: string, size: number, columns: FileColumns): Promise<ParquetRecords> {
    return new ParquetRecords(await ParquetFile.open(path, size), size, columns);
  }

  async *pieces(from: number): AsyncGenerator<Piece> {
    for await (const { n, columns, done } of this.#file.slices(this.#names, from)) {
      let rows = '';
      let piece: Piece = { bytes: Buffer.alloc(0), starts: [], ends: [], n: 0, read: Math.floor(this.#size * done) };
      for (let row = 0; row < n; row++) {
        (piece.starts as number[]).push(rows.length);
        rows += this.#row(columns, row);
        (piece.ends as number[]).push(rows.length);
        if (rows.length < PIECE_BYTES && row < n - 1) continue;
        yield { ...piece, n: piece.starts.length, bytes: Buffer.from(rows, 'latin1') };
        piece = { ...piece, starts: [], ends: [] };
        rows = '';
        await immediately();
      }
    }
  }

  #row(columns: (ArrayLike<unknown> | null)[], row: number): string {
    let text = this.#fields.length === 0 ? '{' : '';
    this.#fields.forEach(({ lead, shape, oid }, i) => {
      const value = columns[i]?.[row];
      // An array's text says what JSON cannot: more than one dimension, and texts that look like others.
      const array = shape.k === 'list' && isArrayType(oid) ? textOf(shape, value, oid) : null;
      text += lead + (array === null ? jsonOf(shape, value, oid) : quoted(array));
    });
    return `${text}}`;
  }
}
