/**
 * A Parquet file that is read: its footer, then slices of rows, a column at a time.
 *
 *   footer -> row groups -> a slice is at most SLICE_ROWS rows of one -> each column's chunk of it: page headers looked at, then decoded (hyparquet)
 *
 * What lies in memory is a slice and the packed bytes of one column chunk. Nothing that a file says of itself is believed before it is looked at: sizes and
 * counts beyond the limits below are an error, as a page that has more values than its chunk.
 *
 * Trap: a column of a slice is decoded in one go, some 100 ms, so this is for a thread that nobody else waits for (thread.ts).
 */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  type ParquetParsers,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type RowGroup,
  type SchemaElement,
  type SchemaTree,
} from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { compressors } from 'hyparquet-compressors';
import { openToRead } from '../open_at_once.ts';
import { type Shape, shapeOf } from './shape.ts';

/** As many as DuckDB and others put into a group, so that these are decoded once. */
const SLICE_ROWS = 131_072;
const MOST_FOOTER_BYTES = 64 << 20;
const MOST_CHUNK_BYTES = 512 << 20;
const MOST_PAGE_BYTES = 256 << 20;
/** Of one page. */
const MOST_VALUES = 1 << 23;
const MOST_ROWS = 2 ** 40;

type PageHeaderV2 = NonNullable<ReturnType<typeof parquetHeader>['data_page_header_v2']>;

export interface ParquetColumn {
  name: string;
  shape: Shape;
}

export interface Slice {
  n: number;
  /** Of each column that was asked for; a missing one is null. */
  columns: (ArrayLike<unknown> | null)[];
  /** The part of the file's rows up to its end, from 0 to 1. */
  done: number;
}

/** Node's own where it has one: it keeps within the length, and ends whatever it is given. */
const unpackers = {
  ...compressors,
  GZIP: (input: Uint8Array, length: number) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (input: Uint8Array, length: number) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
};

const limited = Object.fromEntries(
  Object.entries(unpackers).map(([codec, unpack]) => [
    codec,
    (input: Uint8Array, length: number) => {
      checkSize('a page', length, MOST_PAGE_BYTES);
      // The one for lz4 knows no block without anything, which a page of NULLs is.
      if (length === 0) return new Uint8Array();
      const output = unpack(input, length);
      if (output.length !== length) throw new Error(`a page has ${output.length} bytes, and says ${length}`);
      return output;
    },
  ]),
) as Compressors;

/** INT96 comes through one, annotated or not. */
const EXACT = { timestampFromNanoseconds: (nanoseconds: bigint) => nanoseconds } as unknown as ParquetParsers;

export class ParquetFile {
  readonly rows: number;
  readonly columns: ParquetColumn[];
  readonly size: number;
  readonly #path: string;
  readonly #metadata: FileMetaData;
  readonly #trees: SchemaTree[];

  private constructor(path: string, size: number, metadata: FileMetaData) {
    this.#path = path;
    this.size = size;
    const annotated = parquetSchema(metadata).children;
    this.columns = annotated.map((tree) => ({ name: tree.element.name, shape: shapeOf(grouped(tree)) }));
    this.#metadata = { ...metadata, schema: plainSchema(metadata.schema) };
    this.#trees = parquetSchema(this.#metadata).children;
    this.rows = metadata.row_groups.reduce((sum, { num_rows: rows }) => sum + rowsOf(rows), 0);
    if (this.rows !== rowsOf(metadata.num_rows))
      throw new Error('its row groups do not have the rows that its footer says');
  }

  /** Throws an Error that says what is wrong. */
  static async open(path: string, size: number): Promise<ParquetFile> {
    if (size < 12) throw new Error(`it is no Parquet file: it has ${size} bytes`);
    const file = bufferOf(path, size);
    const [head, tail] = [await file.slice(0, 4), Buffer.from(await file.slice(size - 8, size))];
    if (Buffer.from(head).toString('latin1') !== 'PAR1')
      throw new Error('it is no Parquet file: it does not begin with PAR1');
    if (tail.toString('latin1', 4) !== 'PAR1')
      throw new Error('it is no whole Parquet file: it does not end with PAR1');
    checkSize('its footer', tail.readUInt32LE(0), MOST_FOOTER_BYTES);
    try {
      return new ParquetFile(path, size, await parquetMetadataAsync(file, { geoparquet: false }));
    } catch (error) {
      throw new Error(`its footer is damaged: ${(error as Error).message}`);
    }
  }

