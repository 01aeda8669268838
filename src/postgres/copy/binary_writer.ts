/**
 * COPY TO in binary, cut into messages as PostgreSQL does: the header shares its CopyData with the first row (or, without rows,
 * with the trailer). Some clients take every message as one row.
 *
 *   CopyData: signature, flags, extension | row 1     CopyData: row 2     ...     CopyData: int16 -1
 */
import { Writable } from 'node:stream';
import type { Batch } from '../../../operators/batch/batch.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import type { ResultColumn } from '../../engine.ts';
import type { RowForm } from '../encode/row_form.ts';
import { DataRowWriter, type RowWriter } from '../encode/row_writer.ts';
import { returnChunk } from '../wire/chunk_pool.ts';
import { Output } from '../wire/output.ts';
import { BACKEND } from '../wire/protocol.ts';
import { COPY_SIGNATURE } from './binary_decoder.ts';

const HEADER = Buffer.concat([COPY_SIGNATURE, Buffer.alloc(8)]);
const TRAILER = Buffer.from([0xff, 0xff]);
const MESSAGE_HEAD_BYTES = 5;

export class BinaryWriter implements RowWriter {
  readonly #rows: DataRowWriter;
  /** What the next message starts with. */
  #lead: Buffer | null = HEADER;

  constructor(columns: ResultColumn[], context: EvalContext) {
    this.#rows = new DataRowWriter(columns, [1], context, BACKEND.copyData);
  }

  /** The first row is written where the session is, with the header. */
  form(): RowForm | null {
    return this.#lead === null ? this.#rows.form() : null;
  }

  write(out: Output, batch: Batch, from: number, to: number, sentLimit: number): number {
    if (this.#lead === null || from === to) return this.#rows.write(out, batch, from, to, sentLimit);
    // A message of its own, from which the row is taken: the first one of an output always stays in its buffer.
    const alone = new Output(new Writable());
    this.#rows.write(alone, batch, from, from + 1, Number.POSITIVE_INFINITY);
    this.#message(out, alone.buf.subarray(MESSAGE_HEAD_BYTES, alone.pos));
    returnChunk(alone.buf);
    return this.#rows.write(out, batch, from + 1, to, sentLimit);
  }

  /** The end of the rows. */
  trailer(out: Output): void {
    this.#message(out, TRAILER);
  }

  #message(out: Output, bytes: Buffer): void {
    out.begin(BACKEND.copyData);
    if (this.#lead !== null) out.bytes(this.#lead);
    out.bytes(bytes);
    out.end();
    this.#lead = null;
  }
}
