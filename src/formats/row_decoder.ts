/**
 * Formats that are read one record at a time, by the parser of the format and the types' own text input.
 *
 *   record --RecordReader--> rows of datums (none, one, or for a changed key two) --> slots;   a RowError makes it a bad record, and none of its rows counts
 *
 * Columns of the record around the message (INCLUDE ...) are filled in here. O(bytes) a record, no state but the defaults of the tick.
 */
import type { BatchBuilder } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import type { RawBatch } from '../sources/source.ts';
import { Defaults } from './defaults.ts';
import {
  type ALL_GONE,
  type BadRow,
  type Decoder,
  type DecoderSpec,
  FIRST_PARTIAL,
  type PartialRow,
} from './format.ts';
import { RecordContext } from './record_context.ts';
import { recordValue } from './record_value.ts';
import { RowError } from './row_error.ts';

export interface DecodedRow {
  /** By declared column; those of the record around the message are filled in later. */
  values: Datum[];
  weight: 1 | -1 | typeof ALL_GONE;
  /** Columns that stay as they are in the row of its key; missing: none. */
  kept?: number[];
}

export interface RecordReader {
  /** The rows of record i. Throws RowError. */
  read(raw: RawBatch, i: number, defaults: Defaults, ctx: EvalContext): DecodedRow[];
}

export class RowDecoder implements Decoder {
  readonly #spec: DecoderSpec;
  readonly #reader: RecordReader;
  readonly #defaults: Defaults;
  readonly #ctx = new RecordContext();
  /** Columns from the record around the message. */
  readonly #recordFields: number[];
  readonly partials: PartialRow[] = [];
  bytes = 0;
  anyNull = false;

  constructor(spec: DecoderSpec, reader: RecordReader) {
    this.#spec = spec;
    this.#reader = reader;
    this.#defaults = new Defaults(spec.columns);
    this.#recordFields = spec.columns.flatMap(({ origin }, column) => (origin.k === 'field' ? [] : [column]));
  }

  decode(raw: RawBatch, from: number, to: number, out: BatchBuilder, now: bigint): BadRow[] {
    this.bytes = 0;
    this.anyNull = false;
    this.#defaults.setClock(now);
    this.#ctx.raw = raw;
    const bad: BadRow[] = [];
    for (let i = from; i < to; i++) {
      if (raw.valueStart[i] >= 0) this.bytes += raw.valueEnd[i] - raw.valueStart[i];
      this.#ctx.record = i;
      try {
        this.#rowsOf(raw, i).forEach((row, at) => {
          this.#put(row, at > 0, raw, i, out);
        });
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
        bad.push({ index: i, reason: error.message, sqlstate: error.sqlstate, column: error.column });
      }
    }
    return bad;
  }

  #rowsOf(raw: RawBatch, i: number): DecodedRow[] {
    const rows = this.#reader.read(raw, i, this.#defaults, this.#ctx);
    for (const { values } of rows)
      for (const column of this.#recordFields)
        values[column] = recordValue(this.#spec.columns[column], raw, i, this.#ctx);
    return rows;
  }

  #put({ values, weight, kept }: DecodedRow, moved: boolean, raw: RawBatch, index: number, out: BatchBuilder): void {
    const row = out.addRow(kept === undefined ? weight : FIRST_PARTIAL + this.partials.length);
    if (kept !== undefined) this.partials.push({ columns: kept, moved, raw, index });
    this.#spec.needed.forEach((column, place) => {
      const value = values[column];
      if (value === null) this.anyNull = true;
      out.setDatum(place, row, value);
    });
  }

  release(): void {
    // All that it has is the collector's.
  }
}
