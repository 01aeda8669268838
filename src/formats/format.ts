/**
 * What a format decoder is: records of a RawBatch in, rows of a BatchBuilder out, only for the columns that are needed.
 *
 *   RawBatch records [from, to)  -->  rows appended to `out` (weight 1)   +   BadRow list (those records give no row)
 *
 * A bad record never stops the others: it becomes a row of the stream's error relation. Long values are copied into the builder's
 * arena, so the raw bytes may go once decode() has returned.
 *
 * Envelope upsert: rows are commands in record order, not a Z-set: weight 1 sets the key's row, weight -1 (a tombstone) deletes it and
 * has only its key columns set, weight FIRST_PARTIAL + k sets all but the columns of partials[k], which stay what they are, weight ALL_GONE empties the table. The engine keeps the rows by key.
 */
import type { BatchBuilder } from '../../operators/batch/builder.ts';
import type { ColType } from '../../operators/types.ts';
import type { RawBatch } from '../sources/source.ts';
import type { FieldDefault } from './defaults.ts';

/** Where a column's value comes from: a field of the value (and of the key, for upsert key columns) or the record's own properties. */
export type Origin =
  | { k: 'field'; name: string }
  | { k: 'key' }
  | { k: 'partition' }
  | { k: 'offset' }
  | { k: 'timestamp' }
  | { k: 'headers' };

export interface SourceColumn {
  name: string;
  type: ColType;
  notNull: boolean;
  origin: Origin;
  /** What a missing field gives; absent: NULL. */
  default?: FieldDefault;
}

export interface DecoderSpec {
  columns: SourceColumn[];
  /** Positions in `columns` that `out` has, in order. All columns are checked, so what is bad does not depend on what is needed. */
  needed: number[];
  /** Position in `columns` of the time whose bounds decode() may tell; absent: nobody asks. */
  time?: number;
  /** Envelope upsert: positions in `columns` of the primary key; absent for append. */
  upsertKey?: number[];
}

export interface BadRow {
  /** Record's position in the RawBatch. */
  index: number;
  /** Message and SQLSTATE as PostgreSQL would give for the value. */
  reason: string;
  sqlstate: string;
  /** Column name; null when the record as a whole can't be read. */
  column: string | null;
}

export interface TimeBounds {
  least: bigint;
  greatest: bigint;
}

/** The least weight of a row that does not say all. */
export const FIRST_PARTIAL = 2;

/** The weight of a row that takes all rows of the table away which were there before it; it has no values. */
export const ALL_GONE = -2;

/** What such a row leaves as it is, and the record that it comes of. */
export interface PartialRow {
  columns: number[];
  /** The row before it in the batch removes the key that this one had. */
  moved: boolean;
  raw: RawBatch;
  index: number;
}

export interface Decoder {
  /**
   * Decodes records from <= i < to. `out` must have been built with the types of the needed columns. `now` is the tick's clock in
   * microseconds since 2000-01-01 UTC: what now() means in a column's DEFAULT.
   */
  decode(raw: RawBatch, from: number, to: number, out: BatchBuilder, now: bigint): BadRow[];
  /** Bytes of the values that the last decode() read. */
  readonly bytes: number;
  /** Whether it may have put a NULL into `out`. */
  readonly anyNull: boolean;
  /** Bounds of the column `time` over the rows of the last decode(): null when it had none that is not NULL, undefined when they are not known. Good until the next call. */
  times?(): TimeBounds | null | undefined;
  /** Of the rows since it was emptied by who reads them; missing: its rows say all. */
  readonly partials?: PartialRow[];
  /** Gives its memory back. */
  release(): void;
}
