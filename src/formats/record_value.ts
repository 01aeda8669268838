/**
 * Columns that come from the record around the message: INCLUDE KEY, PARTITION, OFFSET, TIMESTAMP, HEADERS.
 *
 * A text key is its characters (invalid UTF-8 makes a bad record), a bytea key its bytes. Headers are one jsonb object; of equal names the
 * last counts; a value that is not UTF-8 is written as '\x...' in hexadecimal.
 */
import type { Datum } from '../../operators/datum.ts';
import { EPOCH_DIFF_MS } from '../../operators/expr/datetime/calendar.ts';
import { inputText } from '../../operators/expr/io/index.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { OID } from '../../operators/types.ts';
import type { RawBatch } from '../sources/source.ts';
import type { SourceColumn } from './format.ts';
import { charactersOf, checked, guarded, RowError } from './row_error.ts';

/** 294277-01-01, from which on there is no timestamp. */
const TIMESTAMP_LIMIT_MS = 9_224_318_016_000_000;

/** The value of a column whose origin is not a field. */
export function recordValue(column: SourceColumn, raw: RawBatch, i: number, ctx: EvalContext): Datum {
  return checked(
    column,
    guarded(column.name, () => read(column, raw, i, ctx)),
  );
}

function read(column: SourceColumn, raw: RawBatch, i: number, ctx: EvalContext): Datum {
  switch (column.origin.k) {
    case 'partition':
      return column.type.oid === OID.int8 ? BigInt(raw.partition) : raw.partition;
    case 'offset':
      return BigInt(raw.offset[i]);
    case 'timestamp':
      return timestampValue(raw.timestamp[i], column);
    case 'headers':
      return headersValue(raw, i, column, ctx);
    case 'key': {
      if (raw.keyStart[i] < 0) return null;
      const bytes = raw.bytes.subarray(raw.keyStart[i], raw.keyEnd[i]);
      return column.type.oid === OID.bytea
        ? new Uint8Array(bytes)
        : inputText(charactersOf(bytes, column.name), column.type, ctx);
    }
    case 'field':
      throw new Error(`column ${column.name} is a field of the message`);
  }
}

/** Producers may write what they like: only some brokers compare it with their clock. */
function timestampValue(ms: number, column: SourceColumn): Datum {
  if (ms < 0) return null;
  if (ms >= TIMESTAMP_LIMIT_MS) throw new RowError('22008', `timestamp out of range: ${ms} ms`, column.name);
  return BigInt(ms - EPOCH_DIFF_MS) * 1000n;
}

function headersValue(raw: RawBatch, i: number, column: SourceColumn, ctx: EvalContext): Datum {
  const entries = raw.headers(i).map(({ key, value }) => [key, value === null ? null : headerText(value)]);
  return inputText(JSON.stringify(Object.fromEntries(entries)), column.type, ctx);
}

function headerText(value: Uint8Array): string {
  const text = Buffer.from(value).toString('utf8');
  const exact = Buffer.from(text, 'utf8').equals(value) && !text.includes('\0');
  return exact ? text : `\\x${Buffer.from(value).toString('hex')}`;
}
