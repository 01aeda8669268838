/**
 * COPY TO in text and csv: one CopyData message a row.
 *
 *   text   delimiter, backslash and control characters are escaped           a<tab>b\tc<tab>\N
 *   csv    fields with delimiter, quote or line end, and those that equal the null string, are quoted     a,"b,c",
 *
 * Digits, dates and the like are written without a look at their bytes, unless the delimiter, quote or null string could occur in
 * them.
 */
import type { Batch } from '../../../operators/batch/batch.ts';
import { U8, U32 } from '../../../operators/batch/memory.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { isEnumType, PHYS_WIDTH, physOf } from '../../../operators/types.ts';
import type { CopyOptions, ResultColumn } from '../../engine.ts';
import type { Lines } from '../encode/block_writer.ts';
import { type Field, fieldOf } from '../encode/field.ts';
import { portableContext, type RowForm } from '../encode/row_form.ts';
import type { RowWriter } from '../encode/row_writer.ts';
import type { Output } from '../wire/output.ts';
import { BACKEND } from '../wire/protocol.ts';
import { ESCAPES } from './text_fields.ts';

const LF = 10;
const CR = 13;
const BACKSLASH = 92;

export class TextWriter implements RowWriter {
  readonly #columns: ResultColumn[];
  readonly #fields: Field[];
  readonly #options: CopyOptions;
  readonly #context: EvalContext;
  readonly #csv: boolean;
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #escape: number;
  readonly #null: Buffer;
  readonly #forced: boolean[];
  readonly #escapes: Uint8Array;
  /** Digits, dates and the like need no look at their bytes. */
  readonly #plain: boolean;
  /** Bytes of a row without its long values. */
  readonly #fixedBytes: number;

  constructor(columns: ResultColumn[], options: CopyOptions, context: EvalContext) {
    this.#columns = columns;
    this.#options = options;
    this.#context = context;
    this.#csv = options.format === 'csv';
    this.#delimiter = options.delimiter.charCodeAt(0);
    this.#quote = options.quote.charCodeAt(0);
    this.#escape = options.escape.charCodeAt(0);
    this.#null = Buffer.from(options.null);
    this.#escapes = ESCAPES.slice();
    if (this.#escapes[this.#delimiter] === 0) this.#escapes[this.#delimiter] = this.#delimiter;
    this.#forced = columns.map(({ name }) => options.forceQuote === '*' || options.forceQuote.includes(name));
    const special = options.delimiter + (this.#csv ? options.quote + options.null : '');
    this.#plain = !/[0-9A-Za-z +\-.:]/.test(special);
    this.#fields = columns.map((column, i) => {
      const field = fieldOf(physOf(column.type.oid), column.type.oid, 0, context);
      // A label may have any byte.
      const looked = !this.#plain || (this.#csv && this.#forced[i]) || isEnumType(column.type.oid);
      return looked ? { ...field, fixed: null } : field;
    });
    let bytes = 16;
    for (const field of this.#fields) bytes += 1 + this.#null.length + (field.fixed?.maxBytes ?? 0);
    this.#fixedBytes = bytes;
  }

  /** The line of column names. */
  header(out: Output): void {
    out.begin(BACKEND.copyData);
    this.#columns.forEach(({ name }, i) => {
      const bytes = Buffer.from(name);
      out.reserve(this.#fixedBytes);
      if (i > 0) out.buf[out.pos++] = this.#delimiter;
      this.#put(out, bytes, 0, bytes.length, false);
    });
    this.#endRow(out);
  }

  form(): RowForm | null {
    const context = portableContext(this.#columns, this.#context);
    return context === null ? null : { k: 'lines', columns: this.#columns, options: this.#options, context };
  }

  write(out: Output, batch: Batch, from: number, to: number, sentLimit: number): number {
    for (let row = from; row < to; row++) {
      if (out.blocked || out.sent >= sentLimit) return row;
      this.#row(out, batch, row);
    }
    return to;
  }

  #row(out: Output, batch: Batch, row: number): void {
    out.begin(BACKEND.copyData);
    for (let i = 0; i < this.#fields.length; i++) {
      const field = this.#fields[i];
      const column = batch.columns[i];
      out.reserve(this.#fixedBytes);
      if (i > 0) out.buf[out.pos++] = this.#delimiter;
      if (column.valid !== 0 && U8[column.valid + row] === 0) {
        out.bytes(this.#null);
        continue;
      }
      const slot = column.data + row * PHYS_WIDTH[field.phys];
      if (field.fixed !== null) {
        const end = field.fixed.write(out.buf, out.pos, slot);
        if (end >= 0) {
          out.pos = end;
          continue;
        }
      }
      if (field.raw) {
        const length = U32[slot >>> 2];
        this.#put(out, U8, length <= 12 ? slot + 4 : U32[(slot + 8) >>> 2], length, this.#forced[i]);
      } else this.#general(out, field, slot, this.#forced[i]);
    }
    this.#endRow(out);
  }

  #general(out: Output, field: Field, slot: number, forced: boolean): void {
    let bytes: Buffer;
    try {
      bytes = field.general(slot);
    } catch (cause) {
      out.abandon();
      throw cause;
    }
    this.#put(out, bytes, 0, bytes.length, forced);
  }

  #endRow(out: Output): void {
    out.reserve(1);
    out.buf[out.pos++] = LF;
    out.end();
  }

  #put(out: Output, bytes: Uint8Array, from: number, length: number, forced: boolean): void {
    out.reserve(length * 2 + 2 + this.#fixedBytes);
    if (this.#csv) this.#putCsv(out, bytes, from, length, forced);
    else this.#putText(out, bytes, from, length);
  }

  #putText(out: Output, bytes: Uint8Array, from: number, length: number): void {
    const { buf } = out;
    let { pos } = out;
    for (let i = from; i < from + length; i++) {
      const byte = bytes[i];
      const escaped = this.#escapes[byte];
      if (escaped === 0) buf[pos++] = byte;
      else {
        buf[pos++] = BACKSLASH;
        buf[pos++] = escaped;
      }
    }
    out.pos = pos;
  }

  #putCsv(out: Output, bytes: Uint8Array, from: number, length: number, forced: boolean): void {
    const { buf } = out;
    let { pos } = out;
    const quote = this.#quote;
    const quoted = forced || this.#needsQuotes(bytes, from, length);
    if (quoted) buf[pos++] = quote;
    for (let i = from; i < from + length; i++) {
      const byte = bytes[i];
      if (quoted && (byte === quote || byte === this.#escape)) buf[pos++] = this.#escape;
      buf[pos++] = byte;
    }
    if (quoted) buf[pos++] = quote;
    out.pos = pos;
  }

  #needsQuotes(bytes: Uint8Array, from: number, length: number): boolean {
    if (length === this.#null.length && this.#null.equals(bytes.subarray(from, from + length))) return true;
    // A line of \. would end the data.
    if (this.#columns.length === 1 && length === 2 && bytes[from] === BACKSLASH && bytes[from + 1] === 46) return true;
    for (let i = from; i < from + length; i++) {
      const byte = bytes[i];
      if (byte === this.#delimiter || byte === this.#quote || byte === LF || byte === CR) return true;
    }
    return false;
  }

  /** How its lines look, for a kernel; null: not as text with fields that need no look at their bytes. */
  get lines(): Lines | null {
    if (this.#csv || !this.#plain) return null;
    return { delimiter: this.#delimiter, null: this.#null, escapes: this.#escapes };
  }

  get hasHeader(): boolean {
    return this.#options.header !== false;
  }
}