  /** Rows from the one with this number on; the first is 0. */
  async *slices(names: string[], from: number): AsyncGenerator<Slice> {
    let start = 0;
    for (const group of this.#metadata.row_groups) {
      const end = start + Number(group.num_rows);
      for (let first = Math.max(start, from); first < end; first += SLICE_ROWS) {
        const to = Math.min(end, first + SLICE_ROWS);
        const columns: Slice['columns'] = [];
        for (const name of names) columns.push(await this.#column(name, group, first - start, to - start));
        yield { n: to - first, columns, done: to / this.rows };
      }
      start = end;
    }
  }

  /** Rows first .. to of a column, counted from the group's first. Of a footer with thousands of groups only this one is looked at. */
  async #column(name: string, group: RowGroup, first: number, to: number): Promise<ArrayLike<unknown> | null> {
    const tree = this.#trees.find(({ element }) => element.name === name);
    if (tree === undefined) return null;
    const values: unknown[] = [];
    let next = first;
    await parquetRead({
      file: await this.#checked(tree, group),
      metadata: { ...this.#metadata, row_groups: [group] },
      compressors: limited,
      parsers: EXACT,
      columns: [name],
      rowStart: first,
      rowEnd: to,
      utf8: false,
      // Pages, in order; the first may begin before the rows, and the last end behind them.
      onChunk: ({ columnData, rowStart }) => {
        const end = Math.min(columnData.length, to - rowStart);
        for (let i = Math.max(0, next - rowStart); i < end; i++) values.push(columnData[i]);
        next = first + values.length;
      },
    });
    if (values.length === to - first) return values;
    throw new Error(`column "${name}" has ${values.length} values for ${to - first} rows`);
  }

  /** The bytes of a column's chunks in a group, after a look at the headers of their pages. */
  async #checked(tree: SchemaTree, group: RowGroup): Promise<AsyncBuffer> {
    const file = bufferOf(this.#path, this.size);
    const chunks: { start: number; bytes: ArrayBuffer }[] = [];
    for (const { meta_data: chunk } of group.columns) {
      if (chunk === undefined || chunk.path_in_schema[0] !== tree.element.name) continue;
      const from = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
      const length = Number(chunk.total_compressed_size);
      const name = chunk.path_in_schema.join('.');
      checkSize(`column "${name}"`, length, MOST_CHUNK_BYTES);
      if (!(from >= 4 && length >= 0 && from + length <= this.size))
        throw new Error(`column "${name}" says that it lies at bytes ${from} to ${from + length}`);
      const bytes = await file.slice(from, from + length);
      checkPages(name, bytes, Number(chunk.num_values));
      chunks.push({ start: from, bytes });
    }
    return {
      byteLength: this.size,
      slice: (from, to = this.size) => {
        const chunk = chunks.find(({ start, bytes }) => start <= from && to <= start + bytes.byteLength);
        return chunk === undefined ? file.slice(from, to) : chunk.bytes.slice(from - chunk.start, to - chunk.start);
      },
    };
  }
}

function rowsOf(rows: bigint): number {
  if (!(rows >= 0n && rows <= MOST_ROWS)) throw new Error(`it says that it has ${rows} rows`);
  return Number(rows);
}

function checkSize(what: string, bytes: number, most: number): void {
  if (bytes >= 0 && bytes <= most) return;
  throw new Error(`${what} says that it has ${bytes} bytes; at most ${most} are read at once`);
}

/** Throws for pages that say that they are larger than they may be. */
function checkPages(name: string, bytes: ArrayBuffer, most: number): void {
  const reader = { view: new DataView(bytes), offset: 0 };
  let values = 0;
  while (reader.offset < bytes.byteLength - 1) {
    const header = parquetHeader(reader);
    const { compressed_page_size: packed, uncompressed_page_size: size } = header;
    checkSize(`a page of column "${name}"`, size, MOST_PAGE_BYTES);
    if (!(packed >= 0 && reader.offset + packed <= bytes.byteLength))
      throw new Error(`a page of column "${name}" is cut`);
    reader.offset += packed;
    const { dictionary_page_header: dictionary, data_page_header: one, data_page_header_v2: two } = header;
    const count = (dictionary ?? one ?? two)?.num_values ?? 0;
    if (!(count >= 0 && count <= MOST_VALUES))
      throw new Error(`a page of column "${name}" says that it has ${count} values`);
    // A value of a dictionary takes a byte at least, but for booleans, which have none.
    if (dictionary !== undefined && count > size)
      throw new Error(`the dictionary of column "${name}" says ${count} values`);
    if (dictionary === undefined) values += count;
    if (two !== undefined) checkLevels(name, two, packed);
  }
  if (values !== most)
    throw new Error(`the pages of column "${name}" have ${values} values, and its footer says ${most}`);
}

/** Of a page of the second version, whose levels lie before what is packed. */
function checkLevels(name: string, page: PageHeaderV2, packed: number): void {
  const { repetition_levels_byte_length: repetition, definition_levels_byte_length: definition } = page;
  const { num_nulls: nulls, num_rows: rows, num_values: values } = page;
  const isWhole = repetition >= 0 && definition >= 0 && repetition + definition <= packed;
  if (isWhole && nulls >= 0 && nulls <= values && rows >= 0 && rows <= values) return;
  throw new Error(`a page of column "${name}" has a damaged header`);
}

/** Reads on its own handle, so that nothing has to be closed by whoever leaves early; what has become a pipe meanwhile is not waited for. */
function bufferOf(path: string, size: number): AsyncBuffer {
  return {
    byteLength: size,
    async slice(from, to = size) {
      const length = Math.max(0, to - from);
      const bytes = Buffer.from(new ArrayBuffer(length));
      const file = await openToRead(path);
      try {
        for (let at = 0; at < length; ) {
          const { bytesRead } = await file.read(bytes, at, length - at, from + at);
          if (bytesRead === 0) throw new Error(`it ends at byte ${from + at}`);
          at += bytesRead;
        }
      } finally {
        await file.close();
      }
      return bytes.buffer as ArrayBuffer;
    },
  };
}

/** Groups that only the newer annotation says are lists and maps. */
function grouped(tree: SchemaTree): SchemaTree {
  return { ...tree, element: withGroup(tree.element), children: tree.children.map(grouped) };
}

function withGroup(element: SchemaElement): SchemaElement {
  const { type } = element.logical_type ?? {};
  return type === 'LIST' || type === 'MAP' ? { ...element, converted_type: type } : element;
}

/** Leaves without what they are annotated as, so that they come as they lie in the file; but for keys of maps. */
function plainSchema(schema: SchemaElement[]): SchemaElement[] {
  return schema.map((element, i) => {
    if (element.type === undefined) return withGroup(element);
    const isKey = element.name === 'key' && schema[i - 1].repetition_type === 'REPEATED';
    if (isKey && (element.converted_type === 'UTF8' || element.logical_type?.type === 'STRING')) return element;
    const { converted_type: _converted, logical_type: _logical, ...plain } = element;
    return plain;
  });
}
