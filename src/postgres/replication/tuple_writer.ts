/**
 * Rows of a delta as TupleData: 'N', 'K' or 'O', int16 columns, per column 'n' (NULL) or 't' int32 length, bytes (the value as text). Of a key tuple the columns
 * that are no part of the key are NULL.
 */
import type { Batch } from '../../../operators/batch/batch.ts';
import { U8, U32 } from '../../../operators/batch/memory.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { PHYS_WIDTH, physOf } from '../../../operators/types.ts';
import type { PublishedRelation } from '../../engine.ts';
import { type Field, fieldOf } from '../encode/field.ts';
import { copyFromMemory, putLength } from '../encode/field_bytes.ts';
import type { Output } from '../wire/output.ts';

const NULL = 'n'.charCodeAt(0);
const TEXT = 't'.charCodeAt(0);

export class TupleWriter {
  readonly #columns: PublishedRelation['columns'];
  readonly #fields: Field[];

  constructor(columns: PublishedRelation['columns'], context: EvalContext) {
    this.#columns = columns;
    this.#fields = columns.map(({ type }) => fieldOf(physOf(type.oid), type.oid, 0, context));
  }

  write(out: Output, kind: 'N' | 'K' | 'O', batch: Batch, row: number): void {
    const columns = this.#columns;
    out.reserve(1);
    out.buf[out.pos++] = kind.charCodeAt(0);
    out.int16(columns.length);
    columns.forEach(({ position, isKey }, i) => {
      const { valid, data } = batch.columns[position];
      const isNull = (kind === 'K' && !isKey) || (valid !== 0 && U8[valid + row] === 0);
      out.reserve(1);
      out.buf[out.pos++] = isNull ? NULL : TEXT;
      if (!isNull) this.#value(out, this.#fields[i], data + row * PHYS_WIDTH[this.#fields[i].phys]);
    });
  }

  get hasKey(): boolean {
    return this.#columns.some(({ isKey }) => isKey);
  }

  /** The row's key as text. Keys that are equal and look different (1.0 and 1.00) are two: a deletion and an insertion, which is as good. */
  key(batch: Batch, row: number): string {
    return JSON.stringify(
      this.#columns.flatMap(({ position, isKey }, i) => {
        if (!isKey) return [];
        const field = this.#fields[i];
        const { valid, data } = batch.columns[position];
        if (valid !== 0 && U8[valid + row] === 0) return [null];
        return [field.general(data + row * PHYS_WIDTH[field.phys]).toString('latin1')];
      }),
    );
  }

  #value(out: Output, field: Field, slot: number): void {
    if (field.fixed !== null) {
      out.reserve(4 + field.fixed.maxBytes);
      const end = field.fixed.write(out.buf, out.pos + 4, slot);
      if (end >= 0) {
        putLength(out.buf, out.pos, end - out.pos - 4);
        out.pos = end;
        return;
      }
    }
    if (field.raw) {
      const length = U32[slot >>> 2];
      const address = length <= 12 ? slot + 4 : U32[(slot + 8) >>> 2];
      out.int32(length);
      out.reserve(length);
      copyFromMemory(out.buf, out.pos, address, length);
      out.pos += length;
      return;
    }
    const bytes = field.general(slot);
    out.int32(bytes.length);
    out.bytes(bytes);
  }
}
