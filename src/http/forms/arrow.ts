/**
 * application/vnd.apache.arrow.stream: Arrow's IPC stream, a record batch for some thousand rows (arrow_columns.ts has the types). The library is loaded by who asks for it first. An error
 * behind rows has no place: the answer is cut off before its end.
 */
import type * as Arrow from 'apache-arrow';
import { HttpError } from '../errors.ts';
import type { Column } from '../type_names.ts';
import { type ColumnBuilder, columnBuilder } from './arrow_columns.ts';
import type { ResultForm } from './form.ts';

type Library = typeof Arrow;

const BATCH_ROWS = 8192;
const BATCH_CHARACTERS = 1 << 20;

/** 501 when the package was left out at the installation. */
export async function newArrowForm(): Promise<ResultForm> {
  let library: Library;
  try {
    library = await import('apache-arrow');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new HttpError(501, 'Arrow is not available', {
      sqlstate: '0A000',
      hint: 'The package apache-arrow is not installed: npm install apache-arrow',
    });
  }
  return new ArrowForm(library);
}

class ArrowForm implements ResultForm {
  readonly contentType = 'application/vnd.apache.arrow.stream';
  readonly #library: Library;
  readonly #writer: Arrow.RecordBatchStreamWriter;
  #schema: Arrow.Schema;
  #columns: ColumnBuilder[] = [];
  #rows = 0;
  #characters = 0;
  #out: Uint8Array[] = [];
  pending = 0;

  constructor(library: Library) {
    this.#library = library;
    this.#schema = new library.Schema([]);
    this.#writer = new library.RecordBatchStreamWriter();
  }

  begin(columns: Column[] | null): void {
    const library = this.#library;
    this.#columns = (columns ?? []).map((column) => columnBuilder(library, column));
    const fields = (columns ?? []).map(({ name }, i) => new library.Field(name, this.#columns[i].type, true));
    this.#schema = new library.Schema(fields);
    const take = (bytes: Uint8Array) => {
      this.#out.push(bytes);
      this.pending += bytes.length;
    };
    // The library's own sink keeps all chunks until somebody iterates over it.
    class Sink extends library.AsyncByteQueue {
      override write(value: Parameters<Arrow.AsyncByteQueue['write']>[0]): void {
        const bytes = value as Uint8Array;
        if (bytes.length > 0) take(bytes);
      }
    }
    this.#writer.reset(new Sink(), this.#schema);
  }

  row(fields: (string | null)[]): void {
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i];
      this.#columns[i].add(field);
      this.#characters += (field?.length ?? 0) + 1;
    }
    this.#rows++;
    if (this.#rows >= BATCH_ROWS || this.#characters >= BATCH_CHARACTERS) this.#writeBatch();
  }

  #writeBatch(): void {
    const { RecordBatch, Struct, makeData } = this.#library;
    const children = this.#columns.map((column) => column.finish());
    const type = new Struct(this.#schema.fields);
    const data = makeData({ type, length: this.#rows, nullCount: 0, children });
    this.#writer.write(new RecordBatch(this.#schema, data));
    this.#rows = 0;
    this.#characters = 0;
  }

  end(): void {
    if (this.#rows > 0) this.#writeBatch();
    this.#writer.finish();
  }

  fail(): boolean {
    return false;
  }

  take(): Uint8Array {
    const bytes = Buffer.concat(this.#out);
    this.#out = [];
    this.pending = 0;
    return bytes;
  }
}
