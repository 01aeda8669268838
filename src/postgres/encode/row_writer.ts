/**
 * Rows of a columnar batch as DataRow messages, straight into the output's chunk.
 *
 *   'D' int32 length | int16 columns | per column: int32 length (-1 NULL), bytes
 *
 * Before each row there is room for all fixed-width columns; only long values reserve more. A row that fails half-way (an output
 * function raises) is taken back whole.
 */

import type { Batch } from '../../../operators/batch/batch.ts';
import { U8, U32 } from '../../../operators/batch/memory.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { PHYS_WIDTH, physOf } from '../../../operators/types.ts';
import type { ResultColumn } from '../../engine.ts';
import { formatOf } from '../wire/control_message.ts';
import type { Output } from '../wire/output.ts';
import { BACKEND } from '../wire/protocol.ts';
import { type Field, fieldOf } from './field.ts';
import { copyFromMemory, putLength } from './field_bytes.ts';
import { portableContext, type RowForm } from './row_form.ts';
import { type RowLoop, rowLoop } from './row_loop.ts';

/** Anything that turns rows of a batch into messages. */
export interface RowWriter {
  /** How another thread makes the same bytes of the rows that follow; null: it cannot. */
  form(): RowForm | null;
  /**
   * Writes rows from `from` up to, not including, `to`; stops early when the output is blocked or has sent `sentLimit` bytes in
   * total. Returns the first row not written.
   */
  write(out: Output, batch: Batch, from: number, to: number, sentLimit: number): number;
}

/** From so many rows on a generated loop writes them. */
const LOOP_ROWS = 64;

export class DataRowWriter implements RowWriter {
  readonly #columns: ResultColumn[];
  readonly #formats: number[];
  readonly #context: EvalContext;
  readonly #type: number;
  readonly #fields: Field[];
  #loop: RowLoop | null = null;
  /** Bytes of a row without its long values. */
  readonly #fixedBytes: number;

  /** `type`: DataRow, or CopyData, whose rows in binary have the same form. */
  constructor(columns: ResultColumn[], formats: number[], context: EvalContext, type: number = BACKEND.dataRow) {
    this.#columns = columns;
    this.#formats = formats;
    this.#context = context;
    this.#type = type;
    this.#fields = columns.map((column, i) =>
      fieldOf(physOf(column.type.oid), column.type.oid, formatOf(formats, i), context),
    );
    let bytes = 7;
    for (const field of this.#fields) bytes += 4 + (field.fixed?.maxBytes ?? 0);
    this.#fixedBytes = bytes;
  }

  form(): RowForm | null {
    const context = portableContext(this.#columns, this.#context);
    if (context === null) return null;
    return { k: 'fields', columns: this.#columns, formats: this.#formats, context, message: this.#type };
  }

  write(out: Output, batch: Batch, from: number, to: number, sentLimit: number): number {
    if (to - from >= LOOP_ROWS) {
      this.#loop ??= this.#generate();
      return this.#loop(out, batch, from, to, sentLimit);
    }
    for (let row = from; row < to; row++) {
      if (out.blocked || out.sent >= sentLimit) return row;
      this.writeRow(out, batch, row);
    }
    return to;
  }

  #generate(): RowLoop {
    const fields = this.#fields;
    return rowLoop(fields, this.#type, this.#fixedBytes, (out, i, slot) => this.#writeGeneral(out, fields[i], slot));
  }

  /** One row, whether the output is blocked or not. */
  writeRow(out: Output, batch: Batch, row: number): void {
    const fields = this.#fields;
    const count = fields.length;
    out.reserve(this.#fixedBytes);
    let buf = out.buf;
    let pos = out.pos;
    buf[pos] = this.#type;
    buf[pos + 5] = count >>> 8;
    buf[pos + 6] = count;
    pos += 7;
    for (let i = 0; i < count; i++) {
      const column = batch.columns[i];
      if (column.valid !== 0 && U8[column.valid + row] === 0) {
        putLength(buf, pos, -1);
        pos += 4;
        continue;
      }
      const field = fields[i];
      const slot = column.data + row * PHYS_WIDTH[field.phys];
      if (field.fixed !== null) {
        const end = field.fixed.write(buf, pos + 4, slot);
        if (end >= 0) {
          putLength(buf, pos, end - pos - 4);
          pos = end;
          continue;
        }
      }
      out.pos = pos;
      if (field.raw) this.#writeRaw(out, slot, field.prefix);
      else this.#writeGeneral(out, field, slot);
      buf = out.buf;
      pos = out.pos;
    }
    out.pos = pos;
    out.end();
  }

  #writeRaw(out: Output, slot: number, prefix: number): void {
    const length = U32[slot >>> 2];
    const address = length <= 12 ? slot + 4 : U32[(slot + 8) >>> 2];
    const extra = prefix < 0 ? 0 : 1;
    out.reserve(length + extra + this.#fixedBytes);
    const buf = out.buf;
    let pos = out.pos;
    putLength(buf, pos, length + extra);
    pos += 4;
    if (extra === 1) buf[pos++] = prefix;
    copyFromMemory(buf, pos, address, length);
    out.pos = pos + length;
  }

  #writeGeneral(out: Output, field: Field, slot: number): void {
    let bytes: Buffer;
    try {
      bytes = field.general(slot);
    } catch (cause) {
      out.abandon();
      throw cause;
    }
    out.reserve(bytes.length + this.#fixedBytes);
    putLength(out.buf, out.pos, bytes.length);
    out.buf.set(bytes, out.pos + 4);
    out.pos += 4 + bytes.length;
  }
}
