/**
 * The columns of a counter: `n bigint`, the number, and `at timestamptz`, when it was counted; others need a DEFAULT.
 *
 * `at` is the clock of the tick that reads the row first, which the history and the tick log keep, so it is read as a field that is never there
 * and has DEFAULT now(): reading the row again gives the same time.
 */
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { colType, OID } from '../../../operators/types.ts';
import type { Defaults } from '../../formats/defaults.ts';
import type { Decoder, DecoderSpec, SourceColumn } from '../../formats/format.ts';
import { type DecodedRow, type RecordReader, RowDecoder } from '../../formats/row_decoder.ts';
import { checked, missing } from '../../formats/row_error.ts';
import type { RawBatch } from '../source.ts';

const COLUMNS: Record<string, { oid: number; type: string }> = {
  n: { oid: OID.int8, type: 'bigint' },
  at: { oid: OID.timestamptz, type: 'timestamp with time zone' },
};

/** A column of another name would be NULL for ever: a slip of the pen. */
export function checkCounterColumns({ columns }: DecoderSpec): void {
  for (const { name, type, origin, default: missing } of columns) {
    if (origin.k !== 'field') continue;
    const own = COLUMNS[origin.name];
    if (own === undefined && missing !== undefined) continue;
    if (own === undefined) {
      throw new SqlError('42703', `a counter has no column "${name}"`, {
        hint: 'Its columns are: n bigint, at timestamptz. A column of your own needs a DEFAULT.',
      });
    }
    if (type.oid === own.oid && type.typmod === -1) continue;
    throw new SqlError('42804', `column "${name}" of a counter must be of type ${own.type}`);
  }
}

/** The columns with the time of `at`. */
export function counterColumns(columns: SourceColumn[]): SourceColumn[] {
  const expr = { k: 'call' as const, fn: 'now()', args: [], t: colType(OID.timestamptz), strict: true };
  const clock = { expr, context: defaultContext(), clocked: true };
  return columns.map((column) =>
    column.origin.k === 'field' && column.origin.name === 'at' ? { ...column, default: clock } : column,
  );
}

export function counterDecoder(spec: DecoderSpec): Decoder {
  return new RowDecoder(spec, new CounterReader(spec.columns));
}

class CounterReader implements RecordReader {
  readonly #columns: SourceColumn[];

  constructor(columns: SourceColumn[]) {
    this.#columns = columns;
  }

  read(raw: RawBatch, i: number, defaults: Defaults): DecodedRow[] {
    const values = this.#columns.map((column, position): Datum => {
      if (column.origin.k !== 'field') return null;
      if (column.origin.name === 'n') return checked(column, BigInt(raw.offset[i]));
      return missing(position, column, defaults);
    });
    return [{ values, weight: 1 }];
  }
}
