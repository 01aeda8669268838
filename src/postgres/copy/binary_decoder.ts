/**
 * COPY FROM in binary:
 *
 *   "PGCOPY\n\377\r\n\0" | int32 flags | int32 length, header extension | rows | int16 -1
 *   row: int16 columns, then per column int32 length (-1 NULL) and that many bytes in the type's binary form
 */
import type { BatchBuilder } from '../../../operators/batch/builder.ts';
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { inputBinary } from '../../../operators/expr/io/index.ts';
import type { ResultColumn } from '../../engine.ts';
import { atPlace, badFormat } from './copy_errors.ts';
import type { RowDecoder } from './row_decoder.ts';
import { Unfinished } from './unfinished.ts';

export const COPY_SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const MAX_FIELD_BYTES = 1 << 30;

export class BinaryDecoder implements RowDecoder {
  readonly #table: string;
  readonly #columns: ResultColumn[];
  readonly #rest = new Unfinished();
  #headerRead = false;
  #trailerRead = false;
  #row = 0;

  constructor(table: string, columns: ResultColumn[]) {
    this.#table = table;
    this.#columns = columns;
  }

  get line(): number {
    return this.#row;
  }

  push(chunk: Buffer, rows: BatchBuilder): void {
    const data = this.#rest.with(chunk);
    let at = 0;
    if (!this.#headerRead) {
      at = this.#header(data);
      if (at < 0) {
        this.#rest.keep(data, 0);
        return;
      }
      this.#headerRead = true;
    }
    for (;;) {
      if (this.#trailerRead) {
        if (at < data.length) throw this.#placed(badFormat('received copy data after EOF marker'));
        break;
      }
      const end = this.#rowEnd(data, at);
      if (end < 0) break;
      if (!this.#trailerRead) rows.pushDatums(this.#decode(data, at + 2), 1);
      at = end;
    }
    this.#rest.keep(data, at);
  }

  end(): void {
    if (!this.#headerRead) throw badFormat('COPY file signature not recognized');
    // PostgreSQL takes data without the trailer too.
    if (this.#rest.bytes.length > 0) throw this.#placed(badFormat('unexpected EOF in COPY data'), this.#row + 1);
  }

  /** Where the header ends; -1 when more must come. */
  #header(data: Buffer): number {
    const seen = Math.min(data.length, COPY_SIGNATURE.length);
    if (data.compare(COPY_SIGNATURE, 0, seen, 0, seen) !== 0) throw badFormat('COPY file signature not recognized');
    if (data.length < 19) return -1;
    const flags = data.readUInt32BE(11);
    if ((flags & 0x10000) !== 0) throw badFormat('invalid COPY file header (WITH OIDS)');
    if (flags >>> 16 !== 0) throw badFormat('unrecognized critical flags in COPY file header');
    const extension = data.readInt32BE(15);
    if (extension < 0) throw badFormat('invalid COPY file header (missing length)');
    return data.length < 19 + extension ? -1 : 19 + extension;
  }

  /** Where the row at `at` ends, its shape checked; -1 when more must come. */
  #rowEnd(data: Buffer, at: number): number {
    if (data.length < at + 2) return -1;
    const count = data.readInt16BE(at);
    if (count === -1) {
      this.#trailerRead = true;
      return at + 2;
    }
    if (count !== this.#columns.length) {
      throw this.#placed(badFormat(`row field count is ${count}, expected ${this.#columns.length}`), this.#row + 1);
    }
    let end = at + 2;
    for (let i = 0; i < count; i++) {
      if (data.length < end + 4) return -1;
      const length = data.readInt32BE(end);
      if (length < -1 || length > MAX_FIELD_BYTES) throw this.#placed(badFormat('invalid field size'), this.#row + 1);
      end += 4 + Math.max(length, 0);
    }
    return data.length < end ? -1 : end;
  }

  #decode(data: Buffer, at: number): Datum[] {
    this.#row++;
    return this.#columns.map((column) => {
      const length = data.readInt32BE(at);
      at += 4;
      if (length === -1) return null;
      const bytes = data.subarray(at, at + length);
      at += length;
      try {
        return inputBinary(bytes, column.type.oid, column.type.typmod);
      } catch (cause) {
        throw cause instanceof SqlError ? atPlace(cause, this.#table, this.#row, column.name, null) : cause;
      }
    });
  }

  #placed(error: SqlError, row = this.#row): SqlError {
    return atPlace(error, this.#table, row, null, null);
  }
}
