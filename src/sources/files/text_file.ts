/**
 * A text file as records: its bytes in chunks, unpacked where its name ends in .gz or .zst, cut by record_finder.ts.
 *
 * What lies in memory is a chunk and the record that it cuts, which may have MOST_RECORD_BYTES. To begin at a record all before it is read and found again, not
 * decoded: a file has no index.
 */
import type { ReadStream } from 'node:fs';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { SqlError, unsupported } from '../../../operators/errors.ts';
import { splitCsvRecord } from '../../formats/csv/fields.ts';
import { openToRead } from '../../open_at_once.ts';
import type { FileSourceOptions } from './options.ts';
import { behind, type FileReader, type Piece } from './pieces.ts';
import { RecordFinder } from './record_finder.ts';

const CHUNK_BYTES = 1 << 20;
const MOST_RECORD_BYTES = 64 << 20;
const NOTHING = Buffer.alloc(0);
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Not in the Node versions before 22.15. */
const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: { chunkSize: number }) => Transform };

export class TextFile implements FileReader {
  readonly #path: string;
  readonly #size: number;
  readonly #options: FileSourceOptions;
  /** Names of the columns. */
  readonly #columns: string[];

  /** Of the file only its first `size` bytes are read. */
  constructor(path: string, size: number, options: FileSourceOptions, columns: string[]) {
    this.#path = path;
    this.#size = size;
    this.#options = options;
    this.#columns = columns;
  }

  async *pieces(from: number): AsyncGenerator<Piece> {
    if (this.#size === 0) return;
    checkPacked(this.#path);
    const finder = new RecordFinder(this.#options.format === 'csv' ? this.#options.csv : null);
    let heads = this.#options.header === false ? 0 : 1;
    let left = from;
    let rest: Buffer = NOTHING;
    let isFirst = true;
    // What has become a pipe meanwhile is not waited for.
    const opened = await openToRead(this.#path);
    const file = opened.createReadStream({ end: this.#size - 1, highWaterMark: CHUNK_BYTES });
    const found = (bytes: Buffer): Piece | null => {
      const { starts, ends } = finder;
      let piece: Piece = { bytes, starts, ends, n: starts.length, read: file.bytesRead };
      if (heads > 0 && piece.n > 0) {
        heads = 0;
        this.#checkHeader(bytes.subarray(piece.starts[0], piece.ends[0]));
        piece = behind(piece, 1);
      }
      const skipped = Math.min(left, piece.n);
      left -= skipped;
      piece = behind(piece, skipped);
      return piece.n > 0 ? piece : null;
    };
    for await (let chunk of unpacked(this.#path, file)) {
      if (isFirst && chunk.subarray(0, 3).equals(BYTE_ORDER_MARK)) chunk = chunk.subarray(3);
      isFirst = false;
      const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const end = finder.find(data);
      const piece = found(data);
      if (piece !== null) yield piece;
      rest = data.subarray(end);
      if (rest.length > MOST_RECORD_BYTES) throw new Error(`it has a record of more than ${MOST_RECORD_BYTES} bytes`);
    }
    finder.end(rest);
    const last = found(rest);
    if (last !== null) yield last;
  }

  close(): void {
    // Each pieces() has the file open by itself.
  }

  #checkHeader(bytes: Buffer): void {
    if (this.#options.header !== 'match') return;
    const names = splitCsvRecord(bytes.toString('utf8').replace(/\r$/, ''), this.#options.csv, null);
    const columns = this.#columns;
    if (names.length !== columns.length) {
      const wanted = `expected ${columns.length}, got ${names.length}`;
      throw new SqlError('22P04', `wrong number of fields in its header line: ${wanted}`);
    }
    const wrong = names.findIndex((name, i) => name !== columns[i]);
    if (wrong < 0) return;
    const said = names[wrong] === null ? 'null value' : `"${names[wrong]}"`;
    const message = `column name mismatch in its header line, field ${wrong + 1}: got ${said}, expected "${columns[wrong]}"`;
    throw new SqlError('22P04', message);
  }
}

/** Throws 0A000 for what this Node cannot unpack. */
export function checkPacked(path: string): void {
  if (path.endsWith('.zst') && createZstdDecompress === undefined) {
    throw unsupported(
      `a file packed with zstd, as "${path}" is named, in a server that runs on Node ${process.version}`,
    );
  }
}

async function* unpacked(path: string, file: ReadStream): AsyncGenerator<Buffer> {
  const options = { chunkSize: CHUNK_BYTES };
  const unpacker = path.endsWith('.gz')
    ? zlib.createGunzip(options)
    : path.endsWith('.zst')
      ? createZstdDecompress?.(options)
      : undefined;
  if (unpacker === undefined) {
    yield* file;
    return;
  }
  // Its error comes out of the loop.
  const piped = pipeline(file, unpacker).catch(() => undefined);
  yield* unpacker;
  await piped;
}
