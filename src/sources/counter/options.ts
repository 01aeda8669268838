/** The options of CREATE STREAM ... WITH (connector = 'counter', ...). */
import { SqlError } from '../../../operators/errors.ts';
import { integer, refuseUnknown } from '../../connector_options.ts';

export interface CounterOptions {
  /** Rows delivered a second; 0: as fast as they are read. */
  rowsPerSecond: number;
  /** How many there are; Infinity for no end. */
  rows: number;
}

const COUNTER_OPTIONS: Record<string, string> = {
  rows_per_second: 'rows delivered a second (without it: as fast as they are read)',
  rows: 'how many rows there are (without it: no end)',
};

/** Read by the catalog and the stream, not by the counter. */
const OF_EVERY_STREAM = ['connector', 'start', 'idle_timeout', 'idle_timeout_ms'];

/** Reads the options by name. Throws SqlError 22023 for an unknown name (listing the known ones), a bad value, or rows without an end at full speed. */
export function parseCounterOptions(given: Readonly<Record<string, string>>): CounterOptions {
  refuseUnknown('counter', given, COUNTER_OPTIONS, OF_EVERY_STREAM);
  if (given.rows_per_second === undefined && given.rows === undefined) {
    throw new SqlError('22023', 'connector "counter" needs rows_per_second, rows or both', {
      hint: 'Without either it would count for ever, as fast as rows are read.',
    });
  }
  return {
    rowsPerSecond: integer(given, 'rows_per_second', 0, 1, 1e9),
    rows: integer(given, 'rows', Number.POSITIVE_INFINITY, 0, Number.MAX_SAFE_INTEGER),
  };
}
